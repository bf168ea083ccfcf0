//! `replay`: delivers the records that failed once more.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::chosen;
use super::up::seconds;
use super::verify::now;
use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::plural;
use crate::producer::target::Target;
use crate::replay::source::Source;
use crate::replay::{self, Replayed, Wanted, Way};
use crate::session::{self, Session};
use crate::spec::stack::Stack;
use crate::transform::ask::{Caller, Function};
use crate::transform::subject;
use crate::verify::fed::{self, Tested};
use crate::verify::pipeline::Pipeline;

/// The time that a replay into the stream has after a signal: runners of CI systems send the next one after 7.5 s.
const NOTED: Duration = Duration::from_secs(7);

#[derive(Debug, Default, clap::Args)]
pub struct ReplayArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    /// Replay the failed records of this delivery; not needed where there is only one
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Option<String>,
    /// Only records that failed in this time, such as 2h [default: all]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    pub since: Option<i64>,
    /// Only records with this error code, or part of it before the dot: Lambda.FunctionError, Lambda
    #[arg(long, value_name = "CODE")]
    pub error_type: Option<String>,
    /// Put the records into the stream again, where every delivery stream gets them
    #[arg(long)]
    pub through_source: bool,
    /// Count the records, call the function with three of them and show its answers; write nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: ReplayArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let exit = match args.through_source {
        true => until_noted(&session, &args, events, &interrupt).await,
        false => interrupt.or(replay(&session, &args, events)).await,
    };
    session.close(events).await;
    Ok(exit?)
}

/// After a signal, a replay into the stream has some time to note what it has put.
async fn until_noted(session: &Session, args: &ReplayArgs, events: &Events, interrupt: &Interrupt) -> Result<Exit> {
    let (mut waiter, mut replay) = (interrupt.clone(), pin!(replay_until(session, args, events, &interrupt.stop)));
    tokio::select! {
        exit = &mut replay => return exit,
        () = waiter.wait() => {}
    }
    let exit = match timeout(NOTED, replay).await {
        Ok(exit) => exit?,
        Err(_) => {
            let text = "what was put last could not be noted: another replay may put it again".to_owned();
            events.say(Event::Warned { text });
            Exit::Interrupted
        }
    };
    Ok(if exit == Exit::Interrupted { interrupt.exit().unwrap_or(exit) } else { exit })
}

/// Replays the records and tells what became of them.
pub async fn replay(session: &Session, args: &ReplayArgs, events: &Events) -> Result<Exit> {
    let (_sender, never) = watch::channel(false);
    replay_until(session, args, events, &never).await
}

/// The same; nothing more is put into the stream once `stop` is true.
pub async fn replay_until(
    session: &Session,
    args: &ReplayArgs,
    events: &Events,
    stop: &watch::Receiver<bool>,
) -> Result<Exit> {
    let stack = chosen::stack(session);
    let (key, _) = match &args.delivery {
        Some(wanted) => chosen::named(&stack.deliveries, wanted)?,
        None => chosen::only(&stack.deliveries, "--delivery")?,
    };
    let fed = fed::fed(stack);
    let found = fed.iter().find_map(|fed| Some((fed, fed.tested.iter().find(|one| one.logical == key)?)));
    let (fed, tested) = found.ok_or_else(|| Error::msg(format!("delivery {key} is only referred to in the spec")))?;
    let now_s = now(session).await?;
    let since_s = args.since.map_or(0, |since| now_s - since);
    let wanted = Wanted { since_s, now_s, error_type: args.error_type.clone(), dry_run: args.dry_run };
    let replayed = match args.through_source {
        true => {
            let others: Vec<&str> =
                fed.tested.iter().map(|one| one.logical).filter(|logical| *logical != tested.logical).collect();
            let target = source(&fed.into, &others, args.dry_run, events)?;
            // The query is for the answers, and may be one that cannot be evaluated here.
            let mut delivery = tested.delivery.clone();
            delivery.processors.metadata_query = None;
            let pipeline = Pipeline::of(&delivery)?;
            let way = Way::Source(Source { target, stop: stop.clone() });
            replay::replay(&session.cx, tested, &pipeline, &wanted, &way).await?
        }
        false => through_function(session, stack, tested, &wanted).await?,
    };
    let exit = match (replayed.failed + replayed.unclear, replayed.delivered + replayed.dropped) {
        _ if args.dry_run => Exit::Done,
        _ if replayed.interrupted => Exit::Interrupted,
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        (_, _) => Exit::FailedHalfWay,
    };
    let last_words = replayed.interrupted.then(|| last_words(&replayed));
    events.say(Event::Replayed { result: Box::new(replayed) });
    if let Some(text) = last_words {
        events.say(Event::Warned { text });
    }
    Ok(exit)
}

fn last_words(replayed: &Replayed) -> String {
    let put = plural(replayed.delivered as usize, "record");
    let mut text =
        format!("put {put} into the stream before the signal; another replay puts the rest, and none of these again");
    if replayed.unsure > 0 {
        let unsure = plural(replayed.unsure as usize, "other");
        text.push_str(&format!("; {unsure} may have been put too, and will then be there twice"));
    }
    text
}

async fn through_function(session: &Session, stack: &Stack, of: &Tested<'_>, wanted: &Wanted) -> Result<Replayed> {
    let pipeline = Pipeline::of(of.delivery)?;
    let source = subject::source(stack, of.name, of.delivery, &session.cx.names);
    let function = of.delivery.transform.as_ref().map(|transform| Caller {
        function: Function::Deployed {
            cx: &session.cx,
            name: &transform.function.id,
            qualifier: transform.qualifier.as_deref(),
        },
        source: &source,
    });
    replay::replay(&session.cx, of, &pipeline, wanted, &Way::Delivered(function)).await
}

/// The stream. Names the delivery streams that get the records a second time.
fn source<'a>(into: &'a Target, others: &[&str], dry_run: bool, events: &Events) -> Result<&'a Target> {
    if !matches!(into, Target::Stream { .. }) {
        return Err(Error::msg("no stream feeds this delivery").hint("leave out --through-source"));
    }
    if !others.is_empty() && !dry_run {
        let text = format!("delivery {} will get these records a second time", others.join(", "));
        events.say(Event::Warned { text });
    }
    Ok(into)
}
