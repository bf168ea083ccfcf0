//! A log: the records of one shard, or of one delivery stream that is put to directly, each at an ordinal that it keeps.

use std::sync::Arc;

use bytes::Bytes;

use self::queue::Queue;
use super::sequence::Sequence;
use crate::settings::Millis;
use crate::table::Changes;

mod queue;

/// A record as it was put. Cloning copies no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub sequence: Sequence,
    pub partition_key: Arc<str>,
    pub data: Bytes,
    pub arrival: Millis,
}

/// What the journal is told of a log. Names are `<service>/...` and never used for another log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogChange {
    /// Records from the ordinal `first` on.
    Append {
        log: Arc<str>,
        first: u64,
        records: Vec<Record>,
    },
    /// What is before `first` is forgotten. It outlives the records, so that no ordinal is given twice.
    Trim {
        log: Arc<str>,
        first: u64,
    },
    Remove {
        log: Arc<str>,
    },
}

impl LogChange {
    /// The log's name.
    pub fn log(&self) -> &str {
        match self {
            LogChange::Append { log, .. } | LogChange::Trim { log, .. } | LogChange::Remove { log } => log,
        }
    }
}

/// Records in the order put. Ordinals start at 0 and are never reused.
#[derive(Debug)]
pub struct Log {
    base: u64,
    records: Queue<Record>,
    /// What the journal knows: records of these ordinals.
    journalled: std::ops::Range<u64>,
    /// By which the journal knows it, once it does.
    name: Option<Arc<str>>,
}

impl Default for Log {
    fn default() -> Self {
        Log::EMPTY
    }
}

impl Log {
    /// Nothing was ever put.
    pub const EMPTY: Log = Log { base: 0, records: Queue::EMPTY, journalled: 0..0, name: None };

    /// Does the journal know all of it?
    pub fn is_journalled(&self) -> bool {
        self.journalled == (self.base..self.next())
    }

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
        (self.base + skipped as u64..).zip(self.records.from(skipped))
    }

    /// The ordinal of the first record that arrived at `time` or later.
    pub fn at_time(&self, time: Millis) -> u64 {
        self.base + self.records.partition_point(|record| record.arrival < time) as u64
    }

    /// The record goes to [`Log::next`].
    pub fn append(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Forgets what arrived before `time`. Gives whether there was such a record.
    pub fn trim_before(&mut self, time: Millis) -> bool {
        self.trim_to(self.at_time(time))
    }

    /// Forgets what is before `ordinal`. Gives whether there was such a record.
    pub fn trim_to(&mut self, ordinal: u64) -> bool {
        let trimmed = ordinal.min(self.next()).saturating_sub(self.base);
        let count = usize::try_from(trimmed).expect("no larger than the number of records in memory");
        self.records.drop_front(count);
        self.base += trimmed;
        trimmed > 0
    }

    /// What changed since the last time, for a journal that knows this log as `name`.
    pub fn take_changes(&mut self, name: impl FnOnce() -> String, out: &mut Changes) {
        let now = self.base..self.next();
        let known = std::mem::replace(&mut self.journalled, now);
        if !out.are_kept() {
            return;
        }
        let name = Arc::clone(self.name.get_or_insert_with(|| name().into()));
        let new: Vec<Record> = self.from(known.end).map(|(_, record)| record.clone()).collect();
        if !new.is_empty() {
            let first = self.next() - new.len() as u64;
            out.logs.push(LogChange::Append { log: Arc::clone(&name), first, records: new });
        }
        if self.base != known.start {
            out.logs.push(LogChange::Trim { log: name, first: self.base });
        }
    }

    /// A change from the journal. They come in the order they were made, some of them more than once; where records are missing
    /// in between, those before are of no more use.
    pub fn restore(&mut self, change: LogChange) {
        match change {
            LogChange::Append { first, records, .. } => {
                for (ordinal, record) in (first..).zip(records) {
                    if ordinal > self.next() {
                        self.restart_at(ordinal);
                    }
                    if ordinal == self.next() {
                        self.records.push(record);
                    }
                }
            }
            LogChange::Trim { first, .. } if first > self.next() => self.restart_at(first),
            LogChange::Trim { first, .. } => {
                self.trim_to(first);
            }
            LogChange::Remove { .. } => *self = Log::default(),
        }
        self.journalled = self.base..self.next();
    }

    fn restart_at(&mut self, ordinal: u64) {
        self.records = Queue::EMPTY;
        self.base = ordinal;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u64) -> Record {
        let sequence = Sequence::of_record(1, 0, n, 1);
        Record { sequence, partition_key: "ключ".into(), data: vec![n as u8; 3].into(), arrival: n * 10 }
    }

    fn filled(count: u64) -> Log {
        let mut log = Log::default();
        (0..count).for_each(|n| log.append(record(n)));
        log
    }

    fn changes(log: &mut Log) -> Vec<LogChange> {
        let mut changes = Changes::new(true);
        log.take_changes(|| "l".into(), &mut changes);
        changes.logs
    }

    #[test]
    fn a_log_comes_back_from_its_changes_however_it_was_trimmed() {
        for trims in [vec![], vec![0], vec![2], vec![1, 3], vec![4], vec![5]] {
            let mut log = filled(4);
            let mut told = changes(&mut log);
            for to in trims.clone() {
                log.trim_to(to);
                told.extend(changes(&mut log));
            }
            // A change that is told twice is as good as one that is told once.
            for times in 1..3 {
                let mut back = Log::default();
                told.iter().flat_map(|change| vec![change.clone(); times]).for_each(|change| back.restore(change));
                assert_eq!((back.base, &back.records), (log.base, &log.records), "{trims:?}");
                assert_eq!(changes(&mut back), [], "it is known already");
            }
        }
    }

    #[test]
    fn only_what_is_new_is_told() {
        let mut log = filled(2);
        changes(&mut log);
        log.append(record(2));
        log.trim_to(1);
        let append = LogChange::Append { log: "l".into(), first: 2, records: vec![record(2)] };
        assert_eq!(changes(&mut log), [append, LogChange::Trim { log: "l".into(), first: 1 }]);
        assert_eq!(changes(&mut log), []);
    }

    #[test]
    fn what_lies_before_a_gap_was_trimmed() {
        let mut log = filled(2);
        log.restore(LogChange::Append { log: "l".into(), first: 5, records: vec![record(5)] });
        assert_eq!((log.base(), log.next()), (5, 6));
        log.restore(LogChange::Trim { log: "l".into(), first: 9 });
        assert_eq!((log.base(), log.next()), (9, 9));
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
