//! From what is wanted and what is there to the steps between. Pure: no IO, no clock, no async, and no AWS type.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::change::{Change, Diff, Field, Unread};
use crate::names::{Address, Name, Names, Tags};

mod verdict;

use verdict::{Verdict, refuse_loss, verdict};

/// All that is known of one resource before anything is decided.
#[derive(Debug, Clone)]
pub struct Facts {
    pub name: Name,
    pub wants: Wants,
    pub live: bool,
    /// Is there nothing to make, and only a name to remember?
    pub but_a_name: bool,
    /// Its tags, once read: `Some(None)` for a kind that has none.
    pub tags: Option<Option<Tags>>,
    /// For a kind without tags: is it known to be this environment's?
    pub proven: bool,
    /// Does it belong to the stack, whatever the environment?
    pub shared: bool,
    /// The fields that the spec wants and does not get, if it is used as it was found.
    pub if_found: Option<String>,
    /// Warnings before it is deleted.
    pub notes: Vec<String>,
    /// The tags that it should have.
    pub desired_tags: Tags,
    pub diff: Diff,
    /// The part that the diff leaves out, because AWS did not let it be read.
    pub unread: Option<Unread>,
    pub refs: Vec<Address>,
    pub live_refs: Vec<(&'static str, String)>,
    pub protect: bool,
    pub moved_from: Option<Address>,
    /// Why it would not go if it were deleted.
    pub keeps: Option<String>,
    pub holds_data: bool,
    pub uses_what_is_found: bool,
    /// Is it updated when a resource of this kind that it refers to is created anew under the same name?
    pub renewed_with: Option<&'static str>,
    /// May a read show it for a while after its deletion?
    pub lingers: bool,
    pub summary: Vec<Field>,
    pub expected_wait_s: u32,
}

/// Whether a resource should exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// It should be there, as the spec says.
    Present,
    /// It must be there, and is somebody else's.
    Reference,
    /// It should not be there, if it is ours.
    Absent,
}

/// The members in the record: addresses of this environment, and their physical names.
pub type Members = HashMap<Address, String>;

/// The consents of the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permits {
    /// Delete what is ours and not wanted.
    pub prune: bool,
    /// Take over what has our name and other tags.
    pub adopt: bool,
    /// Lose data by a replacement.
    pub data_loss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Create,
    Update,
    /// Delete, then create.
    Replace,
    Delete,
}

impl Op {
    /// "create stream.events"
    pub fn word(self) -> &'static str {
        match self {
            Op::Create => "create",
            Op::Update => "update",
            Op::Replace => "replace",
            Op::Delete => "delete",
        }
    }

    /// "created stream.events"
    pub fn done(self) -> &'static str {
        match self {
            Op::Create => "created",
            Op::Update => "updated",
            Op::Replace => "replaced",
            Op::Delete => "deleted",
        }
    }

    /// "creating stream.events"
    pub fn verb(self) -> &'static str {
        match self {
            Op::Create => "creating",
            Op::Update => "updating",
            Op::Replace => "replacing",
            Op::Delete => "deleting",
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    pub name: Name,
    pub op: Op,
    pub diff: Diff,
    /// Changes that are not of the resource's own fields: whose it is, and its tags.
    pub also: Vec<Change>,
    pub tags: TagChange,
    /// The fields that a new one is created with.
    pub summary: Vec<Field>,
    pub expected_wait_s: u32,
    /// Indices of steps that must be finished before.
    pub after: Vec<usize>,
}

/// Tags to set and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TagChange {
    pub set: Tags,
    pub unset: Vec<String>,
}

impl TagChange {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }
}

/// Everything that will be done, and everything that will not, and why.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    pub steps: Vec<Step>,
    /// There, ours and as wanted.
    pub same: Vec<Name>,
    /// Ours, and nothing to make: prefixes without a marker.
    pub named: Vec<Name>,
    /// There, somebody else's, and used.
    pub used: Vec<Name>,
    /// Ours, not wanted, and there to stay.
    pub kept: Vec<Kept>,
    /// Ours, there, and not wanted any more: removed only with `--prune`.
    pub orphans: Vec<Name>,
    /// Recorded as ours, not wanted, there, and nothing on it says whose it is: left alone, and not forgotten.
    pub unproven: Vec<Kept>,
    /// Not wanted, there, and not ours: left alone.
    pub foreign: Vec<Kept>,
    /// Warnings before the steps are taken.
    pub notes: Vec<Kept>,
    /// Reasons that stop the whole plan.
    pub refusals: Vec<Refusal>,
}

/// A resource that is not deleted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Kept {
    pub name: Name,
    pub why: String,
}

/// Why nothing at all is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refusal {
    pub name: Name,
    pub why: String,
    pub hint: String,
    /// Could a flag permit it? (Then the exit code says that consent is missing.)
    pub consent: bool,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Does a step remove something?
    pub fn removes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.op, Op::Delete | Op::Replace))
    }

    pub fn count(&self, op: Op) -> usize {
        self.steps.iter().filter(|step| step.op == op).count()
    }
}

/// Must the tags of this be read before it can be judged? Not of what is recorded as ours and as it should be.
pub fn needs_tags(facts: &Facts, members: &Members, tags_may_differ: bool) -> bool {
    let recorded = members.get(&facts.name.address) == Some(&facts.name.physical);
    let judged = match facts.wants {
        Wants::Reference => false,
        Wants::Absent => true,
        Wants::Present => tags_may_differ || !recorded || !facts.diff.is_empty(),
    };
    facts.live && judged && facts.tags.is_none()
}

/// The whole decision.
pub fn plan(facts: &[Facts], members: &Members, names: &Names, permits: Permits) -> Plan {
    let mut plan = Plan::default();
    let mut step_of = HashMap::new();
    for (index, fact) in facts.iter().enumerate() {
        let verdict = match verdict(fact, members, names, permits) {
            gone @ (Verdict::Orphan | Verdict::Do(Op::Delete, ..)) => keeps(fact, facts).map_or(gone, Verdict::Kept),
            other => other,
        };
        match verdict {
            Verdict::Absent => {}
            Verdict::Kept(why) => plan.kept.push(Kept { name: fact.name.clone(), why }),
            Verdict::Same => plan.same.push(fact.name.clone()),
            Verdict::Named => plan.named.push(fact.name.clone()),
            Verdict::Used => {
                plan.notes.extend(fact.if_found.clone().map(|why| Kept { name: fact.name.clone(), why }));
                plan.used.push(fact.name.clone());
            }
            Verdict::Orphan => plan.orphans.push(fact.name.clone()),
            Verdict::Unproven => {
                let why = verdict::unproven(fact, names);
                plan.unproven.push(Kept { name: fact.name.clone(), why });
            }
            Verdict::Foreign => {
                let why = fact.notes.first().cloned().unwrap_or_else(|| verdict::foreign(fact, names));
                plan.foreign.push(Kept { name: fact.name.clone(), why });
            }
            Verdict::Refused(refusal) => plan.refusals.push(refusal),
            Verdict::Do(op, also, tags) => {
                if let Some(refusal) = refuse_loss(fact, op, permits) {
                    plan.refusals.push(refusal);
                    continue;
                }
                if matches!(op, Op::Delete | Op::Replace) {
                    plan.notes.extend(fact.notes.iter().map(|why| Kept { name: fact.name.clone(), why: why.clone() }));
                }
                step_of.insert(index, plan.steps.len());
                plan.steps.push(Step {
                    name: fact.name.clone(),
                    op,
                    diff: fact.diff.clone(),
                    also,
                    tags,
                    summary: fact.summary.clone(),
                    expected_wait_s: if op == Op::Delete { 0 } else { fact.expected_wait_s },
                    after: vec![],
                });
            }
        }
    }
    renew(&mut plan, facts, &mut step_of);
    order(&mut plan, facts, &step_of);
    plan
}

/// Updates what must be told that something it refers to was created anew, although it has the name it had.
fn renew(plan: &mut Plan, facts: &[Facts], step_of: &mut HashMap<usize, usize>) {
    for (index, fact) in facts.iter().enumerate().filter(|(_, fact)| fact.live && fact.wants == Wants::Present) {
        let Some(kind) = fact.renewed_with else { continue };
        let anew = |step: &Step| matches!(step.op, Op::Create | Op::Replace) && fact.refs.contains(&step.name.address);
        if !plan.steps.iter().any(|step| step.name.address.kind == kind && anew(step)) {
            continue;
        }
        let change = Change { field: kind.to_owned(), from: "deleted".into(), to: "recreated".into(), replaces: None };
        match step_of.get(&index).map(|step| &mut plan.steps[*step]) {
            Some(step) if step.op == Op::Update && !step.diff.has(kind) => step.diff.changes.push(change),
            Some(_) => {}
            None if plan.same.contains(&fact.name) => {
                plan.same.retain(|same| *same != fact.name);
                step_of.insert(index, plan.steps.len());
                plan.steps.push(Step {
                    name: fact.name.clone(),
                    op: Op::Update,
                    diff: Diff { changes: vec![change] },
                    also: vec![],
                    tags: TagChange::default(),
                    summary: fact.summary.clone(),
                    expected_wait_s: fact.expected_wait_s,
                    after: vec![],
                });
            }
            None => {}
        }
    }
}

/// Why deleting it would be in vain: it stays by itself, or something does that is in it.
fn keeps(fact: &Facts, all: &[Facts]) -> Option<String> {
    let this = (fact.name.address.kind, fact.name.physical.clone());
    let within = || all.iter().find(|other| other.keeps.is_some() && other.live_refs.contains(&this));
    fact.keeps.clone().or_else(|| within().map(|other| format!("it contains {}", other.name.address)))
}

/// Why a diff replaces.
pub fn reasons(diff: &Diff) -> String {
    let why = |change: &Change| change.replaces.map(|why| format!("{}: {why}", change.field));
    diff.changes.iter().filter_map(why).collect::<Vec<_>>().join("; ")
}

/// The used is made before the user and deleted after it.
fn order(plan: &mut Plan, facts: &[Facts], step_of: &HashMap<usize, usize>) {
    // A resource to be deleted may still have the address of the one that replaces it.
    let wanted = facts.iter().enumerate().filter(|(_, fact)| fact.wants != Wants::Absent);
    let by_address: HashMap<&Address, usize> = wanted.map(|(i, fact)| (&fact.name.address, i)).collect();
    let by_physical: HashMap<(&str, &str), usize> =
        facts.iter().enumerate().map(|(i, f)| ((f.name.address.kind, f.name.physical.as_str()), i)).collect();
    for (index, fact) in facts.iter().enumerate() {
        let Some(&step) = step_of.get(&index) else { continue };
        if plan.steps[step].op != Op::Delete {
            let used = fact.refs.iter().filter_map(|address| step_of.get(by_address.get(address)?)).copied();
            let after: Vec<usize> = used.filter(|&other| plan.steps[other].op != Op::Delete).collect();
            plan.steps[step].after.extend(after);
        }
        for (kind, physical) in &fact.live_refs {
            let used = by_physical.get(&(*kind, physical.as_str())).and_then(|used| step_of.get(used));
            if let Some(&used) = used.filter(|&&used| plan.steps[used].op == Op::Delete) {
                plan.steps[used].after.push(step);
            }
        }
    }
}
