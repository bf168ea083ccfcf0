//! The only module that prints. It shows the same events as text for people, or as JSON for programs.

pub mod compared;
pub mod github;
mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod plan;
pub mod produced;
pub mod receipt;
pub mod replayed;
pub mod results;
mod running;
mod screen;
pub mod transform;
mod verified;
mod wrap;
mod writer;

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::Duration;

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
        Output::Human => ticking(writer::Human::new(
            std::io::stdout(),
            detail,
            screen(&std::io::stdout(), || width_of(std::io::stdout())),
        )),
        Output::Json => told(json::Json::new(std::io::stdout(), jiff::Timestamp::now)),
    }
}

/// Events for standard error, in the wanted form.
pub fn to_stderr(output: Output, detail: Detail) -> Events {
    match output {
        Output::Human => ticking(writer::Human::new(
            std::io::stderr(),
            detail,
            screen(&std::io::stderr(), || width_of(std::io::stderr())),
        )),
        Output::Json => told(json::Json::new(std::io::stderr(), jiff::Timestamp::now)),
    }
}

/// GitHub is told too, where it runs this.
fn told(reporter: impl Reporter + 'static) -> Events {
    match github::Github::here(reporter) {
        Ok(github) => Events::to(github),
        Err(reporter) => Events::to(reporter),
    }
}

/// How often the lines about running work are looked at.
const TICK: Duration = Duration::from_millis(250);

/// The same, with lines about running work that go on while nothing happens. A thread keeps the time: it ends with the process.
fn ticking(reporter: impl Reporter + 'static) -> Events {
    let events = told(reporter);
    let ticked = events.clone();
    let tick = move || {
        loop {
            std::thread::sleep(TICK);
            ticked.tick();
        }
    };
    // Without a thread left, nothing is told between events.
    let _ = std::thread::Builder::new().name("progress".into()).spawn(tick);
    events
}

/// `NO_COLOR` takes the colors away and leaves lines rewritable. A terminal that says it is dumb can do neither.
fn screen(stream: &impl anstream::stream::RawStream, width: fn() -> Option<usize>) -> writer::Screen {
    let live = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let colors = anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never;
    writer::Screen { width, live, colors }
}

/// A result for other programs: text for standard output, or an event.
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
        // A closed pipe is no error: its reader has read enough.
        Output::Human => drop(anstream::stdout().write_all(masked(&printed.text).as_bytes())),
    }
}

/// A text for standard output, which a terminal gets in lines that fit it.
pub fn fitted(text: &str) -> Cow<'_, str> {
    match width_of(std::io::stdout()) {
        Some(width) => wrap::wrapped(&text.replace('\t', "  "), width).into(),
        None => text.into(),
    }
}

/// The columns of the terminal that a stream goes to, up to what is still easy to read. `None`: it is no terminal, so that lines
/// are left whole for `grep` and for logs.
fn width_of(stream: impl AsFd) -> Option<usize> {
    let (columns, _) = terminal_size::terminal_size_of(stream)?;
    Some(usize::from(columns.0).clamp(40, 120))
}

/// Prints a line for people to standard error, masked and wrapped.
fn print_to_stderr(line: &str) {
    let line = masked(line);
    match width_of(std::io::stderr()) {
        Some(width) => anstream::eprintln!("{}", wrap::wrapped(&line, width)),
        None => anstream::eprintln!("{line}"),
    }
}

/// Prints an error and its hint to standard error. All errors look like this.
fn error(message: &str, hint: Option<&str>) {
    let style = human::ERROR;
    print_to_stderr(&format!("{style}error{style:#}: {message}"));
    if let Some(hint) = hint {
        print_to_stderr(&format!("  {style}hint{style:#}: {hint}", style = human::DIM));
    }
}

/// Prints a warning to standard error, for commands whose standard output is read by programs.
pub fn warning(text: &str) {
    print_to_stderr(&format!("{style}warning{style:#}: {text}", style = human::CARE));
}

/// Prints warnings of the libraries (the AWS SDK, the emulator) to standard error. Two libraries are left out: `s3s` logs each
/// error response that a client gets anyway, and `aws_config` logs each place without credentials, which we report as an error.
pub fn warnings_to_stderr() {
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("s3s", LevelFilter::OFF)
        .with_target("aws_config", LevelFilter::OFF);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(|| Masking(std::io::stderr())).without_time().with_filter(targets);
    tracing_subscriber::registry().with(lines).init();
}

/// A writer that masks secrets. It relies on getting each log line in one call.
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

/// Masks secrets in panic messages too.
pub fn mask_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        anstream::eprintln!("{}", masked(&format!("{panic}")));
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            anstream::eprintln!("{backtrace}");
        }
    }));
}

/// Whether there is a terminal to ask on.
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
