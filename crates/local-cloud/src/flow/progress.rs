//! How far a delivery stream is with one shard: the only thing that is journalled about data under way. What is in a
//! buffer or in a function when the engine stops is read again.

use serde::{Deserialize, Serialize};

/// Which records are finished: those below `next`, and those in `done`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    next: u64,
    /// Half-open ranges above `next`, in order, never touching.
    done: Vec<(u64, u64)>,
}

impl Progress {
    /// Nothing below `next` is wanted.
    pub fn starting_at(next: u64) -> Progress {
        Progress { next, done: vec![] }
    }

    /// Below this, everything is finished.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn is_done(&self, ordinal: u64) -> bool {
        let after = self.done.partition_point(|(_, end)| *end <= ordinal);
        ordinal < self.next || self.done.get(after).is_some_and(|(start, _)| *start <= ordinal)
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

    /// These records are finished, in any order.
    pub fn finish_all(&mut self, mut ordinals: Vec<u64>) {
        ordinals.sort_unstable();
        for run in ordinals.chunk_by(|a, b| a + 1 == *b) {
            self.finish(run[0], run[run.len() - 1] + 1);
        }
    }

    fn finish(&mut self, start: u64, end: u64) {
        let first = self.done.partition_point(|(_, stop)| *stop < start);
        let last = self.done.partition_point(|(begin, _)| *begin <= end);
        let touched = &self.done[first..last.max(first)];
        let start = touched.first().map_or(start, |(begin, _)| start.min(*begin));
        let end = touched.last().map_or(end, |(_, stop)| end.max(*stop));
        self.done.splice(first..last.max(first), [(start, end)]);
        if start <= self.next {
            self.next = self.next.max(end);
            self.done.remove(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_set(start in 0u64..5, batches in proptest::collection::vec(proptest::collection::vec(0u64..40, 0..8), 0..12)) {
            let mut progress = Progress::starting_at(start);
            let mut set: BTreeSet<u64> = (0..start).collect();
            for batch in batches {
                set.extend(&batch);
                progress.finish_all(batch);
                for ordinal in 0..45 {
                    prop_assert_eq!(progress.is_done(ordinal), set.contains(&ordinal), "{} in {:?}", ordinal, progress);
                }
                let first_open = (0..).find(|n| !set.contains(n)).unwrap();
                prop_assert_eq!(progress.next(), first_open);
                prop_assert_eq!(progress.open_below(45), 45 - set.len() as u64);
                prop_assert!(progress.done.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", progress);
            }
        }
    }

    #[test]
    fn skipping_lost_records_joins_what_is_done_behind_them() {
        let mut progress = Progress::default();
        progress.finish_all(vec![5, 6, 9]);
        progress.skip_to(5);
        assert_eq!(progress, Progress { next: 7, done: vec![(9, 10)] });
        progress.skip_to(3);
        assert_eq!(progress.next(), 7);
    }
}
