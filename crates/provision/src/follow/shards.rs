//! The shards of a stream that are read, through splits and merges: a child is read when its parents are at their ends, so that records
//! of one partition key come in order. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// A shard, and the shards that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub id: String,
    pub parents: Vec<String>,
}

/// All known shards.
#[derive(Debug, Default)]
pub struct Shards {
    known: BTreeMap<String, Vec<String>>,
    begun: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Shards {
    pub fn know(&mut self, shards: impl IntoIterator<Item = Shard>) {
        for Shard { id, parents } in shards {
            self.known.entry(id).or_insert(parents);
        }
    }

    /// The shards to begin with now. Each is given once.
    pub fn ready(&mut self) -> Vec<String> {
        let waits = |parent: &String| self.known.contains_key(parent) && !self.ended.contains(parent);
        let can_begin =
            |(id, parents): &(&String, &Vec<String>)| !self.begun.contains(*id) && !parents.iter().any(waits);
        let next: Vec<String> = self.known.iter().filter(can_begin).map(|(id, _)| id.clone()).collect();
        self.begun.extend(next.iter().cloned());
        next
    }

    /// This shard was read to its end: it is closed.
    pub fn ended(&mut self, id: &str) {
        self.ended.insert(id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str]) -> Shard {
        Shard { id: id.into(), parents: parents.iter().map(|id| (*id).to_owned()).collect() }
    }

    #[test]
    fn children_wait_for_all_their_parents_and_each_shard_begins_once() {
        let mut shards = Shards::default();
        // "older" is gone from the listing: nobody waits for it.
        shards.know([shard("0", &["older"]), shard("1", &[]), shard("2", &["0", "1"])]);
        assert_eq!(shards.ready(), ["0", "1"]);
        assert_eq!(shards.ready(), [] as [&str; 0]);
        shards.ended("0");
        assert_eq!(shards.ready(), [] as [&str; 0]);
        shards.ended("1");
        shards.know([shard("2", &["0", "1"]), shard("3", &["2"])]);
        assert_eq!(shards.ready(), ["2"]);
        shards.ended("2");
        assert_eq!(shards.ready(), ["3"]);
    }
}
