//! `down`: `up` with nothing desired.

use std::path::PathBuf;

use crate::apply;
use crate::cli::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::derive;
use crate::event::{Event, Events, Summary};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::Address;
use crate::node::Node;
use crate::plan::{self, Permits, Plan};
use crate::record;
use crate::resource::Gone;
use crate::session::{self, Session};
use crate::survey::{self, For, Survey};

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
    /// Remove without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Wait until everything is gone
    #[arg(long)]
    pub wait: bool,
    /// Delete the data under our prefixes too
    #[arg(long)]
    pub purge_data: bool,
    /// At most so many steps at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

pub async fn run(args: DownArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let options = Options { wait_until_gone: args.wait, purge_data: args.purge_data, ..Options::default() };
    let session = match &args.stack {
        Some(stack) => session::open_named(stack, &args.target, options).await?,
        None => session::open(args.spec.as_deref(), &args.target, options, events).await?,
    };
    let exit = take_down(&session, &args, events, interrupt).await;
    session.close().await;
    exit
}

async fn take_down(session: &Session, args: &DownArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    session.announce(events);
    let cx = &session.cx;
    let survey = survey::survey(cx, nodes(session), For::Down).await?;
    let permits = Permits { prune: true, ..Permits::default() };
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "down" });
    if !plan.refusals.is_empty() {
        return Ok(Exit::Failed);
    }
    if !plan.is_empty() && !args.yes && !super::up::consents("Remove these?") {
        return Ok(Exit::Consent);
    }
    let summary = apply(cx, &survey, &plan, args.parallelism.into(), &interrupt, events).await?;
    Ok(super::up::outcome(&summary, &interrupt))
}

/// What the spec names, and nothing of it wanted. What the record names besides comes with the survey.
fn nodes(session: &Session) -> Vec<Box<dyn Node>> {
    let Some(stack) = &session.stack else { return vec![] };
    let mut nodes = derive::nodes(stack, &session.cx.names);
    nodes.retain_mut(|node| node.unwant());
    nodes
}

/// Deletes, then strikes the deleted out of the record, or the record itself when nothing is left in it.
async fn apply(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: &Interrupt,
    events: &Events,
) -> Result<Summary, Stop> {
    let applied = apply::apply(cx, &survey.nodes, plan, at_once, interrupt.stop.clone(), events).await;
    let stays = |address: &Address| {
        let step = plan.steps.iter().zip(&applied.results).find(|(step, _)| &step.name.address == address);
        !matches!(step, None | Some((_, Some(Gone::Deleted | Gone::Deleting | Gone::Kept(_)))))
    };
    let (kept, gone): (Vec<Address>, Vec<Address>) = survey.members.keys().cloned().partition(stays);
    match kept.is_empty() && applied.summary.complete() {
        true => record::delete(cx, &survey.record).await?,
        false => record::narrow(cx, &survey.record, &gone).await?,
    }
    if !plan.is_empty() {
        events.say(Event::Ended { summary: applied.summary.clone() });
    }
    Ok(applied.summary)
}
