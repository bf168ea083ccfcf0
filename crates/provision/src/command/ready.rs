//! Waits until data has come out of delivery streams: one may be ACTIVE for minutes before it reads its stream.

use std::time::Duration;

use super::passing::{Passing, SLACK};
use super::verify::now;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::names::Name;
use crate::producer::{self, How};
use crate::resource::Resource;
use crate::resource::delivery_stream::DeliveryStream;
use crate::session::Session;
use crate::source::Records;
use crate::spec::stack::Stack;
use crate::verify::fed::{self, Fed, Tested};
use crate::verify::input::{Input, Made};
use crate::verify::objects::Objects;

/// The state that `up` and `with` wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Ready {
    /// AWS says that every resource is active
    #[default]
    Active,
    /// A canary record has come out of every delivery stream; it stays under their prefixes
    Data,
}

/// When a command that brings an environment up goes on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ReadyArgs {
    /// Wait until resources are active, or until data has come out of every delivery stream
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub ready: Ready,
}

/// The interval between canaries. One that is put before a delivery stream reads may never come out.
const AGAIN: Duration = Duration::from_secs(30);
/// A delivery stream that is older than this reads its stream.
const NEW_S: i64 = 900;

/// Waits until the environment is ready.
pub async fn wait(session: &Session, args: ReadyArgs, events: &Events, interrupt: &Interrupt) -> Exit {
    let stack = session.stack.as_ref().expect("a session that brings a stack up has it");
    if args.ready == Ready::Active {
        return Exit::Done;
    }
    let data = async { data(session, stack, events).await.map(|()| Exit::Done) };
    interrupt.or(data).await.unwrap_or_else(|error| {
        events.say(Event::from(&error));
        Exit::FailedHalfWay
    })
}

/// Waits until each delivery stream has stored an object from now on.
///
/// # Errors
/// A delivery stream has stored nothing within its buffers and five minutes.
pub async fn data(session: &Session, stack: &Stack, events: &Events) -> Result<()> {
    let session = &session.recognised().await;
    let (fed, since_s) = (fed::fed(stack), now(session).await?);
    let silent = each(&fed).map(|(fed, one)| Silent::new(fed, one, since_s)).collect();
    first_objects(session, silent, events).await
}

/// Waits until each delivery stream that was created lately, and reads a stream, has stored an object since then.
///
/// # Errors
/// A new delivery stream has stored nothing within its buffers and five minutes.
pub async fn new_ones(session: &Session, fed: &[Fed<'_>], events: &Events) -> Result<()> {
    let (mut silent, new_since_s) = (vec![], now(session).await? - NEW_S);
    for (fed, one) in each(fed).filter(|(_, one)| one.delivery.source.is_some()) {
        let name = Name::new(DeliveryStream::KIND, one.logical, one.name);
        let Some(live) = DeliveryStream::observe(&session.cx, &name).await? else { continue };
        let mut new = Silent::new(fed, one, live.created_s);
        if live.created_s > new_since_s && new.objects.new_ones(&session.cx).await?.is_empty() {
            silent.push(new);
        }
    }
    first_objects(session, silent, events).await
}

fn each<'a>(fed: &'a [Fed<'a>]) -> impl Iterator<Item = (&'a Fed<'a>, &'a Tested<'a>)> {
    fed.iter().flat_map(|fed| fed.tested.iter().map(move |one| (fed, one)))
}

/// A delivery stream that has stored nothing yet.
struct Silent<'a> {
    fed: &'a Fed<'a>,
    tested: &'a Tested<'a>,
    objects: Objects,
}

impl<'a> Silent<'a> {
    fn new(fed: &'a Fed<'a>, tested: &'a Tested<'a>, since_s: i64) -> Silent<'a> {
        Silent { fed, tested, objects: Objects::of(tested.delivery, tested.name, since_s) }
    }
}

/// Puts a canary into the stream of each, again and again, until each has stored an object, delivered or failed. A function that
/// drops the canaries looks like one that does not run: the spec's `samples:` are put where there are any.
async fn first_objects(session: &Session, mut silent: Vec<Silent<'_>>, events: &Events) -> Result<()> {
    let buffers = silent.iter().map(|one| one.tested.buffered()).max().unwrap_or_default();
    let limit = buffers + SLACK;
    let names = silent.iter().map(|one| one.tested.name.to_owned()).collect();
    let mut passing = Passing::new(session, names, buffers);
    // The emulator stores at once what is due, so that a canary that has not come out by then was not read.
    let again = if session.place.is_local() { buffers + AGAIN } else { AGAIN };
    let (mut put_at, mut told) = (None::<Duration>, usize::MAX);
    loop {
        let mut still = vec![];
        for mut one in silent {
            if one.objects.new_ones(&session.cx).await?.is_empty() {
                still.push(one);
            }
        }
        silent = still;
        let time = passing.time();
        let left = limit.saturating_sub(time);
        if silent.is_empty() {
            return Ok(());
        }
        if left.is_zero() {
            let names: Vec<&str> = silent.iter().map(|one| one.tested.logical).collect();
            let why = format!("nothing came out of delivery {} in {} s", names.join(", "), limit.as_secs());
            return Err(Error::msg(why).hint("`provision logs` shows why; the environment stays as it is"));
        }
        if silent.len() != told && !session.place.is_local() {
            told = silent.len();
            for one in &silent {
                let on = format!("a canary record to come out; its buffer takes up to {} s", buffers.as_secs());
                events.say(Event::Waiting { resource: format!("delivery.{}", one.tested.logical), on });
            }
        }
        if put_at.is_none_or(|at| time.saturating_sub(at) >= again) {
            let mut put_into: Vec<&Fed> = silent.iter().map(|one| one.fed).collect();
            put_into.dedup_by(|a, b| std::ptr::eq(*a, *b));
            for fed in put_into {
                put(session, fed).await?;
            }
            put_at = Some(time);
        }
        passing.step(left).await?;
    }
}

/// A canary may fail in a function or a query: its error record, too, shows that the delivery stream reads.
async fn put(session: &Session, fed: &Fed<'_>) -> Result<()> {
    let records: Records = match fed.samples {
        Some(samples) => samples.first(1, &session.cx.names.account, now(session).await? * 1_000)?,
        None => {
            let as_logs = fed.tested.iter().any(|one| one.delivery.processors.decompress.is_some());
            Input::Made(Made { count: 1, as_logs, ..Made::default() }).records()
        }
    };
    let produced = producer::produce(&session.cx, &fed.into, records, How::default(), &mut ()).await?;
    match produced.failures.first() {
        Some((_, why)) => Err(Error::msg(format!("the canary record cannot be put into {}: {why}", fed.into))),
        None => Ok(()),
    }
}
