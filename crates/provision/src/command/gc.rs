//! `gc`: the end of the environments whose time is over.

use std::sync::Arc;

use super::down::PurgeArgs;
use super::list::tell;
use crate::cli::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::Names;
use crate::record::environments::{self, Environment};
use crate::report;
use crate::run;
use crate::scan::Scanned;
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Also delete their resources that are in no record, found by searching all resources by their tags
    #[arg(long)]
    pub scan: bool,
    /// Delete without confirmation
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub data: PurgeArgs,
    /// Maximum number of steps at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

pub async fn gc(args: GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let owner = super::whoever_runs_this();
    let options = Options { purge_data: args.data.purge_data, scan: args.scan, owner, ..Options::default() };
    let session = session::open_named("", &args.target, options, events).await?;
    let exit = collect(&session, &args, events, interrupt).await;
    session.close(events).await;
    exit
}

async fn collect(session: &Session, args: &GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let scanned = run::scan(&session.cx, events).await?;
    let listed = environments::all(&session.cx).await?;
    let now = session.cx.calls.now();
    let all = environments::with_unrecorded(&session.cx, listed, scanned.as_ref()).await?;
    let (expired, others): (Vec<Environment>, Vec<Environment>) =
        all.into_iter().partition(|environment| environment.expired(now));
    tell(&expired, now, events);
    for lost in others.iter().filter(|environment| !environment.recorded) {
        let text = format!("{lost} has no record, so that nobody knows until when it is wanted: left alone");
        events.say(Event::Warned { text });
    }
    if expired.is_empty() {
        events.say(Event::Said { text: "nothing has expired".into() });
        return Ok(Exit::Done);
    }
    if !args.yes && !super::up::consents("Remove these?", events) {
        return Ok(Exit::Consent);
    }
    let mut worst = Exit::Done;
    for environment in expired {
        if *interrupt.stop.borrow() {
            break;
        }
        let Environment { stack, env, .. } = environment;
        let names = Arc::new(Names { stack, env, ..(*session.cx.names).clone() });
        let cx = Cx { names, ..session.cx.clone() };
        session::announce(&cx, &session.place, events);
        match remove(&cx, scanned.as_ref(), args, events, &interrupt).await {
            Ok(Exit::Done) => {}
            Ok(other) => worst = other,
            // One that cannot be removed keeps no other from being removed.
            Err(errors) => {
                for error in errors {
                    let hint = error.what_next().map(str::to_owned);
                    report::error(&error.to_string(), hint.as_deref());
                    events.say(Event::Error { message: error.to_string(), hint });
                }
                worst = Exit::Failed;
            }
        }
    }
    Ok(worst)
}

async fn remove(
    cx: &Cx,
    scanned: Option<&Scanned>,
    args: &GcArgs,
    events: &Events,
    interrupt: &Interrupt,
) -> Result<Exit, Vec<Error>> {
    let Some((survey, plan)) = run::decide_gc(cx, scanned, events).await? else { return Ok(Exit::Done) };
    if !plan.refusals.is_empty() {
        return Ok(Exit::Failed);
    }
    let stop = interrupt.stop.clone();
    let summary = run::apply_down(cx, &survey, &plan, args.parallelism.into(), stop, events).await?;
    Ok(super::down::outcome(&plan, &summary, args.data.purge_data, interrupt))
}
