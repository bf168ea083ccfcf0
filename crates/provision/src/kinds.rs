//! The table of the resource kinds, and what is found in it by name.

use futures::future::{BoxFuture, FutureExt};

use crate::cloud::Cx;
use crate::error::Result;
use crate::names::Name;
use crate::node::{self, Node};
use crate::resource::{self, Resource, Scanned};

/// One kind, as the engine finds it by name.
pub struct Kind {
    pub name: &'static str,
    /// Can this be the name of one on AWS?
    pub is_name: fn(&str) -> bool,
    /// A node of this kind of which nothing is wanted: how what left the spec is looked at.
    pub unwanted: fn(Name) -> Box<dyn Node>,
    /// All that there may be of it: see [`Resource::list`].
    pub list: fn(&Cx) -> BoxFuture<'_, Result<Scanned>>,
    /// How many may be worked at at once: see [`Resource::AT_ONCE`].
    pub at_once: Option<usize>,
}

impl Kind {
    const fn of<R: Resource>() -> Kind {
        let (unwanted, list, at_once) = (node::unwanted::<R>, list::<R>, R::AT_ONCE);
        Kind { name: R::KIND, is_name: R::is_name, unwanted, list, at_once }
    }
}

fn list<R: Resource>(cx: &Cx) -> BoxFuture<'_, Result<Scanned>> {
    R::list(cx).boxed()
}

/// All kinds, in the order in which people read them.
pub const KINDS: &[Kind] = &[
    Kind::of::<resource::stream::Stream>(),
    Kind::of::<resource::bucket::Bucket>(),
    Kind::of::<resource::bucket_prefix::BucketPrefix>(),
    Kind::of::<resource::log_group::LogGroup>(),
    Kind::of::<resource::role::Role>(),
    Kind::of::<resource::function::Function>(),
    Kind::of::<resource::delivery_stream::DeliveryStream>(),
];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
