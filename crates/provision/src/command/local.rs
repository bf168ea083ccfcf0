//! `local`: the emulator as a server, its data, and its tables.

use clap::Subcommand;

use self::serve::ServeArgs;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::serving;
use crate::session;

pub mod serve;
mod tables;

#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Run the emulator until interrupted; `--local` uses it meanwhile
    #[command(after_help = serve::CONTROL)]
    Serve(Box<ServeArgs>),
    /// Delete everything in the emulator
    Reset,
    /// Print the tables of AWS behavior as JSON: transient errors, simulated anomalies, rates and delays
    Tables,
}

pub async fn run(command: LocalCommand, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    match command {
        LocalCommand::Serve(args) => serve::run(*args, events, interrupt).await,
        LocalCommand::Reset => reset(events).await,
        LocalCommand::Tables => {
            events.say(Event::Tables { tables: tables::tables() });
            Ok(Exit::Done)
        }
    }
}

async fn reset(events: &Events) -> Result<Exit, Stop> {
    let folder = session::data_dir(&session::work_dir(&session::current_dir()?));
    if let Some(serving) = serving::running(&folder).await {
        return Err(Error::msg(format!("the emulator at {} is using this data", serving.url))
            .hint("stop it first")
            .into());
    }
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(format!("removing {}", folder.display()), error).into())
        }
        _ => {
            events.say(Event::Said { text: format!("deleted all data in {}", folder.display()) });
            Ok(Exit::Done)
        }
    }
}
