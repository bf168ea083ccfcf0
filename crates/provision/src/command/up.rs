//! `up`: reads everything, decides, prints the plan, and applies it.

use std::path::PathBuf;
use std::time::Duration;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::command::ready::{self, ReadyArgs};
use crate::event::{Event, Events, Summary};
use crate::exit::{Exit, Stop};
use crate::exports::Exported;
use crate::interrupt::Interrupt;
use crate::outputs;
use crate::plan::{Permits, Plan};
use crate::report;
use crate::run::{self, Ended};
use crate::session::{self, Session};

pub mod next;
pub(super) mod saved;

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub permits: PermitArgs,
    /// Do exactly what this file of `plan --out` says, or nothing if anything has changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prune", "allow_data_loss", "adopt", "lock_timeout"])]
    pub plan: Option<PathBuf>,
    /// Replace and delete without confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Time until `provision gc` may delete the environment, for example 8h or 2d; each `up` with it starts it anew
    #[arg(long, value_name = "DURATION", env = "PROVISION_TTL", value_parser = seconds)]
    pub ttl: Option<i64>,
    /// Owner, for `list` and `history` [default: who runs the CI job, or this machine's user]
    #[arg(long, value_name = "NAME", env = "PROVISION_OWNER")]
    pub owner: Option<String>,
    #[command(flatten)]
    pub ready: ReadyArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Maximum number of steps at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

/// How long a command waits for another run that changes the same environment.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct LockArgs {
    /// Wait so long while another run changes the same environment, for example 90s; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = pause)]
    pub lock_timeout: Duration,
}

/// Operations that are only allowed by a flag.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct PermitArgs {
    /// Delete resources that are no longer in the spec
    #[arg(long)]
    pub prune: bool,
    /// Also replace streams; their records are lost
    #[arg(long)]
    pub allow_data_loss: bool,
    /// Take over existing resources that have the right names and no tags of this stack
    #[arg(long)]
    pub adopt: bool,
}

impl From<PermitArgs> for Permits {
    fn from(args: PermitArgs) -> Permits {
        Permits { prune: args.prune, adopt: args.adopt, data_loss: args.allow_data_loss }
    }
}

pub async fn up(args: UpArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let owner = args.owner.clone().or_else(super::whoever_runs_this);
    let job = super::job(owner.clone());
    let options = Options { owner, job, ttl_s: args.ttl, confirms_late: true, ..Options::default() };
    let session = session::open(args.spec.as_deref(), &args.target, options, events).await?;
    let exit = bring_up(&session, &args, events, interrupt).await;
    session.close(events).await;
    exit
}

async fn bring_up(session: &Session, args: &UpArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let run = run::How {
        at_once: args.parallelism.into(),
        lock_timeout: args.lock.lock_timeout,
        interrupt: interrupt.stop.clone(),
        ..run::How::new("up")
    };
    let how = How { permits: args.permits.into(), yes: args.yes, run };
    let mut exit = match &args.plan {
        Some(file) => saved::apply(file, session, &how, events, &interrupt).await?,
        None => apply(session, &how, events, &interrupt).await?,
    };
    if exit == Exit::Done {
        exit = ready::wait(session, args.ready, events, &interrupt).await;
    }
    if exit == Exit::Done {
        let stack = session.stack.as_ref().expect("`up` was given a spec");
        let outputs = Exported::new(outputs::outputs(stack, &session.cx.names), session.place.url());
        events.say(Event::Outputs { outputs });
        events.say(Event::Next { text: next::next(session, stack) });
    }
    Ok(exit)
}

/// How an environment is brought up.
pub struct How {
    pub permits: Permits,
    /// Replace and remove without being asked.
    pub yes: bool,
    pub run: run::How,
}

/// Decides, and does it where nothing forbids it.
///
/// # Errors
/// Nothing was changed.
pub async fn apply(session: &Session, how: &How, events: &Events, interrupt: &Interrupt) -> Result<Exit, Stop> {
    session.announce(events);
    let stack = session.stack.as_ref().expect("`up` was given a spec");
    let agree = async |plan: &Plan| agrees(plan, how, events).await;
    match run::up(&session.cx, stack, how.permits, &how.run, agree, events).await? {
        Ended::Refused(plan) => Err(Stop::Said(refused(&plan))),
        Ended::Disagreed => Err(Stop::Said(Exit::Consent)),
        Ended::Stopped { by_another_run } => Err(Stop::Said(stopped(by_another_run, interrupt))),
        Ended::Done(_, summary) => Ok(outcome(&summary, interrupt)),
    }
}

async fn agrees(plan: &Plan, how: &How, events: &Events) -> bool {
    !plan.removes() || how.yes || consents("Replace and delete these resources?", events).await
}

/// The exit code of a command that was stopped before it began.
pub fn stopped(by_another_run: bool, interrupt: &Interrupt) -> Exit {
    let signal = interrupt.exit().filter(|_| !by_another_run);
    signal.unwrap_or(Exit::Stopped)
}

/// A duration that may be 0.
pub(super) fn pause(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => seconds(text).map(|seconds| Duration::from_secs(seconds.unsigned_abs())),
    }
}

/// A duration in seconds; a day has 24 hours.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let span: jiff::Span = text.parse().map_err(|_| "write a duration: 90m, 8h, 2d".to_owned())?;
    let total = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()));
    match total {
        Ok(seconds) if seconds >= 1.0 => Ok(seconds as i64),
        _ => Err("write a duration of at least a second: 90m, 8h, 2d".into()),
    }
}

/// The exit code of a refused plan: 5 if a flag could permit all of it.
pub(super) fn refused(plan: &Plan) -> Exit {
    match plan.refusals.iter().all(|refusal| refusal.consent) {
        true => Exit::Consent,
        false => Exit::Failed,
    }
}

/// Asks for confirmation on the terminal. Without one it reports an error and returns false.
pub async fn consents(question: &'static str, events: &Events) -> bool {
    if !report::can_ask() {
        let (why, hint) = ("this needs confirmation and there is no terminal to ask on", "pass --yes");
        events.say(Event::Error { message: why.into(), hint: Some(hint.into()) });
        return false;
    }
    // Elsewhere, because a lease is renewed meanwhile.
    tokio::task::spawn_blocking(move || report::ask(question)).await.unwrap_or(false)
}

/// The exit code of what was applied.
pub fn outcome(summary: &Summary, interrupt: &Interrupt) -> Exit {
    match (summary.complete(), interrupt.exit()) {
        (true, _) => Exit::Done,
        (false, _) if summary.stopped && summary.failed == 0 => Exit::Stopped,
        (false, Some(signal)) if summary.failed == 0 => signal,
        (false, _) if summary.changed() => Exit::FailedHalfWay,
        (false, _) => Exit::Failed,
    }
}
