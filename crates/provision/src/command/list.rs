//! `list`: the environments of an account and region.

use crate::cli::TargetArgs;
use crate::cloud::Options;
use crate::error::Result;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::record::environments::{self, Environment};
use crate::run;
use crate::session::{self, Session};

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Also list resources that are in no record, found by searching all resources by their tags
    #[arg(long)]
    pub scan: bool,
}

pub async fn list(args: ListArgs, events: &Events) -> Result<Exit, Stop> {
    let options = Options { scan: args.scan, ..Options::default() };
    let session = session::open_named("", &args.target, options, events).await?;
    session.cx.calls.refuse_changes();
    let listed = look(&session, events).await;
    session.close(events).await;
    listed?;
    Ok(Exit::Done)
}

async fn look(session: &Session, events: &Events) -> Result<()> {
    let cx = &session.cx;
    let scanned = run::scan(cx, events).await?;
    let listed = environments::all(cx).await?;
    let all = environments::with_unrecorded(cx, listed, scanned.as_ref()).await?;
    tell(&all, cx.calls.now(), events);
    if all.is_empty() {
        events.say(Event::Said { text: "no environments".into() });
    }
    Ok(())
}

pub(super) fn tell(environments: &[Environment], now: i64, events: &Events) {
    for environment in environments {
        let expired = environment.expired(now);
        events.say(Event::Environment { environment: environment.clone(), expired });
    }
}
