//! A resource of any kind, as the engine sees it: typed inside, object-safe outside.

use futures::future::{BoxFuture, FutureExt};

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names, PROTECT, Tags};
use crate::plan::{Facts, Wants};
use crate::resource::{Diff, Gone, Resource};

/// Options of an entry that are not fields of the resource on AWS.
#[derive(Debug, Clone, Default)]
pub struct NodeOptions {
    /// Neither replaced nor deleted.
    pub protect: bool,
    /// The address it had before.
    pub moved_from: Option<Address>,
    /// The user's tags, without ours.
    pub tags: Tags,
    /// Resources that must exist before it, besides those that it refers to.
    pub after: Vec<Address>,
}

/// One resource: what is wanted, what is there, and how to get from one to the other.
pub trait Node: Send + Sync {
    fn name(&self) -> &Name;
    /// From now on nothing is wanted of it. Gives false for somebody else's, which is to be forgotten.
    fn unwant(&mut self) -> bool;
    /// The user's tags and ours: what a resource of this node should carry.
    fn desired_tags(&self, names: &Names) -> Tags;
    /// Local work that the diff needs.
    fn prepare<'a>(&'a mut self, cx: &'a Cx) -> BoxFuture<'a, Result<()>>;
    /// Asks AWS; with `and_tags` for the tags too, in the same round.
    fn observe<'a>(&'a mut self, cx: &'a Cx, and_tags: bool) -> BoxFuture<'a, Result<()>>;
    /// Asks AWS for the tags, unless that was done.
    fn read_tags<'a>(&'a mut self, cx: &'a Cx) -> BoxFuture<'a, Result<()>>;
    /// Asks AWS for what a deletion should tell. `known`: all resources of this run.
    fn inspect<'a>(&'a mut self, cx: &'a Cx, known: &'a [Name]) -> BoxFuture<'a, Result<()>>;
    /// Does this error of an update say that it was deleted since it was observed, so that it can be created?
    fn vanished(&self, error: &Error) -> bool;
    /// All that a plan is made of. `purges`: is data going to be deleted?
    fn facts(&self, names: &Names, purges: bool) -> Facts;
    fn create<'a>(&'a self, cx: &'a Cx, tags: &'a Tags) -> BoxFuture<'a, Result<()>>;
    fn update<'a>(&'a self, cx: &'a Cx, diff: &'a Diff) -> BoxFuture<'a, Result<()>>;
    fn retag<'a>(&'a self, cx: &'a Cx, set: &'a Tags, unset: &'a [String]) -> BoxFuture<'a, Result<()>>;
    fn delete<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Gone>>;
}

/// A resource that the spec wants.
pub fn managed<R: Resource>(name: Name, desired: R, options: NodeOptions) -> Box<dyn Node> {
    Box::new(Managed {
        name,
        wants: Some(desired),
        referenced: false,
        unspoken: false,
        options,
        live: None,
        tags: None,
    })
}

/// Somebody else's resource that the spec refers to: only looked at.
pub fn existing<R: Resource>(name: Name) -> Box<dyn Node> {
    let options = NodeOptions::default();
    Box::new(Managed::<R> { name, wants: None, referenced: true, unspoken: false, options, live: None, tags: None })
}

/// A resource that nobody wants (any more): it may be there, and ours.
pub fn unwanted<R: Resource>(name: Name) -> Box<dyn Node> {
    let options = NodeOptions::default();
    Box::new(Managed::<R> { name, wants: None, referenced: false, unspoken: true, options, live: None, tags: None })
}

struct Managed<R: Resource> {
    name: Name,
    wants: Option<R>,
    referenced: bool,
    /// Known from the record alone.
    unspoken: bool,
    options: NodeOptions,
    live: Option<R::Live>,
    /// Once read: `Some(None)` where the kind has no tags.
    tags: Option<Option<Tags>>,
}

impl<R: Resource> Managed<R> {
    fn desired(&self) -> &R {
        self.wants.as_ref().expect("only planned for what is wanted")
    }

    /// Whether its tags protect it, for a command without a spec.
    fn tagged_protected(&self, names: &Names) -> bool {
        self.unspoken && self.tags.iter().flatten().any(|tags| names.protects(tags))
    }

    /// Does it carry no tag that says whose it is?
    fn is_untagged(&self, names: &Names) -> bool {
        let tags = self.tags.as_ref().and_then(Option::as_ref);
        tags.is_some_and(|tags| !tags.contains_key(&names.tag_key("stack")))
    }

    fn live(&self) -> &R::Live {
        self.live.as_ref().expect("only planned for what was seen")
    }
}

impl<R: Resource> Node for Managed<R> {
    fn name(&self) -> &Name {
        &self.name
    }

    fn unwant(&mut self) -> bool {
        self.wants = None;
        !self.referenced
    }

    fn desired_tags(&self, names: &Names) -> Tags {
        let mut tags = self.options.tags.clone();
        tags.extend(match R::SHARED_BY_ENVIRONMENTS {
            true => names.stack_ownership(&self.name.address),
            false => names.ownership(&self.name.address),
        });
        if self.options.protect {
            tags.insert(names.tag_key(PROTECT), "true".into());
        }
        tags
    }

    fn prepare<'a>(&'a mut self, cx: &'a Cx) -> BoxFuture<'a, Result<()>> {
        async move {
            match &mut self.wants {
                Some(desired) => desired.prepare(cx, &self.name).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn observe<'a>(&'a mut self, cx: &'a Cx, and_tags: bool) -> BoxFuture<'a, Result<()>> {
        async move {
            if let Some(desired) = self.wants.as_ref().filter(|desired| desired.is_but_a_name()) {
                self.live = desired.remains(cx, &self.name).await?;
                return Ok(());
            }
            // Nothing is ever done to somebody else's, so nobody needs its tags, and a refusal to tell them is of no consequence.
            if and_tags && !R::TAGS_COME_WITH_LIVE && !self.referenced {
                let (live, tags) = futures::join!(R::observe(cx, &self.name), R::tags(cx, &self.name, None));
                self.live = live?;
                // Tags of what is not there are of no interest, nor is a refusal to tell them.
                if self.live.is_some() {
                    self.tags = Some(tags?);
                }
                return Ok(());
            }
            self.live = R::observe(cx, &self.name).await?;
            if let (Some(desired), Some(live)) = (&self.wants, &mut self.live) {
                desired.look_further(cx, &self.name, live).await?;
            }
            if R::TAGS_COME_WITH_LIVE && !self.referenced {
                return self.read_tags(cx).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn read_tags<'a>(&'a mut self, cx: &'a Cx) -> BoxFuture<'a, Result<()>> {
        async move {
            if let (Some(live), None) = (&self.live, &self.tags) {
                self.tags = Some(R::tags(cx, &self.name, Some(live)).await?);
            }
            Ok(())
        }
        .boxed()
    }

    fn inspect<'a>(&'a mut self, cx: &'a Cx, known: &'a [Name]) -> BoxFuture<'a, Result<()>> {
        async move {
            match &mut self.live {
                Some(live) => R::inspect(cx, &self.name, live, known).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn facts(&self, names: &Names, purges: bool) -> Facts {
        let diff = match (&self.wants, &self.live) {
            (Some(desired), Some(live)) => desired.diff(live, &self.name, names),
            _ => Diff::default(),
        };
        let unread = self.wants.as_ref().zip(self.live.as_ref()).and_then(|(desired, live)| desired.unread(live));
        let but_a_name = self.wants.as_ref().is_some_and(R::is_but_a_name);
        Facts {
            name: self.name.clone(),
            wants: match (&self.wants, self.referenced) {
                (Some(_), _) => Wants::Present,
                (None, true) => Wants::Reference,
                (None, false) => Wants::Absent,
            },
            live: self.live.is_some() || but_a_name,
            but_a_name,
            tags: self.tags.clone().or(but_a_name.then_some(None)),
            proven: but_a_name || self.live.as_ref().is_some_and(R::proves),
            shared: R::SHARED_BY_ENVIRONMENTS,
            if_found: self.wants.as_ref().zip(self.live.as_ref()).and_then(|(desired, live)| desired.if_found(live)),
            notes: self.live.as_ref().map(R::notes).unwrap_or_default(),
            desired_tags: self.desired_tags(names),
            diff,
            unread,
            refs: self.wants.iter().flat_map(R::refs).chain(self.options.after.iter().cloned()).collect(),
            live_refs: self.live.as_ref().map(|live| R::live_refs(live, purges)).unwrap_or_default(),
            protect: self.options.protect || self.tagged_protected(names),
            moved_from: self.options.moved_from.clone(),
            keeps: self.live.as_ref().and_then(|live| R::keeps(live)),
            holds_data: R::HOLDS_DATA,
            uses_what_is_found: R::USES_WHAT_IS_FOUND
                || R::is_used_untagged(&self.name.physical) && self.is_untagged(names),
            renewed_with: R::RENEWED_WITH,
            lingers: R::LINGERS,
            summary: self.wants.as_ref().map(|d| d.summary(&self.name, names)).unwrap_or_default(),
            expected_wait_s: self.wants.as_ref().map(R::expected_wait_s).unwrap_or_default(),
        }
    }

    fn vanished(&self, error: &Error) -> bool {
        R::ABSENT.is_some() && error.code() == R::ABSENT
    }

    fn create<'a>(&'a self, cx: &'a Cx, tags: &'a Tags) -> BoxFuture<'a, Result<()>> {
        self.desired().create(cx, &self.name, tags).boxed()
    }

    fn update<'a>(&'a self, cx: &'a Cx, diff: &'a Diff) -> BoxFuture<'a, Result<()>> {
        self.desired().update(cx, &self.name, self.live(), diff).boxed()
    }

    fn retag<'a>(&'a self, cx: &'a Cx, set: &'a Tags, unset: &'a [String]) -> BoxFuture<'a, Result<()>> {
        R::retag(cx, &self.name, self.live(), set, unset).boxed()
    }

    fn delete<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Gone>> {
        R::delete(cx, &self.name, self.live()).boxed()
    }
}
