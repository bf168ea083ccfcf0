//! AWS's anomalies: what it answers for a while after a change, although the change was made.
//!
//! A row of the table ([`rows()`]) says which operations bring an anomaly about, which operations then show it on the same resource, what they
//! are answered, and for how long. One mechanism serves all rows: the engine asks before and after each
//! call. Services know nothing of it.
//!
//! Anomalies under way are kept beside the world, in memory only: they are not journalled, and an emulator that starts again
//! has none. They depend on the world's time alone, so that they end under any clock that goes on.

use crate::time::Millis;

pub mod choice;
mod rows;

pub use choice::Consistency;

/// The kind of resource that an anomaly is about: the operations that bring it about and show it are those of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A Kinesis stream.
    Stream,
    /// A Firehose delivery stream.
    DeliveryStream,
    /// A Lambda function.
    Function,
    /// The role itself, or a call that gives a service its ARN.
    Role,
    /// An inline policy of a role.
    RolePolicy,
    /// An S3 bucket.
    Bucket,
    /// A CloudWatch log group.
    LogGroup,
}

/// A refusal in AWS's words. `{name}` and `{arn}` stand for the resource as the refused call names it, `{account}` for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// AWS's error code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// AWS's message.
    pub message: &'static str,
}

/// The answer of an operation that shows an anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The reply to the same question from before the change. Of a new resource that is the error that there is none.
    Stale,
    /// A refusal. Where AWS has several wordings, each refused call gets the next.
    Refused(&'static [Words]),
    /// Empty pages with a token before the first that is not, at any time.
    EmptyPages,
    /// Pages of one item, however many were asked for, at any time.
    ShortPages,
    /// New log events or log streams are not found yet: the service itself leaves them out ([`crate::world::World::late`]).
    Late,
    /// A new delivery stream is ACTIVE and does not read its stream yet. Records that are put until then are never delivered.
    Unread,
}

/// One anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The name by which it is turned on.
    pub name: &'static str,
    /// The kind of resource that it is about.
    pub about: About,
    /// The operations that bring it about where they succeed, as `service:Operation`. None where it is met at any time.
    pub after: &'static [&'static str],
    /// If given, the operations bring the anomaly about only if this read found nothing before.
    pub absent: Option<&'static str>,
    /// The operations that show it.
    pub at: &'static [&'static str],
    /// The answer of these operations.
    pub shown: Shown,
    /// How long it lasts at least and at most, in milliseconds of world time.
    pub lasts: (Millis, Millis),
    /// That time is counted from the end of the state (CREATING, InProgress) which the change begins, and not from the change.
    pub settled: bool,
    /// Where AWS documents it, or who has seen it. `[?]` marks what no document of AWS confirms.
    pub source: &'static str,
}

/// Every row, in the order of the documentation.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    rows::ALL.iter().copied().flatten()
}

/// The row of that name.
pub fn row(name: &str) -> Option<&'static Row> {
    rows().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operations, those of the row's own service without its name.
    fn operations(row: &Row, all: &[&str]) -> String {
        let own = row.name.split('-').next().unwrap_or_default();
        let short = |operation: &&str| operation.strip_prefix(own).map_or(*operation, |rest| &rest[1..]).to_owned();
        all.iter().map(short).collect::<Vec<_>>().join(", ")
    }

    /// As a row of the documentation.
    fn told(row: &Row) -> String {
        let shown = match row.shown {
            Shown::Stale => "the reply from before".to_owned(),
            Shown::Refused(wordings) => wordings
                .iter()
                .map(|words| format!("{} \"{}\"", words.code, words.message))
                .collect::<Vec<_>>()
                .join(", then "),
            Shown::EmptyPages => "the first two pages are empty".to_owned(),
            Shown::ShortPages => "pages of one item".to_owned(),
            Shown::Late => "newer ones are not found".to_owned(),
            Shown::Unread => "ACTIVE, but records put meanwhile are never delivered".to_owned(),
        };
        let seconds = |ms: Millis| ms as f64 / 1000.0;
        let (least, most) = row.lasts;
        let lasts = match (row.shown, row.settled) {
            (Shown::EmptyPages | Shown::ShortPages, _) => "always".to_owned(),
            (_, false) => format!("{} to {}", seconds(least), seconds(most)),
            (_, true) => format!("{} to {} after its state", seconds(least), seconds(most)),
        };
        let (after, at) = (operations(row, row.after), operations(row, row.at));
        format!("| {} | {after} | {at} | {shown} | {lasts} | {} |", row.name, row.source)
    }

    #[test]
    fn the_documentation_has_every_row_as_it_is() {
        let documentation = include_str!("../../local-cloud/README.md");
        let wanted: Vec<String> = rows().map(told).collect();
        let has = |name: &str| documentation.lines().filter(|line| line.starts_with(&format!("| {name}-"))).count();
        let documented: usize = ["kinesis", "firehose", "lambda", "iam", "s3", "logs"].into_iter().map(has).sum();
        let missing = wanted.iter().any(|row| !documentation.lines().any(|line| line == row));
        assert!(
            !missing && documented == wanted.len(),
            "write into crates/local-cloud/README.md:\n{}",
            wanted.join("\n")
        );
    }

    #[test]
    fn rows_have_names_of_their_own_and_last_for_some_time() {
        for row in rows() {
            assert_eq!(rows().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert!(row.lasts.0 <= row.lasts.1 && !row.at.is_empty() && !row.source.is_empty(), "{}", row.name);
            assert!(matches!(row.shown, Shown::EmptyPages | Shown::ShortPages) || row.lasts.0 > 0, "{}", row.name);
        }
    }
}
