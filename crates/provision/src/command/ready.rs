//! Waits until data has come out of every delivery stream: a delivery stream may be ACTIVE for minutes before it reads its stream.

use std::time::Duration;

use super::passing::{Passing, SLACK};
use super::verify::now;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::producer::{self, How};
use crate::session::Session;
use crate::source::Records;
use crate::spec::stack::Stack;
use crate::verify::fed::{self, Fed};
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

/// Puts a canary into each stream, and again every 30 s, until each delivery stream has stored an object since then, delivered or
/// failed. A function that drops the canaries looks like one that does not run: the spec's `samples:` are put where there are any.
///
/// # Errors
/// A delivery stream has stored nothing within its buffers and five minutes.
pub async fn data(session: &Session, stack: &Stack, events: &Events) -> Result<()> {
    let session = &session.recognised().await;
    let fed = fed::fed(stack);
    let since_s = now(session).await?;
    let tested = || fed.iter().flat_map(|fed| fed.tested.iter().map(move |one| (fed, one)));
    let mut silent: Vec<(&Fed, &str, Objects)> =
        tested().map(|(fed, one)| (fed, one.logical, Objects::of(one.delivery, one.name, since_s))).collect();
    let buffers = tested().map(|(_, one)| one.buffered()).max().unwrap_or_default();
    let limit = buffers + SLACK;
    let mut passing = Passing::new(session, tested().map(|(_, one)| one.name.to_owned()).collect(), buffers);
    let (mut put_at, mut told) = (None::<Duration>, usize::MAX);
    loop {
        let mut still = vec![];
        for (fed, logical, mut objects) in silent {
            if objects.new_ones(&session.cx).await?.is_empty() {
                still.push((fed, logical, objects));
            }
        }
        silent = still;
        let time = passing.time();
        let left = limit.saturating_sub(time);
        if silent.is_empty() {
            return Ok(());
        }
        if left.is_zero() {
            let names: Vec<&str> = silent.iter().map(|(_, logical, _)| *logical).collect();
            let why = format!("nothing came out of delivery {} in {} s", names.join(", "), limit.as_secs());
            return Err(Error::msg(why).hint("`provision logs` shows why; the environment stays as it is"));
        }
        if silent.len() != told && !session.place.is_local() {
            told = silent.len();
            for (_, logical, _) in &silent {
                let on = format!("a canary record to come out; its buffer takes up to {} s", buffers.as_secs());
                events.say(Event::Waiting { resource: format!("delivery.{logical}"), on });
            }
        }
        // The emulator reads from a delivery stream's creation on.
        if put_at.is_none_or(|at| !session.place.is_local() && time.saturating_sub(at) >= AGAIN) {
            for fed in fed.iter().filter(|fed| silent.iter().any(|(of, ..)| std::ptr::eq(*of, *fed))) {
                put(session, fed, since_s).await?;
            }
            put_at = Some(time);
        }
        passing.step(left).await?;
    }
}

/// A canary may fail in a function or a query: its error record, too, shows that the delivery stream reads.
async fn put(session: &Session, fed: &Fed<'_>, since_s: i64) -> Result<()> {
    let records: Records = match fed.samples {
        Some(samples) => samples.first(1, &session.cx.names.account, since_s * 1_000)?,
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
