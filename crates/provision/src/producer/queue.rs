//! The records that are still to be put, and the batch that goes next. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::source::Record;

/// A record with its partition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub record: Record,
    pub key: String,
}

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub records: usize,
    /// Data and partition keys.
    pub bytes: usize,
}

/// Records of keys that must wait, at most: then no more are read.
const MOST_WAITING: usize = 10_000;

/// The records that are still to be put.
#[derive(Debug, Default)]
pub struct Queue {
    fresh: VecDeque<Entry>,
    /// Refused entries, which go first.
    again: VecDeque<Entry>,
    /// With `ordered`: keys of records in flight or refused, and the records that wait for theirs.
    order: Option<Order>,
}

#[derive(Debug, Default)]
struct Order {
    busy: HashSet<String>,
    waiting: HashMap<String, VecDeque<Entry>>,
    count: usize,
}

impl Queue {
    /// `ordered`: records of one key are put one after another, each when the one before it is accepted.
    pub fn new(ordered: bool) -> Queue {
        Queue { order: ordered.then(Order::default), ..Queue::default() }
    }

    pub fn add(&mut self, entry: Entry) {
        self.fresh.push_back(entry);
    }

    /// Whether records should be read from the source.
    pub fn wants_more(&self, limits: Limits) -> bool {
        let waiting = self.order.as_ref().map_or(0, |order| order.count);
        self.fresh.len() < limits.records && waiting < MOST_WAITING
    }

    pub fn is_empty(&self) -> bool {
        let none_waits = self.order.as_ref().is_none_or(|order| order.count == 0);
        self.fresh.is_empty() && self.again.is_empty() && none_waits
    }

    /// The next batch. Empty: nothing can go now. A record that is larger than `limits.bytes` goes alone.
    pub fn next(&mut self, limits: Limits) -> Vec<Entry> {
        let mut batch = vec![];
        let mut bytes = 0;
        while batch.len() < limits.records {
            let Some(entry) = self.again.pop_front().or_else(|| self.next_fresh()) else { break };
            let size = entry.record.data.len() + entry.key.len();
            if bytes + size > limits.bytes && !batch.is_empty() {
                self.take_back(entry);
                break;
            }
            bytes += size;
            batch.push(entry);
        }
        batch
    }

    /// The next record whose key is free. With an order, its key is busy from now on.
    fn next_fresh(&mut self) -> Option<Entry> {
        let Some(order) = &mut self.order else { return self.fresh.pop_front() };
        loop {
            let entry = self.fresh.pop_front()?;
            if order.busy.insert(entry.key.clone()) {
                return Some(entry);
            }
            order.count += 1;
            order.waiting.entry(entry.key.clone()).or_default().push_back(entry);
        }
    }

    fn take_back(&mut self, entry: Entry) {
        self.again.push_front(entry);
    }

    /// Entries of a batch that were refused, in order. They go again, before all others.
    pub fn refused(&mut self, entries: Vec<Entry>) {
        for entry in entries.into_iter().rev() {
            self.again.push_front(entry);
        }
    }

    /// The entry of this key was accepted, or given up: the next one of its key may go.
    pub fn done(&mut self, key: &str) {
        let Some(order) = &mut self.order else { return };
        order.busy.remove(key);
        let Some(waiting) = order.waiting.get_mut(key) else { return };
        if let Some(next) = waiting.pop_front() {
            order.count -= 1;
            order.busy.insert(key.to_owned());
            self.again.push_back(next);
        }
        if waiting.is_empty() {
            order.waiting.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { records: 3, bytes: 10 };

    fn entry(number: u64, key: &str, size: usize) -> Entry {
        Entry { record: Record::new(number, vec![0; size]), key: key.into() }
    }

    fn numbers(batch: &[Entry]) -> Vec<u64> {
        batch.iter().map(|entry| entry.record.number).collect()
    }

    #[test]
    fn a_batch_keeps_to_both_limits_and_a_large_record_goes_alone() {
        let mut queue = Queue::new(false);
        for (number, size) in [(1, 1), (2, 1), (3, 1), (4, 5), (5, 5), (6, 50), (7, 1)] {
            queue.add(entry(number, "k", size));
        }
        let mut batches = vec![];
        while !queue.is_empty() {
            batches.push(numbers(&queue.next(LIMITS)));
        }
        assert_eq!(batches, [vec![1, 2, 3], vec![4], vec![5], vec![6], vec![7]]);
    }

    #[test]
    fn refused_records_go_first_and_in_order() {
        let mut queue = Queue::new(false);
        (1..=5).for_each(|number| queue.add(entry(number, "k", 1)));
        let batch = queue.next(LIMITS);
        queue.refused(batch.into_iter().filter(|entry| entry.record.number != 2).collect());
        assert_eq!(numbers(&queue.next(LIMITS)), [1, 3, 4]);
        assert_eq!(numbers(&queue.next(LIMITS)), [5]);
    }

    #[test]
    fn in_order_a_record_waits_for_the_one_before_it_of_its_key() {
        let mut queue = Queue::new(true);
        let keys = ["a", "a", "b", "a", "c", "b"];
        (1..).zip(keys).for_each(|(number, key)| queue.add(entry(number, key, 1)));
        let first = queue.next(LIMITS);
        assert_eq!(numbers(&first), [1, 3, 5]);
        assert_eq!(numbers(&queue.next(LIMITS)), [] as [u64; 0]);
        // b and c are accepted, a is refused.
        queue.done("b");
        queue.done("c");
        queue.refused(vec![first[0].clone()]);
        assert_eq!(numbers(&queue.next(LIMITS)), [1, 6]);
        queue.done("a");
        assert_eq!(numbers(&queue.next(LIMITS)), [2]);
        queue.done("a");
        queue.done("b");
        assert_eq!(numbers(&queue.next(LIMITS)), [4]);
        queue.done("a");
        assert!(queue.is_empty());
    }

    proptest::proptest! {
        /// Whatever is refused, every record is accepted once, and those of a key in their order.
        #[test]
        fn each_record_is_accepted_once_and_in_order(keys in proptest::collection::vec(0u8..4, 0..40), refusals in proptest::collection::vec(proptest::bool::ANY, 200)) {
            let mut queue = Queue::new(true);
            let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
            let count = keys.len();
            (1..).zip(&keys).for_each(|(number, key)| queue.add(entry(number, key, 1)));
            let mut accepted: Vec<(String, u64)> = vec![];
            let mut refusals = refusals.into_iter().chain(std::iter::repeat(false));
            while !queue.is_empty() {
                let batch = queue.next(LIMITS);
                proptest::prop_assert!(!batch.is_empty());
                let (again, fine): (Vec<_>, Vec<_>) = batch.into_iter().partition(|_| refusals.next().unwrap());
                queue.refused(again);
                for entry in fine {
                    queue.done(&entry.key);
                    accepted.push((entry.key, entry.record.number));
                }
            }
            proptest::prop_assert_eq!(accepted.len(), count);
            for key in ["0", "1", "2", "3"] {
                let of_key: Vec<u64> = accepted.iter().filter(|(of, _)| of == key).map(|(_, n)| *n).collect();
                proptest::prop_assert!(of_key.is_sorted());
            }
        }
    }
}
