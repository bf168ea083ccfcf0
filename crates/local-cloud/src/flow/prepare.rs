//! What happens to records before anything else sees them: those that the producer library put together are taken apart,
//! what CloudWatch Logs sent is unpacked, and aggregated documents are split.
//!
//! A record's parts follow from the record alone, so that after a restart the same parts come out.

use bytes::Bytes;

use self::split::Split;
use super::failure::{ErrorType, Failure, line};
use super::item::{Item, Origin, Output};
use super::job::Job;
use super::object::Slot;
use super::progress::Finished;

pub mod aggregate;
#[cfg(test)]
mod fuzz;
pub mod split;
mod unpack;

/// What is done to each record, parsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preparation {
    /// `None`: records are not compressed. Else: are messages extracted?
    pub unpack: Option<Unpack>,
    pub split: Option<Split>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    Decompress,
    DecompressAndExtract,
}

/// Each part of each record is in exactly one of these.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    pub items: Vec<Item>,
    pub failed: Vec<(Slot, Output)>,
    /// Records without any part.
    pub dropped: Finished,
}

/// Is there anything to do with this record at all?
pub fn needed(job: &Job, item: &Item) -> bool {
    job.config.preparation != Preparation::default() || job.source.is_some() && aggregate::looks_so(&item.record.data)
}

pub fn prepare(job: &Job, items: Vec<Item>, now: u64) -> Prepared {
    let (mut out, mut dropped) = (Prepared::default(), vec![]);
    for item in items {
        let whole = item.origin;
        let mut parts: Vec<(Item, Option<(ErrorType, Failure)>)> = vec![];
        for user_record in user_records(job, item) {
            take_apart(&job.config.preparation, user_record, &mut parts);
        }
        if parts.is_empty() {
            dropped.push(whole);
        }
        let count = u32::try_from(parts.len()).expect("no record has so many bytes");
        for (part, (mut item, failure)) in (0..).zip(parts) {
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
    Prepared { dropped: dropped.into_iter().collect(), ..out }
}

/// Only a stream's producers put records together.
fn user_records(job: &Job, item: Item) -> Vec<Item> {
    let Some(inner) = job.source.as_ref().and_then(|_| aggregate::user_records(&item.record.data)) else {
        return vec![item];
    };
    let user_record = |(subsequence, (partition_key, data))| {
        let record = crate::service::kinesis::log::Record { partition_key, data, ..item.record.clone() };
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
