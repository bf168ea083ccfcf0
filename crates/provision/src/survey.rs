//! Reads everything before anything is decided: in one parallel round, and a second one only if the first requires it.

use std::collections::{BTreeMap, HashSet};

use futures::future::join_all;
use futures::stream::{self, StreamExt};

use crate::cloud::Cx;
use crate::error::Error;
use crate::kinds;
use crate::names::{Name, Names};
use crate::node::Node;
use crate::plan::{Facts, Members, needs_tags};
use crate::prefix::{self, Place};
use crate::record::lease::{self, Lease};
use crate::record::{self, Record};
use crate::resource::Resource;
use crate::resource::bucket::Bucket;
use crate::seen::Seen;

/// So many of a kind are read at once: enough to use AWS's rates up, and so few that no request waits for its turn until
/// its signature has expired.
const OF_A_KIND: usize = 50;

/// The results.
pub struct Survey {
    pub nodes: Vec<Box<dyn Node>>,
    pub facts: Vec<Facts>,
    pub record: Record,
    pub members: Members,
    /// The lease: the run that changes this environment, read in the same round. `None` where there is no record.
    pub lease: Option<Lease>,
    /// The hash of the tags in the spec.
    pub tags_hash: String,
    /// Prefixes that lie in those of other environments or stacks, or the other way round, and settings of a bucket on which
    /// environments disagree, in sentences.
    pub overlaps: Vec<String>,
    /// Does data go with the environment, because its spec said so at `up`?
    pub data_goes: bool,
}

impl Survey {
    /// Names the run that changes this environment, or did so when it was killed, in a warning.
    pub fn another_run(&self, names: &Names) -> Option<String> {
        let lease = self.lease.as_ref().filter(|_| self.is_in_use(names))?;
        Some(format!(
            "{} is changing this environment, or was killed while it did; this shows what has been done so far",
            lease.told()
        ))
    }

    /// Whether another run changes this environment, or did so when it was killed.
    pub fn is_in_use(&self, names: &Names) -> bool {
        // An `up` that changed nothing made the record.
        let unused = |lease: &Lease| lease.number == 0 && self.record.exists() && self.record.run(names).is_none();
        !self.record.taken && self.lease.as_ref().is_some_and(|lease| !lease.free && !unused(lease))
    }
}

/// The purpose of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// `up` and `plan`: tags are read only where they decide something.
    Up,
    /// `down`: everything may be deleted, so the tags of all are read in the same round.
    Down,
}

/// Reads everything. The error lists all reads that failed, not only the first.
pub async fn survey(cx: &Cx, mut nodes: Vec<Box<dyn Node>>, purpose: For) -> Result<Survey, Vec<Error>> {
    let mut cx = Cx { seen: Seen::default(), ..cx.clone() };
    cx.options.deletes = purpose == For::Down;
    cx.options.takes_down = purpose == For::Down;
    let cx = &cx;
    let tags_hash = hash(&nodes, cx);
    let round = each(&mut nodes, async |node| {
        node.prepare(cx).await?;
        node.observe(cx, purpose == For::Down).await
    });
    // Credentials of another account end the reads too: what those say is of no use then.
    let confirm = async { cx.identity.confirm().await.map_err(|error| vec![error]) };
    let reads = async { Ok(futures::join!(record::read(cx), lease::look(cx), round)) };
    let ((), (record, lease, mut errors)) = futures::try_join!(confirm, reads)?;
    let lease = lease.map_err(|error| errors.push(error)).unwrap_or_default();
    let record = record.map_err(|error| errors.push(error)).unwrap_or_default();
    if !errors.is_empty() {
        return Err(each_once(errors));
    }
    let members = record.members(&cx.names);
    let tags_may_differ = record.tags_hash(&cx.names) != Some(&tags_hash);

    let known = nodes.len();
    nodes.extend(left_over(&nodes, &members));
    let names: Vec<Name> = nodes.iter().map(|node| node.name().clone()).collect();
    let (first, left) = nodes.split_at_mut(known);
    let purges = cx.options.purge_data.deletes();
    let judge = each(first, async |node| {
        if purpose == For::Down {
            return node.inspect(cx, &names).await;
        }
        match needs_tags(&node.facts(&cx.names, purges), &members, tags_may_differ) {
            true => node.read_tags(cx).await,
            false => Ok(()),
        }
    });
    let (mut errors, found) = futures::join!(judge, look_at_left_over(cx, left, &names));
    errors.extend(found);
    // Places that are claimed and neither wanted nor recorded: the record was lost, or is wrong.
    let mut claimed = unrecorded(&nodes, &cx.seen.places(&cx.names));
    errors.extend(look_at_left_over(cx, &mut claimed, &names).await);
    nodes.extend(claimed);
    if !errors.is_empty() {
        return Err(each_once(errors));
    }
    let data_goes = purpose == For::Down && cx.seen.data_goes(&cx.names);
    let facts = nodes.iter().map(|node| node.facts(&cx.names, purges || data_goes)).collect();
    let overlaps = nodes.iter().flat_map(|node| {
        let of_settings =
            (node.name().address.kind == Bucket::KIND).then(|| cx.seen.disagreements(node.name(), &cx.names));
        cx.seen.overlaps(node.name(), &cx.names).into_iter().chain(of_settings.into_iter().flatten())
    });
    let overlaps = overlaps.collect();
    Ok(Survey { nodes, facts, record, members, lease, tags_hash, overlaps, data_goes })
}

/// Also reads what a deletion has to know.
async fn look_at_left_over(cx: &Cx, left: &mut [Box<dyn Node>], names: &[Name]) -> Vec<Error> {
    let mut cx = cx.clone();
    cx.options.deletes = true;
    let cx = &cx;
    each(left, async |node| {
        node.observe(cx, true).await?;
        node.inspect(cx, names).await
    })
    .await
}

/// Runs an action on every node and returns the errors.
async fn each(nodes: &mut [Box<dyn Node>], act: impl AsyncFn(&mut Box<dyn Node>) -> Result<(), Error>) -> Vec<Error> {
    let mut kinds: BTreeMap<&str, Vec<&mut Box<dyn Node>>> = BTreeMap::new();
    for node in nodes {
        kinds.entry(node.name().address.kind).or_default().push(node);
    }
    let act = &act;
    let kind = |nodes: Vec<_>| stream::iter(nodes).map(async |node| act(node).await).buffered(OF_A_KIND).collect();
    let acted: Vec<Vec<_>> = join_all(kinds.into_values().map(kind)).await;
    acted.into_iter().flatten().filter_map(Result::err).collect()
}

/// Nodes for the places that this environment claims and no node is for.
fn unrecorded(nodes: &[Box<dyn Node>], claimed: &[Place]) -> Vec<Box<dyn Node>> {
    let known: HashSet<&str> = nodes.iter().map(|node| node.name().physical.as_str()).collect();
    let lost = claimed.iter().map(Place::to_string).filter(|physical| !known.contains(physical.as_str()));
    let kind = kinds::kind(prefix::KIND).expect("it is one of the kinds");
    lost.enumerate()
        .map(|(n, physical)| (kind.unwanted)(Name::new(prefix::KIND, format!("claimed-{n}"), physical)))
        .collect()
}

/// Several resources may fail with the same error, for example for the claims in one bucket.
fn each_once(mut errors: Vec<Error>) -> Vec<Error> {
    let mut told = HashSet::new();
    errors.retain(|error| told.insert(error.to_string()));
    errors
}

/// Members of the record that are not in the spec: removed from it, or renamed on AWS.
fn left_over(nodes: &[Box<dyn Node>], members: &Members) -> Vec<Box<dyn Node>> {
    let wanted: HashSet<(&str, &str)> =
        nodes.iter().map(|node| (node.name().address.kind, node.name().physical.as_str())).collect();
    let mut left: Vec<Name> = members
        .iter()
        .filter(|(address, physical)| !wanted.contains(&(address.kind, physical.as_str())))
        .map(|(address, physical)| Name { address: address.clone(), physical: physical.clone() })
        .collect();
    left.sort();
    left.into_iter().filter_map(|name| Some((kinds::kind(name.address.kind)?.unwanted)(name))).collect()
}

fn hash(nodes: &[Box<dyn Node>], cx: &Cx) -> String {
    let tags: Vec<_> = nodes.iter().map(|node| (node.name().address.clone(), node.desired_tags(&cx.names))).collect();
    record::hash_tags(tags.iter().map(|(address, tags)| (address, tags)))
}
