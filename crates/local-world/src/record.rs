//! A record that was put, and its sequence number.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::time::Millis;

pub mod sequence;

use sequence::Sequence;

/// A record as it was put. Cloning copies no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The sequence number, which says the shard too.
    pub sequence: Sequence,
    /// The partition key that the producer gave.
    pub partition_key: Key,
    /// The data, decoded from base64.
    pub data: Bytes,
    /// When the record was put, in the world's time.
    pub arrival: Millis,
}

/// A partition key, which shares its memory with others. Cloning copies nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Bytes);

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        // It was text when it came.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl From<String> for Key {
    fn from(key: String) -> Key {
        Key(key.into())
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Key {
        key.to_owned().into()
    }
}

/// The part that the sequence numbers of a log share. The rest of each follows from the record's ordinal and arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbering {
    /// The second in which the shard was created.
    pub created_s: u64,
    /// The shard's index.
    pub shard: u32,
}

impl Numbering {
    /// The number of the record at this ordinal.
    pub fn sequence(self, ordinal: u64, arrival: Millis) -> Sequence {
        Sequence::of_record(self.created_s, self.shard, ordinal, arrival / 1000)
    }
}

/// A record as a log keeps it, in 24 bytes beside its key and data, because a log has many of them.
#[derive(Clone)]
pub struct Compact {
    /// Partition keys, and behind each its data. The records of one call share it.
    piece: Arc<Bytes>,
    start: u32,
    data_len: u32,
    /// The arrival in the upper 48 bits, which last for 8,900 years, and the key's length.
    arrival_and_key_len: u64,
}

const KEY_BITS: u32 = 16;
const _: () = assert!(size_of::<Compact>() == 24);

impl Compact {
    /// A record whose partition key starts at `start` in the piece, with its data behind it.
    ///
    /// # Panics
    /// If the piece has 4 GiB, or the key 64 KiB.
    pub fn new(arrival: Millis, piece: &Arc<Bytes>, start: usize, lengths: Lengths) -> Compact {
        let small = |length: usize| u32::try_from(length).expect("what is put at once is smaller");
        let key = u16::try_from(lengths.key).expect("partition keys are shorter");
        let arrival = arrival.min(Millis::MAX >> KEY_BITS);
        Compact {
            piece: Arc::clone(piece),
            start: small(start),
            data_len: small(lengths.data),
            arrival_and_key_len: arrival << KEY_BITS | u64::from(key),
        }
    }

    /// When the record was put.
    pub fn arrival(&self) -> Millis {
        self.arrival_and_key_len >> KEY_BITS
    }

    /// How long key and data are.
    pub fn lengths(&self) -> Lengths {
        Lengths { key: usize::from(self.arrival_and_key_len as u16), data: self.data_len as usize }
    }

    /// The partition key and behind it the data.
    pub fn bytes(&self) -> &[u8] {
        let (start, Lengths { key, data }) = (self.start as usize, self.lengths());
        &self.piece[start..start + key + data]
    }

    /// The whole record, which is at this ordinal of its log. Copies no data.
    pub fn record(&self, ordinal: u64, numbering: Numbering) -> Record {
        let (start, Lengths { key, data }) = (self.start as usize, self.lengths());
        let middle = start + key;
        Record {
            sequence: numbering.sequence(ordinal, self.arrival()),
            partition_key: Key(self.piece.slice(start..middle)),
            data: self.piece.slice(middle..middle + data),
            arrival: self.arrival(),
        }
    }
}

/// The lengths of a record's partition key and data, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// The length of the partition key.
    pub key: usize,
    /// The length of the data.
    pub data: usize,
}

/// The record without its sequence number. Copies what has a partition key.
impl From<Record> for Compact {
    fn from(record: Record) -> Compact {
        let Record { partition_key: Key(key), data, arrival, .. } = record;
        let lengths = Lengths { key: key.len(), data: data.len() };
        let piece = if key.is_empty() { data } else { [key, data].concat().into() };
        Compact::new(arrival, &Arc::new(piece), 0, lengths)
    }
}

impl PartialEq for Compact {
    fn eq(&self, other: &Compact) -> bool {
        let parts = |record: &Compact| (record.arrival(), record.lengths());
        parts(self) == parts(other) && self.bytes() == other.bytes()
    }
}

impl Eq for Compact {}

impl fmt::Debug for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (self.arrival(), self.lengths(), self.bytes().escape_ascii());
        write!(f, "Compact({} {:?} {})", parts.0, parts.1, parts.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compact_record_has_all_of_it() {
        let arrivals = [0, 1_800_000_000_123, Millis::MAX >> KEY_BITS];
        for (arrival, key) in arrivals.into_iter().zip(["", "k", &"ключ".repeat(64)]) {
            let numbering = Numbering { created_s: 1, shard: 2 };
            let record = Record {
                sequence: numbering.sequence(3, arrival),
                partition_key: key.into(),
                data: Bytes::from_static(b"data"),
                arrival,
            };
            let compact = Compact::from(record.clone());
            assert_eq!(compact.record(3, numbering), record);
            assert_eq!(compact.arrival(), arrival);
            assert_eq!(compact.bytes(), [key.as_bytes(), b"data"].concat());
            assert_eq!(compact.lengths(), Lengths { key: key.len(), data: 4 });
        }
    }
}
