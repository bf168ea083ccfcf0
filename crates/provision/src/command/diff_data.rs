//! `diff-data`: runs two versions of a function over the same records, and shows which answers differ.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::invoke;
use crate::args::TargetArgs;
use crate::cloud::{Cx, Options};
use crate::command::cat;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::follow::delivered;
use crate::interrupt::Interrupt;
use crate::report::{self, Output, Printed, compared as told};
use crate::resource::function::{Code, Function};
use crate::session::{self, Session};
use crate::source::input::{self, Format};
use crate::spec::stack::{Managed, Stack};
use crate::surroundings::Surroundings;
use crate::transform::ask::{self, Answer, Caller};
use crate::transform::call::{self, Callee};
use crate::transform::compared::{self, Compared};
use crate::transform::subject::{self, Subject, Which};
use crate::verify::objects;

mod revision;

#[derive(Debug, clap::Args)]
pub struct DiffDataArgs {
    #[command(flatten)]
    pub which: Which,
    /// The version to compare with: a git revision of this repository, a .zip file, or `deployed`
    #[arg(long, value_name = "REV|ZIP|deployed")]
    pub against: String,
    #[command(flatten)]
    pub given: RecordsArgs,
    /// Compare at most this many records
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max: u32,
    /// Print the result as Markdown, for a comment on a pull request
    #[arg(long)]
    pub markdown: bool,
    /// Exit with code 2 if an answer differs
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub target: TargetArgs,
}

/// The records to compare with.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct RecordsArgs {
    /// These records: one a line, or a .json file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// The newest records (of an hour at most) of the stream that feeds the function
    #[arg(long)]
    pub from_stream: bool,
    /// The records in objects: a key or a prefix in the spec's bucket, or s3://BUCKET/KEY
    #[arg(long, value_name = "OBJECT")]
    pub from_prefix: Option<String>,
}

/// `--against deployed`
const DEPLOYED: &str = "deployed";

pub async fn run(args: DiffDataArgs, output: Output, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    interrupt
        .or(async {
            let result = diff(&args, events).await?;
            let differs = !result.changes.is_empty();
            let text = if args.markdown { told::markdown(&result) } else { told::compared(&result) };
            report::print(Printed { text, event: Event::Compared { result: Box::new(result) } }, output, events);
            Ok(if differs && args.detailed_exitcode { Exit::Changes } else { Exit::Done })
        })
        .await
}

async fn diff(args: &DiffDataArgs, events: &Events) -> Result<Compared, Stop> {
    let (spec, wanted) = args.which.spec_and_function();
    if args.against == DEPLOYED || args.given.records.is_none() {
        let mut session = session::open(spec, &args.target, Options::default(), events).await?;
        session.recognise().await;
        session.announce(events);
        let result = at_a_cloud(&session, args, wanted, events).await;
        session.close(events).await;
        return result;
    }
    args.target.cloud.refuse_a_cloud("both versions run on this machine, with records of a file")?;
    let (stack, cx) = invoke::offline(spec, &args.target.variables, args.target.cloud.region.as_deref(), events)?;
    let records = of_file(args)?;
    compare(&stack, &cx, None, args, wanted, records, events).await
}

async fn at_a_cloud(
    session: &Session,
    args: &DiffDataArgs,
    wanted: Option<&str>,
    events: &Events,
) -> Result<Compared, Stop> {
    let stack = session.stack.as_ref().expect("a session that was opened with a spec has its stack");
    let most = args.max as usize;
    let records = match &args.given {
        RecordsArgs { from_stream: true, .. } => {
            let subject = subject::find(stack, wanted, &session.cx.names)?;
            let newest = invoke::newest_of(session, &subject, most).await?;
            newest.iter().map(|record| Bytes::copy_from_slice(record.bytes())).collect()
        }
        RecordsArgs { from_prefix: Some(object), .. } => of_objects(session, object, most).await?,
        RecordsArgs { .. } => of_file(args)?,
    };
    let surroundings = Surroundings::open(session).await?;
    compare(stack, &session.cx, Some(&surroundings), args, wanted, records, events).await
}

fn of_file(args: &DiffDataArgs) -> Result<Vec<Bytes>> {
    let path = args.given.records.as_deref().unwrap_or(Path::new("-"));
    let mut records = input::of(path, Format::Auto)?;
    records.truncate(args.max as usize);
    Ok(records)
}

async fn of_objects(session: &Session, wanted: &str, most: usize) -> Result<Vec<Bytes>> {
    let (bucket, found) = cat::found(session, wanted).await?;
    let mut records = vec![];
    for (key, stored_s) in found {
        let object = objects::fetch(&session.cx, &bucket, &key, stored_s).await?;
        let errors = objects::errors(&object.bytes);
        records.extend(delivered::records(&object, errors).into_iter().map(|one| Bytes::from(one.data)));
        if records.len() >= most {
            break;
        }
    }
    records.truncate(most);
    Ok(records)
}

async fn compare(
    stack: &Stack,
    cx: &Cx,
    surroundings: Option<&Surroundings<'_>>,
    args: &DiffDataArgs,
    wanted: Option<&str>,
    records: Vec<Bytes>,
    events: &Events,
) -> Result<Compared, Stop> {
    if records.is_empty() {
        return Err(Error::msg("there are no records to compare the answers to").into());
    }
    let cx = &Cx { waiting: events.working(), ..cx.clone() };
    let subject = subject::find(stack, wanted, &cx.names)?;
    let here = Here { cx, surroundings, subject: &subject, records: &records, events };
    let old = match args.against.as_str() {
        DEPLOYED => {
            let function = ask::Function::Deployed { cx, name: &subject.function.physical, qualifier: None };
            Caller { function, source: &subject.source }.answers(&here.timed()).await?
        }
        zip if zip.ends_with(".zip") => {
            let mut function = subject.function.clone();
            function.desired.code = Code::Zip { path: zip.into() };
            here.answers(&function).await?
        }
        revision => {
            let before = revision::stack(revision, &stack.file, &args.target.variables, cx)?;
            let function = subject::find(&before, Some(subject.logical), &cx.names).map_err(|error| {
                Error::new(format!("finding function {} in revision {revision}", subject.logical), error)
            })?;
            here.answers(function.function).await?
        }
    };
    invoke::warn_of_version(&subject.function.desired.runtime, events).await;
    let new = here.answers(subject.function).await?;
    Ok(compared::compared(subject.logical, &args.against, &records, &old, &new))
}

/// Versions of one function that run on this machine.
struct Here<'a> {
    cx: &'a Cx,
    surroundings: Option<&'a Surroundings<'a>>,
    subject: &'a Subject<'a>,
    records: &'a [Bytes],
    events: &'a Events,
}

impl Here<'_> {
    async fn answers(&self, function: &Managed<Function>) -> Result<Vec<Answer>> {
        let mut image = call::prepare(function, self.subject.logical, self.cx).await?;
        if let Some(surroundings) = self.surroundings {
            image.environment = surroundings.of(&function.desired, self.events).await;
        }
        let callee = Callee::new(image);
        let asked = Caller { function: ask::Function::Here(&callee), source: &self.subject.source };
        let answers = asked.answers(&self.timed()).await;
        callee.close().await;
        answers
    }

    /// Both versions get the same times of arrival.
    fn timed(&self) -> Vec<(Bytes, i64)> {
        self.records.iter().map(|record| (record.clone(), ARRIVED_MS)).collect()
    }
}

/// Any will do.
const ARRIVED_MS: i64 = 1_700_000_000_000;
