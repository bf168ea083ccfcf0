//! The shards of a stream, and which of the open ones takes a hash key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    pub start: u128,
    /// Inclusive.
    pub end: u128,
    pub parent: Option<u32>,
    pub adjacent_parent: Option<u32>,
    /// The second that its sequence numbers carry.
    pub created_s: u64,
    pub closed: Option<Millis>,
}

/// By index; and the open ones by where they start, so that a hash key finds its own among thousands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "BTreeMap<u32, Shard>")]
pub struct Shards {
    all: BTreeMap<u32, Shard>,
    open: Vec<Open>,
}

/// The data of an open shard that placing a record needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    pub start: u128,
    pub index: u32,
    pub created_s: u64,
}

impl Open {
    fn of(index: u32, shard: &Shard) -> Open {
        Open { start: shard.start, index, created_s: shard.created_s }
    }
}

impl From<BTreeMap<u32, Shard>> for Shards {
    fn from(all: BTreeMap<u32, Shard>) -> Shards {
        let open = all.iter().filter(|(_, shard)| shard.closed.is_none());
        let mut open: Vec<Open> = open.map(|(index, shard)| Open::of(*index, shard)).collect();
        open.sort_by_key(|open| open.start);
        Shards { open, all }
    }
}

impl Serialize for Shards {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(to)
    }
}

impl std::ops::Deref for Shards {
    type Target = BTreeMap<u32, Shard>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Shards {
    /// In the order of their hash keys.
    pub fn open(&self) -> &[Open] {
        &self.open
    }

    /// The open shard that holds this hash key. Open shards cover the whole range without a gap.
    pub fn route(&self, hash: u128) -> &Open {
        let begins = |at: usize| self.open[at].start <= hash;
        // Where it is if all are of the same width, as they nearly always are: a thousand shards cost what one costs.
        let guess = (((hash >> 64) * self.open.len() as u128) >> 64) as usize;
        let last = self.open.len() - 1;
        let is_it = |at: usize| begins(at) && (at == last || !begins(at + 1));
        let near = [guess, guess.saturating_sub(1), (guess + 1).min(last)];
        let at = near.into_iter().find(|at| is_it(*at));
        &self.open[at.unwrap_or_else(|| self.open.partition_point(|open| open.start <= hash) - 1)]
    }

    /// An open one that is new.
    pub fn add(&mut self, index: u32, shard: Shard) {
        let at = self.place_of(shard.start);
        self.open.insert(at, Open::of(index, &shard));
        self.all.insert(index, shard);
    }

    /// Closes one that is there.
    pub fn close(&mut self, index: u32, now: Millis) -> &Shard {
        let shard = self.all.get_mut(&index).expect("the caller found it among the shards");
        shard.closed = Some(now);
        let start = shard.start;
        let at = self.place_of(start);
        if self.open.get(at).is_some_and(|open| open.index == index) {
            self.open.remove(at);
        }
        &self.all[&index]
    }

    /// Forgets a closed one.
    pub fn remove(&mut self, index: u32) {
        self.all.remove(&index);
    }

    fn place_of(&self, start: u128) -> usize {
        self.open.partition_point(|open| open.start < start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hash_key_finds_its_shard_whatever_the_widths(
            inner in prop::collection::btree_set(any::<u128>(), 0..40),
            even in 1_u128..50,
            hashes in prop::collection::vec(any::<u128>(), 1..20),
            evenly: bool,
        ) {
            let width = u128::MAX / even;
            let inner: Vec<u128> = if evenly { (1..even).map(|n| n * width).collect() } else { inner.into_iter().collect() };
            let starts: Vec<u128> = [0].into_iter().chain(inner.into_iter().filter(|start| *start > 0)).collect();
            let mut shards = Shards::default();
            for (index, start) in (0..).zip(starts.iter().rev()) {
                let shard = Shard { start: *start, end: 0, parent: None, adjacent_parent: None, created_s: 0, closed: None };
                shards.add(index, shard);
            }
            for hash in hashes.into_iter().chain(starts.iter().copied()).chain([0, u128::MAX]) {
                let expected = starts.iter().rfind(|start| **start <= hash);
                prop_assert_eq!(Some(&shards.route(hash).start), expected);
            }
        }
    }
}
