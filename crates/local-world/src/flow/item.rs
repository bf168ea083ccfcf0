//! A record on its way through a delivery stream.

use bytes::Bytes;

use crate::record::Record;
use crate::time::Millis;

/// Which record of the source it is, or which part of one that was taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Index of the shard; 0 where records are put directly.
    pub shard: u32,
    pub ordinal: u64,
    pub part: u32,
    /// Into how many it was taken apart; 1 for a record that is whole.
    pub parts: u32,
}

impl Origin {
    pub fn whole(shard: u32, ordinal: u64) -> Origin {
        Origin { shard, ordinal, part: 0, parts: 1 }
    }
}

/// A record as read, or a part of one. Cloning copies no data.
#[derive(Debug, Clone)]
pub struct Item {
    pub origin: Origin,
    pub record: Record,
    /// As it was put: what is shown of it if it fails.
    pub raw: Bytes,
    /// Which one it was of those that the producer library put together.
    pub subsequence: u32,
}

impl Item {
    pub fn new(origin: Origin, record: Record) -> Item {
        Item { origin, raw: record.data.clone(), record, subsequence: 0 }
    }

    /// The id by which a function's answer names the record. It means nothing to the function.
    pub fn id(&self) -> String {
        self.id_of(&self.record.sequence.to_string())
    }

    /// The same, where the sequence number is already written out.
    pub fn id_of(&self, sequence: &str) -> String {
        format!("{sequence}{:06}", self.origin.part)
    }
}

/// A record as it is written to the destination.
#[derive(Debug, Clone)]
pub struct Output {
    pub origin: Origin,
    pub arrival: Millis,
    pub data: Bytes,
    /// As it was put.
    pub raw: Bytes,
}

/// The record as it was read.
impl From<Item> for Output {
    fn from(item: Item) -> Output {
        let Item { origin, record, raw, .. } = item;
        Output { origin, arrival: record.arrival, data: record.data, raw }
    }
}

impl Output {
    pub fn of(item: &Item, data: Bytes) -> Output {
        Output { origin: item.origin, arrival: item.record.arrival, data, raw: item.raw.clone() }
    }
}
