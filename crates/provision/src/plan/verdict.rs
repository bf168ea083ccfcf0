//! Decides about one resource from what is wanted, what exists, and who owns it.

use super::{Facts, Members, Op, Permits, Refusal, TagChange, Wants, reasons};
use crate::change::{Change, Unread};
use crate::names::{Address, Names, Tags};

pub(super) enum Verdict {
    /// Not there and not wanted.
    Absent,
    Same,
    /// Ours, and there is nothing to make.
    Named,
    Used,
    Kept(String),
    Orphan,
    /// Recorded as ours, and nothing on it says whose it is.
    Unproven,
    Foreign,
    Do(Op, Vec<Change>, TagChange),
    Refused(Refusal),
}

pub(super) fn verdict(fact: &Facts, members: &Members, names: &Names, permits: Permits) -> Verdict {
    match (fact.wants, fact.live) {
        (Wants::Reference, true) => Verdict::Used,
        (Wants::Reference, false) => Verdict::Refused(Refusal {
            name: fact.name.clone(),
            why: format!("{} does not exist; the spec refers to it with `existing:`", fact.name.physical),
            hint: "create it, correct its name, or write `name:` instead of `existing:` to create it with this stack"
                .into(),
            consent: false,
        }),
        (Wants::Present, false) => Verdict::Do(Op::Create, vec![], TagChange::default()),
        (Wants::Present, true) => wanted_and_there(fact, members, names, permits),
        (Wants::Absent, false) => Verdict::Absent,
        (Wants::Absent, true) => match whose(fact, members, names) {
            Whose::Ours if permits.prune => Verdict::Do(Op::Delete, vec![], TagChange::default()),
            Whose::Ours => Verdict::Orphan,
            Whose::Moved | Whose::Others if lost_its_tags(fact, members, names) => Verdict::Unproven,
            Whose::Moved | Whose::Others => Verdict::Foreign,
        },
    }
}

fn wanted_and_there(fact: &Facts, members: &Members, names: &Names, permits: Permits) -> Verdict {
    let mut tags = tag_change(fact);
    let mut also = vec![];
    let change = |field: &str, from: String, to: String| Change { field: field.to_owned(), from, to, replaces: None };
    match whose(fact, members, names) {
        Whose::Ours => {}
        Whose::Moved => {
            let from = fact.moved_from.as_ref().map(Address::to_string).unwrap_or_default();
            also.push(change("moved", from, fact.name.address.to_string()));
        }
        Whose::Others if fact.uses_what_is_found => {
            let unread = fact.unread.as_ref().filter(|unread| unread.even_if_others);
            return unread.map_or(Verdict::Used, |unread| not_read(fact, unread));
        }
        Whose::Others if permits.adopt => also.push(change("owner", owner(fact, names), names.stack.clone())),
        Whose::Others => {
            if let Some(before) = former(fact, names) {
                return Verdict::Refused(renamed(fact, before));
            }
            return Verdict::Refused(Refusal {
                name: fact.name.clone(),
                why: format!("{} exists but does not belong to this stack: {}", fact.name.physical, owner(fact, names)),
                hint: "give it another name in the spec, refer to it with `existing:`, or take it over with --adopt"
                    .into(),
                consent: true,
            });
        }
    }
    if let Some(unread) = &fact.unread {
        return not_read(fact, unread);
    }
    let had = |key: &String| fact.tags.as_ref()?.as_ref()?.get(key).cloned();
    let none = || "(none)".to_owned();
    also.extend(
        tags.set.iter().map(|(key, to)| change(&format!("tags.{key}"), had(key).unwrap_or_else(none), to.clone())),
    );
    also.extend(tags.unset.iter().map(|key| change(&format!("tags.{key}"), had(key).unwrap_or_else(none), none())));
    // A resource that no record names and a read still shows may be deleted already: writing its tags tells.
    if fact.lingers && members.get(&fact.name.address) != Some(&fact.name.physical) && also.is_empty() {
        also.push(change("record", "missing".into(), "written".into()));
        tags.set = fact.desired_tags.clone();
    }
    match (fact.diff.replaces(), fact.diff.is_empty() && also.is_empty()) {
        (true, _) => Verdict::Do(Op::Replace, also, tags),
        (false, false) => Verdict::Do(Op::Update, also, tags),
        (false, true) if fact.but_a_name => Verdict::Named,
        (false, true) => Verdict::Same,
    }
}

/// A plan that does not know what is there would call it unchanged.
fn not_read(fact: &Facts, unread: &Unread) -> Verdict {
    let (why, hint) = (unread.why.clone(), unread.hint.to_owned());
    Verdict::Refused(Refusal { name: fact.name.clone(), why, hint, consent: false })
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
        why: format!("{} already belongs to this stack as {kind}.{before}", fact.name.physical),
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

/// The tags decide, or the proof of a kind that has none. The record does only where nothing is to be changed, and so neither
/// was read.
fn whose(fact: &Facts, members: &Members, names: &Names) -> Whose {
    let recorded = |address: &Address| members.get(address) == Some(&fact.name.physical);
    let owns = |tags: &Tags| if fact.shared { names.owns_for_stack(tags) } else { names.owns(tags) };
    let at = |address: &Address| match &fact.tags {
        Some(Some(tags)) => {
            let key = tags.get(&names.tag_key("name"));
            // Under whichever key it was made: nobody wants it under that one either.
            owns(tags) && (fact.wants == Wants::Absent || key == Some(&address.current().to_string()))
        }
        Some(None) => fact.proven,
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

/// Is it recorded as ours, and has tags that name no stack? Then somebody may have removed them.
fn lost_its_tags(fact: &Facts, members: &Members, names: &Names) -> bool {
    let recorded = members.get(&fact.name.address) == Some(&fact.name.physical);
    recorded && matches!(&fact.tags, Some(Some(tags)) if !tags.contains_key(&names.tag_key("stack")))
}

/// Why it is neither deleted nor forgotten.
pub(super) fn unproven(fact: &Facts, names: &Names) -> String {
    format!("the record lists it, but {}; delete it yourself, or take it over with `up --adopt`", owner(fact, names))
}

/// Why it is left alone.
pub(super) fn foreign(fact: &Facts, names: &Names) -> String {
    format!("it does not belong to this environment: {}", owner(fact, names))
}

/// In words: whose the tags say it is.
fn owner(fact: &Facts, names: &Names) -> String {
    let Some(Some(tags)) = &fact.tags else { return "it has no provision tags".into() };
    let ours = |word| tags.get(&names.tag_key(word));
    if let Some(stack) = ours("stack") {
        let env = ours("env").map(|env| format!(", environment {env}")).unwrap_or_default();
        let name = ours("name").map(String::as_str).unwrap_or("?");
        return format!("it belongs to stack {stack}{env}, as {name}");
    }
    let others = ["aws:cloudformation:stack-name", "alchemy::stack", "pulumi:project", "terraform"];
    if let Some((key, value)) = tags.iter().find(|(key, _)| others.iter().any(|other| key.starts_with(other))) {
        return format!("it belongs to another tool ({key}: {value})");
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

/// The consents that a step needs and does not have.
pub(super) fn refuse_loss(fact: &Facts, op: Op, permits: Permits) -> Option<Refusal> {
    let refusal =
        |why: String, hint: &str, consent| Some(Refusal { name: fact.name.clone(), why, hint: hint.into(), consent });
    match op {
        Op::Replace | Op::Delete if fact.protect => {
            let hint = match fact.wants {
                Wants::Absent => "remove `protect: true` from its spec, and run the command with that spec",
                Wants::Present | Wants::Reference => "remove `protect: true` from the spec first",
            };
            refusal("it is protected by `protect: true`".into(), hint, false)
        }
        Op::Replace if fact.holds_data && !permits.data_loss => refusal(
            format!("it would be replaced and its data would be lost ({})", reasons(&fact.diff)),
            "undo the change in the spec, or pass --allow-data-loss",
            true,
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Diff;
    use crate::cloud::tests::names;
    use crate::names::Name;

    const NAME: &str = "test-delivery1";

    /// A wanted stream that is there, with these tags.
    fn there(tags: Option<Tags>) -> Facts {
        let address = Address::new("stream", "events");
        Facts {
            name: Name { address, physical: NAME.into() },
            wants: Wants::Present,
            live: true,
            but_a_name: false,
            proven: false,
            shared: false,
            if_found: None,
            notes: vec![],
            desired_tags: tags.clone().unwrap_or_default(),
            tags: Some(tags),
            diff: Diff::default(),
            unread: None,
            refs: vec![],
            live_refs: vec![],
            protect: false,
            moved_from: None,
            keeps: None,
            holds_data: true,
            uses_what_is_found: false,
            renewed_with: None,
            lingers: false,
            summary: vec![],
            expected_wait_s: 0,
        }
    }

    fn tagged(stack: &str, env: &str, name: &str) -> Option<Tags> {
        let tag = |word: &str, value: &str| (names().tag_key(word), value.to_owned());
        Some(Tags::from([tag("stack", stack), tag("env", env), tag("name", name)]))
    }

    fn word(fact: &Facts, permits: Permits) -> String {
        let members = Members::new();
        match verdict(fact, &members, &names(), permits) {
            Verdict::Absent => "absent".into(),
            Verdict::Same => "same".into(),
            Verdict::Named => "named".into(),
            Verdict::Used => "used".into(),
            Verdict::Kept(_) => "kept".into(),
            Verdict::Orphan => "orphan".into(),
            Verdict::Unproven => "unproven".into(),
            Verdict::Foreign => "foreign".into(),
            Verdict::Refused(refusal) if refusal.consent => "wants consent".into(),
            Verdict::Refused(_) => "refused".into(),
            Verdict::Do(op, also, _) => [op.word().to_owned()]
                .into_iter()
                .chain(also.into_iter().map(|change| change.field))
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn whose_it_is_and_what_is_wanted_decide_what_becomes_of_it() {
        let nobody = Permits::default();
        let (prune, adopt) = (Permits { prune: true, ..nobody }, Permits { adopt: true, ..nobody });
        let ours = || there(tagged("kinesis-test", "-", "stream.events"));
        let others = || there(tagged("other", "-", "stream.events"));
        let of = |fact: Facts, change: fn(&mut Facts)| {
            let mut fact = fact;
            change(&mut fact);
            fact
        };
        let unread = |even_if_others| Some(Unread { why: "denied".into(), hint: "may it", even_if_others });
        let used = |fact: Facts| Facts { uses_what_is_found: true, ..fact };
        let shards = |diff: &mut Diff, why| diff.push("shards", "1".into(), "2".into(), why);
        let table = [
            (ours(), nobody, "same"),
            (of(ours(), |f| f.live = false), nobody, "create"),
            (of(ours(), |f| f.but_a_name = true), nobody, "named"),
            (
                of(ours(), |f| f.desired_tags.insert("team".into(), "data".into()).map_or((), drop)),
                nobody,
                "update tags.team",
            ),
            (
                of(ours(), |f| f.desired_tags.clear()),
                nobody,
                "update tags.provision/env tags.provision/name tags.provision/stack",
            ),
            (
                Facts {
                    diff: {
                        let mut d = Diff::default();
                        shards(&mut d, None);
                        d
                    },
                    ..ours()
                },
                nobody,
                "update",
            ),
            (
                Facts {
                    diff: {
                        let mut d = Diff::default();
                        shards(&mut d, Some("it cannot"));
                        d
                    },
                    ..ours()
                },
                nobody,
                "replace",
            ),
            (of(ours(), |f| f.wants = Wants::Absent), nobody, "orphan"),
            (of(ours(), |f| f.wants = Wants::Absent), prune, "delete"),
            (others(), nobody, "wants consent"),
            (others(), adopt, "update owner"),
            (of(others(), |f| f.uses_what_is_found = true), nobody, "used"),
            (of(others(), |f| f.wants = Wants::Absent), prune, "foreign"),
            (of(others(), |f| f.wants = Wants::Reference), nobody, "used"),
            (of(others(), |f| (f.wants, f.live) = (Wants::Reference, false)), nobody, "refused"),
            (of(others(), |f| (f.wants, f.live) = (Wants::Absent, false)), prune, "absent"),
            (there(tagged("kinesis-test", "-", "stream.before")), nobody, "wants consent"),
            (Facts { unread: unread(false), ..ours() }, nobody, "refused"),
            (Facts { unread: unread(false), ..used(others()) }, nobody, "used"),
            (Facts { unread: unread(true), ..used(others()) }, nobody, "refused"),
            (of(there(None), |f| f.proven = true), nobody, "same"),
            (of(there(None), |f| (f.proven, f.wants) = (true, Wants::Absent)), prune, "delete"),
            (of(ours(), |f| (f.name.address.logical, f.wants) = ("other".into(), Wants::Absent)), prune, "delete"),
            (of(there(tagged("kinesis-test", "pr-1", "stream.events")), |f| f.shared = true), nobody, "same"),
            (of(there(tagged("other", "-", "stream.events")), |f| f.shared = true), nobody, "wants consent"),
            (of(there(None), |f| f.wants = Wants::Absent), prune, "foreign"),
        ];
        for (index, (fact, permits, expected)) in table.iter().enumerate() {
            assert_eq!(word(fact, *permits), *expected, "row {index}");
        }
    }
}
