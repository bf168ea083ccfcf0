//! `local serve`: the emulator as a server, until a signal comes.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use local_cloud::{Consistency, Delays, Engine, LATEST, MAX_SPEED, Rule, Secret, Settings};
use tokio::net::TcpListener;

use crate::error::Error;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::serving::{self, Serving};
use crate::session;
use crate::workdir;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port on the loopback address; 0 selects a free one
    #[arg(long, default_value_t = 4566)]
    pub port: u16,
    /// AWS account ID, twelve digits
    #[arg(long, default_value = "000000000000", value_parser = account)]
    pub account: String,
    /// Simulated seconds per real second
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SPEED)))]
    pub speed: u32,
    /// Simulated time at the start, for example 2026-01-01T00:00:00Z; it never goes back
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub clock: Option<u64>,
    /// Stop the simulated clock until it is moved
    #[arg(long)]
    pub paused: bool,
    /// Evaluate policies for callers too: sessions from AssumeRole may do what their role allows; other credentials are root's
    #[arg(long)]
    pub enforce_iam: bool,
    /// Make calls fail, for example 'kinesis:*=throttle,rate=0.2' (may be given several times; see below)
    #[arg(long = "fault", value_name = "RULE")]
    pub faults: Vec<Rule>,
    /// Duration of states such as CREATING: none, fast or aws
    #[arg(long, default_value = "fast", value_parser = delays)]
    pub delays: Delays,
    /// Answer as late and as contradictorily as AWS for a while after a change: aws, or anomalies by name (may be given several
    /// times; see below)
    #[arg(long, value_name = "ROWS")]
    pub consistency: Vec<Consistency>,
    /// Let through no more than on AWS: a shard takes 1 MiB and 1,000 records a second, gives 2 MiB in 5 calls; a delivery stream
    /// takes 5 MiB directly (1 MiB outside us-east-1, us-west-2, eu-west-1); control operations are called at their documented rates
    #[arg(long)]
    pub limits: bool,
    /// Check that calls are signed with this key and secret; without it any signature is accepted
    #[arg(long, value_name = "KEY:SECRET", value_parser = secret)]
    pub require_signature: Option<Secret>,
    /// Data folder [default: .provision/local of this repository]
    #[arg(long, value_name = "FOLDER", conflicts_with = "memory")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing: other commands then reach it by --endpoint only
    #[arg(long)]
    pub memory: bool,
    /// Open the emulator's page in the browser
    #[arg(long)]
    pub open: bool,
}

pub const CONTROL: &str = "\
Fault rules are OPERATION=KIND[,rate=R][,count=N][,seed=S].
  OPERATION  service:Operation, with * for any text: kinesis:Put*, iam:CreateRole, *
             firehose>s3:PutObject, firehose>lambda:Invoke: Firehose's own calls, which only these rules are for
  KIND       throttle, 500, 503, AccessDenied: refused, nothing happens
             lost-reply: it happens, and the connection ends without an answer
             latency:200ms: the call is held up
             slow:5s: what it makes or changes settles that much later
  rate       the share of the calls, 1 unless told; count: how often at most; seed: another dice

Consistency is ROW[=TIME][,ROW[=TIME]...][,rate=R][,seed=S].
  ROW        aws (every anomaly there is) or the name of one; a name that is not known is told those that are
  TIME       how long it lasts, 5s or 200ms; without it as the row says, with jitter by seed
  rate       the share of the changes that bring one about, 1 unless told

Page that shows the pipeline and steers the emulator: http://127.0.0.1:PORT/_local/

Control API, on the same port (no other web page may call it):
  GET  /_local/health                       is it there, its account, time and settings; what was damaged in the data
                                            folder, and why nothing can be written
  GET  /_local/clock                        POST /_local/advance?ms=N  /speed?factor=N  /pause  /resume
  GET  /_local/faults                       POST /_local/faults?rule=RULE, DELETE /_local/faults, DELETE /_local/faults?rule=RULE
  GET  /_local/consistency                  POST /_local/consistency?rows=ROWS, DELETE /_local/consistency
  POST /_local/flush?region=R&stream=NAME   deliver what delivery streams hold (all, without stream)
  GET  /_local/backlog?region=R&stream=NAME what a delivery stream has yet to deliver, and what it gave up
  GET  /_local/dump                         what exists
  GET  /_local/held                         by operation: how often the engine's lock was held, how long at most (us),
                                            how often for more than 0.2 ms
  GET  /_local/watch?frames=N               what exists and what it is doing, as server-sent events
  POST /_local/reset                        forget everything";

/// Milliseconds since the epoch.
fn time(text: &str) -> Result<u64, String> {
    let time: jiff::Timestamp = text.parse().map_err(|_| "write a time such as 2026-01-01T00:00:00Z".to_owned())?;
    let time = u64::try_from(time.as_millisecond()).map_err(|_| "the time must not be before 1970".to_owned())?;
    if time <= LATEST { Ok(time) } else { Err("the time must be before the year 9000".into()) }
}

fn account(text: &str) -> Result<String, String> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err("an account ID has twelve digits".into()) }
}

fn secret(text: &str) -> Result<Secret, String> {
    Secret::parse(text).ok_or_else(|| "KEY:SECRET".into())
}

fn delays(word: &str) -> Result<Delays, String> {
    Delays::parse(word).ok_or_else(|| "none, fast or aws".into())
}

pub async fn run(args: ServeArgs, events: &Events, mut interrupt: Interrupt) -> Result<Exit, Stop> {
    let data_dir = folder(&args)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(|e| {
        Error::new(format!("listening on port {} of 127.0.0.1", args.port), e)
            .hint("pass --port 0 to use any free port")
    })?;
    let address = listener.local_addr().map_err(|e| Error::new("reading the port number", e))?;
    let settings = settings(&args, data_dir.clone());
    let engine = Engine::start(settings).await.map_err(|e| Error::new("starting the emulator", e))?;
    session::warn_of_damage(&engine, events);
    let url = format!("http://{address}");
    if let Some(folder) = &data_dir {
        let serving = Serving { url: url.clone(), address, account: args.account };
        let doing = || format!("writing to {}", folder.display());
        serving::announce(folder, &serving).map_err(|e| Error::new(doing(), e))?;
    }
    events.say(Event::Said { text: format!("listening on {url}") });
    events.say(Event::Said { text: connecting(&url, args.require_signature.is_some()) });
    if args.open
        && let Err(error) = open(&page(&url))
    {
        events.say(Event::Warned { text: format!("opening the page in a browser: {error}") });
    }
    let served = engine.serve(listener, async move { interrupt.wait().await }).await;
    if let Some(folder) = &data_dir {
        serving::forget(folder);
    }
    engine.close().await;
    served.map_err(|e| Error::new(format!("serving {url}"), e))?;
    Ok(Exit::Done)
}

fn page(url: &str) -> String {
    format!("{url}/_local/")
}

/// The variables that another terminal needs to use it. Any credentials will do, unless signatures are checked.
fn connecting(url: &str, checks_signatures: bool) -> String {
    let page = page(url);
    let credentials = if checks_signatures { "" } else { " AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test" };
    format!("page: {page}\nexport AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1{credentials}")
}

/// Opens an address as the desktop does. The opener's own output would mix with ours.
fn open(url: &str) -> std::io::Result<()> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(opener);
    let silent = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = silent.spawn().map_err(|e| std::io::Error::new(e.kind(), format!("{opener}: {e}")))?;
    // It ends soon, and is waited for so that it does not stay as a zombie.
    std::thread::spawn(move || child.wait());
    Ok(())
}

fn settings(args: &ServeArgs, data_dir: Option<PathBuf>) -> Settings {
    Settings {
        account: args.account.clone(),
        delays: args.delays,
        speed: args.speed,
        paused: args.paused,
        time: args.clock,
        enforce_iam: args.enforce_iam,
        faults: args.faults.clone(),
        consistency: args.consistency.iter().cloned().fold(Consistency::default(), Consistency::and),
        limits: args.limits,
        signature: args.require_signature.clone(),
        data_dir,
    }
}

/// The emulator's data folder. `None`: it keeps its data in memory.
fn folder(args: &ServeArgs) -> Result<Option<PathBuf>, Error> {
    match (args.memory, &args.data_dir) {
        (true, _) => Ok(None),
        (false, Some(folder)) => {
            Ok(Some(std::path::absolute(folder).map_err(|e| Error::new(format!("finding {}", folder.display()), e))?))
        }
        (false, None) => {
            let work_dir = session::work_dir(&session::current_dir()?);
            workdir::make(&work_dir).map_err(|e| Error::new(format!("making {}", work_dir.display()), e))?;
            Ok(Some(session::data_dir(&work_dir)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Served {
        #[command(flatten)]
        args: ServeArgs,
    }

    #[test]
    fn each_flag_of_the_engine_changes_its_settings() {
        let told = |words: &[&str]| {
            let args = <Served as clap::Parser>::parse_from([&["serve"], words].concat()).args;
            let folder = folder(&args).expect("a folder");
            format!("{} {:?}", args.port, settings(&args, folder))
        };
        for words in [
            &["--port", "0"][..],
            &["--account", "111122223333"],
            &["--speed", "2"],
            &["--clock", "2026-01-01T00:00:00Z"],
            &["--paused"],
            &["--enforce-iam"],
            &["--fault", "kinesis:*=throttle"],
            &["--delays", "aws"],
            &["--consistency", "aws"],
            &["--limits"],
            &["--require-signature", "key:secret"],
            &["--data-dir", "elsewhere"],
            &["--memory"],
        ] {
            assert_ne!(told(words), told(&[]), "{words:?}");
        }
    }
}
