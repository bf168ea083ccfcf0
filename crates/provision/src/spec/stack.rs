//! What a spec says, after everything in it was checked: names are physical, references are resolved, variables are
//! filled in, paths are absolute. Whoever holds a [`Stack`] need not doubt it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::names::Tags;
use crate::resource::{bucket::Bucket, delivery_stream::DeliveryStream, function::Function, stream::Stream};

#[derive(Debug, Clone)]
pub struct Stack {
    /// The spec's own path, as given.
    pub file: PathBuf,
    pub name: String,
    pub env: Option<String>,
    pub target: Target,
    /// On every resource that can carry tags. Without ours.
    pub tags: Tags,
    pub tag_prefix: String,
    pub iam: Iam,
    /// Keyed by logical name.
    pub streams: BTreeMap<String, Entry<Stream>>,
    pub buckets: BTreeMap<String, Entry<Bucket>>,
    pub functions: BTreeMap<String, Entry<Function>>,
    pub deliveries: BTreeMap<String, Entry<DeliveryStream>>,
}

/// Where the stack must be, if the spec says so.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub region: Option<String>,
    /// Any other account is refused.
    pub account: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Iam {
    /// `/`, or begins and ends with `/`.
    pub path: String,
    /// ARN of the permissions boundary of every derived role.
    pub boundary: Option<String>,
}

/// One entry of a section: ours to manage, or somebody else's to refer to.
#[derive(Debug, Clone)]
pub enum Entry<T> {
    Managed(Managed<T>),
    /// A name or an ARN: read, never changed.
    Existing(String),
}

#[derive(Debug, Clone)]
pub struct Managed<T> {
    /// On AWS: the environment's rule and the shortening applied.
    pub physical: String,
    /// The stack's tags with the entry's own over them.
    pub tags: Tags,
    /// Neither replaced nor deleted.
    pub protect: bool,
    /// The logical name it had before.
    pub moved_from: Option<String>,
    pub desired: T,
}

impl<T> Entry<T> {
    /// The physical name; of an ARN its last part (after the last `/` or `:`).
    pub fn physical(&self) -> &str {
        match self {
            Entry::Managed(managed) => &managed.physical,
            Entry::Existing(id) if id.starts_with("arn:") => id.rsplit(['/', ':']).next().unwrap_or(id),
            Entry::Existing(id) => id,
        }
    }

    pub fn managed(&self) -> Option<&Managed<T>> {
        match self {
            Entry::Managed(managed) => Some(managed),
            Entry::Existing(_) => None,
        }
    }
}
