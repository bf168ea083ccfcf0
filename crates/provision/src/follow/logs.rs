//! The log events of several log groups in one order of time.

use std::collections::HashSet;

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// A log group, and a name for it in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `function.square`
    pub of: String,
    pub group: String,
    /// Only log streams whose names begin so, in a group that others use too.
    pub streams: Option<String>,
}

/// One log event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub of: String,
    pub at_ms: i64,
    pub message: String,
}

/// Reads new events each time it is asked.
pub struct Logs {
    sources: Vec<Source>,
    since_ms: i64,
    seen: HashSet<String>,
}

/// Events may be ingested late: so far before the newest one they are looked for again.
const LATE_MS: i64 = 30_000;

impl Logs {
    pub fn new(sources: Vec<Source>, since_ms: i64) -> Logs {
        Logs { sources, since_ms, seen: HashSet::new() }
    }

    /// The events that were not given before, oldest first. A log group that does not exist has none.
    pub async fn new_ones(&mut self, cx: &Cx) -> Result<Vec<Logged>> {
        let pages = self.sources.iter().map(|source| of_source(cx, source, self.since_ms));
        let mut events: Vec<(String, Logged)> =
            futures::future::try_join_all(pages).await?.into_iter().flatten().collect();
        events.retain(|(id, _)| self.seen.insert(id.clone()));
        events.sort_by_key(|(_, event)| event.at_ms);
        if let Some((_, last)) = events.last() {
            self.since_ms = self.since_ms.max(last.at_ms - LATE_MS);
        }
        Ok(events.into_iter().map(|(_, event)| event).collect())
    }
}

async fn of_source(cx: &Cx, source: &Source, since_ms: i64) -> Result<Vec<(String, Logged)>> {
    let filter = cx.logs().filter_log_events().log_group_name(&source.group).start_time(since_ms.max(0));
    let filter = filter.set_log_stream_name_prefix(source.streams.clone());
    let mut pages = filter.into_paginator().send();
    let mut found = vec![];
    while let Some(page) = pages.next().await {
        let page = match page.map_err(|e| Error::aws(format!("reading log group {}", source.group), e)) {
            Ok(page) => page,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(vec![]),
            Err(error) => return Err(error),
        };
        for event in page.events.unwrap_or_default() {
            let at_ms = event.timestamp.unwrap_or_default();
            let message = event.message.unwrap_or_default().trim_end().to_owned();
            // Without an id, an event is known by what it says.
            let id = event.event_id.unwrap_or_else(|| format!("{at_ms} {message}"));
            found.push((format!("{} {id}", source.group), Logged { of: source.of.clone(), at_ms, message }));
        }
    }
    Ok(found)
}
