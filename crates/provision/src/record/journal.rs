//! The history of an environment: a log stream of its record, which a run writes into when it begins and when it ends. It goes
//! with the record. Nothing is decided by it, so a run whose journal cannot be written goes on, and says so.

use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OutputLogEvent};
use serde::{Deserialize, Serialize};

use super::lease::Who;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::outcome::{Applied, Summary};
use crate::plan::Plan;
use crate::secret::masked_json;
use crate::send;

const STREAM: &str = "journal";
const ABSENT: &str = "ResourceNotFoundException";

/// One `up` or `down` that changed something, or meant to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// Epoch milliseconds.
    pub at_ms: i64,
    #[serde(flatten)]
    pub began: Began,
    /// `None`: it is still under way, or it was killed.
    pub ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Began {
    /// A unique ID.
    pub run: String,
    pub command: String,
    pub version: String,
    pub owner: Option<String>,
    /// `create stream.events`
    pub steps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ended {
    pub run: String,
    pub summary: Summary,
    /// `creating stream.events: why`
    pub failures: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Began(Began),
    Ended(Ended),
}

/// A run that is about to start.
pub fn begin(cx: &Cx, who: &Who, plan: &Plan) -> Began {
    Began {
        run: who.run.clone(),
        command: who.command.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        owner: cx.options.owner.clone(),
        steps: plan.steps.iter().map(|step| format!("{} {}", step.op.word(), step.name.address)).collect(),
    }
}

/// Writes that a run began. `fresh`: the record was just made, so that there is no log stream yet.
pub async fn write_beginning(cx: &Cx, began: &Began, fresh: bool) -> Result<()> {
    let line = Line::Began(began.clone());
    if !fresh {
        match put(cx, &line).await {
            Err(error) if error.code() == Some(ABSENT) => {}
            written => return written,
        }
    }
    let call = cx.logs().create_log_stream().log_group_name(cx.names.record()).log_stream_name(STREAM);
    match send::change(cx, super::of(cx, 0), "creating the journal", || call.clone().send()).await {
        Err(error) if error.code() != Some("ResourceAlreadyExistsException") => Err(error),
        _ => put(cx, &line).await,
    }
}

/// Writes the end of a run.
pub async fn write_end(cx: &Cx, began: &Began, applied: &Applied) -> Result<()> {
    let Applied { summary, failures, .. } = applied;
    let ended = Ended { run: began.run.clone(), summary: summary.clone(), failures: failures.clone() };
    put(cx, &Line::Ended(ended)).await
}

/// The runs, oldest first. Empty if there is no record.
pub async fn read(cx: &Cx) -> Result<Vec<Run>> {
    // From the head, and until a token repeats: AWS gives pages by time, and an empty one is not the end (audit A10).
    let call = cx.logs().get_log_events().log_group_name(cx.names.record()).log_stream_name(STREAM);
    let mut pages = call.start_from_head(true).into_paginator().send();
    let mut lines = vec![];
    while let Some(page) = pages.next().await {
        match page.map_err(|e| Error::aws("reading the journal", e)) {
            Ok(page) => lines.extend(page.events.unwrap_or_default()),
            Err(error) if error.code() == Some(ABSENT) => return Ok(vec![]),
            Err(error) => return Err(error),
        }
    }
    let line = |event: OutputLogEvent| Some((event.timestamp?, event.message?));
    Ok(runs(lines.into_iter().filter_map(line)))
}

/// Beginnings, each with its end. A line of another version that cannot be read is passed over.
fn runs(lines: impl Iterator<Item = (i64, String)>) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    for (at_ms, line) in lines {
        match serde_json::from_str(&line) {
            Ok(Line::Began(began)) => runs.push(Run { at_ms, began, ended: None }),
            Ok(Line::Ended(ended)) => {
                if let Some(run) = runs.iter_mut().find(|run| run.began.run == ended.run) {
                    run.ended = Some(ended);
                }
            }
            Err(_) => {}
        }
    }
    runs
}

async fn put(cx: &Cx, line: &Line) -> Result<()> {
    let message = masked_json(&serde_json::to_string(line).expect("our own lines serialise"));
    let event = InputLogEvent::builder().timestamp(cx.calls.now() * 1000).message(message);
    let event = event.build().expect("both are set");
    let call = cx.logs().put_log_events().log_group_name(cx.names.record()).log_stream_name(STREAM).log_events(event);
    send::change(cx, super::of(cx, 0), "writing the journal", || call.clone().send()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_its_own_end_or_none() {
        let began = |run: &str| {
            let (command, version) = ("up".to_owned(), "1".to_owned());
            Began { run: run.into(), command, version, owner: None, steps: vec!["create stream.events".into()] }
        };
        let ended = |run: &str| Ended { run: run.into(), summary: Summary::default(), failures: vec![] };
        let line = |line: Line| serde_json::to_string(&line).unwrap();
        let lines = [
            (1, line(Line::Began(began("a")))),
            (2, line(Line::Began(began("b")))),
            (3, "of another version".to_owned()),
            (4, line(Line::Ended(ended("b")))),
        ];
        let expected = [
            Run { at_ms: 1, began: began("a"), ended: None },
            Run { at_ms: 2, began: began("b"), ended: Some(ended("b")) },
        ];
        assert_eq!(runs(lines.into_iter()), expected);
    }
}
