//! `up` and `plan`: read everything, decide, tell, and (for `up`) do it.

use std::path::PathBuf;

use crate::apply::{self, Applied};
use crate::cli::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::derive;
use crate::event::{Event, Events, Summary};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::{Address, Name};
use crate::outputs;
use crate::plan::{self, Op, Permits, Plan};
use crate::record;
use crate::report;
use crate::session::{self, Place, Session};
use crate::spec::stack::Stack;
use crate::survey::{self, For, Survey};

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub permits: PermitArgs,
    /// Exit with 2 when there is something to change
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, clap::Args)]
pub struct UpArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    pub permits: PermitArgs,
    /// Replace and remove without asking
    #[arg(long, short)]
    pub yes: bool,
    /// At most so many steps at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

/// What may be done beyond making and changing in place.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct PermitArgs {
    /// Remove what left the spec
    #[arg(long)]
    pub prune: bool,
    /// Replace streams too, whose data is then lost
    #[arg(long)]
    pub allow_data_loss: bool,
    /// Take over resources that have our names and other tags
    #[arg(long)]
    pub adopt: bool,
}

impl From<PermitArgs> for Permits {
    fn from(args: PermitArgs) -> Permits {
        Permits { prune: args.prune, adopt: args.adopt, data_loss: args.allow_data_loss }
    }
}

pub async fn plan(args: PlanArgs, events: &Events) -> Result<Exit, Stop> {
    let mut session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    session.cx.calls.refuse_changes();
    let decided = decide(&session, args.permits.into(), events).await;
    let exit = decided.map(|(_, plan)| match (plan.refusals.is_empty(), plan.is_empty()) {
        (false, _) => refused(&plan),
        (true, false) if args.detailed_exitcode => Exit::Changes,
        (true, _) => Exit::Done,
    });
    session.close().await;
    exit
}

pub async fn up(args: UpArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let options = Options::default();
    let session = session::open(args.spec.as_deref(), &args.target, options, events).await?;
    let exit = bring_up(&session, &args, events, interrupt).await;
    session.close().await;
    exit
}

async fn bring_up(session: &Session, args: &UpArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (survey, plan) = decide(session, args.permits.into(), events).await?;
    if !plan.refusals.is_empty() {
        return Ok(refused(&plan));
    }
    if plan.removes() && !args.yes && !consents("Replace and remove these?") {
        return Ok(Exit::Consent);
    }
    let mut exit = Exit::Done;
    if !plan.is_empty() {
        let applied = apply(&session.cx, &survey, &plan, args.parallelism.into(), &interrupt, events).await?;
        exit = outcome(&applied.summary, &interrupt);
    }
    if exit == Exit::Done {
        let stack = session.stack.as_ref().expect("`up` was given a spec");
        events.say(Event::Outputs { outputs: outputs::outputs(stack, &session.cx.names) });
        events.say(Event::Said { text: next(session, stack) });
    }
    Ok(exit)
}

/// Reads everything and decides. Announces the target first, and tells the plan.
async fn decide(session: &Session, permits: Permits, events: &Events) -> Result<(Survey, Plan), Stop> {
    session.announce(events);
    let stack = session.stack.as_ref().expect("`up` and `plan` were given a spec");
    let working = events.clone();
    let cx = Cx {
        waiting: std::sync::Arc::new(move |text: &str| working.say(Event::Working { text: text.to_owned() })),
        ..session.cx.clone()
    };
    let nodes = derive::nodes(stack, &cx.names);
    let survey = survey::survey(&cx, nodes, For::Up).await?;
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "up" });
    Ok((survey, plan))
}

/// Writes down what is about to be made, does it, and strikes out what is gone.
async fn apply(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: &Interrupt,
    events: &Events,
) -> Result<Applied, Stop> {
    let retags = plan.steps.iter().any(|step| !step.tags.is_empty());
    let hash = Some(survey.tags_hash.as_str());
    let ours = ours(survey, plan);
    let record = record::widen(cx, &survey.record, &ours, hash.filter(|_| !retags)).await?;
    let applied = apply::apply(cx, &survey.nodes, plan, at_once, interrupt.stop.clone(), events).await;
    if retags && applied.summary.complete() {
        record::widen(cx, &record, &[], hash).await?;
    }
    record::narrow(cx, &record, &gone(survey, plan, &applied)).await?;
    events.say(Event::Ended { summary: applied.summary.clone() });
    Ok(applied)
}

/// What belongs to this environment once the plan is done: all that is wanted, but what is somebody else's.
fn ours(survey: &Survey, plan: &Plan) -> Vec<Name> {
    let made = plan.steps.iter().filter(|step| step.op != Op::Delete).map(|step| &step.name);
    made.chain(&plan.same).filter(|name| survey.members.get(&name.address) != Some(&name.physical)).cloned().collect()
}

/// Recorded addresses under which nothing of ours is left.
fn gone(survey: &Survey, plan: &Plan, applied: &Applied) -> Vec<Address> {
    let still = |address: &Address| {
        let wanted = survey.facts.iter().any(|fact| &fact.name.address == address && fact.wants == plan::Wants::Present);
        let deleted = plan.steps.iter().zip(&applied.results).any(|(step, result)| {
            &step.name.address == address
                && step.op == Op::Delete
                && matches!(result, Some(crate::resource::Gone::Deleted | crate::resource::Gone::Deleting))
        });
        let there = survey.facts.iter().any(|fact| &fact.name.address == address && fact.live);
        wanted || (there && !deleted)
    };
    survey.members.keys().filter(|address| !still(address)).cloned().collect()
}

/// The code for a refused plan: consent is missing where a flag could give it.
fn refused(plan: &Plan) -> Exit {
    match plan.refusals.iter().all(|refusal| refusal.consent) {
        true => Exit::Consent,
        false => Exit::Failed,
    }
}

/// Asks, where somebody is there to be asked.
pub fn consents(question: &str) -> bool {
    if !report::can_ask() {
        report::error("this wants consent, and nobody is there to ask", Some("pass --yes"));
        return false;
    }
    report::ask(question)
}

/// The exit code of what was applied.
pub fn outcome(summary: &Summary, interrupt: &Interrupt) -> Exit {
    match (summary.complete(), interrupt.exit()) {
        (true, _) => Exit::Done,
        (false, Some(signal)) if summary.failed == 0 => signal,
        (false, _) if summary.changed() => Exit::FailedHalfWay,
        (false, _) => Exit::Failed,
    }
}

/// What to try next.
fn next(session: &Session, stack: &Stack) -> String {
    let local = if session.place.is_local() { " --local" } else { "" };
    let env = session.cx.names.env.as_ref().map(|env| format!(" --env {env}")).unwrap_or_default();
    let file = stack.file.display();
    let mut lines = vec![
        "next:".to_owned(),
        format!("  provision verify {file}{local}{env}    # send records, account for every one"),
        format!("  provision down {file}{local}{env}"),
    ];
    match &session.place {
        Place::Serving(url) | Place::Endpoint(url) => lines.extend(pasted(url, session, stack)),
        Place::Within(_) => lines.push("  provision local serve    # a port for the aws command line and other clients".into()),
        Place::Aws => {}
    }
    lines.join("\n")
}

/// Lines of the aws command line for an endpoint.
fn pasted(url: &str, session: &Session, stack: &Stack) -> Vec<String> {
    let aws = format!("  aws --endpoint-url {url} --region {}", session.cx.names.region);
    let mut lines = vec![];
    if let Some(stream) = stack.streams.values().next() {
        let name = stream.physical();
        lines.push(format!(
            "{aws} kinesis put-record --stream-name {name} --partition-key a --data '{{\"a\":2}}' --cli-binary-format raw-in-base64-out"
        ));
    }
    lines.extend(stack.buckets.values().next().map(|bucket| format!("{aws} s3 ls --recursive s3://{}/", bucket.physical())));
    lines
}
