//! The latest records of a source.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::Serialize;

use super::PREVIEW;
use super::shown::{Shown, Source};
use crate::log::Log;
use crate::record::Record;
use crate::record::sequence::shard_id;
use crate::time::Millis;
use crate::world::World;

/// So many are given at most.
pub const MOST_RECORDS: usize = 200;

/// A record in a list.
#[derive(Debug, Serialize)]
pub struct Listed {
    shard: u32,
    shard_id: String,
    ordinal: u64,
    sequence: String,
    key: String,
    at: Millis,
    data: Shown,
}

impl Listed {
    /// How a record is listed.
    pub fn of((shard, ordinal, record): (u32, u64, Record)) -> Listed {
        Listed {
            shard,
            shard_id: shard_id(shard),
            ordinal,
            sequence: record.sequence.to_string(),
            key: record.partition_key.to_string(),
            at: record.arrival,
            data: Shown::of(&record.data, PREVIEW),
        }
    }
}

/// The latest records of one shard or of all, the newest first, each with its shard and ordinal. Copies no data. `None`: there is no
/// such source.
pub fn latest(world: &World, source: &Source, shard: Option<u32>, most: usize) -> Option<Vec<(u32, u64, Record)>> {
    let wanted = |of: u32| shard.is_none_or(|shard| shard == of);
    let logs: Vec<(u32, &Log)> = match source {
        Source::Stream(key) => {
            world.kinesis.streams.get(key)?;
            world.kinesis.logs(key).into_iter().flat_map(|logs| logs.iter()).filter(|(of, _)| wanted(*of)).collect()
        }
        Source::Delivery(key) => {
            world.firehose.keys().find(|there| *there == key)?;
            world.firehose.log(key).filter(|_| wanted(0)).map(|log| (0, log)).into_iter().collect()
        }
    };
    let mut heads: BinaryHeap<Head> =
        logs.into_iter().filter_map(|(shard, log)| Head::before(shard, log, log.next())).collect();
    let mut out = vec![];
    while out.len() < most.min(MOST_RECORDS)
        && let Some(head) = heads.pop()
    {
        heads.extend(Head::before(head.shard, head.log, head.ordinal));
        out.push((head.shard, head.ordinal, head.record));
    }
    Some(out)
}

/// The newest record of a shard that is not given yet.
struct Head<'a> {
    shard: u32,
    log: &'a Log,
    ordinal: u64,
    record: Record,
}

impl<'a> Head<'a> {
    /// The last one before an ordinal. Records that a damaged disk has lost are passed over.
    fn before(shard: u32, log: &'a Log, end: u64) -> Option<Head<'a>> {
        let found = (log.base()..end).rev().find_map(|ordinal| Some((ordinal, log.get(ordinal)?)));
        found.map(|(ordinal, record)| Head { shard, log, ordinal, record })
    }

    fn order(&self) -> impl Ord {
        (self.record.arrival, self.shard, self.ordinal)
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head<'_> {}
