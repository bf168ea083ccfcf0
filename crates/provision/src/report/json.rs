//! Events for programs: one JSON object a line. `schema/events.schema.json` describes them. `v` changes when a field changes its
//! meaning or goes away. New fields and events may be added without that.

use std::io::Write;

use jiff::{Timestamp, Unit};
use serde::Serialize;

use crate::event::{Event, Reporter};
use crate::secret::masked_json;

#[cfg(test)]
mod schema;

/// The version of the format.
const VERSION: u32 = 2;
/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("../../../../schema/events.schema.json");

pub struct Json<W> {
    out: W,
    now: fn() -> Timestamp,
}

impl<W: Write> Json<W> {
    /// `now`: the clock of the time stamps.
    pub fn new(out: W, now: fn() -> Timestamp) -> Json<W> {
        Json { out, now }
    }
}

/// One line of `--output json`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Line<'a> {
    /// The version of the format. It changes when a field changes its meaning or goes away.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    v: u32,
    /// When it happened by this machine's clock: RFC 3339, in UTC, with milliseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write + Send> Reporter for Json<W> {
    fn event(&mut self, event: &Event) {
        let now = (self.now)();
        // Only times at the end of the calendar cannot be rounded.
        let time = format!("{:.3}", now.round(Unit::Millisecond).unwrap_or(now));
        let line = serde_json::to_string(&Line { v: VERSION, time, event }).expect("our own events serialise");
        let line = masked_json(&line);
        // A reader that went away (a closed pipe) is no reason to stop half way through a change.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_with_version_and_time() {
        let mut out = vec![];
        let now = || Timestamp::from_microsecond(1_784_000_000_001_499).expect("a time");
        Json::new(&mut out, now).event(&Event::Warned { text: "a".into() });
        let expected = r#"{"v":2,"time":"2026-07-14T03:33:20.001Z","event":"warned","text":"a"}"#;
        assert_eq!(String::from_utf8_lossy(&out), format!("{expected}\n"));
    }
}
