//! A transform run here, on this machine: events as Firehose sends them, its answer held against Firehose's contract, and
//! batches made to break it.
//!
//! ```text
//! subject (which function, fed how) -> call (the very artifact, as a process) -> aws-facts: answer, fault (pure) -> invoked / tested
//! event, hostile (what it is asked) ----------'                                      shrink (the smallest that breaks it) <-'
//! ```

pub mod ask;
pub mod call;
pub mod compared;
pub mod event;
pub mod fault;
pub mod hostile;
pub mod invoked;
pub mod logged;
pub mod shrink;
pub mod subject;
pub mod tested;

/// The fields of a `Breach` and of a `Fault`, for the JSON Schema of events: the crate of `Breach` has no business with schemas.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Breach")]
#[expect(dead_code, reason = "only its schema is used")]
struct ShownBreach {
    /// The rule that is violated, for example `data_missing`, or `crashed` or `unstable` for the handler itself.
    kind: String,
    /// The problem, for people.
    what: String,
    /// Place of the record in the batch, if it is about one record.
    record: Option<usize>,
}
