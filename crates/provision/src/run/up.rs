//! `up`: creates or updates everything in the spec.

use std::collections::{HashMap, HashSet};

use tokio::sync::watch;

use super::{Result, names_in, record_failed, settled, tell_unwritten, thing, warn, warn_of_record};
use crate::apply;
use crate::cloud::{Cx, calls};
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::names::{Name, Names};
use crate::outcome::Applied;
use crate::plan::{self, Facts, Op, Permits, Plan, Wants};
use crate::record::{self, About, Record, journal};
use crate::resource::Gone;
use crate::spec::stack::Stack;
use crate::survey::{For, Survey};

/// Reads everything, plans and reports the plan. Changes nothing.
pub async fn decide_up(cx: &Cx, stack: &Stack, permits: Permits, events: &Events) -> Result<(Survey, Plan)> {
    let cx = Cx { waiting: events.working(), ..cx.clone() };
    let survey = settled(&cx, || derive::nodes(stack, &cx.names), For::Up, events).await?;
    record::refuse_taken(&survey.record, &cx.names).map_err(|error| vec![error])?;
    warn(&survey, &cx, events);
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "up" });
    Ok((survey, plan))
}

/// Writes what will be created into the record, creates it, and corrects the record. Without steps it only corrects the record,
/// because an earlier run may have been killed.
pub async fn apply_up(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let began = journal::begin(cx, "up", plan);
    let unsettled = record::unsettled(cx.calls.now());
    let before = before(cx, plan, &began.run, &unsettled);
    if plan.is_empty() {
        let mut summary = Summary { unchanged: plan.same.len(), ..Summary::default() };
        if let Err(error) = make_true(cx, survey, plan, before).await {
            record_failed(&error, &mut summary, events);
        }
        return Ok(summary);
    }
    let (widened, changed) = calls::noticing(record::widen(cx, &survey.record, &ours(survey, plan), before)).await;
    let record = match widened {
        Ok(record) => record,
        Err(error) if changed => {
            let mut summary = Summary { half_done: 1, skipped: plan.steps.len(), ..Summary::default() };
            record_failed(&error, &mut summary, events);
            return Ok(summary);
        }
        Err(error) => return Err(vec![error]),
    };
    let (applied, written) = futures::join!(
        apply::apply(cx, &survey.nodes, plan, at_once, interrupt, events),
        journal::write_beginning(cx, &began, !survey.record.exists())
    );
    let after = About { tags: applied.summary.complete().then_some(survey.tags_hash.as_str()), ..About::default() };
    let settle = async {
        let record = record::widen(cx, &record, &[], after).await?;
        record::narrow(cx, &record, &gone(survey, plan, Some(&applied), &record, &cx.names)).await
    };
    let (settled, ended) = futures::join!(settle, journal::write_end(cx, &began, &applied));
    let is_gone = |written: &std::result::Result<(), Error>| written.as_ref().is_err_and(record::is_gone);
    let settled = match is_gone(&settled) || is_gone(&ended) {
        true => write_again(cx, &record, events).await,
        false => settled,
    };
    let mut summary = applied.summary;
    if let Err(error) = settled {
        record_failed(&error, &mut summary, events);
    }
    tell_unwritten(written.and(ended), events);
    events.say(Event::Ended { summary: summary.clone() });
    Ok(summary)
}

/// The data that is written before the first change. It names a run that creates something, so that a concurrent `down` notices
/// it, and it has no hash of the tags until the run has succeeded.
fn before<'a>(cx: &'a Cx, plan: &Plan, run: &'a str, unsettled: &'a str) -> About<'a> {
    let makes = plan.steps.iter().any(|step| matches!(step.op, Op::Create | Op::Replace));
    About {
        tags: (!plan.is_empty()).then_some(unsettled),
        run: makes.then_some(run),
        owner: cx.options.owner.as_deref().filter(|_| !plan.is_empty()),
        expires: cx.options.ttl_s.map(|ttl| cx.calls.now() + ttl),
    }
}

/// Corrects the record for a plan without steps: adds what exists and removes what does not.
async fn make_true(cx: &Cx, survey: &Survey, plan: &Plan, about: About<'_>) -> std::result::Result<(), Error> {
    let add = ours(survey, plan);
    if !survey.record.exists() && add.is_empty() && about.expires.is_none() {
        return Ok(());
    }
    let owner = cx.options.owner.as_deref().filter(|_| !survey.record.exists());
    let about = About { tags: Some(&survey.tags_hash), owner, ..about };
    let record = record::widen(cx, &survey.record, &add, about).await?;
    record::narrow(cx, &record, &gone(survey, plan, None, &record, &cx.names)).await
}

/// Writes the record again, if a `down` deleted it while this run created something.
async fn write_again(cx: &Cx, record: &Record, events: &Events) -> std::result::Result<(), Error> {
    let now = record::read(cx).await?;
    if now.exists() || now.taken {
        return Ok(());
    }
    warn_of_record("a `down` deleted it in the meantime; it is written again", &cx.names, events);
    let (run, owner) = (record.run(&cx.names), cx.options.owner.as_deref());
    let unsettled = record::unsettled(cx.calls.now());
    let about =
        About { tags: Some(&unsettled), run: run.map(String::as_str), owner, expires: record.expires(&cx.names) };
    record::widen(cx, &now, &names_in(record, &cx.names), about).await.map(drop)
}

/// Resources that will belong to this environment after the plan and are not in the record yet.
fn ours(survey: &Survey, plan: &Plan) -> Vec<Name> {
    let made = plan.steps.iter().filter(|step| step.op != Op::Delete).map(|step| &step.name);
    let recorded = |name: &&Name| survey.members.get(&name.address) == Some(&name.physical);
    made.chain(&plan.same).chain(&plan.named).filter(|name| !recorded(name)).cloned().collect()
}

/// Members to remove: nothing of that kind and name exists, or it is recorded under its current address.
fn gone(survey: &Survey, plan: &Plan, applied: Option<&Applied>, record: &Record, names: &Names) -> Vec<Name> {
    let results = applied.into_iter().flat_map(|applied| plan.steps.iter().zip(&applied.results));
    let deleted: HashSet<_> = results
        .filter(|(step, result)| {
            step.op == Op::Delete && result.as_ref().is_some_and(|gone| !matches!(gone, Gone::Kept(_)))
        })
        .map(|(step, _)| thing(&step.name))
        .collect();
    let mut facts: HashMap<(&str, &str), &Facts> = HashMap::new();
    for fact in &survey.facts {
        let known = facts.entry(thing(&fact.name)).or_insert(fact);
        if fact.wants == Wants::Present {
            *known = fact;
        }
    }
    let mut members = names_in(record, names);
    members.retain(|member| match facts.get(&thing(member)) {
        None => false,
        Some(fact) => match fact.wants {
            Wants::Present => fact.name.address != member.address,
            Wants::Reference | Wants::Absent => !fact.live || deleted.contains(&thing(member)),
        },
    });
    members
}
