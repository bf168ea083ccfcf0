//! `up` and `down`, the whole story in one screen each: survey, plan, record, apply, record.

use std::time::Duration;

use tokio::time::sleep;

use crate::cloud::Cx;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::names::{Name, Names};
use crate::node::Node;
use crate::record::Record;
use crate::resource::Scanned;
use crate::survey::{self, For, Survey};

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

/// How long AWS may show what was there before a change, after a run that did not wait for it to show.
const LAG: Duration = Duration::from_secs(10);
/// A run that began earlier is not waited for: it has most probably ended, and its changes show.
const RECENT_S: i64 = 1800;

/// Reads everything; and once more, some seconds later, where a run before this one has not ended as it should: what it created
/// a moment ago may not be seen yet, and would be taken for absent.
async fn settled(cx: &Cx, nodes: impl Fn() -> Vec<Box<dyn Node>>, purpose: For, events: &Events) -> Result<Survey> {
    let survey = survey::survey(cx, nodes(), purpose).await?;
    let since = survey.record.unsettled_since(&cx.names);
    if cx.options.runs_here || since.is_none_or(|since| cx.calls.now() - since > RECENT_S) {
        return Ok(survey);
    }
    let text = format!("waiting {} s for what an unfinished run changed to show", LAG.as_secs());
    events.say(Event::Working { text });
    sleep(LAG).await;
    survey::survey(cx, nodes(), purpose).await
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
    let hint = error.what_next().map(str::to_owned);
    let request_id = error.request_id().map(str::to_owned);
    events.say(Event::RecordFailed { error: error.to_string(), hint, request_id });
}

fn names_in(record: &Record, names: &Names) -> Vec<Name> {
    record.members(names).into_iter().map(|(address, physical)| Name { address, physical }).collect()
}

/// What makes two names the same resource on AWS.
fn thing(name: &Name) -> (&'static str, &str) {
    (name.address.kind, name.physical.as_str())
}
