//! Delivers records that failed once more: reads the error records, runs the deployed function over the raw records again, and writes
//! the answers under the success prefix. Each error object has a manifest, so that no record comes twice.

mod deliver;
pub mod manifest;
pub mod outputs;
mod restore;
pub mod source;
mod store;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use self::deliver::{deliver, example, placed};
use self::restore::{Part, Restorer};
use self::source::{Source, into_source};
use self::store::Store;
use crate::cloud::Cx;
use crate::error::Result;
use crate::transform::ask::Caller;
use crate::transform::invoked::Shown;
use crate::verify::fed::Tested;
use crate::verify::objects::{ErrorRecord, Objects};
use crate::verify::pipeline::Pipeline;

/// The examples that are told.
const EXAMPLES: usize = 3;

/// The records to replay.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only error objects that were stored since then, in seconds of the bucket's time.
    pub since_s: i64,
    /// The bucket's time.
    pub now_s: i64,
    /// Firehose's error code, or its part before the dot.
    pub error_type: Option<String>,
    /// Nothing is written.
    pub dry_run: bool,
}

impl Wanted {
    fn takes(&self, error: &ErrorRecord) -> bool {
        let family = error.code.split('.').next();
        self.error_type.as_deref().is_none_or(|kind| error.code == kind || family == Some(kind))
    }
}

/// Where the records go.
pub enum Way<'a> {
    /// Through the function, if the delivery stream has one, and under its success prefix.
    Delivered(Option<Caller<'a>>),
    /// Into the stream again.
    Source(Source<'a>),
}

/// The result of a replay.
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
    /// Error records that do not say which part of a record failed. They are left.
    pub unclear: u64,
    /// Records that a replay which was stopped, this one or an earlier one, may have put into the stream: put again, they are there
    /// twice.
    pub unsure: u64,
    /// A signal came before all was put into the stream.
    pub interrupted: bool,
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
pub async fn replay(cx: &Cx, of: &Tested<'_>, pipeline: &Pipeline, wanted: &Wanted, way: &Way<'_>) -> Result<Replayed> {
    let mut objects = Objects::of(of.delivery, of.name, wanted.since_s);
    let mut replayed = Replayed { delivery: of.logical.to_owned(), dry_run: wanted.dry_run, ..Replayed::default() };
    let (mut restorer, mut put) = (Restorer::new(cx, of, wanted, pipeline), HashSet::new());
    let mut listed = objects.new_ones(cx).await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    for listed in listed.iter().filter(|listed| listed.of_errors != Some(false)) {
        if matches!(way, Way::Source(source) if *source.stop.borrow()) {
            replayed.interrupted = true;
            break;
        }
        let (object, errors) = objects.read(cx, listed).await?;
        let Some(errors) = errors.filter(|errors| !errors.is_empty()) else { continue };
        let mut store = Store::open(cx, objects.bucket(), &object.key, of.delivery.encryption.as_deref()).await?;
        let (finished, begun) = (store.manifest.finished.clone(), store.manifest.pending.as_ref());
        let begun_records = begun.map(|pending| pending.records.clone()).unwrap_or_default();
        let chosen =
            errors.iter().enumerate().filter(|(number, error)| begun_records.contains(number) || wanted.takes(error));
        let (before, chosen): (Vec<_>, Vec<_>) = chosen.partition(|(number, _)| finished.contains(number));
        replayed.before += before.len() as u64;
        for (_, error) in &chosen {
            *replayed.errors.entry(error.code.clone()).or_default() += 1;
        }
        if !wanted.dry_run {
            store.refuse_if_busy(wanted.now_s)?;
        }
        if let Some(begun) = begun.filter(|_| !wanted.dry_run) {
            let (delivered, keys) = (begun.delivered(), begun.keys());
            store.finish_begun().await?;
            replayed.delivered += delivered;
            replayed.dropped += begun_records.len() as u64 - delivered;
            replayed.objects.extend(keys);
        }
        let todo: Vec<(usize, &ErrorRecord)> =
            chosen.into_iter().filter(|(number, _)| !begun_records.contains(number)).collect();
        store.manifest.take_over();
        replayed.unsure += todo.iter().filter(|(number, _)| store.manifest.unsure.contains(number)).count() as u64;
        match way {
            _ if todo.is_empty() => {}
            Way::Delivered(function) if wanted.dry_run => {
                let failed = restorer.restore(&object.key, &todo).await?;
                replayed.unclear += failed.iter().filter(|one| matches!(one.part, Part::Unclear { .. })).count() as u64;
                let some = &failed[..failed.len().min(EXAMPLES - replayed.examples.len())];
                let placed = placed(function.as_ref(), pipeline, some).await?;
                replayed.examples.extend(some.iter().zip(&placed).map(|(failed, placed)| example(failed, placed)));
            }
            Way::Delivered(function) => {
                let failed = restorer.restore(&object.key, &todo).await?;
                let placed = placed(function.as_ref(), pipeline, &failed).await?;
                deliver(&mut store, of, &pipeline.delimiter, &failed, placed, &mut replayed).await?;
            }
            Way::Source(_) if wanted.dry_run => {}
            Way::Source(source) => {
                let wholes = restorer.whole(&mut put, &todo);
                into_source(cx, &mut store, source, wholes, &mut replayed).await?;
            }
        }
    }
    Ok(replayed)
}
