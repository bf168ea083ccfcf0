//! `plan`: reads everything, decides, and prints what `up` would do.

use std::path::PathBuf;

use super::up::{PermitArgs, refused, saved};
use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::event::Events;
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::run;
use crate::session;

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub permits: PermitArgs,
    /// Exit with code 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Write the plan to this file, for `up --plan FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

pub async fn run(args: PlanArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let options = Options { confirms_late: true, ..Options::default() };
    let opening = session::open(args.spec.as_deref(), &args.target, options, events);
    let session = interrupt.unless(opening).await.map_err(Stop::Said)??;
    session.cx.calls.refuse_changes();
    session.announce(events);
    let stack = session.stack.as_ref().expect("`plan` was given a spec");
    let permits = args.permits.into();
    let planned = async {
        let (survey, plan) = run::decide_up(&session.cx, stack, permits, events).await?;
        if let Some(file) = &args.out {
            saved::write(file, &session, stack, permits, (&survey, &plan), events)?;
        }
        Ok(match (plan.refusals.is_empty(), plan.is_empty()) {
            (false, _) => refused(&plan),
            (true, false) if args.detailed_exitcode => Exit::Changes,
            (true, _) => Exit::Done,
        })
    };
    let exit = interrupt.or(Box::pin(planned)).await;
    session.close(events).await;
    exit
}
