//! Events for programs: one JSON object a line. `v` changes when a field changes its meaning or goes away.

use std::io::Write;

use serde::Serialize;

use crate::event::{Event, Reporter};
use crate::secret::masked_json;

/// The version of the format.
const VERSION: u32 = 2;

pub struct Json<W> {
    out: W,
}

impl<W: Write> Json<W> {
    pub fn new(out: W) -> Json<W> {
        Json { out }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write + Send> Reporter for Json<W> {
    fn event(&mut self, event: &Event) {
        let line = serde_json::to_string(&Line { v: VERSION, event }).expect("our own events serialise");
        let line = masked_json(&line);
        // A reader that went away (a closed pipe) is no reason to stop half way through a change.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}
