//! From what is wanted and what is there to the steps between. Pure: no IO, no clock, no async, and no AWS type.

use std::collections::HashMap;

use serde::Serialize;

use crate::names::{Address, Name, Names, Tags};
use crate::resource::{Change, Diff, Field};

/// All that is known of one resource before anything is decided.
#[derive(Debug, Clone)]
pub struct Facts {
    pub name: Name,
    pub wants: Wants,
    pub live: bool,
    /// Its tags, once read: `Some(None)` for a kind that has none.
    pub tags: Option<Option<Tags>>,
    /// What it should carry.
    pub desired_tags: Tags,
    pub diff: Diff,
    pub refs: Vec<Address>,
    pub live_refs: Vec<(&'static str, String)>,
    pub protect: bool,
    pub moved_from: Option<Address>,
    /// Why it would not go if it were deleted.
    pub keeps: Option<String>,
    pub holds_data: bool,
    pub uses_what_is_found: bool,
    pub summary: Vec<Field>,
    pub expected_wait_s: u32,
}

/// What is wanted of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// It should be there, as the spec says.
    Present,
    /// It must be there, and is somebody else's.
    Reference,
    /// It should not be there, if it is ours.
    Absent,
}

/// What the record knows: which addresses are this environment's, and by which physical name.
pub type Members = HashMap<Address, String>;

/// What the command line permits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permits {
    /// Delete what is ours and not wanted.
    pub prune: bool,
    /// Take over what has our name and other tags.
    pub adopt: bool,
    /// Lose data by a replacement.
    pub data_loss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
pub struct Step {
    pub name: Name,
    pub op: Op,
    pub diff: Diff,
    /// Changes that are not of the resource's own fields: whose it is, and its tags.
    pub also: Vec<Change>,
    pub tags: TagChange,
    /// What a new one is made with.
    pub summary: Vec<Field>,
    pub expected_wait_s: u32,
    /// Indices of steps that must be finished before.
    pub after: Vec<usize>,
}

/// Tags to set and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
pub struct Plan {
    pub steps: Vec<Step>,
    /// There, ours and as wanted.
    pub same: Vec<Name>,
    /// There, somebody else's, and used.
    pub used: Vec<Name>,
    /// Ours, not wanted, and there to stay.
    pub kept: Vec<Kept>,
    /// Ours, there, and not wanted any more: removed only with `--prune`.
    pub orphans: Vec<Name>,
    /// Not wanted, there, and not ours: left alone.
    pub foreign: Vec<Name>,
    /// What stops all of it.
    pub refusals: Vec<Refusal>,
}

/// What is not deleted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub name: Name,
    pub why: String,
}

/// Why nothing at all is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
            Verdict::Used => plan.used.push(fact.name.clone()),
            Verdict::Orphan => plan.orphans.push(fact.name.clone()),
            Verdict::Foreign => plan.foreign.push(fact.name.clone()),
            Verdict::Refused(refusal) => plan.refusals.push(refusal),
            Verdict::Do(op, also, tags) => {
                if let Some(refusal) = refuse_loss(fact, op, permits) {
                    plan.refusals.push(refusal);
                    continue;
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
    order(&mut plan, facts, &step_of);
    plan
}

enum Verdict {
    /// Not there and not wanted.
    Absent,
    Same,
    Used,
    Kept(String),
    Orphan,
    Foreign,
    Do(Op, Vec<Change>, TagChange),
    Refused(Refusal),
}

fn verdict(fact: &Facts, members: &Members, names: &Names, permits: Permits) -> Verdict {
    match (fact.wants, fact.live) {
        (Wants::Reference, true) => Verdict::Used,
        (Wants::Reference, false) => Verdict::Refused(Refusal {
            name: fact.name.clone(),
            why: format!("{} does not exist, and the spec only refers to it", fact.name.physical),
            hint: "create it, correct its name, or write `name:` instead of `existing:` to have it made here".into(),
            consent: false,
        }),
        (Wants::Present, false) => Verdict::Do(Op::Create, vec![], TagChange::default()),
        (Wants::Present, true) => wanted_and_there(fact, members, names, permits),
        (Wants::Absent, false) => Verdict::Absent,
        (Wants::Absent, true) => match whose(fact, members, names) {
            Whose::Ours if permits.prune => Verdict::Do(Op::Delete, vec![], TagChange::default()),
            Whose::Ours => Verdict::Orphan,
            Whose::Moved | Whose::Others => Verdict::Foreign,
        },
    }
}

/// Why deleting it would be in vain: it stays by itself, or something does that is in it.
fn keeps(fact: &Facts, all: &[Facts]) -> Option<String> {
    let this = (fact.name.address.kind, fact.name.physical.clone());
    let within = || all.iter().find(|other| other.keeps.is_some() && other.live_refs.contains(&this));
    fact.keeps.clone().or_else(|| within().map(|other| format!("{} stays in it", other.name.address)))
}

fn wanted_and_there(fact: &Facts, members: &Members, names: &Names, permits: Permits) -> Verdict {
    let tags = tag_change(fact);
    let mut also = vec![];
    let change = |field: &str, from: String, to: String| Change { field: field.to_owned(), from, to, replaces: None };
    match whose(fact, members, names) {
        Whose::Ours => {}
        Whose::Moved => {
            let from = fact.moved_from.as_ref().map(Address::to_string).unwrap_or_default();
            also.push(change("moved", from, fact.name.address.to_string()));
        }
        Whose::Others if fact.uses_what_is_found => return Verdict::Used,
        Whose::Others if permits.adopt => also.push(change("owner", owner(fact, names), names.stack.clone())),
        Whose::Others => {
            if let Some(before) = former(fact, names) {
                return Verdict::Refused(renamed(fact, before));
            }
            return Verdict::Refused(Refusal {
                name: fact.name.clone(),
                why: format!("{} exists and is not this stack's: {}", fact.name.physical, owner(fact, names)),
                hint: "give it another name in the spec, refer to it with `existing:`, or take it over with --adopt"
                    .into(),
                consent: true,
            });
        }
    }
    let had = |key: &String| fact.tags.as_ref()?.as_ref()?.get(key).cloned();
    let none = || "(none)".to_owned();
    also.extend(
        tags.set.iter().map(|(key, to)| change(&format!("tags.{key}"), had(key).unwrap_or_else(none), to.clone())),
    );
    also.extend(tags.unset.iter().map(|key| change(&format!("tags.{key}"), had(key).unwrap_or_else(none), none())));
    match (fact.diff.replaces(), fact.diff.is_empty() && also.is_empty()) {
        (true, _) => Verdict::Do(Op::Replace, also, tags),
        (false, false) => Verdict::Do(Op::Update, also, tags),
        (false, true) => Verdict::Same,
    }
}

/// The address by which this stack and environment knew it, where that is another one of the same kind.
fn former<'a>(fact: &'a Facts, names: &Names) -> Option<&'a str> {
    let tags = fact.tags.as_ref()?.as_ref().filter(|tags| names.owns(tags))?;
    tags.get(&names.tag_key("name"))?.strip_prefix(fact.name.address.kind)?.strip_prefix('.')
}

fn renamed(fact: &Facts, before: &str) -> Refusal {
    let kind = fact.name.address.kind;
    Refusal {
        name: fact.name.clone(),
        why: format!("{} exists, and is {kind}.{before} of this stack", fact.name.physical),
        hint: format!("if the key was renamed, write `moved: {{ from: {before} }}`; or take it over with --adopt"),
        consent: true,
    }
}

enum Whose {
    Ours,
    /// Ours, under the address it had before.
    Moved,
    Others,
}

/// The tags decide; where they were not read, or the kind has none, the record does.
fn whose(fact: &Facts, members: &Members, names: &Names) -> Whose {
    let recorded = |address: &Address| members.get(address) == Some(&fact.name.physical);
    let at = |address: &Address| match &fact.tags {
        Some(Some(tags)) => {
            names.owns(tags) && tags.get(&names.tag_key("name")) == Some(&address.current().to_string())
        }
        // A marker that nobody recorded is nobody's: writing it again changes nothing.
        Some(None) => recorded(address) || fact.wants == Wants::Present,
        None => recorded(address),
    };
    if at(&fact.name.address) {
        return Whose::Ours;
    }
    match &fact.moved_from {
        Some(from) if at(from) => Whose::Moved,
        _ => Whose::Others,
    }
}

/// In words: whose the tags say it is.
fn owner(fact: &Facts, names: &Names) -> String {
    let Some(Some(tags)) = &fact.tags else { return "it has no tags of ours".into() };
    let ours = |word| tags.get(&names.tag_key(word));
    if let (Some(stack), Some(env)) = (ours("stack"), ours("env")) {
        let name = ours("name").map(String::as_str).unwrap_or("?");
        return format!("stack {stack}, environment {env}, {name}");
    }
    let others = ["aws:cloudformation:stack-name", "alchemy::stack", "pulumi:project", "terraform"];
    if let Some((key, value)) = tags.iter().find(|(key, _)| others.iter().any(|other| key.starts_with(other))) {
        return format!("another tool's ({key}: {value})");
    }
    match tags.len() {
        0 => "it has no tags".into(),
        _ => format!("its tags are {}", tags.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", ")),
    }
}

fn tag_change(fact: &Facts) -> TagChange {
    let Some(Some(had)) = &fact.tags else { return TagChange::default() };
    let set = fact.desired_tags.iter().filter(|(key, value)| had.get(*key) != Some(value));
    let unset = had.keys().filter(|key| !fact.desired_tags.contains_key(*key) && !key.starts_with("aws:"));
    TagChange { set: set.map(|(k, v)| (k.clone(), v.clone())).collect(), unset: unset.cloned().collect() }
}

/// What no step may do unasked.
fn refuse_loss(fact: &Facts, op: Op, permits: Permits) -> Option<Refusal> {
    let refusal =
        |why: String, hint: &str, consent| Some(Refusal { name: fact.name.clone(), why, hint: hint.into(), consent });
    match op {
        Op::Replace | Op::Delete if fact.protect => {
            let hint = match fact.wants {
                Wants::Absent => "remove `protect: true` from its spec, and take that spec",
                Wants::Present | Wants::Reference => "remove `protect: true` from the spec first",
            };
            refusal("it is protected".into(), hint, false)
        }
        Op::Replace if fact.holds_data && !permits.data_loss => refusal(
            format!("it would be replaced, and its data lost ({})", reasons(&fact.diff)),
            "undo the change in the spec, or pass --allow-data-loss",
            true,
        ),
        _ => None,
    }
}

/// Why a diff replaces.
pub fn reasons(diff: &Diff) -> String {
    let why = |change: &Change| change.replaces.map(|why| format!("{}: {why}", change.field));
    diff.changes.iter().filter_map(why).collect::<Vec<_>>().join("; ")
}

/// The used is made before the user and deleted after it.
fn order(plan: &mut Plan, facts: &[Facts], step_of: &HashMap<usize, usize>) {
    let by_address: HashMap<&Address, usize> = facts.iter().enumerate().map(|(i, f)| (&f.name.address, i)).collect();
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
