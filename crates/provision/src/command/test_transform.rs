//! `test-transform`: tests whether a function satisfies Firehose's contract for any input.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::args::Variables;
use crate::cloud::Cx;
use crate::command::invoke::{offline, warn_of_version};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::interrupt::Interrupt;
use crate::report::results::Results;
use crate::source::input::{self, Format};
use crate::transform::call::{self, Callee};
use crate::transform::fault::Rule;
use crate::transform::hostile;
use crate::transform::subject::{self, Subject, Which};
use crate::transform::tested::{self, Break, Broken, Verdict};
use crate::workdir;

#[derive(Debug, clap::Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub which: Which,
    /// Records that the transform is made for, one a line or a .json file: good cases are made of them, and bad ones by spoiling them
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Random cases, besides those that are always tried
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub cases: usize,
    /// The same seed makes the same cases
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Also write the results to this file as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
    /// AWS region in what the function is told, where the spec names none
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// The time limit of the search for the smallest batch, for each breach.
const SHRINKING: Duration = Duration::from_secs(15);
/// The number of breaches for which the smallest batch is searched.
const LOOKED_INTO: usize = 3;
/// After so many time-outs no more cases are tried: each takes the function's whole time-out, and more of them say nothing new.
const TIME_OUTS: usize = 3;

pub async fn run(args: TestArgs, events: &Events, interrupt: Interrupt) -> Result<Exit, Stop> {
    let results = Results::into_file(args.junit.as_deref())?;
    let ended = interrupt.or(test(&args, &results.listen(events))).await;
    results.write("test-transform", &ended)?;
    ended
}

async fn test(args: &TestArgs, events: &Events) -> Result<Exit, Stop> {
    let (spec, wanted) = args.which.spec_and_function();
    let (stack, cx) = offline(spec, &args.variables, args.region.as_deref(), events)?;
    let subject = subject::find(&stack, wanted, &cx.names)?;
    let samples: Vec<Bytes> = match &args.records {
        Some(path) => input::of(path, Format::Auto)?,
        None => vec![],
    };
    let telling = Cx { waiting: events.working(), ..cx.clone() };
    let image = call::prepare(subject.function, subject.logical, &telling).await?;
    warn_of_version(&image.runtime, events).await;
    let callee = Callee::new(image);
    let verdict = cases(args, &subject, &callee, &samples, &stack.file, &cx, events).await;
    callee.close().await;
    let verdict = verdict?;
    let exit = if verdict.broken == 0 { Exit::Done } else { Exit::Failed };
    events.say(Event::Judged { result: verdict });
    Ok(exit)
}

async fn cases(
    args: &TestArgs,
    subject: &Subject<'_>,
    callee: &Callee,
    samples: &[Bytes],
    spec: &Path,
    cx: &Cx,
    events: &Events,
) -> Result<Verdict> {
    let began = Instant::now();
    let mut verdict = Verdict {
        function: subject.logical.to_owned(),
        seed: args.seed,
        cases: 0,
        records: 0,
        broken: 0,
        crashed: 0,
        warned: 0,
        not_tried: 0,
        took_ms: 0,
    };
    let mut breaks: Vec<Break> = vec![];
    let task = format!("testing {}", subject.logical);
    let mut time_outs = 0;
    let mut cases = hostile::cases(subject.into(), samples, args.seed, args.cases).into_iter();
    for case in cases.by_ref() {
        let name = case.name.clone();
        let ran = events.while_lasts(&task, &name, tested::run(callee, &subject.source, case));
        let (result, broken) = ran.await;
        verdict.cases += 1;
        verdict.records += result.records;
        verdict.broken += usize::from(!result.kept && !result.beyond);
        verdict.crashed += usize::from(result.only_crashed() && !result.beyond);
        verdict.warned += usize::from(!result.kept && result.beyond);
        time_outs +=
            usize::from(broken.as_ref().is_some_and(|broken| broken.fault.is_time_out() && !broken.case.beyond));
        let known = |new: &Break| breaks.iter().any(|old| old.fault.is_like(&new.fault));
        let new = broken.filter(|broken| !broken.case.beyond && !known(broken));
        breaks.extend(new);
        events.say(Event::Tested { result });
        if time_outs == TIME_OUTS {
            break;
        }
    }
    verdict.not_tried = cases.len();
    for (number, broken) in breaks.into_iter().take(LOOKED_INTO).enumerate() {
        // Neither depends on the batch, as far as one can tell.
        let anyway = broken.fault.kind == Rule::Unstable || (verdict.not_tried > 0 && broken.fault.is_time_out());
        let limit = if anyway { Duration::ZERO } else { SHRINKING };
        let text = format!("looking for the smallest batch that breaks it as `{}` does", broken.case.name);
        let found = events.while_lasts(&task, &text, tested::shrink(callee, &subject.source, broken, limit));
        let (result, event) = found.await;
        let path = cx.options.work_dir.join("broken").join(format!("{}-{}.json", subject.logical, number + 1));
        let result = kept(result, event, &path, spec, subject.logical)?;
        events.say(Event::Broken { result: Box::new(result) });
    }
    verdict.took_ms = began.elapsed().as_millis() as u64;
    Ok(verdict)
}

/// Writes the event to a file, so that it can be replayed.
fn kept(broken: Broken, event: Bytes, path: &Path, spec: &Path, function: &str) -> Result<Broken> {
    let folder = path.parent().unwrap_or(path);
    let kept = || {
        workdir::make(folder.parent().unwrap_or(folder))?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(path, event)
    };
    let written = kept();
    written.map_err(|e| Error::new(format!("writing {}", path.display()), e))?;
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(path).display().to_string();
    let replay = format!("provision invoke {} {function} --event {path}", spec.display());
    Ok(Broken { event: Some(path), replay: Some(replay), ..broken })
}
