//! `down`: `up` with nothing desired.

use std::path::PathBuf;

use super::drain;
use super::up::{LockArgs, consents};
use crate::args::TargetArgs;
use crate::cloud::{Cx, Options, Purge};
use crate::error::Error;
use crate::event::{Events, Summary};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::report::receipt::Receipt;
use crate::run::{self, Ended, What};
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct DownArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    #[arg(conflicts_with = "stack")]
    pub spec: Option<PathBuf>,
    /// The stack's name, where its spec is not at hand
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Delete without confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// First wait until what the delivery streams have buffered is delivered
    #[arg(long, conflicts_with = "stack")]
    pub drain: bool,
    /// Wait until everything is deleted
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub data: PurgeArgs,
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    /// Also search all resources in the account and region by their tags: the record may be lost or wrong
    #[arg(long)]
    pub scan: bool,
    /// The name that `history` shows for this run [default: who runs the CI job, or this machine's user]
    #[arg(long, value_name = "NAME", env = "PROVISION_OWNER")]
    pub owner: Option<String>,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Maximum number of steps at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

/// How `down` and `gc` treat data.
#[derive(Debug, clap::Args)]
pub struct PurgeArgs {
    /// Also delete data: what the environment's delivery streams wrote, or everything under its prefixes
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_value = "nothing",
        default_missing_value = "ours", hide_default_value = true)]
    pub purge_data: Purge,
}

/// The flag for a receipt.
#[derive(Debug, clap::Args)]
pub struct ReceiptArgs {
    /// Write what existed and what became of it to this file, after listing it again: JSON, or JUnit where it ends in .xml
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
}

impl ReceiptArgs {
    /// The events of the command, and who listens to them for the receipt.
    pub fn listening(&self, events: &Events) -> (Events, Option<Receipt>) {
        match self.receipt.as_ref().map(|_| Receipt::default()) {
            Some(receipt) => (receipt.listening(events), Some(receipt)),
            None => (events.clone(), None),
        }
    }

    /// Writes it.
    pub fn write(&self, receipt: Option<&Receipt>) -> Result<(), Error> {
        let Some((file, receipt)) = self.receipt.as_ref().zip(receipt) else { return Ok(()) };
        std::fs::write(file, receipt.text(file))
            .map_err(|error| Error::new(format!("writing {}", file.display()), error))
    }
}

/// Lists again what an environment had.
pub async fn list_again(cx: &Cx, receipt: Option<&Receipt>) -> Result<(), Vec<Error>> {
    if let Some(receipt) = receipt {
        receipt.listed(&run::still_there(cx, &receipt.names()).await?);
    }
    Ok(())
}

pub async fn run(args: DownArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let owner = args.owner.clone().or_else(super::whoever_runs_this);
    let options = Options {
        wait_until_gone: args.wait,
        purge_data: args.data.purge_data,
        scan: args.scan,
        job: super::job(owner.clone()),
        owner,
        confirms_late: true,
        ..Options::default()
    };
    let session = session::of(args.spec.as_deref(), args.stack.as_deref(), &args.target, options, events).await?;
    let exit = take_down(&session, &args, events, interrupt).await;
    session.close(events).await;
    exit
}

async fn take_down(session: &Session, args: &DownArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (events, receipt) = args.receipt.listening(events);
    let events = &events;
    session.announce(events);
    if args.drain
        && let Some(stack) = &session.stack
    {
        let drained = async { drain::drain(session, stack, events).await.map(|()| Exit::Done) };
        match interrupt.or(drained).await? {
            Exit::Done => {}
            interrupted => return Ok(interrupted),
        }
    }
    let how = run::How {
        at_once: args.parallelism.into(),
        lock_timeout: args.lock.lock_timeout,
        interrupt: interrupt.stop.clone(),
        ..run::How::new("down")
    };
    let agree = async |plan: &Plan| plan.is_empty() || args.yes || consents("Delete these resources?", events).await;
    let what = What::Stack(session.stack.as_ref());
    let ended = run::down(&session.cx, what, &how, agree, events).await?;
    list_again(&session.cx, receipt.as_ref()).await?;
    args.receipt.write(receipt.as_ref())?;
    Ok(exit(ended.as_ref(), args.data.purge_data, &interrupt))
}

/// The exit code. `None`: it turned out that nothing was to be deleted.
pub fn exit(ended: Option<&Ended>, purge: Purge, interrupt: &Interrupt) -> Exit {
    match ended {
        None => Exit::Done,
        Some(Ended::Refused(_)) => Exit::Failed,
        Some(Ended::Disagreed) => Exit::Consent,
        Some(Ended::Stopped { by_another_run }) => super::up::stopped(*by_another_run, interrupt),
        Some(Ended::Done(plan, summary)) => outcome(plan, summary, purge, interrupt),
    }
}

/// Success, unless a resource is kept that should have been deleted and is or may be ours. Data is only expected to go if a flag
/// asks for its deletion.
pub fn outcome(plan: &Plan, summary: &Summary, purge: Purge, interrupt: &Interrupt) -> Exit {
    let stays = summary.kept > 0 || summary.renewed || !plan.unproven.is_empty();
    let stays = stays || purge.deletes() && !plan.kept.is_empty();
    match super::up::outcome(summary, interrupt) {
        Exit::Done if stays => Exit::Kept,
        other => other,
    }
}
