//! A log: the records of one shard, or of one delivery stream that is put to directly, each at an ordinal that it keeps.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::Error as _;

use super::sequence::Sequence;
use crate::settings::Millis;
use crate::table::{Change, Changes};

/// A record as it was put. Cloning copies no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub sequence: Sequence,
    pub partition_key: Arc<str>,
    pub data: Bytes,
    pub arrival: Millis,
}

/// The two tables of the journal that logs of one service are kept in.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// One row a record.
    pub records: &'static str,
    /// One row a log: the first ordinal that is kept. It outlives the records, so that no ordinal is given twice.
    pub base: &'static str,
}

/// Records in the order put. Ordinals start at 0 and are never reused.
#[derive(Debug, Default)]
pub struct Log {
    base: u64,
    records: VecDeque<Record>,
    /// What the journal knows: rows of these ordinals.
    journalled: std::ops::Range<u64>,
}

impl Log {
    /// The first ordinal that is still kept.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The ordinal that the next record will have.
    pub fn next(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    /// The record there, unless it was trimmed or is still to come.
    pub fn get(&self, ordinal: u64) -> Option<&Record> {
        self.records.get(usize::try_from(ordinal.checked_sub(self.base)?).ok()?)
    }

    /// Records from `ordinal`, or from the oldest kept, each with its ordinal.
    pub fn from(&self, ordinal: u64) -> impl Iterator<Item = (u64, &Record)> {
        let skipped = ordinal.clamp(self.base, self.next()) - self.base;
        let skipped = usize::try_from(skipped).expect("no larger than the number of records in memory");
        (self.base + skipped as u64..).zip(self.records.range(skipped..))
    }

    /// The ordinal of the first record that arrived at `time` or later.
    pub fn at_time(&self, time: Millis) -> u64 {
        self.base + self.records.partition_point(|record| record.arrival < time) as u64
    }

    /// The record goes to [`Log::next`].
    pub fn append(&mut self, record: Record) {
        self.records.push_back(record);
    }

    /// Forgets what arrived before `time`. Gives whether there was such a record.
    pub fn trim_before(&mut self, time: Millis) -> bool {
        self.trim_to(self.at_time(time))
    }

    /// Forgets what is before `ordinal`. Gives whether there was such a record.
    pub fn trim_to(&mut self, ordinal: u64) -> bool {
        let trimmed = ordinal.min(self.next()).saturating_sub(self.base);
        let count = usize::try_from(trimmed).expect("no larger than the number of records in memory");
        self.records.drain(..count);
        self.base += trimmed;
        trimmed > 0
    }

    /// What changed since the last time, under keys that begin with `key`.
    pub fn take_changes(&mut self, tables: Tables, key: &str, out: &mut Changes) {
        if !out.are_kept() {
            return;
        }
        let known = self.journalled.clone();
        self.journalled = self.base..self.next();
        for ordinal in known.start..known.end.min(self.base) {
            out.push(tables.records, row_key(key, ordinal), || None);
        }
        if self.base != known.start {
            let value = || Some(serde_json::to_vec(&self.base).expect("a number serialises"));
            out.push(tables.base, key.to_owned(), value);
        }
        for (ordinal, record) in self.from(known.end) {
            out.push(tables.records, row_key(key, ordinal), || Some(encode(record)));
        }
    }

    /// All of its rows leave the journal.
    pub fn remove(self, tables: Tables, key: &str, out: &mut Vec<Change>) {
        for ordinal in self.journalled {
            out.push(Change { table: tables.records, key: row_key(key, ordinal), value: None });
        }
        out.push(Change { table: tables.base, key: key.to_owned(), value: None });
    }

    /// A row of the base table.
    pub fn restore_base(&mut self, value: &[u8]) -> Result<(), serde_json::Error> {
        let base = serde_json::from_slice(value)?;
        if self.records.is_empty() {
            self.base = base;
        }
        self.journalled = self.base..self.next();
        Ok(())
    }

    /// A row of the record table. They come in the order of their ordinals.
    pub fn restore_record(&mut self, ordinal: u64, value: &[u8]) -> Result<(), serde_json::Error> {
        if self.records.is_empty() {
            self.base = ordinal;
        }
        if ordinal != self.next() {
            let next = self.next();
            return Err(serde_json::Error::custom(format!("record {ordinal} of a log where {next} is next")));
        }
        self.records.push_back(decode(value).ok_or_else(|| serde_json::Error::custom("not a record of a log"))?);
        self.journalled = self.base..self.next();
        Ok(())
    }
}

/// The log's key and the ordinal of a row's key.
pub fn split_row_key(key: &str) -> Option<(&str, u64)> {
    let (log, ordinal) = key.rsplit_once('/')?;
    Some((log, ordinal.parse().ok()?))
}

fn row_key(log: &str, ordinal: u64) -> String {
    format!("{log}/{ordinal:020}")
}

/// Arrival, sequence number, length of the partition key, partition key, data; numbers little-endian.
fn encode(record: &Record) -> Vec<u8> {
    let key = record.partition_key.as_bytes();
    let key_len = u32::try_from(key.len()).expect("a partition key has at most 256 characters");
    let mut out = Vec::with_capacity(36 + key.len() + record.data.len());
    out.extend_from_slice(&record.arrival.to_le_bytes());
    for limb in record.sequence.0 {
        out.extend_from_slice(&limb.to_le_bytes());
    }
    out.extend_from_slice(&key_len.to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(&record.data);
    out
}

fn decode(row: &[u8]) -> Option<Record> {
    let (numbers, row) = row.split_first_chunk::<32>()?;
    let (numbers, _) = numbers.as_chunks::<8>();
    let number = |at: usize| u64::from_le_bytes(numbers[at]);
    let (key_len, row) = row.split_first_chunk::<4>()?;
    let (key, data) = row.split_at_checked(u32::from_le_bytes(*key_len) as usize)?;
    Some(Record {
        sequence: Sequence([number(1), number(2), number(3)]),
        partition_key: std::str::from_utf8(key).ok()?.into(),
        data: Bytes::copy_from_slice(data),
        arrival: number(0),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TABLES: Tables = Tables { records: "record", base: "base" };

    fn record(n: u64) -> Record {
        let sequence = Sequence::of_record(1, 0, n, 1);
        Record { sequence, partition_key: "ключ".into(), data: vec![n as u8; 3].into(), arrival: n * 10 }
    }

    fn filled(count: u64) -> Log {
        let mut log = Log::default();
        (0..count).for_each(|n| log.append(record(n)));
        log
    }

    fn journal(log: &mut Log, rows: &mut BTreeMap<(&'static str, String), Vec<u8>>) {
        let mut changes = Changes::new(true);
        log.take_changes(TABLES, "r/s/0", &mut changes);
        for change in changes.into_rows() {
            match change.value {
                Some(value) => rows.insert((change.table, change.key), value),
                None => rows.remove(&(change.table, change.key)),
            };
        }
    }

    fn restored(rows: &BTreeMap<(&'static str, String), Vec<u8>>) -> Log {
        let mut log = Log::default();
        for ((table, key), value) in rows {
            match *table {
                "record" => log.restore_record(split_row_key(key).unwrap().1, value).unwrap(),
                _ => log.restore_base(value).unwrap(),
            }
        }
        log
    }

    #[test]
    fn a_log_comes_back_from_its_journal_however_it_was_trimmed() {
        for trims in [vec![], vec![0], vec![2], vec![1, 3], vec![4], vec![5]] {
            let (mut log, mut rows) = (filled(4), BTreeMap::new());
            journal(&mut log, &mut rows);
            for to in trims.clone() {
                log.trim_to(to);
                journal(&mut log, &mut rows);
            }
            let back = restored(&rows);
            assert_eq!((back.base, back.next()), (log.base, log.next()), "{trims:?}");
            assert_eq!(back.records, log.records, "{trims:?}");
        }
    }

    #[test]
    fn only_what_is_new_is_journalled() {
        let (mut log, mut rows) = (filled(2), BTreeMap::new());
        journal(&mut log, &mut rows);
        log.append(record(2));
        let mut changes = Changes::new(true);
        log.take_changes(TABLES, "r/s/0", &mut changes);
        assert_eq!(
            changes.into_rows().iter().map(|c| c.key.as_str()).collect::<Vec<_>>(),
            ["r/s/0/00000000000000000002"]
        );
    }

    #[test]
    fn trimming_by_time_keeps_what_arrived_then_or_later() {
        let mut log = filled(4);
        assert!(log.trim_before(20));
        assert_eq!((log.base(), log.next()), (2, 4));
        assert!(!log.trim_before(20));
        assert_eq!(log.from(0).map(|(ordinal, _)| ordinal).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(log.get(1), None);
    }
}
