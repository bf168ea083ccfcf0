//! An entry of a section: which resource it is (ours by name, or somebody else's), what every entry can have, and what its
//! kind has.

use serde_json::Value as Json;

use super::diagnostic::Mistake;
use super::grammar::{Bucket, Common, Delivery, Function, Stream};
use super::schema;
use super::shape::{At, Field, Record, Shape, known_pairs, record};
use super::tree::Node;
use super::words::*;

#[derive(Debug, Clone, Default)]
pub(super) struct Entry<T: Kind> {
    pub id: T::Id,
    pub common: Common,
    pub body: T,
    /// Keys that only a resource of ours can have, where they stand.
    pub managed_only: Vec<At<String>>,
}

/// The record of a section's entries.
pub(super) trait Kind: Record {
    type Id: Identity;
    /// As an error names one: "a stream".
    const NOUN: &'static str;
    /// The longest name.
    const NAME_MAX: usize;
    /// Has it a name of its own in each environment? Only a bucket has not.
    const NAMED_BY_ENVIRONMENT: bool;
}

/// `name` or `existing`.
pub(super) trait Identity: Record {
    fn name(&self) -> Option<At<String>>;
    fn existing(&self) -> Option<At<String>>;
}

pub(super) type StreamEntry = Entry<Stream>;
pub(super) type BucketEntry = Entry<Bucket>;
pub(super) type FunctionEntry = Entry<Function>;
pub(super) type DeliveryEntry = Entry<Delivery>;

macro_rules! kind {
    ($kind:ident, $noun:literal, $max:expr, $by_environment:literal, $identity:ident { $name:ident, $existing:ident }) => {
        record! {
            /// Which resource it is.
            $identity {
                /// Name on AWS: of a resource that this stack makes.
                name: $name;
                /// Name or ARN of somebody else's: only referred to, never made, changed or deleted.
                existing: $existing;
            }
        }

        impl Identity for $identity {
            fn name(&self) -> Option<At<String>> {
                self.name.as_ref().map(|name| name.map(|name| name.0.clone()))
            }

            fn existing(&self) -> Option<At<String>> {
                self.existing.as_ref().map(|id| id.map(|id| id.0.clone()))
            }
        }

        impl Kind for $kind {
            type Id = $identity;
            const NOUN: &'static str = $noun;
            const NAME_MAX: usize = $max;
            const NAMED_BY_ENVIRONMENT: bool = $by_environment;
        }
    };
}

kind!(Stream, "a stream", STREAM_NAME_MAX, true, StreamIdentity { StreamName, StreamId });
kind!(Bucket, "a bucket", BUCKET_NAME_MAX, false, BucketIdentity { BucketName, BucketId });
kind!(Function, "a function", FUNCTION_NAME_MAX, true, FunctionIdentity { FunctionName, FunctionId });
kind!(Delivery, "a delivery", DELIVERY_NAME_MAX, true, DeliveryIdentity { DeliveryName, DeliveryId });

impl<T: Kind> Entry<T> {
    fn fields() -> Vec<Field> {
        [T::Id::fields(), T::fields(), Common::fields()].into_iter().flatten().collect()
    }
}

impl<T: Kind> Shape for Entry<T> {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let pairs = known_pairs(node, &Self::fields(), mistakes)?;
        let managed_only = pairs.iter().filter(|pair| !matches!(pair.key.as_str(), "name" | "existing"));
        Some(Entry {
            id: T::Id::take(pairs, mistakes),
            common: Common::take(pairs, mistakes),
            body: T::take(pairs, mistakes),
            managed_only: managed_only
                .map(|pair| At { value: pair.key.clone(), at: pair.key_at, varies: false })
                .collect(),
        })
    }

    fn schema() -> Json {
        schema::object(T::ABOUT, &Self::fields())
    }
}
