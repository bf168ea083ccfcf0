//! `up` and `down`, the whole story in one screen each: survey, plan, record, apply, record.

use crate::cloud::Cx;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::names::{Name, Names};
use crate::record::Record;
use crate::scan::Scanned;
use crate::survey::Survey;

mod down;
mod up;

pub use down::{apply_down, decide_down, decide_gc};
pub use up::{apply_up, decide_up};

type Result<T> = std::result::Result<T, Vec<Error>>;

/// With `--scan`: what the services list; what could not be looked at is told.
pub async fn scan(cx: &Cx, events: &Events) -> std::result::Result<Option<Scanned>, Error> {
    if !cx.options.scan {
        return Ok(None);
    }
    let scanned = crate::scan::scan(cx).await?;
    for text in &scanned.unread {
        events.say(Event::Warned { text: text.clone() });
    }
    Ok(Some(scanned))
}

/// Tells what is odd about the record, and whose prefixes overlap.
fn warn(survey: &Survey, cx: &Cx, events: &Events) {
    let mut texts: Vec<String> = survey.record.oddities(&cx.names);
    if survey.record.taken {
        texts.push("that log group is not ours: it is left alone, and so is what it names".into());
    }
    for text in texts {
        warn_of_record(&text, &cx.names, events);
    }
    for text in survey.overlaps.iter().cloned() {
        events.say(Event::Warned { text });
    }
}

fn warn_of_record(text: &str, names: &Names, events: &Events) {
    events.say(Event::Warned { text: format!("the record {}: {text}", names.record()) });
}

/// The journal decides nothing, so that it stops nothing either.
fn tell_unwritten(journal: std::result::Result<(), Error>, events: &Events) {
    if let Err(error) = journal {
        events.say(Event::Warned { text: error.to_string() });
    }
}

/// The record could not be written once something had been changed: that is a failure like that of a step.
fn record_failed(error: &Error, summary: &mut Summary, events: &Events) {
    summary.failed += 1;
    let (resource, op) = ("record".to_owned(), "writing");
    let hint = error.what_next().map(str::to_owned);
    let request_id = error.request_id().map(str::to_owned);
    events.say(Event::Failed { resource, op, took_ms: 0, error: error.to_string(), hint, request_id });
}

fn names_in(record: &Record, names: &Names) -> Vec<Name> {
    record.members(names).into_iter().map(|(address, physical)| Name { address, physical }).collect()
}

/// What makes two names the same resource on AWS.
fn thing(name: &Name) -> (&'static str, &str) {
    (name.address.kind, name.physical.as_str())
}
