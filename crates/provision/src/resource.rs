//! The traits of a resource kind. A kind is one file: `toy` is an example that its test runs. `kinds` is the table of them.

use std::future::Future;

use crate::cloud::Cx;
use crate::error::Result;
use crate::names::{Address, Name, Names, Tags};
use crate::section::Ref;

pub mod bucket;
pub mod bucket_prefix;
mod claims;
mod delete_objects;
pub mod delivery_stream;
mod fields;
pub mod function;
mod listed;
pub mod log_group;
mod policy;
pub mod role;
mod shared;
pub mod stream;
#[cfg(test)]
mod toy;

pub use crate::change::{Change, Diff, Field, Gone, Unread};
pub use listed::{Found, Scanned, by_tags};

impl<K: Resource> Ref<K> {
    /// The address of the resource that must be created first, if it is one of ours.
    pub fn address(&self) -> Option<Address> {
        self.managed.then(|| Address::new(K::KIND, &self.logical))
    }
}

/// A kind's author writes this. Everything that decides is pure; everything that does speaks through the AWS SDK.
pub trait Resource: Clone + Send + Sync + 'static {
    /// As it stands in addresses: `stream`.
    const KIND: &'static str;
    /// Is something found under our name, but not ours, simply used (a bucket) instead of refused?
    const USES_WHAT_IS_FOUND: bool = false;
    /// The same, only of one that carries no tags of ours, by its name: it came into being without anybody's doing.
    fn is_used_untagged(_physical: &str) -> bool {
        false
    }
    /// May a read show it for a while after its deletion?
    const LINGERS: bool = false;
    /// At most so many may be coming and going at once in an account.
    const AT_ONCE: Option<usize> = None;
    /// Is it updated when a resource of this kind that it refers to is created anew under the same name?
    const RENEWED_WITH: Option<&'static str> = None;
    /// Does a replacement lose data that cannot be had again?
    const HOLDS_DATA: bool = false;

    /// Does it belong to the stack, so that all environments of the stack use the same?
    const SHARED_BY_ENVIRONMENTS: bool = false;

    /// The error code of a change to what was deleted a moment ago, where it is then simply created.
    const ABSENT: Option<&'static str> = None;

    /// Do the tags come with `Live`, without a call of their own?
    const TAGS_COME_WITH_LIVE: bool = false;

    /// AWS's description, reduced to the fields that we manage.
    type Live: Clone + Send + Sync + 'static;

    /// Can this be the name of one on AWS? Asked of what the record says, which anybody may have written.
    fn is_name(physical: &str) -> bool;
    /// Resources that must exist before this one is created: edges, from the spec.
    fn refs(&self) -> Vec<Address>;
    /// Resources that must outlive this one, by kind and physical name: edges, from AWS. They order deletions. `purges`: is data going to be
    /// deleted? Then its writers go first.
    fn live_refs(live: &Self::Live, purges: bool) -> Vec<(&'static str, String)>;
    /// The differences, and whether they can be changed in place. Pure.
    fn diff(&self, live: &Self::Live, name: &Name, names: &Names) -> Diff;
    /// The part of `live` that could not be read, so that `diff` says nothing about it.
    fn unread(&self, _live: &Self::Live) -> Option<Unread> {
        None
    }
    /// How long AWS usually takes to make one, in seconds: for the plan.
    fn expected_wait_s(&self) -> u32 {
        0
    }
    /// The fields that a new one is created with, for the plan.
    fn summary(&self, name: &Name, names: &Names) -> Vec<Field>;

    /// Work on this machine that the diff needs (a function's zip). Done while others are observed.
    fn prepare(&mut self, _cx: &Cx, _name: &Name) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
    /// Is there nothing to make: a name is all of it?
    fn is_but_a_name(&self) -> bool {
        false
    }
    /// Something that an earlier spec made for a resource that is only a name now, so that it is taken back.
    fn remains(&self, _cx: &Cx, _name: &Name) -> impl Future<Output = Result<Option<Self::Live>>> + Send {
        async { Ok(None) }
    }
    /// Why it is known not to go when it is deleted, if that is so.
    fn keeps(_live: &Self::Live) -> Option<String> {
        None
    }
    /// For a kind without tags: does what was seen prove that it is this environment's?
    fn proves(_live: &Self::Live) -> bool {
        false
    }
    /// Warnings before it is deleted.
    fn notes(_live: &Self::Live) -> Vec<String> {
        vec![]
    }
    /// Where it is used as it was found: what the spec wants of it and does not get, in a sentence.
    fn if_found(&self, _live: &Self::Live) -> Option<String> {
        None
    }
    /// Adds what a deletion should tell and only a second look finds. `known`: all resources of this run.
    fn inspect(
        _cx: &Cx,
        _name: &Name,
        _live: &mut Self::Live,
        _known: &[Name],
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
    /// All of this kind in the account and region that may be of a stack, with what tells whose they are: for `--scan`.
    fn list(cx: &Cx) -> impl Future<Output = Result<Scanned>> + Send;
    /// `None` when it is not there.
    fn observe(cx: &Cx, name: &Name) -> impl Future<Output = Result<Option<Self::Live>>> + Send;
    /// Adds to `live` what only some desired states have to know, because it takes calls of its own.
    fn look_further(&self, _cx: &Cx, _name: &Name, _live: &mut Self::Live) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
    /// Its tags. `None` for a kind that has none: [`Resource::proves`] then says whose it is. `live`, where it is known
    /// already, saves the call of a kind whose tags come with it. Absence (a race) is an empty map.
    fn tags(cx: &Cx, name: &Name, live: Option<&Self::Live>) -> impl Future<Output = Result<Option<Tags>>> + Send;
    fn retag(
        cx: &Cx,
        name: &Name,
        live: &Self::Live,
        set: &Tags,
        unset: &[String],
    ) -> impl Future<Output = Result<()>> + Send;
    /// Makes it with `tags` in the very call, and waits until it can be used.
    fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> impl Future<Output = Result<()>> + Send;
    /// Makes the differences of `diff` go away, and waits until they have.
    fn update(&self, cx: &Cx, name: &Name, live: &Self::Live, diff: &Diff) -> impl Future<Output = Result<()>> + Send;
    /// Absence is success.
    fn delete(cx: &Cx, name: &Name, live: &Self::Live) -> impl Future<Output = Result<Gone>> + Send;
}
