//! Asks the function about records that failed, and writes its answers.

use std::collections::{BTreeMap, BTreeSet};

use aws_facts::firehose::prefix::PartitionKeys;
use aws_facts::lambda::MAX_EVENT_BYTES;
use bytes::Bytes;

use super::manifest::Pending;
use super::outputs::{self, Output};
use super::restore::{Failed, Part};
use super::store::Store;
use super::{EXAMPLES, Example, Replayed};
use crate::error::Result;
use crate::transform::ask::{Answer, Caller};
use crate::transform::invoked::Shown;
use crate::verify::fed::Tested;
use crate::verify::pipeline::Pipeline;

/// More than all else in an event with one record.
const ABOUT_A_RECORD: usize = 4 << 10;

/// The fate of a record that is replayed.
pub enum Placed {
    Delivered(Vec<u8>, PartitionKeys),
    Dropped,
    /// The reason.
    Failed(String),
    /// Left where it is: the reason.
    Unclear(String),
}

/// The function's answers, placed; without a function, the records as they are.
pub async fn placed(function: Option<&Caller<'_>>, pipeline: &Pipeline, failed: &[Failed<'_>]) -> Result<Vec<Placed>> {
    let too_large = |data: &Bytes| function.is_some() && data.len().div_ceil(3) * 4 + ABOUT_A_RECORD > MAX_EVENT_BYTES;
    let data = |one: &Failed<'_>| match &one.part {
        Part::Data(data) if !too_large(data) => Some((data.clone(), one.error.arrived_ms)),
        _ => None,
    };
    let records: Vec<(Bytes, i64)> = failed.iter().filter_map(data).collect();
    let answers = match function {
        Some(function) => function.answers(&records).await?,
        None => records.iter().map(|(data, _)| Answer::Delivered(data.to_vec(), BTreeMap::new())).collect(),
    };
    let (mut answers, mut placing) = (answers.into_iter(), pipeline.placing());
    let place = |one: &Failed<'_>| match &one.part {
        Part::Data(data) if too_large(data) => {
            Placed::Failed(format!("it has {} bytes, too many for an event of Lambda's", data.len()))
        }
        Part::Data(_) => match answers.next().expect("each record has an answer") {
            Answer::Delivered(data, keys) => match placing.keys(&data, &keys) {
                Ok(keys) => Placed::Delivered(data, keys),
                Err(why) => Placed::Failed(why),
            },
            Answer::Dropped => Placed::Dropped,
            Answer::Failed(why) => Placed::Failed(why),
        },
        Part::Empty => Placed::Dropped,
        Part::Broken(why) => Placed::Failed(why.clone()),
        Part::Unclear { why, .. } => Placed::Unclear(why.clone()),
    };
    Ok(failed.iter().map(place).collect())
}

pub fn example(failed: &Failed<'_>, placed: &Placed) -> Example {
    let now = match placed {
        Placed::Delivered(data, _) => format!("Ok: {}", String::from_utf8_lossy(data)),
        Placed::Dropped => "Dropped".to_owned(),
        Placed::Failed(why) => why.clone(),
        Placed::Unclear(why) => format!("not replayed: {why}"),
    };
    let record = match &failed.part {
        Part::Data(data) => Shown::of(data),
        Part::Unclear { parts, .. } => Shown::of(parts),
        _ => Shown::of(&failed.error.raw),
    };
    Example { record, code: failed.error.code.clone(), message: failed.error.message.clone(), now }
}

/// Writes what is to be delivered.
pub async fn deliver(
    store: &mut Store<'_>,
    of: &Tested<'_>,
    delimiter: &[u8],
    failed: &[Failed<'_>],
    placed: Vec<Placed>,
    replayed: &mut Replayed,
) -> Result<()> {
    let (mut outputs, mut finished, mut dropped) = (vec![], BTreeSet::new(), 0);
    for (one, placed) in failed.iter().zip(placed) {
        if matches!(placed, Placed::Failed(_) | Placed::Unclear(_)) && replayed.examples.len() < EXAMPLES {
            replayed.examples.push(example(one, &placed));
        }
        match placed {
            Placed::Failed(_) => replayed.failed += 1,
            Placed::Unclear(_) => replayed.unclear += 1,
            Placed::Dropped => {
                dropped += 1;
                finished.insert(one.number);
            }
            Placed::Delivered(data, partition_keys) => {
                let arrived_ms = one.error.arrived_ms;
                outputs.push(Output { record: one.number, data, partition_keys, arrived_ms });
                finished.insert(one.number);
            }
        }
    }
    if finished.is_empty() {
        return Ok(());
    }
    let delivered = outputs.len() as u64;
    let objects = outputs::objects(of.delivery, of.name, delimiter, &store.manifest.error_object, outputs);
    let pending = Pending { records: finished, objects };
    let keys = pending.keys();
    store.deliver(pending).await?;
    replayed.delivered += delivered;
    replayed.dropped += dropped;
    replayed.objects.extend(keys);
    Ok(())
}
