//! Prepares records before anything else sees them: those that the producer library put together are taken apart,
//! what CloudWatch Logs sent is unpacked, and aggregated documents are split.
//!
//! A record's parts follow from the record alone, so that after a restart the same parts come out.

use bytes::Bytes;

use self::split::Split;
use super::failure::{ErrorType, Failure, line};
use super::item::{Item, Origin, Output};
use super::job::Job;
use super::progress::Finished;
use super::slot::Slot;

pub mod aggregate;
#[cfg(test)]
mod fuzz;
pub mod split;
mod unpack;

/// The steps that prepare each record, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preparation {
    /// `None`: records are not compressed. Else: are messages extracted?
    pub unpack: Option<Unpack>,
    /// Are documents split, and how?
    pub split: Option<Split>,
}

/// The treatment of compressed records from CloudWatch Logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    /// The document as it is.
    Decompress,
    /// Only its messages.
    DecompressAndExtract,
}

/// So much is prepared at once: a record may be of a million parts, or unpack to a thousand times its size.
const MOST_PARTS: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// Each part of each record is in exactly one of these.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    pub items: Vec<Item>,
    pub failed: Vec<(Slot, Output)>,
    /// Records without any part.
    pub dropped: Finished,
    /// Records that were not looked at, since those before them came to so much.
    pub rest: Vec<Item>,
}

/// Is there anything to do with records at all?
pub fn needed(job: &Job, some_may_be_several: bool) -> bool {
    job.config.preparation != Preparation::default() || job.source.is_some() && some_may_be_several
}

pub fn prepare(job: &Job, items: Vec<Item>, now: u64) -> Prepared {
    some(job, items, now, (MOST_PARTS, MOST_BYTES))
}

/// Records as long as those before them came to less than so many parts, and so many bytes.
fn some(job: &Job, items: Vec<Item>, now: u64, (most_parts, most_bytes): (usize, usize)) -> Prepared {
    let (mut out, mut dropped) = (Prepared::default(), vec![]);
    let (mut all_parts, mut all_bytes) = (0, 0);
    let mut items = items.into_iter();
    while all_parts < most_parts && all_bytes < most_bytes {
        let Some(item) = items.next() else { break };
        let whole = item.origin;
        let mut parts: Vec<(Item, Option<(ErrorType, Failure)>)> = vec![];
        for user_record in user_records(job.source.is_some(), item) {
            take_apart(&job.config.preparation, user_record, &mut parts);
        }
        if parts.is_empty() {
            dropped.push(whole);
        }
        let count = u32::try_from(parts.len()).expect("no record has so many bytes");
        all_parts += parts.len();
        for (part, (mut item, failure)) in (0..).zip(parts) {
            all_bytes += item.record.data.len();
            item.origin = Origin { part, parts: count, ..whole };
            match failure {
                None => out.items.push(item),
                Some((kind, failure)) => {
                    let line = line(&Output::of(&item, Bytes::new()), &failure, 1, None, now);
                    out.failed.push((Slot::Failed(kind), Output::of(&item, line)));
                }
            }
        }
    }
    Prepared { dropped: dropped.into_iter().collect(), rest: items.collect(), ..out }
}

/// The parts of one record, for a caller that checks a delivery stream: what a function or an object gets of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes that an error record shows of it.
    pub raw: Bytes,
    /// The prepared bytes, or why it cannot be prepared.
    pub data: Result<Bytes, Failure>,
}

/// Takes one record apart as a delivery stream does that reads a stream, or that producers put to.
pub fn parts(how: &Preparation, from_stream: bool, data: Bytes) -> Vec<Part> {
    let record = crate::record::Record {
        sequence: crate::record::sequence::Sequence::of_record(0, 0, 0, 0),
        partition_key: "".into(),
        data,
        arrival: 0,
    };
    let mut parts = vec![];
    for user_record in user_records(from_stream, Item::new(Origin::whole(0, 0), record)) {
        take_apart(how, user_record, &mut parts);
    }
    let part = |(item, failure): (Item, Option<(ErrorType, Failure)>)| Part {
        raw: item.raw,
        data: failure.map_or(Ok(item.record.data), |(_, failure)| Err(failure)),
    };
    parts.into_iter().map(part).collect()
}

/// Only a stream's producers put records together.
fn user_records(from_stream: bool, item: Item) -> Vec<Item> {
    let inner = if from_stream { aggregate::user_records(&item.record.data) } else { None };
    let Some(inner) = inner else {
        return vec![item];
    };
    let user_record = |(subsequence, (partition_key, data))| {
        let record = crate::record::Record { partition_key, data, ..item.record.clone() };
        Item { subsequence, ..Item::new(item.origin, record) }
    };
    (0..).zip(inner).map(user_record).collect()
}

fn take_apart(how: &Preparation, mut item: Item, out: &mut Vec<(Item, Option<(ErrorType, Failure)>)>) {
    match how.unpack.map(|unpack| unpack::unpack(&item.record.data, unpack)) {
        None => {}
        Some(Ok(data)) => item.record.data = data,
        Some(Err(failure)) => return out.push((item, Some((ErrorType::Decompression, failure)))),
    }
    let Some(split) = &how.split else { return out.push((item, None)) };
    match split.split(&item.record.data) {
        Some(parts) => out.extend(parts.into_iter().map(|data| {
            let mut part = item.clone();
            part.raw = if how.unpack.is_some() { item.raw.clone() } else { data.clone() };
            part.record.data = data;
            (part, None)
        })),
        None => out.push((item, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::item::Origin;
    use crate::flow::job::{Source, sample};
    use crate::record::Record;
    use crate::record::sequence::Sequence;

    fn items(count: u64, data: &Bytes) -> Vec<Item> {
        let record = |n| Record {
            sequence: Sequence::of_record(1, 0, n, n),
            partition_key: "k".into(),
            data: data.clone(),
            arrival: 0,
        };
        (0..count).map(|n| Item::new(Origin::whole(0, n), record(n))).collect()
    }

    #[test]
    fn what_comes_to_much_is_prepared_some_records_at_a_time() {
        let source = Source { stream_arn: "s".into(), stream_key: "s".into(), stream_created: 0, role_arn: "r".into() };
        let plain = sample(Some(source));
        let mut unpacking = sample(None);
        unpacking.config.preparation.unpack = Some(Unpack::Decompress);
        let parts = Bytes::from(aggregate::aggregate(&vec![("k", "x"); 60]));
        let bomb = Bytes::from(unpack::tests::gzip(&[b" ".repeat(60_000), b"1".to_vec()].concat()));
        for (job, data, most) in [(&plain, parts, 120), (&unpacking, bomb, 2)] {
            let (mut left, mut turns, mut found) = (items(5, &data), 0, 0);
            while !left.is_empty() {
                let prepared = some(job, left, 0, (100, 100_000));
                assert!(prepared.items.len() <= most && prepared.failed.is_empty());
                (left, turns, found) = (prepared.rest, turns + 1, found + prepared.items.len());
            }
            assert_eq!((turns, found % 5), (3, 0), "two records, two records, and the last");
        }
    }
}
