//! `replay`: delivers the records that failed once more.

use std::path::PathBuf;

use super::chosen;
use super::up::seconds;
use super::verify::now;
use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::producer::target::Target;
use crate::replay::{self, Replayed, Wanted, Way};
use crate::session::{self, Session};
use crate::spec::stack::Stack;
use crate::transform::ask::{Caller, Function};
use crate::transform::subject;
use crate::verify::fed::{self, Tested};
use crate::verify::pipeline::Pipeline;

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
    let exit = interrupt.or(replay(&session, &args, events)).await;
    session.close(events).await;
    Ok(exit?)
}

/// Replays the records and tells what became of them.
pub async fn replay(session: &Session, args: &ReplayArgs, events: &Events) -> Result<Exit> {
    let stack = chosen::stack(session);
    let (key, _) = match &args.delivery {
        Some(wanted) => chosen::named(&stack.deliveries, wanted)?,
        None => chosen::only(&stack.deliveries, "--delivery")?,
    };
    let fed = fed::fed(stack);
    let found = fed.iter().find_map(|fed| Some((fed, fed.tested.iter().find(|one| one.logical == key)?)));
    let (fed, tested) = found.ok_or_else(|| Error::msg(format!("delivery {key} is only referred to in the spec")))?;
    let since_s = match args.since {
        Some(since) => now(session).await? - since,
        None => 0,
    };
    let wanted = Wanted { since_s, error_type: args.error_type.clone(), dry_run: args.dry_run };
    let replayed = match args.through_source {
        true => {
            let others: Vec<&str> =
                fed.tested.iter().map(|one| one.logical).filter(|logical| *logical != tested.logical).collect();
            let target = source(&fed.into, &others, args.dry_run, events)?;
            // The query is for the answers, and may be one that cannot be evaluated here.
            let mut delivery = tested.delivery.clone();
            delivery.processors.metadata_query = None;
            let pipeline = Pipeline::of(&delivery)?;
            replay::replay(&session.cx, tested, &pipeline, &wanted, &Way::Source(target)).await?
        }
        false => through_function(session, stack, tested, &wanted).await?,
    };
    let exit = match (replayed.failed + replayed.unclear, replayed.delivered + replayed.dropped) {
        _ if args.dry_run => Exit::Done,
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        (_, _) => Exit::FailedHalfWay,
    };
    events.say(Event::Replayed { result: Box::new(replayed) });
    Ok(exit)
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
