//! `down`: `up` with nothing desired.

use std::collections::HashSet;

use tokio::sync::watch;

use super::{Result, names_in, record_failed, scan, settled, tell_unwritten, thing, warn, warn_of_record};
use crate::apply;
use crate::change::Gone;
use crate::cloud::Cx;
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::kinds;
use crate::names::{Name, Names};
use crate::node::Node;
use crate::outcome::Applied;
use crate::plan::{self, Permits, Plan};
use crate::record::{self, About, journal};
use crate::resource::Scanned;
use crate::seen::Seen;
use crate::spec::stack::Stack;
use crate::survey::{For, Survey};

/// Reads everything and plans the deletion of what the spec and the record name and, with `--scan`, of what was found.
pub async fn decide_down(cx: &Cx, stack: Option<&Stack>, events: &Events) -> Result<(Survey, Plan)> {
    let scanned = scan(cx, events).await.map_err(|error| vec![error])?;
    let nodes = || {
        let mut nodes: Vec<Box<dyn Node>> = stack.map(|stack| derive::nodes(stack, &cx.names)).unwrap_or_default();
        nodes.retain_mut(|node| node.unwant());
        add_scanned(&mut nodes, scanned.as_ref(), &cx.names);
        nodes
    };
    let survey = settled(cx, nodes, For::Down, events).await?;
    let plan = plan(cx, &survey, events);
    Ok((survey, plan))
}

/// The same for an environment that was listed as expired, or as one that never expires. `None` where its record, read again,
/// says otherwise: an `up` may have renewed it.
pub async fn decide_gc(
    cx: &Cx,
    scanned: Option<&Scanned>,
    never_expires: bool,
    events: &Events,
) -> Result<Option<(Survey, Plan)>> {
    let nodes = || {
        let mut nodes = vec![];
        add_scanned(&mut nodes, scanned, &cx.names);
        nodes
    };
    let survey = settled(cx, nodes, For::Down, events).await?;
    let over = match survey.record.expires(&cx.names) {
        Some(expires) => expires <= cx.calls.now(),
        None => never_expires && survey.record.exists(),
    };
    if !over {
        warn_of_record("it was renewed or deleted in the meantime; nothing is deleted", &cx.names, events);
        return Ok(None);
    }
    let plan = plan(cx, &survey, events);
    Ok(Some((survey, plan)))
}

fn add_scanned(nodes: &mut Vec<Box<dyn Node>>, scanned: Option<&Scanned>, names: &Names) {
    let known: HashSet<(&str, String)> =
        nodes.iter().map(|node| (node.name().address.kind, node.name().physical.clone())).collect();
    let found = scanned.map(|scanned| crate::scan::of(scanned, names)).unwrap_or_default();
    let found = found.into_iter().filter(|name| !known.contains(&(name.address.kind, name.physical.clone())));
    nodes.extend(found.filter_map(|name| Some((kinds::kind(name.address.kind)?.unwanted)(name))));
}

fn plan(cx: &Cx, survey: &Survey, events: &Events) -> Plan {
    warn(survey, cx, events);
    let permits = Permits { prune: true, ..Permits::default() };
    let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
    events.say(Event::Planned { plan: plan.clone(), command: "down" });
    plan
}

/// Deletes resources. Then it removes them from the record, or deletes the record if nothing is left in it.
pub async fn apply_down(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let mut cx = Cx { seen: Seen::default(), ..cx.clone() };
    cx.options.deletes = true;
    cx.options.data_goes = survey.data_goes;
    let cx = &cx;
    let began = journal::begin(cx, "down", plan);
    let journaled = survey.record.exists() && !plan.is_empty();
    let (applied, written) = futures::join!(apply::apply(cx, &survey.nodes, plan, at_once, interrupt, events), async {
        if journaled { journal::write_beginning(cx, &began, false).await } else { Ok(()) }
    });
    let stays = stays(plan, &applied);
    let ends = stays.is_empty() && !survey.record.has_unknown_kinds(&cx.names) && applied.summary.complete();
    let mut summary = applied.summary.clone();
    match write_what_stays(cx, survey, &stays, ends, events).await {
        Ok(renewed) => summary.renewed = renewed,
        Err(error) => record_failed(&error, &mut summary, events),
    }
    let ended = match journaled && (!ends || summary.renewed) {
        true => journal::write_end(cx, &began, &applied).await,
        false => Ok(()),
    };
    tell_unwritten(written.and(ended), events);
    if !plan.is_empty() {
        events.say(Event::Ended { summary: summary.clone() });
    }
    Ok(summary)
}

/// The resources that exist, or may exist, after the plan was applied.
fn stays(plan: &Plan, applied: &Applied) -> Vec<Name> {
    let left = |result: &Option<Gone>| matches!(result, None | Some(Gone::Kept(_)));
    let steps = plan.steps.iter().zip(&applied.results).filter(|(_, result)| left(result)).map(|(step, _)| &step.name);
    steps.chain(plan.kept.iter().chain(&plan.unproven).map(|kept| &kept.name)).cloned().collect()
}

/// Deletes the record if nothing is left (`ends`). Otherwise it reduces the record to what is left. Returns whether an `up` has
/// started since the record was read. If so, the record belongs to that `up` and is not touched.
async fn write_what_stays(
    cx: &Cx,
    survey: &Survey,
    stays: &[Name],
    ends: bool,
    events: &Events,
) -> std::result::Result<bool, Error> {
    let staying: HashSet<_> = stays.iter().map(thing).collect();
    let (recorded, gone): (Vec<Name>, Vec<Name>) =
        names_in(&survey.record, &cx.names).into_iter().partition(|name| staying.contains(&thing(name)));
    if survey.record.exists() && (ends || !gone.is_empty()) {
        let now = record::read(cx).await?;
        if now.run(&cx.names) != survey.record.run(&cx.names) {
            warn_of_record(
                "an `up` started in the meantime; the record and the resources of that `up` are kept",
                &cx.names,
                events,
            );
            return Ok(true);
        }
        match ends {
            true => record::delete(cx, &now).await?,
            false => record::narrow(cx, &now, &gone).await?,
        }
    }
    let recorded: HashSet<_> = recorded.iter().map(thing).collect();
    let unheard_of: Vec<Name> = stays.iter().filter(|name| !recorded.contains(&thing(name))).cloned().collect();
    if !unheard_of.is_empty() && !survey.record.taken {
        // After the narrowing, which changes no place of what is added.
        let now = record::read(cx).await?;
        record::widen(cx, &now, &unheard_of, About::default()).await?;
    }
    Ok(false)
}
