//! `tail`: shows the records of a stream, or those that a delivery stream has delivered.

use std::path::PathBuf;
use std::time::Duration;

use local_cloud::delivery::query::Query;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::command::chosen;
use crate::command::up::seconds;
use crate::command::verify::now;
use crate::error::Result;
use crate::event::{Event, Events, Seen};
use crate::exit::{Exit, Stop};
use crate::follow::delivered::{Delivered, Follower};
use crate::follow::stream::{self, Read, Span};
use crate::interrupt::Interrupt;
use crate::report::{self, Output, Printed};
use crate::session::{self, Session};
use crate::source::key;
use crate::transform::invoked::Shown;

#[derive(Debug, clap::Args)]
pub struct TailArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    /// The records of this stream of the spec; not needed where there is only one
    #[arg(long, value_name = "STREAM", conflicts_with = "delivery")]
    pub stream: Option<String>,
    /// The records that this delivery stream of the spec has stored
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Option<String>,
    /// The records that failed, with the reason, instead of those that were delivered
    #[arg(long, requires = "delivery")]
    pub failed: bool,
    /// Begin so long ago
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = seconds)]
    pub since: i64,
    /// Go on with what comes
    #[arg(long, short)]
    pub follow: bool,
    /// Only records of this partition key
    #[arg(long, value_name = "KEY", conflicts_with = "delivery")]
    pub key: Option<String>,
    /// Show what this jq expression gives for each record: .user.id, or select(.n > 3) to filter. Other records are left out
    #[arg(long, value_name = "EXPRESSION")]
    pub jq: Option<String>,
    /// Stop after so many records
    #[arg(long, value_name = "N")]
    pub max: Option<u64>,
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Between two listings of a bucket while following.
const POLL: Duration = Duration::from_secs(5);

pub async fn run(args: TailArgs, output: Output, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let exit = interrupt.or(tail(&session, &args, output, events)).await;
    session.close(events).await;
    // Following has no other end than a signal.
    exit.map(|exit| if args.follow { Exit::Done } else { exit }).map_err(Stop::from)
}

async fn tail(session: &Session, args: &TailArgs, output: Output, events: &Events) -> Result<Exit> {
    let stack = chosen::stack(session);
    let query = args.jq.as_deref().map(|text| key::query("--jq", text)).transpose()?;
    let mut shown = Showing { query, left: args.max.unwrap_or(u64::MAX), output, events, shown: 0 };
    let since_s = now(session).await? - args.since;
    match &args.delivery {
        Some(wanted) => {
            let wanted = std::slice::from_ref(wanted);
            let found = chosen::managed(&stack.deliveries, wanted)?;
            let (_, delivery) = found.first().expect("one for the one that is wanted");
            let mut follower = Follower::new(&delivery.desired, &delivery.physical, args.failed, since_s);
            loop {
                let records = follower.new_ones(&session.cx).await?;
                if !shown.show(records.into_iter().map(Seen::from).collect()) || !args.follow {
                    break;
                }
                tokio::time::sleep(if session.place.is_local() { POLL / 10 } else { POLL }).await;
            }
        }
        None => {
            let (_, stream) = match &args.stream {
                Some(wanted) => chosen::named(&stack.streams, wanted)?,
                None => chosen::only(&stack.streams, "--stream, or a delivery with --delivery")?,
            };
            let span = Span { since_s, follow: args.follow };
            let mut take = |records: Vec<Read>| {
                let wanted = |record: &Read| args.key.as_ref().is_none_or(|key| *key == record.partition_key);
                shown.show(records.into_iter().filter(wanted).map(Seen::from).collect())
            };
            let read = stream::read(&session.cx, chosen::name_of(stream.physical()), span, &mut take).await;
            read.map_err(|error| match error.code() {
                Some("ResourceNotFoundException") => error.hint("run `provision up` first"),
                _ => error,
            })?;
        }
    }
    if shown.shown == 0 && !args.follow {
        events.say(Event::Said { text: format!("no record in the last {} s", args.since) });
    }
    Ok(Exit::Done)
}

struct Showing<'a> {
    query: Option<Query>,
    left: u64,
    output: Output,
    events: &'a Events,
    shown: u64,
}

impl Showing<'_> {
    /// Whether more are wanted.
    fn show(&mut self, records: Vec<Seen>) -> bool {
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
