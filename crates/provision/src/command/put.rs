//! `put`: puts records into a stream, or into a delivery stream that no stream feeds.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::args::{TargetArgs, refuse_useless};
use crate::cloud::Options;
use crate::command::chosen;
use crate::command::verify::now;
use crate::error::{Error, Result};
use crate::event::{Event, Events, Put};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::names::plural;
use crate::producer::queue;
use crate::producer::target::{Position, Target};
use crate::producer::{self, How, Produced, Watch};
use crate::resource::delivery_stream::DeliveryStream;
use crate::resource::stream::Stream;
use crate::session::{self, Session};
use crate::source::Records;
use crate::source::envelope::Envelope;
use crate::source::input::{self, Format};
use crate::source::key::{self, Keys};
use crate::source::samples::Samples;
use crate::spec::stack::{Entry, Stack};

#[derive(Debug, Default, clap::Args)]
pub struct PutArgs {
    /// The spec, then files of records; - is standard input. Without a spec provision.yaml, or the only file in stacks/. Without
    /// files the spec's `samples:`
    #[arg(value_name = "SPEC] [FILE")]
    pub words: Vec<PathBuf>,
    /// Put into this stream of the spec; not needed where there is only one
    #[arg(long, value_name = "STREAM", conflicts_with = "delivery")]
    pub stream: Option<String>,
    /// Put into this delivery stream of the spec, which no stream feeds
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Option<String>,
    /// The records in the files
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// A jq expression that gives the partition key of a record, such as .user.id [default: the record's number]
    #[arg(long, value_name = "EXPRESSION", conflicts_with_all = ["delivery", "envelope"])]
    pub key: Option<String>,
    /// Put records of one partition key one after another, so that they stay in order
    #[arg(long, conflicts_with = "delivery")]
    pub ordered: bool,
    /// Put at most this many records [default for templates in the spec: 1000]
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Put at most this many records a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Put ten records together, as CloudWatch Logs or the Kinesis Producer Library does
    #[arg(long, value_enum)]
    pub envelope: Option<Envelope>,
    /// Stop at the first record that cannot be put, instead of reporting it and going on
    #[arg(long)]
    pub fail_fast: bool,
    #[command(flatten)]
    pub target: TargetArgs,
}

/// The records that templates give where nobody says how many.
const DEFAULT_COUNT: u64 = 1_000;

pub async fn run(args: PutArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let (spec, files) = chosen::spec_and_words(&args.words);
    refuse_useless(&[("--format", args.format != Format::Auto && files.is_empty())], "no file is given")?;
    let mut session = session::open(spec.map(PathBuf::as_path), &args.target, Options::default(), events).await?;
    session.recognise().await;
    session.announce(events);
    let accepted = AtomicU64::new(0);
    let exit = interrupt.or(counted(&session, &args, files, events, &accepted)).await;
    if let Ok(Exit::Interrupted | Exit::Terminated) = exit {
        let accepted = plural(accepted.load(Ordering::Relaxed) as usize, "record");
        // A request that was sent may be accepted after its sender has gone.
        let text = format!(
            "put {accepted} before the signal; those in the last requests may have been put too, the rest was not"
        );
        events.say(Event::Warned { text });
    }
    session.close(events).await;
    Ok(exit?)
}

/// Puts the records and tells how many there were.
pub async fn put(session: &Session, args: &PutArgs, files: &[PathBuf], events: &Events) -> Result<Exit> {
    counted(session, args, files, events, &AtomicU64::new(0)).await
}

/// The same. `accepted` is the number of accepted records so far.
async fn counted(
    session: &Session,
    args: &PutArgs,
    files: &[PathBuf],
    events: &Events,
    accepted: &AtomicU64,
) -> Result<Exit> {
    let stack = chosen::stack(session);
    let (target, samples) = target(stack, args.stream.as_deref(), args.delivery.as_deref())?;
    let (records, told) = records(session, args, files, samples).await?;
    let key = args.key.as_deref().or(samples.filter(|_| files.is_empty()).and_then(|samples| samples.key.as_deref()));
    let keys = key.map(|text| key::query("--key", text)).transpose()?;
    let keys = keys.map_or(Keys::Given, |query| Keys::Query(Box::new(query)));
    events.say(Event::Said { text: format!("putting {told} into {target}") });
    let how = How { keys, ordered: args.ordered, rate: args.rate, fail_fast: args.fail_fast };
    let produced =
        producer::produce(&session.cx, &target, records, how, &mut Telling { events, target: &target, accepted }).await;
    let produced = produced.map_err(|error| match error.code() {
        Some("ResourceNotFoundException") => error.hint("run `provision up` first"),
        _ => error,
    })?;
    let exit = match (produced.failed, produced.records) {
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        (_, _) => Exit::FailedHalfWay,
    };
    events.say(Event::Put { result: Put { into: target.to_string(), produced } });
    Ok(exit)
}

/// The records, and words for them.
async fn records(
    session: &Session,
    args: &PutArgs,
    files: &[PathBuf],
    samples: Option<&Samples>,
) -> Result<(Records, String)> {
    let began_ms = now(session).await? * 1_000;
    let (records, envelope, told) = match (files, samples) {
        ([], None) => {
            return Err(Error::msg("there are no records to put")
                .hint("pass a file, - for standard input, or add `samples:` to the spec"));
        }
        ([], Some(samples)) => {
            let count = args.count.or(samples.is_endless().then_some(DEFAULT_COUNT));
            let told = count.map_or("the spec's samples".into(), |count| format!("{count} of the spec's samples"));
            let records = samples.records(fastrand::u64(..), began_ms)?;
            let records: Records = Box::new(records.take(count.map_or(usize::MAX, |count| count as usize)));
            (records, args.envelope.unwrap_or(samples.envelope), told)
        }
        (files, _) => {
            let records = input::open(files, args.format)?;
            let told = match files {
                [one] if one.as_os_str() == "-" => "records of standard input".into(),
                [one] => format!("records of {}", one.display()),
                several => format!("records of {}", plural(several.len(), "file")),
            };
            let records: Records = Box::new(records.take(args.count.map_or(usize::MAX, |count| count as usize)));
            (records, args.envelope.unwrap_or_default(), told)
        }
    };
    Ok((envelope.over(records, session.cx.names.account.clone(), began_ms), told))
}

/// The stream or delivery stream, by its key or its name, and its samples.
///
/// # Errors
/// There is none, or there are several and none is named.
fn target<'a>(stack: &'a Stack, stream: Option<&str>, delivery: Option<&str>) -> Result<(Target, Option<&'a Samples>)> {
    if let Some(wanted) = delivery {
        let (_, found) = chosen::named(&stack.deliveries, wanted)?;
        let desired = found.managed().map(|managed| &managed.desired);
        if let Some(fed) = desired.and_then(|desired| desired.source.as_ref()) {
            let why = format!("delivery {wanted} reads stream {}, and Firehose accepts no other records", fed.id);
            return Err(Error::msg(why).hint(format!("pass --stream {}", fed.logical)));
        }
        let name = chosen::name_of(found.physical()).to_owned();
        return Ok((Target::DeliveryStream { name }, desired.and_then(|desired| desired.samples.as_ref())));
    }
    if let Some(wanted) = stream {
        return Ok(of_stream(chosen::named(&stack.streams, wanted)?.1));
    }
    let direct = |entry: &Entry<DeliveryStream>| entry.managed().is_some_and(|one| one.desired.source.is_none());
    let mut direct = stack.deliveries.iter().filter(|(_, entry)| direct(entry));
    match (stack.streams.is_empty(), direct.next(), direct.next()) {
        (true, Some((key, _)), None) => target(stack, None, Some(key)),
        (true, Some(_), Some(_)) => {
            Err(Error::msg("the spec has several deliveries without a stream").hint("choose one with --delivery"))
        }
        (_, _, _) => Ok(of_stream(chosen::only(&stack.streams, "--stream")?.1)),
    }
}

fn of_stream(entry: &Entry<Stream>) -> (Target, Option<&Samples>) {
    (Target::of(entry), entry.managed().and_then(|managed| managed.desired.samples.as_ref()))
}

struct Telling<'a> {
    events: &'a Events,
    target: &'a Target,
    accepted: &'a AtomicU64,
}

impl Watch for Telling<'_> {
    fn accepted(&mut self, _: &queue::Entry, _: Option<&Position>) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    fn progress(&mut self, produced: &Produced) {
        let task = format!("putting into {}", self.target);
        self.events.say(Event::Progress {
            task,
            text: crate::report::produced::so_far(produced),
            elapsed_ms: produced.took_ms,
        });
    }
}
