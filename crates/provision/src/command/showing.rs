//! Records on the terminal or as events: filtered, changed and bounded as the flags say.

use local_cloud::delivery::query::Query;

use crate::error::Result;
use crate::event::{Event, Events, Seen};
use crate::follow::delivered::Delivered;
use crate::follow::stream::Read;
use crate::report::{self, Output, Printed};
use crate::source::key;
use crate::transform::invoked::Shown;

/// The flags of commands that show records.
#[derive(Debug, Default, clap::Args)]
pub struct ShowArgs {
    /// Show what this jq expression gives for each record: .user.id, or select(.n > 3) to filter. Other records are left out
    #[arg(long, value_name = "EXPRESSION")]
    pub jq: Option<String>,
    /// Stop after so many records
    #[arg(long, value_name = "N")]
    pub max: Option<u64>,
}

impl ShowArgs {
    /// # Errors
    /// The expression is not jq.
    pub fn showing<'a>(&self, output: Output, events: &'a Events) -> Result<Showing<'a>> {
        let query = self.jq.as_deref().map(|text| key::query("--jq", text)).transpose()?;
        Ok(Showing { query, left: self.max.unwrap_or(u64::MAX), output, events, shown: 0 })
    }
}

/// Prints records.
pub struct Showing<'a> {
    query: Option<Query>,
    left: u64,
    output: Output,
    events: &'a Events,
    /// The records that were printed.
    pub shown: u64,
}

impl Showing<'_> {
    /// Whether more are wanted.
    pub fn show(&mut self, records: Vec<Seen>) -> bool {
        let records = match &self.query {
            Some(query) => answered(query, records),
            None => records,
        };
        for record in records {
            if self.left == 0 {
                return false;
            }
            (self.left, self.shown) = (self.left - 1, self.shown + 1);
            if let (Output::Human, Some((code, message))) = (self.output, &record.error) {
                self.events.say(Event::Said { text: format!("{code}: {message}") });
            }
            let text = match &record.record {
                Shown::Text(text) => format!("{text}\n"),
                Shown::Base64(text) => format!("base64:{text}\n"),
            };
            report::print(Printed { text, event: Event::Seen { result: record } }, self.output, self.events);
        }
        self.left > 0
    }
}

/// The values that the expression gives. Records that it fails on or gives nothing for are left out.
fn answered(query: &Query, records: Vec<Seen>) -> Vec<Seen> {
    let texts = records.iter().map(|seen| match &seen.record {
        Shown::Text(text) => text.as_bytes(),
        Shown::Base64(_) => b"",
    });
    let values = query.first_values(&texts.collect::<Vec<_>>());
    let value = |(seen, value): (Seen, std::result::Result<Option<String>, String>)| {
        Some(Seen { record: Shown::Text(value.ok()??), ..seen })
    };
    records.into_iter().zip(values).filter_map(value).collect()
}

impl From<Read> for Seen {
    fn from(read: Read) -> Seen {
        Seen {
            from: read.shard,
            time: at(read.arrived_ms),
            partition_key: Some(read.partition_key),
            sequence_number: Some(read.sequence_number),
            record: Shown::of(&read.data),
            error: None,
        }
    }
}

impl From<Delivered> for Seen {
    fn from(delivered: Delivered) -> Seen {
        Seen {
            from: delivered.object,
            time: at(delivered.stored_s * 1_000),
            partition_key: None,
            sequence_number: None,
            record: Shown::of(&delivered.data),
            error: delivered.error,
        }
    }
}

/// RFC 3339.
pub fn at(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
