//! The events about calls to AWS, their responses, and waits.

use std::time::Duration;

use serde::Serialize;

use crate::cloud::{Answer, Call, Cx};
use crate::event::{Event, Events};
use crate::transient::Transient;
use crate::wait::{Waited, Why};

/// One call to AWS.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Made {
    pub service: String,
    pub operation: String,
    pub attempts: usize,
    /// One for each attempt.
    pub answers: Vec<Answered>,
    /// `None` if the call was canceled.
    pub took_ms: Option<u64>,
}

/// The response to one attempt of a call.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Response"))]
pub struct Answered {
    /// `None` if there was no response. Then `message` has the reason.
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    pub took_ms: Option<u64>,
}

impl From<&Call> for Made {
    fn from(call: &Call) -> Made {
        let took_ms = call.ended.map(|ended| ms(ended - call.started));
        let Call { service, operation, answers, .. } = call.clone();
        let answers: Vec<Answered> = answers.into_iter().map(Answered::from).collect();
        Made { service, operation, attempts: answers.len(), answers, took_ms }
    }
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Answered {
        let Answer { started, ended, status, code, message, request_id } = answer;
        let took_ms = ended.map(|ended| ms(ended - started));
        Answered { status, code, message, request_id, took_ms }
    }
}

/// One wait.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wait {
    /// After "waiting for".
    pub on: String,
    /// `state`: a state lasts; `stale`: reads showed what was there before a change; `refused`: a call was, by `transient`.
    pub why: &'static str,
    /// The row of the table of transient answers.
    pub transient: Option<&'static Transient>,
    /// The operation in progress when a call was refused.
    pub doing: Option<String>,
    /// The number of polls or attempts without success.
    pub times: u32,
    pub took_ms: u64,
}

impl From<&Waited> for Wait {
    fn from(waited: &Waited) -> Wait {
        let Waited { on, why, doing, times, started, until } = waited.clone();
        let (why, transient) = match why {
            Why::State => ("state", None),
            Why::Stale => ("stale", None),
            Why::Refused(row) => ("refused", Some(row)),
        };
        Wait { on, why, transient, doing, times, took_ms: ms(until - started) }
    }
}

/// Reports all calls to AWS and all waits of a command.
pub fn tell_calls(cx: &Cx, events: &Events) {
    events.say(Event::Calls { calls: cx.calls.made().iter().map(Made::from).collect() });
    events.say(Event::Waits { waits: cx.waits.so_far().iter().map(Wait::from).collect() });
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
