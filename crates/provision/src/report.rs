//! The only part that prints. Two readers of the same events: people, and programs.

pub mod github;
pub mod human;
pub mod json;
pub mod plan;
pub mod transform;

use std::io::{IsTerminal, Write};

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::event::{Event, Events, Reporter};
use crate::secret::masked;

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Output {
    #[default]
    Human,
    /// One event a line.
    Json,
}

/// How much people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Results, warnings and errors.
    Quiet,
    Usual,
    Verbose,
}

/// Events for standard output, in the wanted form.
pub fn to_stdout(output: Output, detail: Detail) -> Events {
    match output {
        Output::Human => told(human::Human::new(anstream::stdout(), detail)),
        Output::Json => told(json::Json::new(std::io::stdout())),
    }
}

/// GitHub is told too, where it runs this.
fn told(reporter: impl Reporter + 'static) -> Events {
    match github::Github::here(reporter) {
        Ok(github) => Events::to(github),
        Err(reporter) => Events::to(reporter),
    }
}

/// Events for standard error, in the wanted form.
pub fn to_stderr(output: Output, detail: Detail) -> Events {
    match output {
        Output::Human => told(human::Human::new(anstream::stderr(), detail)),
        Output::Json => told(json::Json::new(std::io::stderr())),
    }
}

/// What other programs read: a text for standard output, or the members of an event.
pub struct Printed {
    pub text: String,
    pub event: Event,
}

impl Printed {
    /// A text that is for people, or in a format that is not ours.
    pub fn said(text: String) -> Printed {
        let event = Event::Said { text: anstream::adapter::strip_str(&text).to_string() };
        Printed { text, event }
    }
}

pub fn print(printed: Printed, output: Output, events: &Events) {
    match output {
        Output::Json => events.say(printed.event),
        // What a pipe's reader does not want to read need not be written.
        Output::Human => drop(anstream::stdout().write_all(masked(&printed.text).as_bytes())),
    }
}

/// Prints an error and its hint to standard error, in the form of all our errors.
pub fn error(message: &str, hint: Option<&str>) {
    let style = human::ERROR;
    anstream::eprintln!("{style}error{style:#}: {}", masked(message));
    if let Some(hint) = hint {
        anstream::eprintln!("  {style}hint{style:#}: {}", masked(hint), style = human::DIM);
    }
}

/// Says to standard error what must not stand in a text that other programs read.
pub fn aside(text: &str) {
    anstream::eprintln!("{style}warning{style:#}: {}", masked(text), style = human::CARE);
}

/// Warnings of the libraries below (the AWS SDK, the engine) go to standard error. S3's protocol library logs each error that
/// a client is answered with, and the SDK each place where it finds no credentials: the first is no news, the second is told as
/// an error with its cause.
pub fn warnings_to_stderr() {
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("s3s", LevelFilter::OFF)
        .with_target("aws_config", LevelFilter::OFF);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(|| Masking(std::io::stderr())).without_time().with_filter(targets);
    tracing_subscriber::registry().with(lines).init();
}

/// Writes without secrets. Each line of the log comes in one call.
struct Masking<W>(W);

impl<W: Write> Write for Masking<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(masked(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A panic is told without secrets too.
pub fn mask_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        anstream::eprintln!("{}", masked(&format!("{panic}")));
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            anstream::eprintln!("{backtrace}");
        }
    }));
}

/// Is somebody there to be asked?
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal; anything but `y` or `yes` is no.
pub fn ask(question: &str) -> bool {
    anstream::eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
