//! AWS's anomalies: what it answers for a while after a change, although the change was made.
//!
//! A row of the table ([`rows`]) says which operations bring an anomaly about, which operations then show it on the same resource, what they
//! are answered, and for how long. One mechanism serves all rows: [`crate::drive`] asks [`course::Anomalies`] before and after each
//! call. Services know nothing of it.
//!
//! What is under way is kept beside the world, in memory only: it is not journalled, and an engine that starts again has none. It
//! depends on the world's time alone, so that it ends under any clock that goes on.

use crate::settings::Millis;

pub mod choice;
pub mod course;
mod question;
mod rows;
mod subject;

pub use choice::Consistency;

/// The kind of resource that an anomaly is about: the operations that bring it about and show it are those of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Stream,
    DeliveryStream,
    Bucket,
}

/// A refusal in AWS's words. `{name}` stands for the resource's name, `{account}` for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub code: &'static str,
    pub status: u16,
    pub message: &'static str,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The reply to the same question from before the change. Of a new resource that is the error that there is none.
    Stale,
    /// A refusal. Where AWS has several wordings, each refused call gets the next.
    Refused(&'static [Words]),
}

/// One anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// By which it is turned on.
    pub name: &'static str,
    pub about: About,
    /// The operations that bring it about where they succeed, as `service:Operation`.
    pub after: &'static [&'static str],
    /// Of those, it is brought about only where this read found nothing before.
    pub absent: Option<&'static str>,
    /// The operations that show it.
    pub at: &'static [&'static str],
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
