//! `history`: lists the runs in the journal of an environment.

use std::path::PathBuf;

use crate::args::TargetArgs;
use crate::cloud::Options;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::record::journal;
use crate::session;

#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    #[arg(conflicts_with = "stack")]
    pub spec: Option<PathBuf>,
    /// The stack's name, where its spec is not at hand
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: HistoryArgs, events: &Events) -> Result<Exit, Stop> {
    let session =
        session::of(args.spec.as_deref(), args.stack.as_deref(), &args.target, Options::default(), events).await?;
    session.cx.calls.refuse_changes();
    session.announce(events);
    let runs = journal::read(&session.cx).await;
    if let Ok(runs) = &runs {
        runs.iter().for_each(|run| events.say(Event::Run { run: run.clone() }));
        if runs.is_empty() {
            events.say(Event::Said { text: "no history: nothing was done here, or `down` deleted everything".into() });
        }
    }
    session.close(events).await;
    runs?;
    Ok(Exit::Done)
}
