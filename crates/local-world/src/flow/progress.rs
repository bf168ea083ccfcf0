//! How far a delivery stream is with one shard: the only thing that is journalled about data under way. What is in a
//! buffer or in a function when the engine stops is read again.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::item::Origin;

/// Records, and parts of records, that came to their end: few numbers, however many they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished(BTreeMap<u32, OfShard>);

/// The finished records of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfShard {
    /// Ordinals of records that are whole.
    whole: Vec<Range<u64>>,
    /// Parts of those that were taken apart.
    parts: Vec<Origin>,
}

impl Finished {
    /// By index of the shard.
    pub fn by_shard(&self) -> impl Iterator<Item = (u32, &OfShard)> {
        self.0.iter().map(|(shard, finished)| (*shard, finished))
    }

    /// How many records and parts of records they are.
    pub fn count(&self) -> u64 {
        let of_shard =
            |shard: &OfShard| shard.whole.iter().map(|run| run.end - run.start).sum::<u64>() + shard.parts.len() as u64;
        self.0.values().map(of_shard).sum()
    }

    /// Is this record one of them, or a part of it?
    pub fn contains(&self, shard: u32, ordinal: u64) -> bool {
        let contains = |of: &OfShard| {
            of.whole.iter().any(|run| run.contains(&ordinal)) || of.parts.iter().any(|part| part.ordinal == ordinal)
        };
        self.0.get(&shard).is_some_and(contains)
    }
}

/// In any order.
impl FromIterator<Origin> for Finished {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Finished {
        let (mut whole, parts): (Vec<Origin>, Vec<Origin>) = origins.into_iter().partition(|origin| origin.parts == 1);
        whole.sort_unstable();
        let mut out = Finished::default();
        for run in whole.chunk_by(|a, b| a.shard == b.shard && a.ordinal + 1 == b.ordinal) {
            let range = run[0].ordinal..run[run.len() - 1].ordinal + 1;
            out.0.entry(run[0].shard).or_default().whole.push(range);
        }
        parts.into_iter().for_each(|part| out.0.entry(part.shard).or_default().parts.push(part));
        out
    }
}

/// Which records are finished: those below `next`, and those in `done`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    next: u64,
    /// Half-open ranges above `next`, by their start, never touching. With many partitions there are many of them.
    done: BTreeMap<u64, u64>,
    /// Records that were taken apart and are only partly finished: the number of parts, and which of them are finished.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    partly: BTreeMap<u64, (u32, Progress)>,
}

impl Progress {
    /// Nothing below `next` is wanted.
    pub fn starting_at(next: u64) -> Progress {
        Progress { next, ..Progress::default() }
    }

    /// Below this, everything is finished.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn is_done(&self, ordinal: u64) -> bool {
        ordinal < self.next || self.done.range(..=ordinal).next_back().is_some_and(|(_, end)| ordinal < *end)
    }

    /// Is this record finished, or this part of it? One that is now taken apart otherwise than before begins anew.
    pub fn is_origin_done(&self, origin: &Origin) -> bool {
        let part_done = || {
            let partly = self.partly.get(&origin.ordinal).filter(|(parts, _)| *parts == origin.parts);
            partly.is_some_and(|(_, done)| done.is_done(origin.part.into()))
        };
        self.is_done(origin.ordinal) || part_done()
    }

    /// How many below `end` are not finished.
    pub fn open_below(&self, end: u64) -> u64 {
        let done = self.done.iter().map(|(start, stop)| end.min(*stop).saturating_sub(*start)).sum::<u64>();
        end.saturating_sub(self.next) - done
    }

    /// Everything below `ordinal` is finished, or lost.
    pub fn skip_to(&mut self, ordinal: u64) {
        if ordinal > self.next {
            self.finish(self.next, ordinal);
        }
    }

    /// These are of no record.
    pub fn lose(&mut self, ordinals: Range<u64>) {
        self.finish(ordinals.start, ordinals.end);
    }

    /// Marks records of this shard as finished.
    pub fn finish_all(&mut self, finished: &OfShard) {
        finished.whole.iter().for_each(|run| self.finish(run.start, run.end));
        for part in &finished.parts {
            if let Some(ordinal) = self.finish_part(part) {
                self.finish(ordinal, ordinal + 1);
            }
        }
    }

    /// Gives the record's ordinal when this was its last part.
    fn finish_part(&mut self, origin: &Origin) -> Option<u64> {
        let (parts, done) = self.partly.entry(origin.ordinal).or_default();
        if *parts != origin.parts {
            (*parts, *done) = (origin.parts, Progress::default());
        }
        done.finish(origin.part.into(), u64::from(origin.part) + 1);
        let last = done.next() >= origin.parts.into();
        last.then(|| self.partly.remove(&origin.ordinal)).map(|_| origin.ordinal)
    }

    fn finish(&mut self, mut start: u64, mut end: u64) {
        if let Some((before, stop)) = self.done.range(..start).next_back().filter(|(_, stop)| **stop >= start) {
            (start, end) = (*before, end.max(*stop));
        }
        while let Some((begin, stop)) = self.done.range(start..=end).next().map(|(begin, stop)| (*begin, *stop)) {
            end = end.max(stop);
            self.done.remove(&begin);
        }
        if start <= self.next {
            self.next = self.next.max(end);
        } else {
            self.done.insert(start, end);
        }
        while self.partly.first_key_value().is_some_and(|(ordinal, _)| *ordinal < self.next) {
            self.partly.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn finish(progress: &mut Progress, origins: impl IntoIterator<Item = Origin>) {
        let finished: Finished = origins.into_iter().collect();
        finished.by_shard().for_each(|(_, of_shard)| progress.finish_all(of_shard));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(start in 0u64..5, batches in proptest::collection::vec(proptest::collection::vec(0u64..40, 0..8), 0..12)) {
            let mut progress = Progress::starting_at(start);
            let mut set: BTreeSet<u64> = (0..start).collect();
            for batch in batches {
                set.extend(&batch);
                finish(&mut progress, batch.iter().map(|ordinal| Origin::whole(0, *ordinal)));
                for ordinal in 0..45 {
                    prop_assert_eq!(progress.is_done(ordinal), set.contains(&ordinal), "{} in {:?}", ordinal, progress);
                }
                let first_open = (0..).find(|n| !set.contains(n)).unwrap();
                prop_assert_eq!(progress.next(), first_open);
                prop_assert_eq!(progress.open_below(45), 45 - set.len() as u64);
                let (starts, ends) = (progress.done.keys().skip(1), progress.done.values());
                prop_assert!(starts.zip(ends).all(|(start, end)| end < start), "{:?}", progress);
            }
        }
    }

    #[test]
    fn finished_records_are_counted_by_shard_in_runs() {
        let part = Origin { shard: 1, ordinal: 9, part: 0, parts: 2 };
        let whole = [(1, 4), (0, 7), (1, 3), (1, 6), (1, 5)].map(|(shard, ordinal)| Origin::whole(shard, ordinal));
        let finished: Finished = whole.into_iter().chain([part]).collect();
        let of = |(shard, first, end, parts)| (shard, OfShard { whole: std::iter::once(first..end).collect(), parts });
        let expected = [(0, 7, 8, vec![]), (1, 3, 7, vec![part])].map(of);
        assert_eq!(finished, Finished(BTreeMap::from(expected)));
    }

    #[test]
    fn skipping_lost_records_joins_what_is_done_behind_them() {
        let mut progress = Progress::default();
        finish(&mut progress, [5, 6, 9].map(|ordinal| Origin::whole(0, ordinal)));
        progress.skip_to(5);
        assert_eq!(progress, Progress { next: 7, done: BTreeMap::from([(9, 10)]), ..Progress::default() });
        progress.skip_to(3);
        assert_eq!(progress.next(), 7);
    }

    #[test]
    fn a_record_that_was_taken_apart_is_finished_with_its_last_part() {
        let part = |part| Origin { shard: 0, ordinal: 3, part, parts: 3 };
        let mut progress = Progress::starting_at(3);
        finish(&mut progress, [part(2), part(0)]);
        assert_eq!((progress.next(), [0, 1, 2].map(|n| progress.is_origin_done(&part(n)))), (3, [true, false, true]));
        let otherwise = Origin { parts: 2, ..part(0) };
        assert!(!progress.is_origin_done(&otherwise), "rather twice than never");
        let kept: Progress = serde_json::from_slice(&serde_json::to_vec(&progress).unwrap()).unwrap();
        assert_eq!(kept, progress);
        finish(&mut progress, [part(1)]);
        assert_eq!(progress, Progress::starting_at(4));
    }

    #[test]
    fn what_is_lost_in_the_middle_of_a_record_is_forgotten() {
        let mut progress = Progress::default();
        finish(&mut progress, [Origin { shard: 0, ordinal: 1, part: 0, parts: 2 }]);
        progress.skip_to(2);
        assert_eq!(progress, Progress::starting_at(2));
    }
}
