//! `list`: the environments of an account and region.

use super::select::SelectArgs;
use crate::args::CloudArgs;
use crate::cloud::Options;
use crate::error::Result;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::record::environments::{self, Environment};
use crate::run;
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only environments of this owner
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only environments that have expired
    #[arg(long)]
    pub expired: bool,
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Also list resources that are in no record, found by searching all resources by their tags
    #[arg(long)]
    pub scan: bool,
}

pub async fn list(mut args: ListArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let options = Options { scan: args.scan, ..Options::default() };
    args.select = args.select.resolved()?;
    let opening = session::open_named("", None, &args.cloud, options, events);
    let session = interrupt.unless(opening).await.map_err(Stop::Said)??;
    session.cx.calls.refuse_changes();
    let exit = interrupt.or(async { look(&session, &args, events).await.map(|()| Exit::Done) }).await;
    session.close(events).await;
    Ok(exit?)
}

async fn look(session: &Session, args: &ListArgs, events: &Events) -> Result<()> {
    let cx = &session.cx;
    let scanned = run::scan(cx, events).await?;
    let listed = environments::all(cx).await?;
    let all = environments::with_unrecorded(cx, listed, scanned.as_ref()).await?;
    let now = cx.calls.now();
    let all: Vec<Environment> = all.into_iter().filter(|environment| shown(environment, args, now)).collect();
    tell(&all, now, events);
    if all.is_empty() {
        events.say(Event::Said { text: "no environments".into() });
    }
    Ok(())
}

fn shown(environment: &Environment, args: &ListArgs, now: i64) -> bool {
    let owned = args.owner.as_ref().is_none_or(|owner| environment.owner.as_ref() == Some(owner));
    owned && args.select.takes(environment) && (!args.expired || environment.expired(now))
}

pub(super) fn tell(environments: &[Environment], now: i64, events: &Events) {
    for environment in environments {
        let expired = environment.expired(now);
        events.say(Event::Environment { environment: environment.clone(), expired });
    }
}
