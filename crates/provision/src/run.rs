//! `up` and `down`, the whole story in one screen each: survey, plan, record, apply, record.

use std::sync::Arc;

use tokio::sync::watch;

use crate::apply::{self, Applied};
use crate::claims::Seen;
use crate::cloud::Cx;
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::names::{Address, Name};
use crate::node::Node;
use crate::plan::{self, Op, Permits, Plan, Wants};
use crate::record::{self, journal};
use crate::resource::Gone;
use crate::spec::stack::Stack;
use crate::survey::{self, For, Survey};

type Result<T> = std::result::Result<T, Vec<Error>>;

/// Reads everything and decides what `up` has to do; tells the plan. Changes nothing.
pub async fn decide_up(cx: &Cx, stack: &Stack, permits: Permits, events: &Events) -> Result<(Survey, Plan)> {
    let working = events.clone();
    let waiting = Arc::new(move |text: &str| working.say(Event::Working { text: text.to_owned() }));
    let cx = Cx { waiting, ..cx.clone() };
    let survey = survey::survey(&cx, derive::nodes(stack, &cx.names), For::Up).await?;
    record::refuse_taken(&survey.record, &cx.names).map_err(|error| vec![error])?;
    warn(&survey, &cx, events);
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "up" });
    Ok((survey, plan))
}

/// Writes down what is about to be made, makes it, and strikes out what is gone.
pub async fn apply_up(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let retags = plan.steps.iter().any(|step| !step.tags.is_empty());
    let hash = Some(survey.tags_hash.as_str());
    // The hash says that all tags are as wanted; where some are about to change, it waits until they have.
    let record = record::widen(cx, &survey.record, &ours(survey, plan), hash.filter(|_| !retags)).await;
    let record = record.map_err(|error| vec![error])?;
    let began = journal::begin(cx, "up", plan);
    let (applied, written) = futures::join!(
        apply::apply(cx, &survey.nodes, plan, at_once, interrupt, events),
        journal::write_beginning(cx, &began, !survey.record.exists())
    );
    if retags && applied.summary.complete() {
        record::widen(cx, &record, &[], hash).await.map_err(|error| vec![error])?;
    }
    record::narrow(cx, &record, &gone(survey, plan, &applied)).await.map_err(|error| vec![error])?;
    tell_unwritten(written.and(journal::write_end(cx, &began, &applied).await), events);
    events.say(Event::Ended { summary: applied.summary.clone() });
    Ok(applied.summary)
}

/// Tells what is odd about the record, and whose prefixes overlap.
fn warn(survey: &Survey, cx: &Cx, events: &Events) {
    let mut texts: Vec<String> = survey.record.oddities(&cx.names);
    if survey.record.taken {
        texts.push("that log group is not ours: it is left alone, and so is what it names".into());
    }
    let record = |text| format!("the record {}: {text}", cx.names.record());
    for text in texts.into_iter().map(record).chain(survey.overlaps.iter().cloned()) {
        events.say(Event::Warned { text });
    }
}

/// The journal decides nothing, so that it stops nothing either.
fn tell_unwritten(journal: std::result::Result<(), Error>, events: &Events) {
    if let Err(error) = journal {
        events.say(Event::Warned { text: error.to_string() });
    }
}

/// Reads everything and decides what `down` has to remove: of the spec, and of the record.
pub async fn decide_down(cx: &Cx, stack: Option<&Stack>, events: &Events) -> Result<(Survey, Plan)> {
    let mut nodes: Vec<Box<dyn Node>> = stack.map(|stack| derive::nodes(stack, &cx.names)).unwrap_or_default();
    nodes.retain_mut(|node| node.unwant());
    let survey = survey::survey(cx, nodes, For::Down).await?;
    warn(&survey, cx, events);
    let permits = Permits { prune: true, ..Permits::default() };
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "down" });
    Ok((survey, plan))
}

/// Deletes; then strikes the deleted out of the record, or deletes the record when nothing is left in it.
pub async fn apply_down(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let mut cx = Cx { claims: Seen::default(), ..cx.clone() };
    cx.options.deletes = true;
    let cx = &cx;
    let began = journal::begin(cx, "down", plan);
    let journaled = survey.record.exists() && !plan.is_empty();
    let (applied, mut written) =
        futures::join!(apply::apply(cx, &survey.nodes, plan, at_once, interrupt, events), async {
            if journaled { journal::write_beginning(cx, &began, false).await } else { Ok(()) }
        });
    let stays = |name: &Name| {
        let left = |result: &Option<Gone>| matches!(result, None | Some(Gone::Kept(_)));
        let mut steps = plan.steps.iter().zip(&applied.results);
        steps.any(|(step, result)| same_thing(&step.name, name) && left(result))
            || plan.kept.iter().any(|kept| same_thing(&kept.name, name))
    };
    let (left, gone): (Vec<Name>, Vec<Name>) = recorded_names(survey).partition(stays);
    let stays = !left.is_empty() || !plan.kept.is_empty() || survey.record.has_unknown_kinds(&cx.names);
    let recorded = match !stays && applied.summary.complete() {
        true => record::delete(cx, &survey.record).await,
        false => {
            if journaled {
                written = written.and(journal::write_end(cx, &began, &applied).await);
            }
            record::narrow(cx, &survey.record, &gone).await
        }
    };
    tell_unwritten(written, events);
    recorded.map_err(|error| vec![error])?;
    if !plan.is_empty() {
        events.say(Event::Ended { summary: applied.summary.clone() });
    }
    Ok(applied.summary)
}

/// What the record does not know yet and will belong to this environment once the plan is done.
fn ours(survey: &Survey, plan: &Plan) -> Vec<Name> {
    let made = plan.steps.iter().filter(|step| step.op != Op::Delete).map(|step| &step.name);
    let recorded = |name: &&Name| survey.members.get(&name.address) == Some(&name.physical);
    made.chain(&plan.same).chain(&plan.named).filter(|name| !recorded(name)).cloned().collect()
}

/// What is recorded and not there any more.
fn gone(survey: &Survey, plan: &Plan, applied: &Applied) -> Vec<Name> {
    let deleted = |name: &Name| {
        plan.steps.iter().zip(&applied.results).any(|(step, result)| {
            let gone = result.as_ref().is_some_and(|gone| !matches!(gone, Gone::Kept(_)));
            same_thing(&step.name, name) && step.op == Op::Delete && gone
        })
    };
    let still = |name: &Name| {
        let mut facts = survey.facts.iter().filter(|fact| same_thing(&fact.name, name));
        facts.any(|fact| match fact.wants {
            // Under another address it is recorded there: the key was renamed.
            Wants::Present => fact.name.address == name.address,
            Wants::Reference | Wants::Absent => fact.live && !deleted(name),
        })
    };
    recorded_names(survey).filter(|name| !still(name)).collect()
}

fn recorded_names(survey: &Survey) -> impl Iterator<Item = Name> {
    let name = |(address, physical): (&Address, &String)| Name { address: address.clone(), physical: physical.clone() };
    survey.members.iter().map(name)
}

/// Are these the same resource on AWS?
fn same_thing(a: &Name, b: &Name) -> bool {
    a.address.kind == b.address.kind && a.physical == b.physical
}
