//! Events: everything that a command reports. Terminal output, JSON lines and tests all read this one stream.

use serde::Serialize;

use crate::change::Gone;
use crate::doctor::Check;
use crate::error::Error;
use crate::exports::Exported;
pub use crate::outcome::Summary;
use crate::plan::{Op, Plan};
use crate::producer::Produced;
use crate::record::environments::Environment;
use crate::record::journal::Run;
use crate::replay::Replayed;
use crate::spec::Diagnostics;
use crate::transform::compared::Compared;
use crate::transform::invoked::{Invoked, Shown};
use crate::transform::tested::{Broken, Tested, Verdict};
use crate::verify::Verified;
use crate::waits::Task;

mod calls;
mod sender;

pub use calls::{Answered, Made, Wait, tell_calls};
pub use sender::{Events, Reporter};

/// Everything that a command can report.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The stack, account and region that the command works on.
    Target {
        stack: String,
        env: Option<String>,
        account: String,
        region: String,
        endpoint: Option<String>,
    },
    /// A warning.
    Warned {
        text: String,
    },
    /// Warnings about the spec.
    SpecWarned {
        warnings: Diagnostics,
    },
    /// The work, or the thing that is awaited.
    Working {
        text: String,
    },
    Planned {
        plan: Plan,
        command: &'static str,
    },
    Started {
        resource: String,
        op: Op,
    },
    Waiting {
        resource: String,
        on: String,
    },
    Finished {
        resource: String,
        op: Op,
        took_ms: u64,
        /// The result of a deletion.
        gone: Option<Gone>,
    },
    Failed {
        resource: String,
        op: Op,
        took_ms: u64,
        error: String,
        hint: Option<String>,
        /// The AWS request ID of the failed call.
        request_id: Option<String>,
    },
    /// The record could not be written after something had been changed.
    RecordFailed {
        error: String,
        hint: Option<String>,
        request_id: Option<String>,
    },
    Skipped {
        resource: String,
        op: Op,
        because: String,
    },
    Ended {
        summary: Summary,
    },
    Outputs {
        outputs: Exported,
    },
    /// The spec as `render` understands it.
    Rendered {
        spec: serde_json::Value,
    },
    /// The JSON Schema of specs.
    Schema {
        schema: serde_json::Value,
    },
    /// The tables of AWS's behavior that `local tables` prints.
    Tables {
        tables: serde_json::Value,
    },
    /// How far long work has come: records that were put, about once a second, or a line of cargo.
    Progress {
        task: String,
        text: String,
        elapsed_ms: u64,
    },
    /// Work that told its progress has ended, with this result.
    Done {
        task: String,
        text: String,
        took_ms: u64,
    },
    /// A record that `tail` shows.
    Seen {
        result: Seen,
    },
    /// A log event that `logs` shows.
    Logged {
        /// `function.square`
        of: String,
        /// RFC 3339.
        at: String,
        message: String,
        /// The cause of an error of Firehose, and what to do.
        explained: Option<String>,
    },
    /// The result of `put`.
    Put {
        result: Put,
    },
    /// The result of `diff-data`.
    Compared {
        result: Box<Compared>,
    },
    /// The result of `replay`.
    Replayed {
        result: Box<Replayed>,
    },
    /// The result of `verify` for one delivery stream.
    Verified {
        result: Box<Verified>,
    },
    /// One invocation of a function on this machine.
    Invoked {
        result: Box<Invoked>,
    },
    /// One case of `test-transform`.
    Tested {
        result: Tested,
    },
    /// The smallest batch that breaks a transform.
    Broken {
        result: Box<Broken>,
    },
    /// The result of all cases of `test-transform`.
    Judged {
        result: Verdict,
    },
    /// One resource of `status`.
    Status {
        resource: String,
        physical: String,
        state: String,
    },
    /// Errors in the spec, which stopped the command.
    Wrong {
        mistakes: Diagnostics,
    },
    /// One spec of `validate`.
    Validated {
        file: String,
        mistakes: Diagnostics,
        warnings: Diagnostics,
    },
    /// One environment of `list`.
    Environment {
        environment: Environment,
        expired: bool,
    },
    /// One line of `doctor`.
    Checked {
        check: Check,
    },
    /// One run of `history`.
    Run {
        run: Run,
    },
    /// All calls to AWS, in the order in which they began.
    Calls {
        calls: Vec<Made>,
    },
    /// All waits.
    Waits {
        waits: Vec<Wait>,
    },
    /// An error that stopped the command.
    Error {
        message: String,
        hint: Option<String>,
    },
    /// A command to try next.
    Next {
        text: String,
    },
    /// Any other text for people.
    Said {
        text: String,
    },
}

/// A record of a stream or of an object.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// The shard, or the key of the object.
    pub from: String,
    /// When it arrived or was stored, RFC 3339.
    pub time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
    pub record: Shown,
    /// Firehose's code and message, of a record that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<(String, String)>,
}

/// The records that were put.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Put {
    /// The stream or the delivery stream.
    pub into: String,
    #[serde(flatten)]
    pub produced: Produced,
}

impl From<&Error> for Event {
    fn from(error: &Error) -> Event {
        Event::Error { message: error.to_string(), hint: error.what_next().map(str::to_owned) }
    }
}

impl From<Task<'_>> for Event {
    fn from(task: Task<'_>) -> Event {
        let (task, text, took_ms, is_done) = (task.name, task.text, task.elapsed.as_millis() as u64, task.is_done);
        match is_done {
            true => Event::Done { task: task.to_owned(), text: text.to_owned(), took_ms },
            false => Event::Progress { task: task.to_owned(), text: text.to_owned(), elapsed_ms: took_ms },
        }
    }
}
