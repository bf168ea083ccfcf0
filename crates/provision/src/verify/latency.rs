//! How long records took from their acceptance until their object was stored. In whole seconds: S3 gives no more. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts by seconds.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    counts: BTreeMap<u32, usize>,
    total: usize,
}

/// The shares of records that were visible in time. In seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    pub p50_s: u32,
    pub p90_s: u32,
    pub p99_s: u32,
    pub max_s: u32,
    pub histogram: Vec<Bar>,
}

/// Records that took at least `from_s` and less than `to_s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bar {
    pub from_s: u32,
    pub to_s: u32,
    pub records: usize,
}

const MOST_BARS: u32 = 20;
const LEAST_BARS: u32 = 10;
/// Widths of bars, in seconds.
const WIDTHS: [u32; 9] = [1, 2, 5, 10, 30, 60, 300, 900, 3_600];

impl Latencies {
    /// Clocks of different machines may make it negative, which counts as 0.
    pub fn add(&mut self, latency_s: i64) {
        let latency_s = u32::try_from(latency_s.max(0)).unwrap_or(u32::MAX);
        *self.counts.entry(latency_s).or_default() += 1;
        self.total += 1;
    }

    /// `None` without records.
    pub fn told(&self) -> Option<Latency> {
        let (first, last) = (*self.counts.keys().next()?, *self.counts.keys().next_back()?);
        let width = WIDTHS.into_iter().find(|width| (last - first) / width < MOST_BARS).unwrap_or(86_400);
        let (from, to) = (first / width, last / width);
        // Some empty bars around few, so that a chart shows where they are.
        let more = LEAST_BARS.saturating_sub(to - from + 1);
        let from = from.saturating_sub(more / 2);
        let to = to.max(from.saturating_add(LEAST_BARS - 1));
        let bar = |at: u32| {
            let (from_s, to_s) = (at * width, (at + 1).saturating_mul(width));
            Bar { from_s, to_s, records: self.counts.range(from_s..to_s).map(|(_, count)| count).sum() }
        };
        let [p50_s, p90_s, p99_s] = [50, 90, 99].map(|percent| self.percentile(percent));
        Some(Latency { p50_s, p90_s, p99_s, max_s: last, histogram: (from..=to).take(1_000).map(bar).collect() })
    }

    /// The smallest latency that so many percent of the records do not exceed.
    fn percentile(&self, percent: usize) -> u32 {
        let wanted = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        let mut reached = self.counts.iter().filter(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        reached.next().map_or(0, |(latency, _)| *latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_bars_cover_all_records() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.told(), None);
        (1..=100).for_each(|latency| latencies.add(latency));
        latencies.add(-3);
        let told = latencies.told().unwrap();
        assert_eq!((told.p50_s, told.p90_s, told.p99_s, told.max_s), (50, 90, 99, 100));
        assert_eq!(told.histogram.iter().map(|bar| bar.records).sum::<usize>(), 101);
        assert_eq!(told.histogram[0], Bar { from_s: 0, to_s: 10, records: 10 });
    }
}
