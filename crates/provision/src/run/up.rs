//! `up`: creates or updates everything in the spec.

use std::collections::{HashMap, HashSet};

use tokio::sync::watch;

use super::alone::{self, Deed, Ended, How, Taken, during, moved};
use super::{
    Result, names_in, planned, record_failed, settled, tell_unwritten, thing, warn_of_another_run, warn_of_record,
};
use crate::apply::{self, Gate};
use crate::cloud::{Cx, calls};
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::names::{Name, Names};
use crate::outcome::Applied;
use crate::plan::{self, Facts, Op, Permits, Plan, Wants};
use crate::record::lease::{Held, Who};
use crate::record::{self, About, Record, journal};
use crate::resource::Gone;
use crate::spec::stack::Stack;
use crate::survey::{For, Survey};

/// Reads everything, plans and reports the plan. Changes nothing.
pub async fn decide_up(cx: &Cx, stack: &Stack, permits: Permits, events: &Events) -> Result<(Survey, Plan)> {
    let looked = Up { cx, stack, permits, events }.look(false).await?;
    let (survey, plan) = looked.expect("there is always something to decide");
    warn_of_another_run(&survey, &cx.names, events);
    planned(&survey, &plan, "up", cx, events);
    Ok((survey, plan))
}

/// Reads everything, decides, and does it where nothing forbids it, while no other run changes the environment.
pub async fn up(
    cx: &Cx,
    stack: &Stack,
    permits: Permits,
    how: &How,
    agree: impl AsyncFn(&Plan) -> bool,
    events: &Events,
) -> Result<Ended> {
    let up = Up { cx, stack, permits, events };
    let ended = alone::run(&up, cx, &Who::here(cx, how.command, false), how, agree, events).await?;
    Ok(ended.expect("there is always something to decide"))
}

/// Does what was decided, unless another run has changed the environment since.
pub async fn apply_up(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let (who, how) = (Who::here(cx, "up", false), How { at_once, interrupt, ..How::new("up") });
    let taken = match plan.is_empty() {
        true => Some(Taken::default()),
        false => take(cx, &who, survey, plan).await?,
    };
    let taken = taken.ok_or_else(moved)?;
    during(taken.held.clone(), act(cx, &who, &how, survey, plan, taken, events)).await
}

struct Up<'a> {
    cx: &'a Cx,
    stack: &'a Stack,
    permits: Permits,
    events: &'a Events,
}

impl Deed for Up<'_> {
    async fn look(&self, in_vain_if_in_use: bool) -> Result<Option<(Survey, Plan)>> {
        let Up { cx, stack, permits, events } = self;
        let cx = Cx { waiting: events.working(), ..(*cx).clone() };
        let survey = settled(&cx, || derive::nodes(stack, &cx.names), For::Up, in_vain_if_in_use, events).await?;
        record::refuse_taken(&survey.record, &cx.names).map_err(|error| vec![error])?;
        let plan = plan::plan(&survey.facts, &survey.members, &cx.names, *permits);
        Ok(Some((survey, plan)))
    }

    fn changes(&self, survey: &Survey, plan: &Plan) -> bool {
        !plan.is_empty() || survey.is_in_use(&self.cx.names) && !is_true(survey, plan, &self.cx.names)
    }

    async fn take(&self, who: &Who, survey: &Survey, plan: &Plan) -> Result<Option<Taken>> {
        Box::pin(take(self.cx, who, survey, plan)).await
    }

    async fn act(&self, who: &Who, how: &How, survey: &Survey, plan: &Plan, taken: Taken) -> Result<Summary> {
        Box::pin(act(self.cx, who, how, survey, plan, taken, self.events)).await
    }
}

/// Takes the number after the one that the survey read. Whoever makes the record has its lease.
async fn take(cx: &Cx, who: &Who, survey: &Survey, plan: &Plan) -> Result<Option<Taken>> {
    if survey.is_in_use(&cx.names) {
        return Ok(None);
    }
    let taken = async {
        if let Some(lease) = &survey.lease {
            let held = Held::take(cx, who, lease.number + 1).await?;
            return Ok(held.map(|held| Taken { held: Some(held), made: None }));
        }
        let (held, unsettled) = (Held::first(cx, who), record::unsettled(cx.calls.now()));
        let about = before(cx, plan, &who.run, &unsettled);
        let (made, changed) = calls::noticing(record::make(cx, &survey.record, &ours(survey, plan), about)).await;
        let made = match made {
            Ok(made) => made.map(Ok),
            // It may be there.
            Err(error) if changed => Some(Err(error)),
            Err(error) => return Err(error),
        };
        Ok(made.map(|made| Taken { held: Some(held), made: Some(made) }))
    };
    taken.await.map_err(|error| vec![error])
}

/// Writes what will be created into the record, creates it, and corrects the record. Without steps it only corrects the record,
/// because an earlier run may have been killed.
async fn act(
    cx: &Cx,
    who: &Who,
    how: &How,
    survey: &Survey,
    plan: &Plan,
    taken: Taken,
    events: &Events,
) -> Result<Summary> {
    let Taken { held, made } = taken;
    let unsettled = record::unsettled(cx.calls.now());
    let before = before(cx, plan, &who.run, &unsettled);
    if plan.is_empty() {
        let mut summary = Summary { unchanged: plan.same.len(), ..Summary::default() };
        if let Err(error) = make_true(cx, survey, plan, before).await {
            record_failed(&error, &mut summary, events);
        }
        return Ok(summary);
    }
    let began = journal::begin(cx, who, plan);
    let widen = async {
        match made {
            Some(made) => (made, true),
            None => calls::noticing(record::widen(cx, &survey.record, &ours(survey, plan), before)).await,
        }
    };
    let record = match widen.await {
        (Ok(record), _) => record,
        (Err(error), true) => {
            let mut summary = Summary { half_done: 1, skipped: plan.steps.len(), ..Summary::default() };
            record_failed(&error, &mut summary, events);
            return Ok(summary);
        }
        (Err(error), false) => return Err(vec![error]),
    };
    let gate = Gate::new(how.interrupt.clone(), held.clone());
    let (applied, written) = futures::join!(
        Box::pin(apply::apply(cx, &survey.nodes, plan, how.at_once, gate, events)),
        journal::write_beginning(cx, &began, !survey.record.exists())
    );
    let after = About { tags: applied.summary.complete().then_some(survey.tags_hash.as_str()), ..About::default() };
    let settle = async {
        // Another run writes the record now.
        if held.as_ref().is_some_and(|held| !held.is_held()) {
            return Ok(());
        }
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

/// The data that is written before the first change. It names the run, so that a concurrent `down` notices it, and it has no hash of
/// the tags until the run has succeeded.
fn before<'a>(cx: &'a Cx, plan: &Plan, run: &'a str, unsettled: &'a str) -> About<'a> {
    About {
        tags: (!plan.is_empty()).then_some(unsettled),
        run: (!plan.is_empty()).then_some(run),
        owner: cx.options.owner.as_deref().filter(|_| !plan.is_empty()),
        expires: cx.options.ttl_s.map(|ttl| cx.calls.now() + ttl),
    }
}

/// Whether the record needs no correction. It does while another run is at work: that run may be about to create what it has written
/// down.
fn is_true(survey: &Survey, plan: &Plan, names: &Names) -> bool {
    survey.record.tags_hash(names) == Some(&survey.tags_hash)
        && ours(survey, plan).is_empty()
        && gone(survey, plan, None, &survey.record, names).is_empty()
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
