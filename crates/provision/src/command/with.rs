//! `with`: an environment for the time of one command. Brought up, used and removed, whatever becomes of the command.

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use futures::FutureExt;
use tokio::sync::watch;

use super::down::{ReceiptArgs, list_again};
use super::ready::{self, ReadyArgs};
use super::up::{self, How, LockArgs, seconds};
use crate::args::{TargetArgs, refuse_useless};
use crate::cloud::{Cx, Options, Purge};
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::exports;
use crate::interrupt::{Interrupt, Signals};
use crate::names::env_flag;
use crate::outputs;
use crate::plan::Permits;
use crate::record;
use crate::report::receipt::Receipt;
use crate::run::{self, What};
use crate::seen::Seen;
use crate::send::Ledger;
use crate::session::{self, Session};

mod child;
mod ending;
mod engine;
mod variables;

use child::{Child, Ended};
use ending::{Brought, exit, removes};
use engine::Private;
use variables::{Reached, environment};

pub const EXIT_CODE: &str = "The exit code is the command's, 128 and the signal's number where a signal ended it, 127 where there is no such \
command. If bringing the environment up fails, it is that of `up` and the command is not run. If the command succeeds and the removal does not, it is that of \
`down`.";

/// Six hours, which is as long as a job of GitHub Actions may take.
const TTL_S: i64 = 6 * 60 * 60;

#[derive(Debug, clap::Args)]
pub struct WithArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Keep the environment where the command, or bringing it up, fails
    #[arg(long)]
    pub keep_on_failure: bool,
    /// Time after which `provision gc` may delete the environment, should this process be killed before it can (also:
    /// PROVISION_TTL) [default: 6h]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    pub ttl: Option<i64>,
    #[command(flatten)]
    pub ready: ReadyArgs,
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// The command and its arguments. Its environment has the outputs, as `outputs --format dotenv` names them
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

pub async fn run(args: WithArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let local = args.target.cloud.local;
    let receipt = args.receipt.receipt.is_some();
    let useless = [("--keep-on-failure", args.keep_on_failure), ("--ttl", args.ttl.is_some()), ("--receipt", receipt)];
    refuse_useless(&useless.map(|(flag, given)| (flag, local && given)), "--local keeps nothing")?;
    let (stack, work_dir) = session::load(args.spec.as_deref(), &args.target.variables, events)?;
    if !local && stack.env.is_none() {
        let why =
            "with removes what it brings up: name an environment for it with --env NAME, --env auto or PROVISION_ENV";
        return Err(Stop::Usage(why.into()));
    }
    let owner = super::whoever_runs_this();
    let job = super::job(owner.clone());
    let options = Options { owner, job, ttl_s: Some(ttl(&args)?), confirms_late: true, ..Options::default() };
    if !local {
        let session = session::open_loaded(stack, work_dir, &args.target, options, events).await?;
        let exit = within(&session, &args, events, interrupt).await;
        session.close(events).await;
        return exit;
    }
    let engine = Private::start(stack.target.account.as_deref()).await?;
    let region = args.target.cloud.region.as_deref();
    let exit = match session::open_serving(stack, work_dir, region, engine.serving.clone(), options).await {
        Ok(session) => {
            let exit = within(&session, &args, events, interrupt).await;
            session.close(events).await;
            exit
        }
        Err(stop) => Err(stop),
    };
    engine.close().await;
    exit
}

/// The variable is not read by the command line's parser, because it may be set where `--local` has no use for it.
fn ttl(args: &WithArgs) -> Result<i64, Stop> {
    let set = std::env::var("PROVISION_TTL").ok().filter(|text| !text.is_empty());
    match (args.ttl, set) {
        (Some(ttl), _) => Ok(ttl),
        (None, Some(text)) => seconds(&text).map_err(|wrong| Stop::Usage(format!("PROVISION_TTL: {wrong}"))),
        (None, None) => Ok(TTL_S),
    }
}

async fn within(session: &Session, args: &WithArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (events, receipt) = args.receipt.listening(events);
    let events = &events;
    let mut signals = Signals::listen().map_err(|e| Error::new("listening for signals", e))?;
    if !args.target.cloud.local {
        refuse_lasting(&session.cx).await?;
    }
    let used = AssertUnwindSafe(used(session, args, events, &interrupt, &mut signals)).catch_unwind().await;
    let (brought, ran, mut child) = match used {
        Ok(used) => used,
        // The panic was told by its hook.
        Err(_) => (Brought::Failed(Exit::FailedHalfWay), None, None),
    };
    let interrupted = interrupt.exit();
    let ran = ran.map(|exit| interrupted.unwrap_or(exit));
    let mut down = None;
    if !args.target.cloud.local && removes(&brought, ran, interrupted.is_some(), args.keep_on_failure) {
        down = Some(removed(session, args, receipt.as_ref(), events, &interrupt, &mut signals, child.as_mut()).await);
    } else if args.keep_on_failure && matches!(brought, Brought::Up | Brought::Failed(_)) {
        let stack = session.stack.as_ref().expect("`with` was given a spec");
        let down = up::next::line("down", session, stack);
        events.say(Event::Said { text: format!("the environment is kept; `{down}` deletes it") });
    }
    if let Some(mut child) = child {
        // Nothing is removed meanwhile, so that it has the time to end by itself.
        if args.target.cloud.local {
            child.finish(&mut signals).await;
        }
        child.end().await;
    }
    args.receipt.write(receipt.as_ref())?;
    match brought {
        Brought::Stopped(stop) => Err(stop),
        Brought::Up | Brought::Failed(_) => Ok(exit(&brought, ran, down)),
    }
}

/// Somebody brought that up to stay.
async fn refuse_lasting(cx: &Cx) -> Result<(), Stop> {
    let record = record::read(cx).await?;
    if !record.exists() || record.expires(&cx.names).is_some() {
        return Ok(());
    }
    let name = format!("{}{}", cx.names.stack, env_flag(cx.names.env.as_deref()));
    let why = format!("the environment {name} exists already and never expires; `with` would delete it");
    Err(Error::msg(why).hint("name another with --env, or delete it with `provision down` first").into())
}

/// Brings the environment up and runs the command. The child is still there where a signal came.
async fn used(
    session: &Session,
    args: &WithArgs,
    events: &Events,
    interrupt: &Interrupt,
    signals: &mut Signals,
) -> (Brought, Option<Exit>, Option<Child>) {
    // A temporary environment asks for no consent.
    let permits = Permits { prune: true, adopt: false, data_loss: true };
    let lock_timeout = args.lock.lock_timeout;
    let run = run::How { lock_timeout, interrupt: interrupt.stop.clone(), ..run::How::new("with") };
    let how = How { permits, yes: true, run };
    let up = match up::apply(session, &how, events, interrupt).await {
        Ok(Exit::Done) => Ok(ready::wait(session, args.ready, events, interrupt).await),
        other => other,
    };
    let brought = ending::brought(up, interrupt.exit());
    if !matches!(brought, Brought::Up) {
        return (brought, None, None);
    }
    let stack = session.stack.as_ref().expect("`with` was given a spec");
    let variables = exports::variables(&outputs::outputs(stack, &session.cx.names), session.place.url());
    let cloud = &args.target.cloud;
    let reached = match cloud.local {
        true => Reached::Local,
        false => Reached::Cloud { profile: cloud.profile.as_deref(), ca_bundle: cloud.ca_bundle.as_deref() },
    };
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let variables = environment(variables, session.cx.names.env.as_deref(), &reached, inherited);
    match Child::start(&args.command, &variables) {
        Err(error) => {
            let what = format!("running {}", args.command[0].to_string_lossy());
            events.say(Event::from(&Error::new(what, error)));
            (brought, Some(Exit::Command(127)), None)
        }
        Ok(mut child) => match child.wait(signals).await {
            Ended::With(code) => (brought, Some(if code == 0 { Exit::Done } else { Exit::Command(code) }), None),
            Ended::Interrupted(exit) => (brought, Some(exit), Some(child)),
        },
    }
}

/// Removes the environment with all that its delivery streams wrote. Signals that come meanwhile go on to the command.
async fn removed(
    session: &Session,
    args: &WithArgs,
    receipt: Option<&Receipt>,
    events: &Events,
    interrupt: &Interrupt,
    signals: &mut Signals,
    mut child: Option<&mut Child>,
) -> Exit {
    let mut down = std::pin::pin!(take_down(session, args, receipt, events, interrupt));
    loop {
        tokio::select! {
            exit = &mut down => return exit,
            interrupted = signals.next() => if let Some(child) = child.as_mut() { child.forward(interrupted) },
        }
    }
}

async fn take_down(
    session: &Session,
    args: &WithArgs,
    receipt: Option<&Receipt>,
    events: &Events,
    interrupt: &Interrupt,
) -> Exit {
    let purge_data = Purge::Ours;
    let options = Options { purge_data, ..session.cx.options.clone() };
    let cx = Cx { options, seen: Seen::default(), ledger: Ledger::default(), ..session.cx.clone() };
    // The first signal stopped the command: the deletion goes on.
    let (_keep, stop) = watch::channel(false);
    let how = run::How { lock_timeout: args.lock.lock_timeout, interrupt: stop, ..run::How::new("with") };
    let down = async {
        let what = What::Stack(session.stack.as_ref());
        let ended = run::down(&cx, what, &how, async |_| true, events).await?;
        list_again(&cx, receipt).await?;
        Ok(super::down::exit(ended.as_ref(), purge_data, interrupt))
    };
    down.await.unwrap_or_else(|errors: Vec<Error>| {
        for error in errors {
            events.say(Event::from(&error));
        }
        Exit::Failed
    })
}
