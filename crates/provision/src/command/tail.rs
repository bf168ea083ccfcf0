//! `tail`: shows the records of a stream, or those that a delivery stream has delivered.

use std::path::PathBuf;
use std::time::Duration;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::command::chosen;
use crate::command::showing::ShowArgs;
use crate::command::up::seconds;
use crate::command::verify::now;
use crate::error::Result;
use crate::event::{Event, Events, Seen};
use crate::exit::{Exit, Stop};
use crate::follow::delivered::Follower;
use crate::follow::stream::{self, Read, Span};
use crate::interrupt::Interrupt;
use crate::report::Output;
use crate::session::{self, Session};

#[derive(Debug, Default, clap::Args)]
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
    #[command(flatten)]
    pub show: ShowArgs,
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

/// Shows the records.
pub async fn tail(session: &Session, args: &TailArgs, output: Output, events: &Events) -> Result<Exit> {
    let stack = chosen::stack(session);
    let mut shown = args.show.showing(output, events)?;
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
