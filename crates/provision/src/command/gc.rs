//! `gc`: deletes expired environments.

use std::sync::Arc;

use super::down::{PurgeArgs, ReceiptArgs, list_again};
use super::list::tell;
use super::select::{Picked, SelectArgs, pick};
use super::up::{LockArgs, consents, seconds};
use crate::args::CloudArgs;
use crate::cloud::{Cx, Options};
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::{Names, plural};
use crate::record::environments::{self, Environment};
use crate::resource::Scanned;
use crate::run::{self, Ended, What};
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Also delete environments that never expire and were created longer ago than this, for example 3d; needs --stack, --env or
    /// --env-prefix
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    pub older_than: Option<i64>,
    /// Delete at most so many environments, the oldest first
    #[arg(long, value_name = "N")]
    pub max: Option<usize>,
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Also delete their resources that are in no record, found by searching all resources by their tags
    #[arg(long)]
    pub scan: bool,
    /// Delete without confirmation
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub data: PurgeArgs,
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Maximum number of steps at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

pub async fn gc(mut args: GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let owner = super::whoever_runs_this();
    let job = super::job(owner.clone());
    let options = Options { purge_data: args.data.purge_data, scan: args.scan, owner, job, ..Options::default() };
    if args.older_than.is_some() && !args.select.narrows() {
        let text = "--older-than needs --stack, --env or --env-prefix: it deletes what nobody gave an expiry time";
        return Err(Stop::Usage(text.into()));
    }
    args.select = args.select.resolved()?;
    let session = session::open_named("", None, &args.cloud, options, events).await?;
    let exit = collect(&session, &args, events, interrupt).await;
    session.close(events).await;
    exit
}

async fn collect(session: &Session, args: &GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (events, receipt) = args.receipt.listening(events);
    let events = &events;
    let scanned = run::scan(&session.cx, events).await?;
    let listed = environments::all(&session.cx).await?;
    let now = session.cx.calls.now();
    let all = environments::with_unrecorded(&session.cx, listed, scanned.as_ref()).await?;
    let selected = all.into_iter().filter(|environment| args.select.takes(environment)).collect();
    let Picked { remove: over, left, unrecorded } = pick(selected, now, args.older_than, args.max);
    tell(&over, now, events);
    for lost in &unrecorded {
        let text = format!("{lost} has no record and so no expiry time; it is not deleted");
        events.say(Event::Warned { text });
    }
    if !left.is_empty() {
        let more = plural(left.len(), "more environment");
        let text = format!("{more} not deleted in this run, because of --max {}", over.len());
        events.say(Event::Warned { text });
    }
    if over.is_empty() {
        events.say(Event::Said { text: "no environment has expired".into() });
        return Ok(Exit::Done);
    }
    if !args.yes && !consents("Delete these resources?", events).await {
        return Ok(Exit::Consent);
    }
    let (mut worst, mut changed) = (Exit::Done, false);
    for environment in over {
        if *interrupt.stop.borrow() {
            worst = worse(worst, interrupt.exit().unwrap_or(Exit::Interrupted));
            break;
        }
        let Environment { stack, env, expires, .. } = environment;
        let names = Arc::new(Names { stack, env, ..(*session.cx.names).clone() });
        let cx = Cx { names, ..session.cx.clone() };
        session::announce(&cx, &session.place, events);
        let removed = async {
            let removed = remove(&cx, scanned.as_ref(), expires.is_none(), args, events, &interrupt).await?;
            list_again(&cx, receipt.as_ref()).await?;
            Ok::<_, Vec<Error>>(removed)
        };
        match removed.await {
            Ok((exit, has_changed)) => {
                worst = worse(worst, exit);
                changed |= has_changed;
            }
            // A failure to delete one environment does not stop the deletion of others.
            Err(errors) => {
                for error in errors {
                    events.say(Event::from(&error));
                }
                worst = worse(worst, Exit::Failed);
            }
        }
    }
    args.receipt.write(receipt.as_ref())?;
    Ok(if worst == Exit::Failed && changed { Exit::FailedHalfWay } else { worst })
}

/// The exit code of two environments together. Pure.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Kept => 1,
        Exit::Failed => 2,
        Exit::FailedHalfWay => 3,
        _ => 4,
    };
    std::cmp::max_by_key(other, one, rank)
}

/// Gives the exit code, and whether anything was changed.
async fn remove(
    cx: &Cx,
    scanned: Option<&Scanned>,
    never_expires: bool,
    args: &GcArgs,
    events: &Events,
    interrupt: &Interrupt,
) -> Result<(Exit, bool), Vec<Error>> {
    let how = run::How {
        at_once: args.parallelism.into(),
        lock_timeout: args.lock.lock_timeout,
        interrupt: interrupt.stop.clone(),
        ..run::How::new("gc")
    };
    let ended = run::down(cx, What::Expired { scanned, never_expires }, &how, async |_| true, events).await?;
    let changed = matches!(&ended, Some(Ended::Done(_, summary)) if summary.changed());
    Ok((super::down::exit(ended.as_ref(), args.data.purge_data, interrupt), changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_result_is_told_whatever_comes_after_it() {
        use Exit::*;
        for (results, worst) in [
            (&[Done, Kept, Done][..], Kept),
            (&[FailedHalfWay, Kept, Failed], FailedHalfWay),
            (&[Failed, Kept], Failed),
            (&[FailedHalfWay, Interrupted], Interrupted),
        ] {
            assert_eq!(results.iter().copied().fold(Done, worse), worst, "{results:?}");
        }
    }
}
