//! Runs the steps of a plan with limited parallelism. It decides nothing: decisions belong in the plan or in the kind.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep_until;

use crate::change::Gone;
use crate::cloud::{Cx, calls};
use crate::error::Result;
use crate::event::{Event, Events};
use crate::kinds;
use crate::node::Node;
use crate::outcome::{Applied, Summary};
use crate::plan::{Op, Plan, Step};
use crate::schedule::{Schedule, Waits};
use crate::waits::Doing;

mod gate;

pub use gate::{Gate, May, Why};

/// How long an interrupted run waits for the steps that it has begun. A runner of a CI system kills it ten seconds after the signal, and
/// the record has to be written before. What AWS has begun, it goes on with.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the plan. Once `gate` says so no more steps start, and those that run are finished; after an interrupt they are waited for only
/// so long.
pub async fn apply(
    cx: &Cx,
    nodes: &[Box<dyn Node>],
    plan: &Plan,
    at_once: usize,
    mut gate: Gate,
    events: &Events,
) -> Applied {
    let began = Instant::now();
    let mut schedule = Schedule::new(plan.steps.iter().map(waits).collect());
    let mut summary = Summary { unchanged: plan.same.len(), ..Summary::default() };
    let mut results: Vec<Option<Gone>> = vec![None; plan.steps.len()];
    let mut failures = vec![];
    let (mut running, mut begun) = (FuturesUnordered::new(), BTreeSet::new());
    let mut until = None;
    loop {
        let may = gate.may();
        match &may {
            May::Start => {
                for index in schedule.ready(at_once.saturating_sub(running.len())) {
                    begun.insert(index);
                    running.push(run(cx, nodes, index, &plan.steps[index], events));
                }
            }
            May::Stop(Why::Interrupted) => until = until.or(Some(tokio::time::Instant::now() + GRACE)),
            May::Wait | May::Stop(_) => {}
        }
        if running.is_empty() && (may != May::Wait || schedule.waiting().is_empty()) {
            break;
        }
        let deadline = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let (index, (result, changed)) = tokio::select! {
            biased;
            Some(done) = running.next() => done,
            () = gate.changes() => continue,
            () = deadline => break,
        };
        begun.remove(&index);
        let step = &plan.steps[index];
        match result {
            Ok(gone) => {
                schedule.finish(index);
                count(&mut summary, step.op, &gone);
                results[index] = Some(gone);
            }
            Err(why) => {
                summary.failed += 1;
                summary.half_done += usize::from(changed);
                failures.push(format!("{} {}: {why}", step.op.verb(), step.name.address));
                for lost in schedule.fail(index) {
                    summary.skipped += 1;
                    skipped(&plan.steps[lost], &format!("{} failed", step.name.address), events);
                }
            }
        }
    }
    drop(running);
    for index in begun {
        summary.skipped += 1;
        summary.half_done += 1;
        skipped(&plan.steps[index], "interrupted while it ran; AWS goes on with what it has begun", events);
    }
    let why = match gate.may() {
        May::Stop(why) => Some(why),
        May::Start | May::Wait => None,
    };
    for left in schedule.waiting() {
        summary.skipped += 1;
        summary.interrupted = true;
        let because = why.as_ref().map_or("interrupted".to_owned(), Why::to_string);
        skipped(&plan.steps[left], &because, events);
        summary.stopped |= why.as_ref().is_some_and(|why| *why != Why::Interrupted);
    }
    summary.interrupted |= why == Some(Why::Interrupted);
    summary.took_ms = began.elapsed().as_millis() as u64;
    Applied { summary, results, failures }
}

/// For some kinds AWS limits how many are created and deleted at once. Updates do not count.
fn waits(step: &Step) -> Waits {
    let kind = kinds::kind(step.name.address.kind);
    let lane = kind.and_then(|kind| Some((kind.name, kind.at_once?))).filter(|_| step.op != Op::Update);
    Waits { after: step.after.clone(), lane }
}

async fn run(
    cx: &Cx,
    nodes: &[Box<dyn Node>],
    index: usize,
    step: &Step,
    events: &Events,
) -> (usize, (Result<Gone, String>, bool)) {
    let began = Instant::now();
    let (resource, op) = (step.name.address.to_string(), step.op);
    events.say(Event::Started { resource: resource.clone(), op });
    let waiting = (events.clone(), resource.clone());
    let cx = Cx {
        waiting: std::sync::Arc::new(move |doing| {
            waiting.0.say(match doing {
                Doing::Waiting(on) => Event::Waiting { resource: waiting.1.clone(), on: on.to_owned() },
                Doing::Task(task) => task.into(),
            });
        }),
        ..cx.clone()
    };
    let node = nodes.iter().find(|node| node.name() == &step.name).expect("every step is of a node");
    let (result, changed) = calls::noticing(perform(&cx, node.as_ref(), step)).await;
    let took_ms = began.elapsed().as_millis() as u64;
    let result = match result {
        Ok(gone) => {
            let deleted = Some(gone.clone()).filter(|_| op == Op::Delete);
            events.say(Event::Finished { resource, op, took_ms, gone: deleted });
            Ok(gone)
        }
        Err(error) => {
            let hint = error.what_next().map(str::to_owned);
            let request_id = error.request_id().map(str::to_owned);
            let why = error.to_string();
            events.say(Event::Failed { resource, op, took_ms, error: why.clone(), hint, request_id });
            Err(why)
        }
    };
    (index, (result, changed))
}

/// Steps other than deletions also end as `Gone::Deleted`, because there is nothing more to say about them.
async fn perform(cx: &Cx, node: &dyn Node, step: &Step) -> Result<Gone> {
    match step.op {
        Op::Create => node.create(cx, &node.desired_tags(&cx.names)).await?,
        Op::Delete => return node.delete(cx).await,
        Op::Replace => {
            node.delete(cx).await?;
            node.create(cx, &node.desired_tags(&cx.names)).await?;
        }
        Op::Update => match update(cx, node, step).await {
            Err(error) if node.vanished(&error) => node.create(cx, &node.desired_tags(&cx.names)).await?,
            updated => updated?,
        },
    }
    Ok(Gone::Deleted)
}

async fn update(cx: &Cx, node: &dyn Node, step: &Step) -> Result<()> {
    if !step.tags.is_empty() {
        node.retag(cx, &step.tags.set, &step.tags.unset).await?;
    }
    if !step.diff.is_empty() {
        node.update(cx, &step.diff).await?;
    }
    Ok(())
}

fn count(summary: &mut Summary, op: Op, gone: &Gone) {
    let counter = match (op, gone) {
        (Op::Create, _) => &mut summary.created,
        (Op::Update, _) => &mut summary.updated,
        (Op::Replace, _) => &mut summary.replaced,
        (Op::Delete, Gone::Deleted | Gone::DeletedWith(_)) => &mut summary.deleted,
        (Op::Delete, Gone::Deleting) => &mut summary.deleting,
        (Op::Delete, Gone::Left(_)) => &mut summary.left,
        (Op::Delete, Gone::Kept(_)) => &mut summary.kept,
    };
    *counter += 1;
}

fn skipped(step: &Step, because: &str, events: &Events) {
    let (resource, because) = (step.name.address.to_string(), because.to_owned());
    events.say(Event::Skipped { resource, op: step.op, because });
}
