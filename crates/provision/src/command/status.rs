//! `status`: which resources of the stack exist, and whether they match the spec.

use std::path::PathBuf;

use crate::args::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::plan::{self, Op, Permits, Plan};
use crate::run as running;
use crate::session;
use crate::spec::stack::Stack;
use crate::survey::{self, For};

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: StatusArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let options = Options { confirms_late: true, ..Options::default() };
    let opening = session::open(args.spec.as_deref(), &args.target, options, events);
    let session = interrupt.unless(opening).await.map_err(Stop::Said)??;
    session.cx.calls.refuse_changes();
    session.announce(events);
    let stack = session.stack.as_ref().expect("`status` was given a spec");
    let exit = interrupt.or(async { show(&session.cx, stack, events).await.map(|()| Exit::Done) }).await;
    session.close(events).await;
    Ok(exit?)
}

/// Reads everything and says in which state it is.
pub async fn show(cx: &Cx, stack: &Stack, events: &Events) -> Result<(), Vec<Error>> {
    let survey = Box::pin(survey::survey(cx, derive::nodes(stack, &cx.names), For::Up)).await?;
    running::warn_of_another_run(&survey, &cx.names, events);
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, Permits::default());
    for (address, physical, state) in states(&plan) {
        events.say(Event::Status { resource: address, physical, state: state.to_owned() });
    }
    Ok(())
}

/// Address, physical name and state of everything, in the order of addresses.
fn states(plan: &Plan) -> Vec<(String, String, &'static str)> {
    let steps = plan.steps.iter().map(|step| {
        let state = match step.op {
            Op::Create => "missing",
            Op::Update => "differs",
            Op::Replace => "differs, needs to be replaced",
            Op::Delete => "exists, to be deleted",
        };
        (&step.name, state)
    });
    let others = [
        (&plan.same, "exists"),
        (&plan.named, "no marker, writes none"),
        (&plan.used, "exists, not managed here"),
        (&plan.orphans, "exists, no longer in the spec"),
    ];
    let others = others.into_iter().flat_map(|(names, state)| names.iter().map(move |name| (name, state)));
    let kept = plan.kept.iter().map(|kept| (&kept.name, "exists, kept because it holds data"));
    let foreign = plan.foreign.iter().map(|foreign| (&foreign.name, "foreign, belongs to others"));
    let refused = plan.refusals.iter().map(|refusal| (&refusal.name, "refused, see plan"));
    let mut all: Vec<_> = steps
        .chain(others)
        .chain(kept)
        .chain(foreign)
        .chain(refused)
        .map(|(name, state)| (name.address.to_string(), name.physical.clone(), state))
        .collect();
    all.sort();
    all
}
