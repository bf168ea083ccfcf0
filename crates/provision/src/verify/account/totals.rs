//! The totals of an account: of all parts, and of each shard.

use std::io;

use super::Account;
use crate::verify::placed::Placed;
use crate::verify::told::{Missing, ShardAccount};

/// Counts of an account. Every part of every record that was sent is in exactly one of the first four.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub delivered: usize,
    pub dropped: usize,
    pub failed: usize,
    pub missing: usize,
    /// Failed ones that should have been delivered or dropped. They are counted in `failed` too.
    pub failed_unexpectedly: usize,
}

impl Account {
    /// Draws up the account, with the missing records by their numbers.
    pub fn counts(&mut self) -> io::Result<(Counts, Missing)> {
        let (mut counts, mut missing) = (Counts::default(), Missing::default());
        for part in 0..self.expected.count() {
            if self.delivered.get(part) {
                counts.delivered += 1;
            } else if self.failed.get(part) {
                counts.failed += 1;
                counts.failed_unexpectedly += usize::from(!self.expected.failed.get(part) && !self.expected.may_fail);
            } else if self.expected.dropped.get(part) {
                counts.dropped += 1;
            } else {
                counts.missing += 1;
                missing.add(self.expected.record(part)?);
            }
        }
        Ok((counts, missing))
    }

    /// The counts of each shard that took records, in the order of their names. Empty for records that were put directly.
    pub fn shards(&mut self, placed: &mut Placed) -> io::Result<Vec<ShardAccount>> {
        if placed.shards().is_empty() {
            return Ok(vec![]);
        }
        let mut shards = self.per_shard.clone();
        for part in 0..self.expected.count() {
            if self.delivered.get(part) || self.failed.get(part) {
                continue;
            }
            let Some(place) = placed.of(self.expected.record(part)?)? else { continue };
            let shard = shards.entry(place.shard).or_default();
            let count = if self.expected.dropped.get(part) { &mut shard.dropped } else { &mut shard.missing };
            *count += 1;
        }
        // Where records are taken apart, the parts are counted everywhere.
        let apart = self.expected.count() as usize != placed.count();
        let named = placed.shards().iter().zip(0..);
        let mut named: Vec<ShardAccount> = named
            .map(|((id, sent), at)| {
                let counts = shards.remove(&Some(at)).unwrap_or_default();
                let ShardAccount { delivered, dropped, failed, missing, .. } = counts;
                let sent = if apart { delivered + dropped + failed + missing } else { *sent };
                ShardAccount { shard: id.clone(), sent, ..counts }
            })
            .collect();
        named.sort_by(|a, b| a.shard.cmp(&b.shard));
        Ok(named)
    }
}
