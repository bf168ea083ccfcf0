//! `list` and `gc`: the environments of an account and region, and the end of those whose time is over.

use std::sync::Arc;

use crate::claims::Seen;
use crate::cli::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::command::down::PurgeArgs;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::Names;
use crate::record::environments::{self, Environment};
use crate::report;
use crate::run;
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Remove without asking
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub data: PurgeArgs,
    /// At most so many steps at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallelism: u16,
}

pub async fn list(args: ListArgs, events: &Events) -> Result<Exit, Stop> {
    let session = session::open_named("", &args.target, Options::default(), events).await?;
    session.cx.calls.refuse_changes();
    let listed = environments::all(&session.cx).await;
    if let Ok(all) = &listed {
        tell(all, session.cx.calls.now(), events);
        if all.is_empty() {
            events.say(Event::Said { text: "no environments".into() });
        }
    }
    session.close(events).await;
    listed?;
    Ok(Exit::Done)
}

pub async fn gc(args: GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let owner = super::whoever_runs_this();
    let options = Options { purge_data: args.data.purge_data, owner, ..Options::default() };
    let session = session::open_named("", &args.target, options, events).await?;
    let exit = collect(&session, &args, events, interrupt).await;
    session.close(events).await;
    exit
}

async fn collect(session: &Session, args: &GcArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let now = session.cx.calls.now();
    let mut expired = environments::all(&session.cx).await?;
    expired.retain(|environment| environment.expired(now));
    tell(&expired, now, events);
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
        let cx = Cx { names, claims: Seen::default(), ..session.cx.clone() };
        session::announce(&cx, &session.place, events);
        match remove(&cx, args, events, &interrupt).await {
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

async fn remove(cx: &Cx, args: &GcArgs, events: &Events, interrupt: &Interrupt) -> Result<Exit, Vec<Error>> {
    let Some((survey, plan)) = run::decide_gc(cx, events).await? else { return Ok(Exit::Done) };
    if !plan.refusals.is_empty() {
        return Ok(Exit::Failed);
    }
    let stop = interrupt.stop.clone();
    let summary = run::apply_down(cx, &survey, &plan, args.parallelism.into(), stop, events).await?;
    Ok(super::down::outcome(&plan, &summary, args.data.purge_data, interrupt))
}

fn tell(environments: &[Environment], now: i64, events: &Events) {
    for environment in environments {
        let expired = environment.expired(now);
        events.say(Event::Environment { environment: environment.clone(), expired });
    }
}
