//! Limits the direct puts of a delivery stream in a second. Kept in memory only.
//!
//! <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>

use crate::allowance::Allowance;
use crate::time::Millis;

/// The limits of a delivery stream for one second.
#[derive(Debug, Clone, Copy)]
struct Quota {
    requests: u64,
    records: u64,
    bytes: u64,
}

const LARGE: Quota = Quota { requests: 2_000, records: 500_000, bytes: 5 << 20 };
const SMALL: Quota = Quota { requests: 1_000, records: 100_000, bytes: 1 << 20 };

impl Quota {
    fn of(region: &str) -> Quota {
        if matches!(region, "us-east-1" | "us-west-2" | "eu-west-1") { LARGE } else { SMALL }
    }
}

/// The allowances of one delivery stream.
#[derive(Debug)]
pub struct Meter {
    quota: Quota,
    requests: Allowance,
    records: Allowance,
    bytes: Allowance,
}

impl Meter {
    pub fn of(region: &str) -> Meter {
        let quota = Quota::of(region);
        Meter { quota, requests: Allowance::default(), records: Allowance::default(), bytes: Allowance::default() }
    }

    /// May a call be made now? If so, it counts.
    pub fn request(&mut self, now: Millis) -> bool {
        let fits = self.requests.holds(now, self.quota.requests, 1);
        if fits {
            self.requests.take(1);
        }
        fits
    }

    /// May a record of this size be put now? If so, it counts.
    pub fn record(&mut self, now: Millis, size: u64) -> bool {
        let fits = self.records.holds(now, self.quota.records, 1) && self.bytes.holds(now, self.quota.bytes, size);
        if fits {
            self.records.take(1);
            self.bytes.take(size);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_what_the_region_allows() {
        for (region, requests, large_records) in [("eu-west-1", 2_000, 5), ("eu-north-1", 1_000, 1)] {
            let mut meter = Meter::of(region);
            assert_eq!((0..3_000).filter(|_| meter.request(10_000)).count(), requests, "{region}");
            assert_eq!((0..10).filter(|_| meter.record(10_000, 1 << 20)).count(), large_records, "{region}");
            assert!(meter.record(11_000, 1), "a second later");
        }
    }
}
