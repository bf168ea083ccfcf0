//! The latest events, for a person who watches. It is bounded and in memory only, and nothing else depends on it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::flow::item::{Origin, Output};
use crate::flow::pieces::Pieces;
use crate::flow::progress::Finished;
use crate::flow::task::Spent;
use crate::request::InvokeOutcome;
use crate::time::Millis;

const MOST_OBJECTS: usize = 200;
/// Records of recent objects that are remembered, all objects together, and their bytes. An object of more is remembered without
/// its records.
const MOST_RECORDS: usize = 50_000;
const MOST_BYTES: usize = 16 << 20;
const MOST_FAILURES: usize = 200;
const MOST_FAILURE_BYTES: usize = 8 << 20;
const MOST_DROPS: usize = 200;
const MOST_INVOCATIONS: usize = 100;

/// The latest of each kind, and counts since the engine began.
#[derive(Debug, Default)]
pub struct Recent {
    objects: VecDeque<Stored>,
    records: usize,
    bytes: usize,
    failures: VecDeque<Failed>,
    failure_bytes: usize,
    drops: VecDeque<(String, Finished)>,
    invocations: VecDeque<Invoked>,
    /// Invocations that have ended.
    ended: u64,
    lanes: BTreeMap<String, Counts>,
    functions: BTreeMap<String, Calls>,
}

/// An object that a delivery stream stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(crate) at: Millis,
    pub(crate) lane: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) bytes: usize,
    pub(crate) records: usize,
    /// The folder of failures that it belongs to; `None` where its records were delivered.
    pub(crate) error: Option<&'static str>,
    pub(crate) compressed: bool,
    /// Bytes between two records.
    pub(crate) delimiter: usize,
    /// Its records. `None` where they are not remembered.
    pub(crate) items: Option<Arc<Pieces<Output>>>,
}

/// A record that could not be processed, as it is written under the error prefix.
#[derive(Debug, Clone)]
pub struct Failed {
    pub(crate) at: Millis,
    pub(crate) lane: String,
    pub(crate) error: &'static str,
    pub(crate) output: Output,
}

/// An invocation that has ended.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// From 1 on.
    pub(crate) number: u64,
    pub(crate) at: Millis,
    /// `region/name`
    pub(crate) function: String,
    pub(crate) duration_ms: f64,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) error: Option<String>,
}

/// Records and objects of one way of a delivery stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub(crate) stored: u64,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
}

/// The invocations of one function.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub(crate) ended: u64,
    pub(crate) errors: u64,
    /// Invocations of Firehose that could not start, and why the last one could not.
    pub(crate) refused: u64,
    pub(crate) refusal: Option<&'static str>,
    pub(crate) total_ms: f64,
    pub(crate) last_ms: f64,
    pub(crate) most_ms: f64,
    pub(crate) memory_mib: Option<u64>,
}

impl Recent {
    /// An object was stored. Gives the records that are forgotten for it, which are to be freed outside the turn.
    pub(crate) fn stored(&mut self, mut stored: Stored) -> Vec<Spent> {
        let counts = self.lanes.entry(stored.lane.clone()).or_default();
        counts.objects += 1;
        counts.bytes += stored.bytes as u64;
        if stored.error.is_none() {
            counts.stored += stored.records as u64;
        }
        let mut spent = vec![];
        let (records, bytes) = size(&stored);
        if records > MOST_RECORDS || bytes > MOST_BYTES {
            spent.extend(stored.items.take());
        } else {
            self.records += records;
            self.bytes += bytes;
        }
        self.objects.push_back(stored);
        while self.objects.len() > MOST_OBJECTS || self.records > MOST_RECORDS || self.bytes > MOST_BYTES {
            let Some(mut oldest) = self.objects.pop_front() else { break };
            let (records, bytes) = size(&oldest);
            self.records -= records;
            self.bytes -= bytes;
            spent.extend(oldest.items.take());
        }
        spent.into_iter().map(Spent::Outputs).collect()
    }

    /// Records failed, all in the same way.
    pub(crate) fn failed<'a>(
        &mut self,
        at: Millis,
        lane: &str,
        error: &'static str,
        outputs: impl DoubleEndedIterator<Item = &'a Output> + ExactSizeIterator,
    ) {
        self.lanes.entry(lane.to_owned()).or_default().failed += outputs.len() as u64;
        let skipped = outputs.len().saturating_sub(MOST_FAILURES);
        for output in outputs.skip(skipped) {
            self.failure_bytes += output.data.len() + output.raw.len();
            self.failures.push_back(Failed { at, lane: lane.to_owned(), error, output: output.clone() });
        }
        while self.failures.len() > MOST_FAILURES || self.failure_bytes > MOST_FAILURE_BYTES {
            let Some(oldest) = self.failures.pop_front() else { break };
            self.failure_bytes -= oldest.output.data.len() + oldest.output.raw.len();
        }
    }

    /// A function said that these records are not to be delivered.
    pub(crate) fn dropped(&mut self, lane: &str, dropped: &Finished) {
        let count = dropped.count();
        if count == 0 {
            return;
        }
        self.lanes.entry(lane.to_owned()).or_default().dropped += count;
        self.drops.push_back((lane.to_owned(), dropped.clone()));
        if self.drops.len() > MOST_DROPS {
            self.drops.pop_front();
        }
    }

    /// An invocation has ended.
    pub(crate) fn invoked(&mut self, at: Millis, function: &str, outcome: &InvokeOutcome) {
        let memory_mib = outcome.log.last().and_then(|line| memory_in(line));
        let calls = self.functions.entry(function.to_owned()).or_default();
        calls.ended += 1;
        calls.errors += u64::from(outcome.function_error.is_some());
        calls.total_ms += outcome.duration_ms;
        calls.last_ms = outcome.duration_ms;
        calls.most_ms = calls.most_ms.max(outcome.duration_ms);
        calls.memory_mib = memory_mib.or(calls.memory_mib);
        let (function, duration_ms, error) = (function.to_owned(), outcome.duration_ms, outcome.function_error.clone());
        self.ended += 1;
        let number = self.ended;
        self.invocations.push_back(Invoked { number, at, function, duration_ms, memory_mib, error });
        if self.invocations.len() > MOST_INVOCATIONS {
            self.invocations.pop_front();
        }
    }

    /// Firehose could not invoke a function.
    pub(crate) fn refused(&mut self, function: &str, code: &'static str) {
        let calls = self.functions.entry(function.to_owned()).or_default();
        calls.refused += 1;
        calls.refusal = Some(code);
    }

    /// The latest first, as are the other lists.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Stored> {
        self.objects.iter().rev()
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = &Failed> {
        self.failures.iter().rev()
    }

    pub(crate) fn invocations(&self) -> impl Iterator<Item = &Invoked> {
        self.invocations.iter().rev()
    }

    pub(crate) fn counts(&self, lane: &str) -> Counts {
        self.lanes.get(lane).copied().unwrap_or_default()
    }

    pub(crate) fn calls(&self, function: &str) -> Calls {
        self.functions.get(function).cloned().unwrap_or_default()
    }

    /// Was this record dropped lately?
    pub(crate) fn was_dropped(&self, lane: &str, shard: u32, ordinal: u64) -> bool {
        self.drops.iter().any(|(of, dropped)| of == lane && dropped.contains(shard, ordinal))
    }
}

impl Stored {
    /// The records of one origin in it: where each begins in the object before it was compressed, and the record.
    pub(crate) fn places(&self, shard: u32, ordinal: u64) -> Vec<(usize, Output)> {
        let theirs = |origin: Origin| origin.shard == shard && origin.ordinal == ordinal;
        self.each().filter(|(_, output)| theirs(output.origin)).map(|(at, output)| (at, output.clone())).collect()
    }

    /// Each record, with the place where it begins.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, &Output)> {
        let mut next = 0;
        self.items.iter().flat_map(|items| items.iter()).map(move |output| {
            let at = next;
            next += output.data.len() + self.delimiter;
            (at, output)
        })
    }
}

fn size(stored: &Stored) -> (usize, usize) {
    let Some(items) = &stored.items else { return (0, 0) };
    // Each record is held as it was put and as it was delivered: of a plain object that is about twice its size.
    (items.len(), 2 * stored.bytes)
}

/// The memory that a REPORT line names, in MiB.
fn memory_in(line: &str) -> Option<u64> {
    line.split_once("Max Memory Used: ")?.1.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::item::Item;
    use crate::record::Record;
    use crate::record::sequence::Sequence;

    fn output(ordinal: u64, data: &str) -> Output {
        let sequence = Sequence::of_record(1, 0, ordinal, 1);
        let record = Record { sequence, partition_key: "k".into(), data: data.to_owned().into(), arrival: 1 };
        Output::of(&Item::new(Origin::whole(0, ordinal), record.clone()), record.data)
    }

    fn stored(outputs: Vec<Output>) -> Stored {
        Stored {
            at: 1,
            lane: "l".into(),
            bucket: "b".into(),
            key: "k".into(),
            bytes: outputs.iter().map(|output| output.data.len()).sum(),
            records: outputs.len(),
            error: None,
            compressed: false,
            delimiter: 1,
            items: Some(Arc::new(outputs.into())),
        }
    }

    #[test]
    fn a_record_is_found_at_its_place_in_its_object() {
        let object = stored(vec![output(0, "ab"), output(1, "cde"), output(2, "f")]);
        let places = |ordinal| object.places(0, ordinal).iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!((places(0), places(1), places(2), places(3)), (vec![0], vec![3], vec![7], vec![]));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_forgotten_is_given_back() {
        let mut recent = Recent::default();
        let thousand = || stored((0..1_000).map(|n| output(n, "x")).collect());
        let spent: usize = (0..60).map(|_| recent.stored(thousand()).len()).sum();
        assert_eq!((recent.objects.len(), recent.records, spent), (50, MOST_RECORDS, 10));
        let large = Stored { bytes: MOST_BYTES, ..thousand() };
        assert_eq!(recent.stored(large).len(), 1, "its own records");
        let newest = recent.objects().next().expect("it is there");
        assert!(newest.items.is_none() && newest.records == 1_000);
        assert_eq!(recent.counts("l").stored, 61_000);
        let all: Vec<Output> = (0..500).map(|n| output(n, "x")).collect();
        recent.failed(1, "l", "processing-failed", all.iter());
        assert_eq!((recent.failures.len(), recent.counts("l").failed), (MOST_FAILURES, 500));
        assert_eq!(recent.failures().next().map(|failed| failed.output.origin.ordinal), Some(499));
    }

    #[test]
    fn an_invocation_counts_with_its_time_memory_and_error() {
        let mut recent = Recent::default();
        let report = "REPORT RequestId: 1\tMemory Size: 256 MB\tMax Memory Used: 31 MB\t".to_owned();
        let outcome = |function_error: Option<&str>, duration_ms| InvokeOutcome {
            payload: "{}".into(),
            function_error: function_error.map(Into::into),
            log: vec![report.clone()],
            duration_ms,
        };
        recent.invoked(1, "r/f", &outcome(None, 4.0));
        recent.invoked(2, "r/f", &outcome(Some("Unhandled"), 2.0));
        recent.refused("r/f", "InvokeLimitExceeded");
        let calls = recent.calls("r/f");
        assert_eq!((calls.ended, calls.errors, calls.refused, calls.memory_mib), (2, 1, 1, Some(31)));
        assert_eq!((calls.total_ms, calls.last_ms, calls.most_ms), (6.0, 2.0, 4.0));
    }
}
