//! Delivers records that failed once more: reads the error records, runs the deployed function over the raw records again, and writes
//! the answers under the success prefix. Each error object has a manifest, so that no record comes twice.

pub mod manifest;
pub mod outputs;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use self::manifest::Pending;
use self::outputs::Output;
use self::store::Store;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::plural;
use crate::producer::target::Target;
use crate::producer::{self, How};
use crate::source::{Record, Records};
use crate::transform::ask::{Answer, Asked};
use crate::transform::invoked::Shown;
use crate::verify::fed::Tested;
use crate::verify::objects::{ErrorRecord, Objects};
use crate::verify::pipeline::Pipeline;

/// The examples that are told.
const EXAMPLES: usize = 3;

/// The records to replay.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of error objects that were stored since, in seconds of the bucket's time.
    pub since_s: i64,
    /// Firehose's error code, or its part before the dot.
    pub error_type: Option<String>,
    /// Nothing is written.
    pub dry_run: bool,
}

/// Where the records go.
pub enum Way<'a> {
    /// Through the function, if the delivery stream has one, and under its success prefix.
    Delivered { function: Option<Asked<'a>>, pipeline: &'a Pipeline },
    /// Into the stream again.
    Source(&'a Target),
}

/// What was replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Replayed {
    /// As the spec names it.
    pub delivery: String,
    pub dry_run: bool,
    /// The error records that were chosen and not replayed before, by their error code.
    pub errors: BTreeMap<String, u64>,
    /// The records that an earlier run has replayed.
    pub before: u64,
    pub delivered: u64,
    pub dropped: u64,
    /// The records that failed again.
    pub failed: u64,
    /// The objects that were written.
    pub objects: Vec<String>,
    /// Some records that failed again; in a dry run some of all.
    pub examples: Vec<Example>,
}

/// A record and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Example {
    pub record: Shown,
    /// Firehose's error code.
    pub code: String,
    /// Firehose's message.
    pub message: String,
    /// The answer of the function as it is deployed now.
    pub now: String,
}

/// Replays what is wanted of one delivery stream.
///
/// # Errors
/// Something cannot be read or written. What was replayed before that is noted.
pub async fn replay(cx: &Cx, of: &Tested<'_>, wanted: &Wanted, way: &Way<'_>) -> Result<Replayed> {
    let mut objects = Objects::of(of.delivery, of.name, wanted.since_s);
    let mut replayed = Replayed { delivery: of.logical.to_owned(), dry_run: wanted.dry_run, ..Replayed::default() };
    let mut listed = objects.new_ones(cx).await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    for listed in listed.iter().filter(|listed| listed.of_errors != Some(false)) {
        let (object, errors) = objects.read(cx, listed).await?;
        let Some(errors) = errors.filter(|errors| !errors.is_empty()) else { continue };
        let mut store = Store::open(cx, objects.bucket(), &object.key).await?;
        let chosen: Vec<(usize, &ErrorRecord)> =
            errors.iter().enumerate().filter(|(_, error)| is_wanted(wanted, error)).collect();
        let todo: Vec<(usize, &ErrorRecord)> =
            chosen.iter().copied().filter(|(number, _)| !store.manifest.finished.contains(number)).collect();
        replayed.before += (chosen.len() - todo.len()) as u64;
        for (_, error) in &todo {
            *replayed.errors.entry(error.code.clone()).or_default() += 1;
        }
        match way {
            _ if todo.is_empty() => {}
            Way::Delivered { function, pipeline } => {
                let answers = answers(function.as_ref(), wanted.dry_run, &todo, &replayed).await?;
                delivered(&mut store, of, pipeline, &todo, answers, &mut replayed).await?;
            }
            Way::Source(target) => into_source(cx, &mut store, target, &todo, &mut replayed).await?,
        }
    }
    Ok(replayed)
}

fn is_wanted(wanted: &Wanted, error: &ErrorRecord) -> bool {
    let family = error.code.split('.').next();
    wanted.error_type.as_deref().is_none_or(|kind| error.code == kind || family == Some(kind))
}

/// The function's answers; without one, the records as they are. A dry run asks for its examples only.
async fn answers(
    function: Option<&Asked<'_>>,
    dry_run: bool,
    todo: &[(usize, &ErrorRecord)],
    so_far: &Replayed,
) -> Result<Vec<Answer>> {
    let asked = match dry_run {
        true => &todo[..todo.len().min(EXAMPLES - so_far.examples.len())],
        false => todo,
    };
    match function {
        Some(function) => {
            let records: Vec<(Bytes, i64)> =
                asked.iter().map(|(_, error)| (Bytes::copy_from_slice(&error.raw), error.arrived_ms)).collect();
            function.answers(&records).await
        }
        None => Ok(asked.iter().map(|(_, error)| Answer::Delivered(error.raw.clone(), BTreeMap::new())).collect()),
    }
}

async fn delivered(
    store: &mut Store<'_>,
    of: &Tested<'_>,
    pipeline: &Pipeline,
    todo: &[(usize, &ErrorRecord)],
    answers: Vec<Answer>,
    replayed: &mut Replayed,
) -> Result<()> {
    let (mut outputs, mut finished) = (vec![], BTreeSet::new());
    let mut placing = pipeline.placing();
    for ((number, error), answer) in todo.iter().zip(answers) {
        let placed = match answer {
            Answer::Delivered(data, keys) => placing.keys(&data, &keys).map(|keys| Some((data, keys))),
            Answer::Dropped => Ok(None),
            Answer::Failed(why) => Err(why),
        };
        let now = match &placed {
            Ok(Some((data, _))) => format!("Ok: {}", String::from_utf8_lossy(data)),
            Ok(None) => "Dropped".to_owned(),
            Err(why) => why.clone(),
        };
        if (replayed.dry_run || placed.is_err()) && replayed.examples.len() < EXAMPLES {
            let (code, message) = (error.code.clone(), error.message.clone());
            replayed.examples.push(Example { record: Shown::of(&error.raw), code, message, now });
        }
        match placed {
            Err(_) => replayed.failed += 1,
            Ok(placed) => {
                finished.insert(*number);
                match placed {
                    Some((data, partition_keys)) => {
                        replayed.delivered += 1;
                        outputs.push(Output { record: *number, data, partition_keys, arrived_ms: error.arrived_ms });
                    }
                    None => replayed.dropped += 1,
                }
            }
        }
    }
    if replayed.dry_run {
        (replayed.delivered, replayed.dropped, replayed.failed) = (0, 0, 0);
        return Ok(());
    }
    if finished.is_empty() {
        return Ok(());
    }
    let error_object = store.manifest.error_object.clone();
    let objects = outputs::objects(of.delivery, of.name, &pipeline.delimiter, &error_object, outputs);
    let keys: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
    store.begin(Pending { records: finished, objects: keys.clone() }).await?;
    for object in objects {
        store.put(object).await?;
    }
    store.end().await?;
    replayed.objects.extend(keys);
    Ok(())
}

async fn into_source(
    cx: &Cx,
    store: &mut Store<'_>,
    target: &Target,
    todo: &[(usize, &ErrorRecord)],
    replayed: &mut Replayed,
) -> Result<()> {
    if replayed.dry_run {
        return Ok(());
    }
    store.begin(Pending { records: todo.iter().map(|(number, _)| *number).collect(), objects: vec![] }).await?;
    let raw: Vec<Vec<u8>> = todo.iter().map(|(_, error)| error.raw.clone()).collect();
    let records: Records = Box::new(raw.into_iter().zip(1..).map(|(raw, number)| Ok(Record::new(number, raw))));
    let produced = producer::produce(cx, target, records, How::default(), &mut ()).await?;
    if let Some((_, why)) = produced.failures.first() {
        let failed = plural(produced.failed as usize, "record");
        return Err(Error::msg(format!("{failed} cannot be put into {target}: {why}"))
            .hint("the others were put; another replay puts all of this error object again"));
    }
    store.end().await?;
    replayed.delivered += produced.records;
    Ok(())
}
