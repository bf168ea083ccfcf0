//! What a command asked of AWS, what it was answered, and what it waited for.

use std::time::Duration;

use serde::Serialize;

use crate::cloud::{Answer, Call, Cx};
use crate::event::{Event, Events};
use crate::transient::Transient;
use crate::wait::{Waited, Why};

/// One call to AWS.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    pub service: String,
    pub operation: String,
    pub attempts: usize,
    /// One for each attempt.
    pub answers: Vec<Answered>,
    /// `None` where it was given up.
    pub took_ms: Option<u64>,
}

/// What one attempt of a call was answered.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// `None` where nothing was answered: then `message` says why.
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
pub struct Wait {
    /// After "waiting for".
    pub on: String,
    /// `state`: a state lasts; `stale`: reads showed what was there before a change; `refused`: a call was, by `transient`.
    pub why: &'static str,
    /// The row of the table of transient answers.
    pub transient: Option<&'static Transient>,
    /// What was being done, where a call was refused.
    pub doing: Option<String>,
    /// How often it was not so.
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

/// Tells what a command asked of AWS, and what it had to wait for.
pub fn tell_calls(cx: &Cx, events: &Events) {
    events.say(Event::Calls { calls: cx.calls.made().iter().map(Made::from).collect() });
    events.say(Event::Waits { waits: cx.waits.so_far().iter().map(Wait::from).collect() });
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
