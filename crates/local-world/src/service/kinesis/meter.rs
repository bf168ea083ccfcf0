//! Limits what a shard takes and gives in a second of world time. Kept in memory only.
//!
//! <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>

use crate::allowance::Allowance;
use crate::time::Millis;

const WRITE_BYTES: u64 = 1 << 20;
const WRITE_RECORDS: u64 = 1_000;
const READ_BYTES: u64 = 2 << 20;
const READ_CALLS: u64 = 5;
const ITERATORS: u64 = 5;

/// The allowances of one shard.
#[derive(Debug, Default)]
pub struct Meter {
    write_bytes: Allowance,
    write_records: Allowance,
    read_bytes: Allowance,
    read_calls: Allowance,
    iterators: Allowance,
}

impl Meter {
    /// May a record of this size be put now? If so, it counts. One that is larger than a second's bytes is let through as a
    /// burst, and what follows waits for it.
    pub fn write(&mut self, now: Millis, size: u64) -> bool {
        let fits = self.write_bytes.holds(now, WRITE_BYTES, size) && self.write_records.holds(now, WRITE_RECORDS, 1);
        if fits {
            self.write_bytes.take(size);
            self.write_records.take(1);
        }
        fits
    }

    /// May records be read now? If so, the call counts. `readers` take a call a second each.
    pub fn read(&mut self, now: Millis, readers: u64) -> bool {
        let calls = READ_CALLS.saturating_sub(readers);
        let fits = calls > 0 && self.read_calls.holds(now, calls, 1) && self.read_bytes.holds(now, READ_BYTES, 1);
        if fits {
            self.read_calls.take(1);
        }
        fits
    }

    /// So many bytes were read: the next call waits until they are paid for.
    pub fn was_read(&mut self, size: u64) {
        self.read_bytes.take(size);
    }

    pub fn iterator(&mut self, now: Millis) -> bool {
        let fits = self.iterators.holds(now, ITERATORS, 1);
        if fits {
            self.iterators.take(1);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_takes_a_thousand_records_and_a_mebibyte_a_second() {
        let mut meter = Meter::default();
        assert_eq!((0..1_500).filter(|_| meter.write(10_000, 10)).count(), 1_000);
        assert_eq!((0..1_500).filter(|_| meter.write(10_500, 10)).count(), 500, "half a second later");
        let mut meter = Meter::default();
        assert_eq!((0..10).filter(|_| meter.write(10_000, 300 << 10)).count(), 3);
    }

    #[test]
    fn a_large_record_is_a_burst_that_is_paid_for_later() {
        let mut meter = Meter::default();
        assert!(meter.write(10_000, 4 << 20));
        let next = (10_000..20_000).find(|now| meter.write(*now, 1));
        assert!(next.is_some_and(|next| (13_000..13_010).contains(&next)), "{next:?}");
    }

    #[test]
    fn reading_takes_five_calls_a_second_of_which_each_delivery_has_one() {
        for (readers, expected) in [(0, 5), (2, 3), (5, 0)] {
            let mut meter = Meter::default();
            assert_eq!((0..10).filter(|_| meter.read(10_000, readers)).count(), expected, "{readers}");
        }
        let mut meter = Meter::default();
        assert!(meter.read(10_000, 0));
        meter.was_read(10 << 20);
        let next = (10_000..20_000).find(|now| meter.read(*now, 0));
        assert_eq!(next, Some(14_001), "after all that a call may give, nothing for as long as it takes");
        assert_eq!((0..10).filter(|_| meter.iterator(10_000)).count(), 5);
    }
}
