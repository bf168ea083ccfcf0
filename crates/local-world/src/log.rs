//! A log: the records of one shard, or of one delivery stream that is put to directly, each at an ordinal that it keeps.

use std::ops::Range;
use std::sync::Arc;

use crate::changes::{Changes, LogChange};
use crate::record::sequence::Sequence;
use crate::record::{Compact, Numbering, Record};
use crate::time::Millis;

mod holes;
mod queue;

use self::holes::Holes;
use self::queue::Queue;

/// Records in the order put. Ordinals start at 0 and are never reused.
#[derive(Debug)]
pub struct Log {
    base: u64,
    records: Queue<Compact>,
    /// As the first record was put.
    numbering: Numbering,
    /// Bytes of the data of all records that were put since the engine began.
    bytes: u64,
    /// Ordinals whose records are lost, because the disk was damaged. None before `base`.
    holes: Holes,
    /// The ordinals of the records that the journal has.
    journalled: Range<u64>,
    /// The name by which the journal knows it, once it does.
    name: Option<Arc<str>>,
}

impl Default for Log {
    fn default() -> Self {
        Log::EMPTY
    }
}

impl Log {
    /// Nothing was ever put.
    pub const EMPTY: Log = Log {
        base: 0,
        records: Queue::EMPTY,
        numbering: Numbering { created_s: 0, shard: 0 },
        bytes: 0,
        holes: Holes::NONE,
        journalled: 0..0,
        name: None,
    };

    /// Does the journal know all of it?
    pub fn is_journalled(&self) -> bool {
        self.journalled == (self.base..self.next())
    }

    /// The first ordinal that is still kept.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Bytes of the data that was put since the engine began.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The ordinal that the next record will have.
    pub fn next(&self) -> u64 {
        self.base + self.records.len() as u64 + self.holes.len()
    }

    /// The record there, unless it was trimmed, is lost or is still to come.
    pub fn get(&self, ordinal: u64) -> Option<Record> {
        if ordinal < self.base || self.holes.contains(ordinal) {
            return None;
        }
        self.records.get(self.index_of(ordinal)).map(|record| record.record(ordinal, self.numbering))
    }

    /// Records from `ordinal`, or from the oldest kept, each with its ordinal.
    pub fn from(&self, ordinal: u64) -> impl Iterator<Item = (u64, Record)> {
        let numbering = self.numbering;
        self.compact_from(ordinal).map(move |(ordinal, record)| (ordinal, record.record(ordinal, numbering)))
    }

    /// Whether one of the records there may be several that were put together. It looks at no data.
    pub fn may_have_several(&self, ordinals: &Range<u64>) -> bool {
        let records = self.compact_from(ordinals.start).take_while(|(ordinal, _)| ordinals.contains(ordinal));
        records.into_iter().any(|(_, record)| record.may_be_several())
    }

    fn compact_from(&self, ordinal: u64) -> impl Iterator<Item = (u64, &Compact)> {
        let ordinal = ordinal.clamp(self.base, self.next());
        self.holes.ordinals_from(ordinal).zip(self.records.from(self.index_of(ordinal)))
    }

    /// The index of the first record at or after this ordinal, among the records that are there.
    fn index_of(&self, ordinal: u64) -> usize {
        let index = ordinal - self.base - self.holes.before(ordinal);
        usize::try_from(index).expect("no larger than the number of records in memory")
    }

    /// The ordinal of the first record that arrived at `time` or later.
    pub fn at_time(&self, time: Millis) -> u64 {
        let index = self.records.partition_point(|record| record.arrival() < time);
        if index == self.records.len() {
            return self.next();
        }
        if self.holes.is_empty() {
            return self.base + index as u64;
        }
        self.holes.ordinals_from(self.base).nth(index).expect("ordinals do not end")
    }

    /// So many ordinals are not given to anybody any more: they may have been those of records that are lost.
    pub fn lose(&mut self, count: u64) {
        let next = self.next();
        self.holes.push(next..next + count);
    }

    /// The record goes to [`Log::next`]. Gives its sequence number. All records of a log are numbered alike.
    pub fn append(&mut self, numbering: Numbering, record: Compact) -> Sequence {
        let sequence = numbering.sequence(self.next(), record.arrival());
        self.numbering = numbering;
        self.bytes += record.lengths().data as u64;
        self.records.push(record);
        sequence
    }

    /// Forgets what arrived before `time`. Gives whether there was such a record.
    pub fn trim_before(&mut self, time: Millis) -> bool {
        self.trim_to(self.at_time(time))
    }

    /// Forgets what is before `ordinal`. Gives whether there was such a record.
    pub fn trim_to(&mut self, ordinal: u64) -> bool {
        let ordinal = ordinal.min(self.next());
        if ordinal <= self.base {
            return false;
        }
        self.records.drop_front(self.index_of(ordinal));
        self.holes.trim_to(ordinal);
        self.base = ordinal;
        true
    }

    /// The changes since the last time, for a journal that knows this log as `name`.
    pub fn take_changes(&mut self, name: impl FnOnce() -> String, out: &mut Changes) {
        let now = self.base..self.next();
        let known = std::mem::replace(&mut self.journalled, now);
        if !out.are_kept() {
            return;
        }
        let name = Arc::clone(self.name.get_or_insert_with(|| name().into()));
        // Ordinals are lost when an engine starts, and records are put later.
        let first = self.holes.end_of(known.end).unwrap_or(known.end).max(self.base);
        if first > known.end && !self.holes.is_empty() {
            out.logs.push(LogChange::Lose { log: Arc::clone(&name), next: first });
        }
        let new: Vec<Compact> = self.compact_from(first).map(|(_, record)| record.clone()).collect();
        if !new.is_empty() {
            let (log, numbering) = (Arc::clone(&name), self.numbering);
            out.logs.push(LogChange::Append { log, first, numbering, records: new });
        }
        if self.base != known.start {
            out.logs.push(LogChange::Trim { log: name, first: self.base });
        }
    }

    /// A change from the journal. They come in the order they were made, some of them more than once. Records that are missing in
    /// between are lost, or were trimmed: then it is told later.
    pub fn restore(&mut self, change: LogChange) {
        match change {
            LogChange::Append { first, numbering, records, .. } => {
                self.numbering = numbering;
                for (ordinal, record) in (first..).zip(records) {
                    self.lose_below(ordinal);
                    if ordinal == self.next() {
                        self.records.push(record);
                    }
                }
            }
            LogChange::Trim { first, .. } => {
                self.lose_below(first);
                self.trim_to(first);
            }
            LogChange::Lose { next, .. } => self.lose_below(next),
            LogChange::Remove { .. } => *self = Log::default(),
        }
        self.journalled = self.base..self.next();
    }

    fn lose_below(&mut self, ordinal: u64) {
        self.lose(ordinal.saturating_sub(self.next()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERING: Numbering = Numbering { created_s: 1, shard: 0 };

    fn whole(n: u64) -> Record {
        let sequence = NUMBERING.sequence(n, n * 10);
        Record { sequence, partition_key: "ключ".into(), data: vec![n as u8; 3].into(), arrival: n * 10 }
    }

    fn record(n: u64) -> Compact {
        whole(n).into()
    }

    fn filled(count: u64) -> Log {
        let mut log = Log::default();
        (0..count).for_each(|n| assert_eq!(log.append(NUMBERING, record(n)), whole(n).sequence));
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
        log.append(NUMBERING, record(2));
        log.trim_to(1);
        let append = LogChange::Append { log: "l".into(), first: 2, numbering: NUMBERING, records: vec![record(2)] };
        assert_eq!(changes(&mut log), [append, LogChange::Trim { log: "l".into(), first: 1 }]);
        assert_eq!(changes(&mut log), []);
    }

    #[test]
    fn what_lies_in_a_gap_is_lost_and_what_is_before_and_behind_is_kept() {
        let mut log = filled(2);
        changes(&mut log);
        let append =
            |n: u64| LogChange::Append { log: "l".into(), first: n, numbering: NUMBERING, records: vec![record(n)] };
        log.restore(append(5));
        let ordinals = |log: &Log, from| log.from(from).map(|(ordinal, _)| ordinal).collect::<Vec<_>>();
        assert_eq!((log.base(), log.next(), ordinals(&log, 0)), (0, 6, vec![0, 1, 5]));
        assert_eq!((ordinals(&log, 3), log.get(3), log.get(5)), (vec![5], None, Some(whole(5))));
        assert_eq!((log.at_time(10), log.at_time(20), log.at_time(51)), (1, 5, 6));
        log.lose(2);
        log.append(NUMBERING, record(8));
        let lose = LogChange::Lose { log: "l".into(), next: 8 };
        assert_eq!(changes(&mut log), [lose.clone(), append(8)]);
        let mut back = Log::default();
        [append(0), append(1), append(5), lose, append(8)].into_iter().for_each(|change| back.restore(change));
        assert_eq!((ordinals(&back, 0), back.next()), (vec![0, 1, 5, 8], 9));
        assert!(log.trim_to(4));
        assert_eq!((log.base(), log.next(), ordinals(&log, 0)), (4, 9, vec![5, 8]));
        log.restore(LogChange::Trim { log: "l".into(), first: 12 });
        assert_eq!((log.base(), log.next(), ordinals(&log, 0)), (12, 12, vec![]));
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
