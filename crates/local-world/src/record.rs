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

/// The first bytes of a record into which the Kinesis Producer Library has put several.
pub const AGGREGATED: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// A partition key, which shares its memory with others. Cloning copies nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Bytes);

impl Key {
    /// The length of the key in bytes. It looks at none of them: in the memory of many records each costs a wait.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

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
    /// The arrival in the upper 48 bits, which last for 8,900 years, whether the data may be several records, and the key's length.
    arrival_and_key_len: u64,
}

const KEY_BITS: u32 = 16;
const MAY_BE_SEVERAL: u64 = 1 << (KEY_BITS - 1);
const _: () = assert!(size_of::<Compact>() == 24);

/// The longest partition key that a log keeps, in bytes. Those that AWS takes are much shorter.
pub const LONGEST_KEY: usize = MAY_BE_SEVERAL as usize - 1;

impl Compact {
    /// A record whose partition key starts at `start` in the piece, with its data behind it.
    ///
    /// # Panics
    /// If the piece has 4 GiB, the key 32 KiB, or the record another end than the piece.
    pub fn new(arrival: Millis, piece: &Arc<Bytes>, start: usize, lengths: Lengths) -> Compact {
        let small = |length: usize| u32::try_from(length).expect("what is put at once is smaller");
        assert!(lengths.key <= LONGEST_KEY, "partition keys are shorter");
        let key = lengths.key as u64;
        let arrival = arrival.min(Millis::MAX >> KEY_BITS);
        let data = &piece[start + lengths.key..][..lengths.data];
        let several = if data.starts_with(&AGGREGATED) { MAY_BE_SEVERAL } else { 0 };
        Compact {
            piece: Arc::clone(piece),
            start: small(start),
            data_len: small(lengths.data),
            arrival_and_key_len: arrival << KEY_BITS | several | key,
        }
    }

    /// Whether the data begins as that of several records does which the Kinesis Producer Library put together. It looks at no data.
    pub fn may_be_several(&self) -> bool {
        self.arrival_and_key_len & MAY_BE_SEVERAL != 0
    }

    /// When the record was put.
    pub fn arrival(&self) -> Millis {
        self.arrival_and_key_len >> KEY_BITS
    }

    /// How long key and data are.
    pub fn lengths(&self) -> Lengths {
        let key = self.arrival_and_key_len & (MAY_BE_SEVERAL - 1);
        Lengths { key: key as usize, data: self.data_len as usize }
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
            assert!(!compact.may_be_several());
            let several = Record { data: [&AGGREGATED, b"data".as_slice()].concat().into(), ..record };
            let compact = Compact::from(several.clone());
            assert!(compact.may_be_several() && compact.record(3, numbering) == several);
        }
    }
}
