//! `flush`: delivers what the delivery streams of an emulator have buffered, for tests that do not want to wait.

use std::path::PathBuf;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::command::chosen;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::names::plural;
use crate::serving;
use crate::session::{self, Place, Session};

#[derive(Debug, clap::Args)]
pub struct FlushArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    /// Only this delivery; may be repeated
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Vec<String>,
    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: FlushArgs, events: &Events) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let flushed = flush(&session, &args.delivery, events).await;
    session.close(events).await;
    Ok(flushed.map(|()| Exit::Done)?)
}

async fn flush(session: &Session, wanted: &[String], events: &Events) -> Result<()> {
    for (_, delivery) in chosen::managed(&chosen::stack(session).deliveries, wanted)? {
        let name = &delivery.physical;
        let records = buffered(session, name).await?;
        let left = deliver(session, name).await?;
        let text = match (records, left) {
            (0, _) => format!("{name} had nothing to deliver"),
            (_, 0) => format!("{name} delivered {}", plural(records, "record")),
            (_, left) => format!("{name} still holds {}: it is retrying", plural(left, "record")),
        };
        events.say(Event::Said { text });
    }
    Ok(())
}

/// Delivers what a delivery stream has buffered, and gives the records that it still holds.
pub async fn deliver(session: &Session, name: &str) -> Result<usize> {
    let (region, names) = (&session.cx.names.region, [name.to_owned()]);
    match &session.place {
        Place::Within(engine) => {
            engine.flush(region, &names);
            engine.idle().await;
        }
        Place::Serving(url) => serving::flush(url, region, &names).await?,
        Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => {}
    }
    buffered(session, name).await
}

/// The records that a delivery stream has not delivered yet.
///
/// # Errors
/// Nobody but the built-in emulator tells, or it does not know the delivery stream.
pub async fn buffered(session: &Session, name: &str) -> Result<usize> {
    let region = &session.cx.names.region;
    match &session.place {
        Place::Within(engine) => Ok(engine.backlog(region, name)),
        Place::Serving(url) => serving::backlog(url, region, name).await,
        Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => {
            Err(Error::msg("only the built-in emulator can be flushed; Firehose delivers when a buffer is full or due")
                .hint("wait for the buffers' intervals, or run with --local"))
        }
    }
}
