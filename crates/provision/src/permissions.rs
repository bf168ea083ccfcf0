//! The permissions that running this program needs, and no more. Pure: a stack's nodes are subjects, a table says which
//! actions the calls about a subject need, and what comes of both are the statements of a policy.
//!
//! A new kind needs its rows in [`table`]. That they are enough, and that none is too many, `tests/permissions` shows.

use std::collections::BTreeMap;

use crate::names::Names;

mod data;
pub mod format;
pub mod subject;
pub mod table;
pub mod trust;

pub use subject::{Subject, any_stack, of_stack};

/// The purpose of an action. [`Use::word`] is its name for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Every command that compares the stack with what is there.
    Read,
    /// The same, for resources that the spec wants or refers to. `down` does not need it.
    ReadWanted,
    /// The same, for resources that we own or will own.
    ReadOurs,
    /// Reads the owner, before an update or a deletion.
    ReadTags,
    Create,
    Update,
    Delete,
    /// Finds other users of a resource before its deletion, for a note in the plan. Nothing depends on it.
    ReadUsers,
    /// `--purge-data`
    Purge,
    Verify,
    /// Puts, reads and replays data.
    Data,
    /// `list`, `gc` and `history`.
    List,
    /// Everything in the account and region, as `--scan` looks through it.
    Scan,
}

/// The command to allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    /// plan, status and up, with replacements and --prune
    Up,
    /// down, with --purge-data
    Down,
    /// verify, with --clean
    Verify,
    /// put, tail, cat, logs, replay, and invoke and diff-data --from-stream; up --ready data and down --drain need it besides their
    /// own
    Data,
    /// list with --scan; gc and down with --scan need the policy for down too
    Scan,
    /// Every command without --scan
    #[default]
    All,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub action: &'static str,
    /// An ARN, with wildcards perhaps, or `*`.
    pub resource: String,
    /// iam:PassRole to this service alone.
    pub passed_to: Option<&'static str>,
    pub to: Use,
}

impl Use {
    pub fn word(self) -> &'static str {
        match self {
            Use::Read | Use::ReadWanted | Use::ReadOurs | Use::ReadTags | Use::ReadUsers => "read",
            Use::Create => "create",
            Use::Update => "update",
            Use::Delete => "delete",
            Use::Purge => "purge",
            Use::Verify => "verify",
            Use::Data => "data",
            Use::List => "list",
            Use::Scan => "scan",
        }
    }
}

impl Purpose {
    fn includes(self, to: Use) -> bool {
        use Use::*;
        match self {
            Purpose::Up => matches!(to, Read | ReadWanted | ReadOurs | ReadTags | Create | Update | Delete),
            Purpose::Down => matches!(to, Read | ReadOurs | ReadTags | Delete | ReadUsers | Purge),
            Purpose::Verify => matches!(to, Read | ReadWanted | ReadOurs | Verify),
            Purpose::Data => to == Data,
            Purpose::Scan => matches!(to, List | Scan),
            Purpose::All => to != Scan,
        }
    }
}

/// The permissions that a command needs for these subjects, sorted and without duplicates.
pub fn needs(subjects: &[Subject], names: &Names, purpose: Purpose) -> Vec<Need> {
    let mut needs: Vec<Need> = subjects.iter().flat_map(|subject| of_subject(subject, names)).collect();
    needs.retain(|need| purpose.includes(need.to));
    needs.sort();
    needs.dedup();
    let covered: Vec<bool> = needs.iter().map(|need| needs.iter().any(|other| other.covers(need))).collect();
    needs.into_iter().zip(covered).filter(|(_, covered)| !covered).map(|(need, _)| need).collect()
}

impl Need {
    /// Whether this permission includes the other one, so that a policy can leave the other one out.
    fn covers(&self, other: &Need) -> bool {
        let same = self.action == other.action && self.passed_to == other.passed_to;
        same && self.resource != other.resource && matches(&self.resource, &other.resource)
    }
}

/// Whether `pattern` matches everything that `text` matches. A `*` in the text counts as any other character.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| matches(after, &rest[at..]))
        }),
    }
}

fn of_subject(subject: &Subject, names: &Names) -> Vec<Need> {
    let rows = table::ROWS.iter().filter(|row| row.subject == subject.kind && !subject.without.contains(&row.to));
    let needs = rows.flat_map(|row| {
        let resources = row.on.iter().filter_map(|on| resource(on, &subject.fields, names));
        resources.flat_map(move |resource| {
            row.actions.iter().map(move |action| {
                // A resource of somebody else is read only because the spec refers to it.
                let to = if subject.referenced && row.to == Use::Read { Use::ReadWanted } else { row.to };
                Need { action, resource: resource.clone(), passed_to: row.passed_to, to }
            })
        })
    });
    needs.collect()
}

/// An ARN from `service:resource`, with the subject's fields filled in. `None` where it has not all of them.
fn resource(template: &str, fields: &BTreeMap<&'static str, String>, names: &Names) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(fields.get(field)?);
        rest = after;
    }
    filled.push_str(rest);
    let partition = names.partition();
    Some(match filled.split_once(':') {
        None => filled,
        Some(("arn", _)) => filled,
        Some(("s3", object)) => format!("arn:{partition}:s3:::{object}"),
        Some(("iam", role)) => format!("arn:{partition}:iam::{}:{role}", names.account),
        Some((service, resource)) => names.arn(service, resource),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;
    use crate::kinds::KINDS;

    #[test]
    fn every_kind_has_rows_and_every_row_is_about_something() {
        for kind in KINDS {
            assert!(table::ROWS.iter().any(|row| row.subject == kind.name), "{} has no permissions", kind.name);
        }
        for (at, row) in table::ROWS.iter().enumerate() {
            let same = |other: &&table::Row| other.subject == row.subject && other.to == row.to && other.on == row.on;
            let twice = table::ROWS[..at]
                .iter()
                .filter(same)
                .any(|other| other.actions.iter().any(|a| row.actions.contains(a)));
            assert!(!twice, "{} {:?} {:?}", row.subject, row.to, row.actions);
        }
    }

    #[test]
    fn a_resource_is_an_arn_of_the_subjects_own_fields_or_is_left_out() {
        let fields = BTreeMap::from([("name", "events".to_owned()), ("path", "/p/".to_owned())]);
        for (template, expected) in [
            ("kinesis:stream/{name}", Some("arn:aws:kinesis:us-east-1:111122223333:stream/events")),
            ("iam:role{path}{name}", Some("arn:aws:iam::111122223333:role/p/events")),
            ("s3:{name}/.provision/*", Some("arn:aws:s3:::events/.provision/*")),
            ("s3:{bucket}/*", None),
            ("*", Some("*")),
        ] {
            assert_eq!(resource(template, &fields, &names()).as_deref(), expected, "{template}");
        }
    }

    #[test]
    fn what_a_wider_resource_allows_is_not_allowed_again() {
        for (pattern, text, expected) in [
            ("a/*", "a/b", true),
            ("a/*", "a/", true),
            ("a/*", "a/b*", true),
            ("a/b*", "a/*", false),
            ("*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
