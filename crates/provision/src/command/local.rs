//! `local serve`: the engine in the foreground, on a port that any AWS client can speak to.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use local_cloud::{Delays, Engine, Settings};
use tokio::net::TcpListener;

use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::serving::{self, Serving};
use crate::session;

#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Run the engine here until interrupted; `--local` uses it from then on
    Serve(ServeArgs),
    /// Forget everything that the local engine holds
    Reset,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port on the loopback address; 0 picks a free one
    #[arg(long, default_value_t = 4566)]
    pub port: u16,
    /// Twelve digits: the account that exists
    #[arg(long, default_value = "000000000000", value_parser = account)]
    pub account: String,
    /// World seconds per second of the clock on the wall
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub speed: u32,
    /// How long states that are not instant on AWS last here: none, fast or aws
    #[arg(long, default_value = "fast", value_parser = delays)]
    pub delays: Delays,
    /// Where everything is kept; without it .provision/local of this repository
    #[arg(long, value_name = "FOLDER", conflicts_with = "memory")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing: other commands then reach it by --endpoint only
    #[arg(long)]
    pub memory: bool,
}

fn account(text: &str) -> Result<String, String> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err("an account has twelve digits".into()) }
}

fn delays(word: &str) -> Result<Delays, String> {
    Delays::parse(word).ok_or_else(|| "none, fast or aws".into())
}

pub async fn run(command: LocalCommand, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    match command {
        LocalCommand::Serve(args) => serve(args, events, interrupt).await,
        LocalCommand::Reset => reset(events),
    }
}

async fn serve(args: ServeArgs, events: &Events, mut interrupt: Interrupt) -> Result<Exit, Stop> {
    let data_dir = match (args.memory, args.data_dir) {
        (true, _) => None,
        (false, Some(folder)) => Some(folder),
        (false, None) => Some(session::data_dir(&session::work_dir(&session::current_dir()?))),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(|e| {
        Error::new(format!("listening on port {} of 127.0.0.1", args.port), e)
            .hint("pass --port 0 to have a free one picked")
    })?;
    let address = listener.local_addr().map_err(|e| Error::new("asking for the port", e))?;
    let settings =
        Settings { account: args.account.clone(), delays: args.delays, speed: args.speed, data_dir: data_dir.clone() };
    let engine = Engine::start(settings).await.map_err(|e| Error::new("starting the local engine", e))?;
    let url = format!("http://{address}");
    if let Some(folder) = &data_dir {
        let serving = Serving { url: url.clone(), address, account: args.account };
        let doing = || format!("writing into {}", folder.display());
        serving::announce(folder, &serving).map_err(|e| Error::new(doing(), e))?;
    }
    events.say(Event::Said { text: format!("listening on {url}") });
    let served = engine.serve(listener, async move { interrupt.wait().await }).await;
    if let Some(folder) = &data_dir {
        serving::forget(folder);
    }
    engine.close().await;
    served.map_err(|e| Error::new(format!("serving {url}"), e))?;
    Ok(Exit::Done)
}

fn reset(events: &Events) -> Result<Exit, Stop> {
    let folder = session::data_dir(&session::work_dir(&session::current_dir()?));
    if let Some(serving) = serving::running(&folder) {
        return Err(Error::msg(format!("the engine at {} is using this data", serving.url))
            .hint("stop it first")
            .into());
    }
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(format!("removing {}", folder.display()), error).into())
        }
        _ => {
            events.say(Event::Said { text: format!("{} is empty now", folder.display()) });
            Ok(Exit::Done)
        }
    }
}
