//! One run at a time: a command looks, takes the lease of its environment, and does what it has decided. Where another run has the
//! lease, it waits, and looks again while it has the lease itself.

use std::time::Duration;

use tokio::sync::watch;

use super::{Result, planned};
use crate::cloud::Cx;
use crate::error::Error;
use crate::event::{Event, Events, Summary};
use crate::plan::Plan;
use crate::record::Record;
use crate::record::lease::{self, Held, Waited, Who};
use crate::survey::Survey;

/// How long a command waits for another run, in seconds. A delivery stream may take AWS minutes, and a job should not hang for hours.
pub const LOCK_TIMEOUT_S: u64 = 600;

/// How a command runs.
#[derive(Clone)]
pub struct How {
    /// For others that wait: `up`, `down`, `gc` or `with`.
    pub command: &'static str,
    pub at_once: usize,
    pub lock_timeout: Duration,
    /// True once no more steps are to begin.
    pub interrupt: watch::Receiver<bool>,
}

impl How {
    /// For a command that nothing interrupts.
    pub fn new(command: &'static str) -> How {
        How {
            command,
            at_once: 50,
            lock_timeout: Duration::from_secs(LOCK_TIMEOUT_S),
            interrupt: watch::channel(false).1,
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// The plan has refusals. Nothing was changed.
    Refused(Plan),
    /// Nobody agreed to the plan. Nothing was changed.
    Disagreed,
    /// Nothing was begun, because of a signal or, where another run is meant, because that one is newer.
    Stopped {
        by_another_run: bool,
    },
    Done(Plan, Summary),
}

/// The lease and the record of a run that is about to change resources.
#[derive(Default)]
pub struct Taken {
    /// `None` where there is no record.
    pub held: Option<Held>,
    /// The record, where this run has just made it; or why it may be half made.
    pub made: Option<std::result::Result<Record, Error>>,
}

/// `up` or a deletion.
pub trait Deed {
    /// Reads everything and plans. `None`: it is not to be done any more. `in_vain_if_in_use`: another run may be at work.
    async fn look(&self, in_vain_if_in_use: bool) -> Result<Option<(Survey, Plan)>>;

    /// Whether it changes something, for which it needs the lease.
    fn changes(&self, survey: &Survey, plan: &Plan) -> bool;

    /// Takes the lease, if nobody had it since the survey was read.
    async fn take(&self, who: &Who, survey: &Survey, plan: &Plan) -> Result<Option<Taken>>;

    async fn act(&self, who: &Who, how: &How, survey: &Survey, plan: &Plan, taken: Taken) -> Result<Summary>;
}

/// The error of a plan whose survey is not true any more.
pub fn moved() -> Vec<Error> {
    let error = Error::msg("another run has changed this environment since it was read, or changes it now");
    vec![error.hint("nothing was changed; run the command again")]
}

/// Does it. `agree` is asked before anything changes, and again where the plan is another one after a wait.
pub async fn run(
    deed: &impl Deed,
    cx: &Cx,
    who: &Who,
    how: &How,
    agree: impl AsyncFn(&Plan) -> bool,
    events: &Events,
) -> Result<Option<Ended>> {
    let name = if who.deletes { "down" } else { "up" };
    loop {
        let Some((survey, plan)) = Box::pin(deed.look(true)).await? else { return Ok(None) };
        if !deed.changes(&survey, &plan) && plan.refusals.is_empty() {
            planned(&survey, &plan, name, cx, events);
            let summary = Box::pin(deed.act(who, how, &survey, &plan, Taken::default())).await?;
            return Ok(Some(Ended::Done(plan, summary)));
        }
        if !survey.is_in_use(&cx.names) {
            planned(&survey, &plan, name, cx, events);
            if let Some(ended) = judge(&plan, &agree).await {
                return Ok(Some(ended));
            }
            if *how.interrupt.borrow() {
                return Ok(Some(Ended::Stopped { by_another_run: false }));
            }
            if let Some(taken) = deed.take(who, &survey, &plan).await? {
                let held = taken.held.clone();
                let summary = during(held, deed.act(who, how, &survey, &plan, taken)).await?;
                return Ok(Some(Ended::Done(plan, summary)));
            }
        }
        let told = |lease: &lease::Lease| {
            let text = format!("waiting for {} (up to {} s)", lease.told(), how.lock_timeout.as_secs());
            events.say(Event::Working { text });
        };
        let waited = Box::pin(lease::wait(cx, who, how.lock_timeout, how.interrupt.clone(), told)).await;
        match waited.map_err(|error| vec![error])? {
            Waited::Held(held) => {
                return during(Some(held.clone()), again(deed, cx, who, how, held, agree, events)).await;
            }
            Waited::Gone => {}
            Waited::Interrupted => return Ok(Some(Ended::Stopped { by_another_run: false })),
            Waited::Superseded(newer) => {
                let text =
                    format!("a newer run of the same pull request is at work: {newer}; this run gives way to it");
                events.say(Event::Warned { text });
                return Ok(Some(Ended::Stopped { by_another_run: true }));
            }
        }
    }
}

/// Works while the lease is renewed, where there is one.
pub async fn during<T>(held: Option<Held>, work: impl Future<Output = T>) -> T {
    let work = Box::pin(work);
    match held {
        Some(held) => held.during(work).await,
        None => work.await,
    }
}

/// The same, with the lease.
async fn again(
    deed: &impl Deed,
    cx: &Cx,
    who: &Who,
    how: &How,
    held: Held,
    agree: impl AsyncFn(&Plan) -> bool,
    events: &Events,
) -> Result<Option<Ended>> {
    let Some((survey, plan)) = deed.look(false).await? else { return Ok(None) };
    planned(&survey, &plan, if who.deletes { "down" } else { "up" }, cx, events);
    if let Some(ended) = judge(&plan, &agree).await {
        return Ok(Some(ended));
    }
    let taken = Taken { held: Some(held), made: None };
    let summary = deed.act(who, how, &survey, &plan, taken).await?;
    Ok(Some(Ended::Done(plan, summary)))
}

async fn judge(plan: &Plan, agree: &impl AsyncFn(&Plan) -> bool) -> Option<Ended> {
    match plan.refusals.is_empty() {
        false => Some(Ended::Refused(plan.clone())),
        true if agree(plan).await => None,
        true => Some(Ended::Disagreed),
    }
}
