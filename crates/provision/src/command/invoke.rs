//! `invoke`: runs a function's code on records on this machine, and shows how Firehose would treat the response.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_facts::lambda::MAX_EVENT_BYTES;
use bytes::Bytes;
use local_cloud::Settings;

use crate::args::{TargetArgs, Variables};
use crate::artifact::interpreter;
use crate::cloud::{self, Cx, Options};
use crate::command::verify::now;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::follow::stream::{self, Read, Span};
use crate::interrupt::Interrupt;
use crate::names::Names;
use crate::session::{self, Session};
use crate::source::input::{self, Format};
use crate::spec::stack::{Entry, Stack};
use crate::surroundings::Surroundings;
use crate::transform::call::{self, Callee};
use crate::transform::event::{self, Data, Oddities, Record};
use crate::transform::invoked;
use crate::transform::subject::{self, Subject, Which};

/// The default records: an object of numbers, an object of mixed values, and text that is not JSON.
const SAMPLES: [&[u8]; 3] = [
    b"{\"a\": 1, \"b\": 2, \"c\": 3}",
    "{\"id\": \"e-1\", \"name\": \"Zoë\", \"at\": \"2026-01-31\", \"price\": 9.5}".as_bytes(),
    b"hello, world",
];

#[derive(Debug, clap::Args)]
pub struct InvokeArgs {
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub given: GivenArgs,
    #[command(flatten)]
    pub target: TargetArgs,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct GivenArgs {
    /// Ask with this event, as Firehose sends them; - is standard input
    #[arg(long, value_name = "FILE")]
    pub event: Option<PathBuf>,
    /// Ask with these records: one a line, or a .json file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Ask with the newest ten records (of an hour at most) of the stream that feeds the function
    #[arg(long)]
    pub from_stream: bool,
}

const NEWEST: usize = 10;
const LOOK_BACK_S: i64 = 3_600;

pub async fn run(args: InvokeArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    interrupt.or(invoke(&args, events)).await
}

async fn invoke(args: &InvokeArgs, events: &Events) -> Result<Exit, Stop> {
    let (spec, wanted) = args.which.spec_and_function();
    if args.given.from_stream {
        let mut session = session::open(spec, &args.target, Options::default(), events).await?;
        session.recognise().await;
        session.announce(events);
        let exit = from_stream(&session, wanted, events).await;
        session.close(events).await;
        return Ok(exit?);
    }
    args.target.cloud.refuse_a_cloud("a function runs on this machine, and only --from-stream asks a cloud")?;
    let (stack, cx) = offline(spec, &args.target.variables, args.target.cloud.region.as_deref(), events)?;
    let subject = subject::find(&stack, wanted, &cx.names)?;
    let (records, event) = given(&args.given, &subject)?;
    Ok(show(&subject, &cx, &records, event, None, events).await?)
}

async fn from_stream(session: &Session, wanted: Option<&str>, events: &Events) -> Result<Exit> {
    let stack = session.stack.as_ref().expect("a session that was opened with a spec has its stack");
    let subject = subject::find(stack, wanted, &session.cx.names)?;
    let records = newest_of(session, &subject, NEWEST).await?;
    let event = event::event(&subject.source, &records, Oddities::default());
    // The function reaches the endpoint that it calls in the pipeline.
    let surroundings = Surroundings::open(session).await?;
    let environment = surroundings.of(&subject.function.desired, events).await;
    show(&subject, &session.cx, &records, event, Some(environment), events).await
}

/// The newest records, at most so many, of the stream that feeds a function.
///
/// # Errors
/// None does, or it received none in the last hour.
pub(super) async fn newest_of(session: &Session, subject: &Subject<'_>, most: usize) -> Result<Vec<Record>> {
    let Some(stream) = &subject.stream else {
        let why = format!("no delivery in the spec sends records of a stream to function {}", subject.logical);
        return Err(Error::msg(why).hint("pass --records FILE"));
    };
    let since = now(session).await? - LOOK_BACK_S;
    let records = newest(&session.cx, stream, since, most).await?;
    match records.is_empty() {
        true => Err(Error::msg(format!("stream {stream} received no record in the last hour"))
            .hint("put some, or pass --records FILE")),
        false => Ok(records),
    }
}

/// The newest records that came since `since_s`, oldest first.
async fn newest(cx: &Cx, name: &str, since_s: i64, most: usize) -> Result<Vec<Record>> {
    let mut records: Vec<Read> = vec![];
    let mut take = |read: Vec<Read>| {
        records.extend(read);
        records.sort_by_key(|record| record.arrived_ms);
        records.drain(..records.len().saturating_sub(most));
        true
    };
    stream::read(cx, name, Span { since_s, follow: false }, &mut take).await?;
    let record = |read: Read| Record {
        id: format!("{}000000", read.sequence_number),
        data: Data::Bytes(read.data),
        arrival_ms: read.arrived_ms.unsigned_abs(),
        partition_key: read.partition_key,
        shard: read.shard,
        sequence_number: read.sequence_number,
    };
    Ok(records.into_iter().map(record).collect())
}

/// The spec, and a context that reaches no cloud.
pub fn offline(
    spec: Option<&Path>,
    variables: &Variables,
    region: Option<&str>,
    events: &Events,
) -> Result<(Stack, Cx), Stop> {
    let (stack, work_dir) = session::load(spec, variables, events)?;
    let region = cloud::chosen_region(region, stack.target.region.as_deref())?.unwrap_or("us-east-1").to_owned();
    let account = stack.target.account.clone().unwrap_or(Settings::default().account);
    let stack = stack.at(&account, &region)?;
    let names = Names {
        stack: stack.name.clone(),
        env: stack.env.clone(),
        account,
        region,
        tag_prefix: stack.tag_prefix.clone(),
        iam_path: stack.iam.path.clone(),
    };
    Ok((stack, call::offline(names, work_dir)))
}

/// Says so if functions of this runtime run here with another version of the interpreter.
pub async fn warn_of_version(runtime: &str, events: &Events) {
    if let Some(text) = interpreter::other_version(runtime).await {
        events.say(Event::Warned { text });
    }
}

/// The same for all functions of a stack, once for each runtime.
pub async fn warn_of_versions(stack: &Stack, events: &Events) {
    let managed = stack.functions.values().filter_map(Entry::managed);
    let runtimes: BTreeSet<&str> = managed.map(|function| function.desired.runtime.as_str()).collect();
    for runtime in runtimes {
        warn_of_version(runtime, events).await;
    }
}

fn given(args: &GivenArgs, subject: &Subject<'_>) -> Result<(Vec<Record>, Bytes)> {
    if let Some(path) = &args.event {
        let event = input::of(path, Format::Whole)?.pop().expect("a whole file is one record");
        let records = event::recorded(&event).map_err(|why| {
            Error::new(format!("reading event {}", path.display()), why)
                .hint("an event has `records`, each with `recordId` and `data`; for plain records use --records")
        })?;
        return Ok((records, event));
    }
    let given = match &args.records {
        Some(path) => input::of(path, Format::Auto)?,
        None => SAMPLES.map(Bytes::from_static).to_vec(),
    };
    let records: Vec<Record> =
        given.into_iter().enumerate().map(|(number, data)| Record::numbered(number, data)).collect();
    let event = event::event(&subject.source, &records, Oddities::default());
    Ok((records, event))
}

/// `environment` is that of the function, where a cloud is reached.
async fn show(
    subject: &Subject<'_>,
    cx: &Cx,
    records: &[Record],
    event: Bytes,
    environment: Option<BTreeMap<String, String>>,
    events: &Events,
) -> Result<Exit> {
    let bytes = event.len();
    if bytes > MAX_EVENT_BYTES {
        let why = format!("the event has {bytes} bytes; Lambda accepts at most {MAX_EVENT_BYTES}");
        return Err(Error::msg(why).hint("send fewer records"));
    }
    let telling = Cx { waiting: events.working(), ..cx.clone() };
    let mut image = call::prepare(subject.function, subject.logical, &telling).await?;
    warn_of_version(&image.runtime, events).await;
    image.environment = environment.unwrap_or(image.environment);
    let memory_mib = image.memory_mib;
    let callee = Callee::new(image);
    let task = format!("invoking {}", subject.logical);
    let called = events.while_lasts(&task, "it has not answered yet", callee.call(event)).await;
    callee.close().await;
    let result = invoked::invoked(subject.logical, memory_mib, records, bytes, called);
    let exit = if result.kept { Exit::Done } else { Exit::Failed };
    events.say(Event::Invoked { result: Box::new(result) });
    Ok(exit)
}
