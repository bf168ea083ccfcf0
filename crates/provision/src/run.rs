//! `up` and `down` from start to end: survey, plan, write the record, apply, write the record.

use std::time::Duration;

use tokio::time::sleep;

use crate::cloud::Cx;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::kinds;
use crate::names::{Name, Names};
use crate::node::Node;
use crate::plan::Plan;
use crate::record::Record;
use crate::resource::Scanned;
use crate::survey::{self, For, Survey};

mod alone;
mod down;
mod up;

pub use alone::{Ended, How, LOCK_TIMEOUT_S};
pub use down::{What, apply_down, decide_down, down};
pub use up::{apply_up, decide_up, up};

type Result<T> = std::result::Result<T, Vec<Error>>;

/// With `--scan`, lists the resources of all services. Resources that could not be read are reported as warnings.
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

/// Reads which of these resources exist. After a deletion, that is what is left, or what somebody's late call has made again.
pub async fn still_there(cx: &Cx, names: &[Name]) -> Result<Vec<Name>> {
    let nodes = names.iter().filter_map(|name| Some((kinds::kind(name.address.kind)?.unwanted)(name.clone())));
    let survey = Box::pin(survey::survey(cx, nodes.collect(), For::Down)).await?;
    Ok(survey.facts.into_iter().filter(|fact| fact.live).map(|fact| fact.name).collect())
}

/// How long AWS may return old data after a change, if the run that made it did not wait.
const LAG: Duration = Duration::from_secs(10);
/// Runs that began earlier than this are not waited for, because their changes are visible by now.
const RECENT_S: i64 = 1800;

/// Reads everything. If an earlier run did not finish, it reads everything again some seconds later: what that run just created
/// may not be visible yet and would count as missing. `in_vain_if_in_use`: nothing is decided while another run is at work.
async fn settled(
    cx: &Cx,
    nodes: impl Fn() -> Vec<Box<dyn Node>>,
    purpose: For,
    in_vain_if_in_use: bool,
    events: &Events,
) -> Result<Survey> {
    // In boxes, as elsewhere here: the futures of whole commands are larger than a thread's stack takes.
    let survey = Box::pin(survey::survey(cx, nodes(), purpose)).await?;
    let since = survey.record.unsettled_since(&cx.names);
    if in_vain_if_in_use && survey.is_in_use(&cx.names) {
        return Ok(survey);
    }
    if cx.options.runs_here || since.is_none_or(|since| cx.calls.now() - since > RECENT_S) {
        return Ok(survey);
    }
    let text = format!(
        "waiting {} s, because an earlier run did not finish and its changes may not be visible yet",
        LAG.as_secs()
    );
    events.say(Event::Working { text });
    sleep(LAG).await;
    Box::pin(survey::survey(cx, nodes(), purpose)).await
}

/// Reports a plan, with warnings.
fn planned(survey: &Survey, plan: &Plan, command: &'static str, cx: &Cx, events: &Events) {
    warn(survey, cx, events);
    events.say(Event::Planned { plan: plan.clone(), command });
}

/// Warns if another run is at work. For commands that only read.
pub fn warn_of_another_run(survey: &Survey, names: &Names, events: &Events) {
    if let Some(text) = survey.another_run(names) {
        events.say(Event::Warned { text });
    }
}

/// Warns about invalid entries in the record and about overlapping prefixes.
fn warn(survey: &Survey, cx: &Cx, events: &Events) {
    let mut texts: Vec<String> = survey.record.oddities(&cx.names);
    if survey.record.taken {
        texts.push("the log group was not created by provision; it is ignored, and nothing it names is deleted".into());
    }
    for text in texts {
        warn_of_record(&text, &cx.names, events);
    }
    for text in survey.overlaps.iter().cloned() {
        events.say(Event::Warned { text });
    }
}

fn warn_of_record(text: &str, names: &Names, events: &Events) {
    events.say(Event::Warned { text: format!("record {}: {text}", names.record()) });
}

/// A journal that cannot be written is only a warning, because nothing depends on it.
fn tell_unwritten(journal: std::result::Result<(), Error>, events: &Events) {
    if let Err(error) = journal {
        events.say(Event::Warned { text: error.to_string() });
    }
}

/// Counts a record that could not be written, after something had been changed, as a failed step.
fn record_failed(error: &Error, summary: &mut Summary, events: &Events) {
    summary.failed += 1;
    let hint = error.what_next().map(str::to_owned);
    let request_id = error.request_id().map(str::to_owned);
    events.say(Event::RecordFailed { error: error.to_string(), hint, request_id });
}

fn names_in(record: &Record, names: &Names) -> Vec<Name> {
    record.members(names).into_iter().map(|(address, physical)| Name { address, physical }).collect()
}

/// The identity of a resource on AWS.
fn thing(name: &Name) -> (&'static str, &str) {
    (name.address.kind, name.physical.as_str())
}
