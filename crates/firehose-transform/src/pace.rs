//! How often the clock is read. Reading it costs as much as a small record does.

use std::time::Duration;

/// Reads the clock before each record while records are slow, and before every sixteenth while sixteen take at most a millisecond.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    skip: u32,
    left_before: Option<Duration>,
}

const STRIDE: u32 = 16;
const FAST: Duration = Duration::from_millis(1);

impl Pace {
    #[inline]
    pub(crate) fn is_out_of_time(&mut self, time_left: impl Fn() -> Duration) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let left = time_left();
        let fast = self.left_before.is_none_or(|before| before.saturating_sub(left) <= FAST);
        // The clock is read again after the first record, which may be slow. Once the time is over, it stays over.
        self.skip = if fast && self.left_before.is_some() && !left.is_zero() { STRIDE - 1 } else { 0 };
        self.left_before = Some(left);
        left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_fast_transform_is_looked_at_seldom_and_a_slow_one_always() {
        for (record_us, expected) in [(0, 8), (60, 8), (100, 100), (5_000, 100)] {
            let (now_us, looks) = (Cell::new(0), Cell::new(0));
            let mut pace = Pace::default();
            for _ in 0..100 {
                let out = pace.is_out_of_time(|| {
                    looks.set(looks.get() + 1);
                    Duration::from_secs(10) - Duration::from_micros(now_us.get())
                });
                assert!(!out);
                now_us.set(now_us.get() + record_us);
            }
            // At 0.1 ms a record the first sixteen are still taken for fast, and every second look is one at a single record.
            assert!(looks.get() <= expected && looks.get() >= expected.min(12) - 4, "{record_us}: {}", looks.get());
        }
    }

    #[test]
    fn the_end_of_the_time_is_seen_and_stays() {
        let mut pace = Pace::default();
        assert!((0..100).all(|_| pace.is_out_of_time(|| Duration::ZERO)));
    }
}
