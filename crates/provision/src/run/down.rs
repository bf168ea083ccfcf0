//! `down`: `up` with nothing desired.

use std::collections::HashSet;

use tokio::sync::watch;

use super::alone::{self, Deed, Ended, How, Taken, during, moved};
use super::{Result, names_in, planned, record_failed, scan, settled, tell_unwritten, thing, warn_of_record};
use crate::apply::{self, Gate};
use crate::change::Gone;
use crate::cloud::Cx;
use crate::derive;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::kinds;
use crate::names::{Name, Names};
use crate::node::Node;
use crate::plan::{self, Permits, Plan};
use crate::record::lease::{Held, Who};
use crate::record::{self, About, journal};
use crate::resource::Scanned;
use crate::seen::Seen;
use crate::spec::stack::Stack;
use crate::survey::{For, Survey};

/// Reads everything and plans the deletion of what the spec and the record name and, with `--scan`, of what was found.
pub async fn decide_down(cx: &Cx, stack: Option<&Stack>, events: &Events) -> Result<(Survey, Plan)> {
    let looked = Down { cx, what: What::Stack(stack), events }.look(false).await?;
    let (survey, plan) = looked.expect("there is always something to decide");
    planned(&survey, &plan, "down", cx, events);
    Ok((survey, plan))
}

/// Reads everything, decides, and does it where nothing forbids it, while no other run changes the environment. A running `up` is
/// asked to stop. `None` where it turned out that nothing is to be deleted.
pub async fn down(
    cx: &Cx,
    what: What<'_>,
    how: &How,
    agree: impl AsyncFn(&Plan) -> bool,
    events: &Events,
) -> Result<Option<Ended>> {
    alone::run(&Down { cx, what, events }, cx, &Who::here(cx, how.command, true), how, agree, events).await
}

/// Does what was decided, unless another run has changed the environment since.
pub async fn apply_down(
    cx: &Cx,
    survey: &Survey,
    plan: &Plan,
    at_once: usize,
    interrupt: watch::Receiver<bool>,
    events: &Events,
) -> Result<Summary> {
    let (who, how) = (Who::here(cx, "down", true), How { at_once, interrupt, ..How::new("down") });
    let taken = match changes(cx, survey, plan) {
        true => take(cx, &who, survey).await?,
        false => Some(Taken::default()),
    };
    let taken = taken.ok_or_else(moved)?;
    during(taken.held.clone(), act(cx, &who, &how, survey, plan, taken, events)).await
}

/// The resources to be deleted.
#[derive(Clone, Copy)]
pub enum What<'a> {
    /// The environment in the context. Where its spec is at hand, what the spec names too.
    Stack(Option<&'a Stack>),
    /// An environment that was listed as expired, or as one that never expires.
    Expired { scanned: Option<&'a Scanned>, never_expires: bool },
}

struct Down<'a> {
    cx: &'a Cx,
    what: What<'a>,
    events: &'a Events,
}

impl Deed for Down<'_> {
    async fn look(&self, in_vain_if_in_use: bool) -> Result<Option<(Survey, Plan)>> {
        let Down { cx, what, events } = self;
        let found;
        let (stack, scanned) = match what {
            What::Stack(stack) => {
                found = scan(cx, events).await.map_err(|error| vec![error])?;
                (*stack, found.as_ref())
            }
            What::Expired { scanned, .. } => (None, *scanned),
        };
        let nodes = || {
            let mut nodes: Vec<Box<dyn Node>> = stack.map(|stack| derive::nodes(stack, &cx.names)).unwrap_or_default();
            nodes.retain_mut(|node| node.unwant());
            add_scanned(&mut nodes, scanned, &cx.names);
            nodes
        };
        let survey = settled(cx, nodes, For::Down, in_vain_if_in_use, events).await?;
        if let What::Expired { never_expires, .. } = what {
            let over = match survey.record.expires(&cx.names) {
                Some(expires) => expires <= cx.calls.now(),
                None => *never_expires && survey.record.exists(),
            };
            if !over {
                warn_of_record("it was renewed or deleted in the meantime; nothing is deleted", &cx.names, events);
                return Ok(None);
            }
        }
        let permits = Permits { prune: true, ..Permits::default() };
        let plan = plan::plan(&survey.facts, &survey.members, &cx.names, permits);
        Ok(Some((survey, plan)))
    }

    fn changes(&self, survey: &Survey, plan: &Plan) -> bool {
        changes(self.cx, survey, plan)
    }

    async fn take(&self, who: &Who, survey: &Survey, _: &Plan) -> Result<Option<Taken>> {
        Box::pin(take(self.cx, who, survey)).await
    }

    async fn act(&self, who: &Who, how: &How, survey: &Survey, plan: &Plan, taken: Taken) -> Result<Summary> {
        Box::pin(act(self.cx, who, how, survey, plan, taken, self.events)).await
    }
}

/// Whether there are resources or entries of the record to delete, or may be.
fn changes(cx: &Cx, survey: &Survey, plan: &Plan) -> bool {
    let staying: HashSet<_> = stays(plan, &[]).iter().map(thing).map(|(kind, name)| (kind, name.to_owned())).collect();
    let is_gone = |name: &Name| !staying.contains(&(name.address.kind, name.physical.clone()));
    let ends = staying.is_empty() && !survey.record.has_unknown_kinds(&cx.names);
    // Whoever is at work may have made a record that is not visible yet.
    let in_use = survey.is_in_use(&cx.names);
    !plan.is_empty()
        || in_use
        || survey.record.exists() && (ends || names_in(&survey.record, &cx.names).iter().any(is_gone))
}

/// Takes the number after the one that the survey read. Without a record there is no lease.
async fn take(cx: &Cx, who: &Who, survey: &Survey) -> Result<Option<Taken>> {
    let Some(lease) = survey.lease.as_ref().filter(|_| !survey.record.taken) else { return Ok(Some(Taken::default())) };
    if survey.is_in_use(&cx.names) {
        return Ok(None);
    }
    let held = Held::take(cx, who, lease.number + 1).await.map_err(|error| vec![error])?;
    Ok(held.map(|held| Taken { held: Some(held), made: None }))
}

fn add_scanned(nodes: &mut Vec<Box<dyn Node>>, scanned: Option<&Scanned>, names: &Names) {
    let known: HashSet<(&str, String)> =
        nodes.iter().map(|node| (node.name().address.kind, node.name().physical.clone())).collect();
    let found = scanned.map(|scanned| crate::scan::of(scanned, names)).unwrap_or_default();
    let found = found.into_iter().filter(|name| !known.contains(&(name.address.kind, name.physical.clone())));
    nodes.extend(found.filter_map(|name| Some((kinds::kind(name.address.kind)?.unwanted)(name))));
}

/// Deletes resources. Then it removes them from the record, or deletes the record if nothing is left in it.
async fn act(
    cx: &Cx,
    who: &Who,
    how: &How,
    survey: &Survey,
    plan: &Plan,
    taken: Taken,
    events: &Events,
) -> Result<Summary> {
    let mut cx = Cx { seen: Seen::default(), ..cx.clone() };
    cx.options.deletes = true;
    cx.options.data_goes = survey.data_goes;
    let (cx, held) = (&cx, taken.held);
    let began = journal::begin(cx, who, plan);
    let journaled = survey.record.exists() && !plan.is_empty();
    let gate = Gate::new(how.interrupt.clone(), held.clone());
    let (applied, written) =
        futures::join!(Box::pin(apply::apply(cx, &survey.nodes, plan, how.at_once, gate, events)), async {
            if journaled { journal::write_beginning(cx, &began, false).await } else { Ok(()) }
        });
    let stays = stays(plan, &applied.results);
    let ends = stays.is_empty() && !survey.record.has_unknown_kinds(&cx.names) && applied.summary.complete();
    let mut summary = applied.summary.clone();
    match write_what_stays(cx, survey, &stays, ends, held.as_ref(), events).await {
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

/// The resources that exist, or may exist, after the plan was applied. `results`: of its steps; without them all are taken as done.
fn stays(plan: &Plan, results: &[Option<Gone>]) -> Vec<Name> {
    let left = |result: &Option<Gone>| matches!(result, None | Some(Gone::Kept(_)));
    let steps = plan.steps.iter().zip(results).filter(|(_, result)| left(result)).map(|(step, _)| &step.name);
    steps.chain(plan.kept.iter().chain(&plan.unproven).map(|kept| &kept.name)).cloned().collect()
}

/// Deletes the record if nothing is left (`ends`). Otherwise it reduces the record to what is left. Returns whether an `up` has
/// started since the record was read. If so, the record belongs to that `up` and is not touched.
async fn write_what_stays(
    cx: &Cx,
    survey: &Survey,
    stays: &[Name],
    ends: bool,
    held: Option<&Held>,
    events: &Events,
) -> std::result::Result<bool, Error> {
    let staying: HashSet<_> = stays.iter().map(thing).collect();
    let (recorded, gone): (Vec<Name>, Vec<Name>) =
        names_in(&survey.record, &cx.names).into_iter().partition(|name| staying.contains(&thing(name)));
    if survey.record.exists() && (ends || !gone.is_empty()) {
        let has_lease = async |held: &Held| held.is_held() || held.confirm().await;
        let lost = match held {
            Some(held) => !has_lease(held).await,
            None => false,
        };
        let now = record::read(cx).await?;
        if lost || now.run(&cx.names) != survey.record.run(&cx.names) {
            warn_of_record(
                "an `up` started in the meantime; the record and the resources of that `up` are kept",
                &cx.names,
                events,
            );
            return Ok(true);
        }
        match ends {
            true => {
                record::delete(cx, &now).await?;
                held.inspect(|held| held.deleted());
            }
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
