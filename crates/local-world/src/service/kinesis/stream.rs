//! A stream and its shards: splitting, merging, resharding. Values only; the records are in
//! [`crate::log::Log`]s.

use std::collections::{BTreeMap, BTreeSet};

use aws_facts::kinesis::{MAX_RECORD_KIB, RETENTION_HOURS};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::consumer::Consumer;
use super::shards::{Open, Shard, Shards};
use crate::record::sequence::{Sequence, shard_id};
use crate::time::Millis;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Creating => "CREATING",
            Status::Active => "ACTIVE",
            Status::Updating => "UPDATING",
            Status::Deleting => "DELETING",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[serde(rename = "PROVISIONED")]
    Provisioned,
    #[serde(rename = "ON_DEMAND")]
    OnDemand,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stream {
    pub name: String,
    pub arn: String,
    pub status: Status,
    /// When a status that does not last ends.
    pub until: Millis,
    pub mode: Mode,
    pub created: Millis,
    pub retention_h: u32,
    pub max_record_kib: u32,
    pub key_id: Option<String>,
    pub metrics: BTreeSet<String>,
    pub tags: BTreeMap<String, String>,
    /// By index, the open ones and those closed ones whose records may still be read.
    pub shards: Shards,
    next_shard: u32,
    /// By name.
    #[serde(default)]
    pub consumers: BTreeMap<String, Consumer>,
    /// A resource policy.
    #[serde(default)]
    pub policy: Option<String>,
}

/// The index in a shard's id; `None` when it is none. AWS reads the number, and whatever stands before its hyphen.
pub fn parse_shard_id(id: &str) -> Option<u32> {
    let number = id.split('-').nth(1).filter(|number| !number.is_empty()).unwrap_or(id);
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|index| digits && *index <= i32::MAX as u32)
}

/// Where a partition key lies in the range of hash keys.
pub fn hash_of(partition_key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into())
}

/// `count` ranges of the same width; the last takes the remainder.
fn even_ranges(count: u32) -> impl Iterator<Item = (u128, u128)> {
    let width = if count == 1 { 0 } else { u128::MAX / u128::from(count) + u128::from(count.is_power_of_two()) };
    (0..count).map(move |i| {
        let start = width * u128::from(i);
        (start, if i + 1 == count { u128::MAX } else { start + width - 1 })
    })
}

impl Stream {
    pub fn new(name: String, arn: String, mode: Mode, shards: u32, now: Millis) -> Stream {
        let mut stream = Stream {
            name,
            arn,
            status: Status::Creating,
            until: now,
            mode,
            created: now,
            retention_h: RETENTION_HOURS.min,
            max_record_kib: MAX_RECORD_KIB.min,
            key_id: None,
            metrics: BTreeSet::new(),
            tags: BTreeMap::new(),
            shards: Shards::default(),
            next_shard: 0,
            consumers: BTreeMap::new(),
            policy: None,
        };
        for (start, end) in even_ranges(shards) {
            stream.add(Shard { start, end, parent: None, adjacent_parent: None, created_s: now / 1000, closed: None });
        }
        stream
    }

    pub fn retention_ms(&self) -> Millis {
        Millis::from(self.retention_h) * 3_600_000
    }

    pub fn open_shard_count(&self) -> usize {
        self.shards.open().len()
    }

    /// Closes `index` and puts two in its place: `[start, at - 1]` and `[at, end]`. `at` lies inside of it.
    pub fn split(&mut self, index: u32, at: u128, now: Millis) -> [u32; 2] {
        let (start, end, created_s) = self.close(index, now);
        let child =
            |start, end| Shard { start, end, parent: Some(index), adjacent_parent: None, created_s, closed: None };
        [self.add(child(start, at - 1)), self.add(child(at, end))]
    }

    /// Closes two neighbours, the lower one first, and puts one in their place.
    pub fn merge(&mut self, lower: u32, upper: u32, now: Millis) -> u32 {
        let (start, _, after_lower) = self.close(lower, now);
        let (_, end, after_upper) = self.close(upper, now);
        let created_s = after_lower.max(after_upper);
        self.add(Shard { start, end, parent: Some(lower), adjacent_parent: Some(upper), created_s, closed: None })
    }

    /// Splits and merges until `count` shards of the same width are open. Where boundaries do not meet, this takes
    /// shards in between that never hold a record, as on AWS.
    pub fn reshard(&mut self, count: u32, now: Millis) {
        for (start, end) in even_ranges(count) {
            let Open { index, start: start_of_it, .. } = *self.shards.route(start);
            if start_of_it != start {
                self.split(index, start, now);
            }
            let (mut whole, mut whole_end) = self.open_at(start);
            while whole_end < end {
                let (piece, _) = self.open_at(whole_end + 1);
                whole = self.merge(whole, piece, now);
                whole_end = self.shards[&whole].end;
            }
            if whole_end > end {
                self.split(whole, end + 1, now);
            }
        }
    }

    fn open_at(&self, hash: u128) -> (u32, u128) {
        let index = self.shards.route(hash).index;
        (index, self.shards[&index].end)
    }

    /// Gives its range, and the first second that a child's sequence numbers may carry.
    fn close(&mut self, index: u32, now: Millis) -> (u128, u128, u64) {
        let shard = self.shards.close(index, now);
        (shard.start, shard.end, shard.created_s.max(now / 1000) + 1)
    }

    fn add(&mut self, shard: Shard) -> u32 {
        let index = self.next_shard;
        self.next_shard += 1;
        self.shards.add(index, shard);
        index
    }

    /// The shards that this one took over from: none, one (a split) or two (a merge).
    pub fn parents(&self, index: u32) -> impl Iterator<Item = u32> {
        let shard = self.shards.get(&index);
        shard.into_iter().flat_map(|shard| [shard.parent, shard.adjacent_parent]).flatten()
    }

    /// A shard as the API describes it.
    pub fn describe_shard(&self, index: u32) -> Value {
        let shard = &self.shards[&index];
        let mut sequences = json!({ "StartingSequenceNumber": Sequence::start(shard.created_s, index).to_string() });
        if let Some(closed) = shard.closed {
            let end = Sequence::end(shard.created_s, index, shard.created_s.max(closed / 1000));
            sequences["EndingSequenceNumber"] = end.to_string().into();
        }
        let mut out = json!({
            "ShardId": shard_id(index),
            "HashKeyRange": hash_key_range(shard),
            "SequenceNumberRange": sequences,
        });
        if let Some(parent) = shard.parent {
            out["ParentShardId"] = shard_id(parent).into();
        }
        if let Some(parent) = shard.adjacent_parent {
            out["AdjacentParentShardId"] = shard_id(parent).into();
        }
        out
    }

    /// The child shards of a closed shard, as GetRecords shows them at its end.
    pub fn describe_children(&self, index: u32) -> Vec<Value> {
        let children = self.shards.iter().filter(|(child, _)| self.parents(**child).any(|parent| parent == index));
        children
            .map(|(child, shard)| {
                let parents: Vec<String> = self.parents(*child).map(shard_id).collect();
                json!({ "ShardId": shard_id(*child), "ParentShards": parents, "HashKeyRange": hash_key_range(shard) })
            })
            .collect()
    }
}

fn hash_key_range(shard: &Shard) -> Value {
    json!({ "StartingHashKey": shard.start.to_string(), "EndingHashKey": shard.end.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_by_the_number_behind_a_hyphen_or_alone() {
        let named = ["shardId-000000000005", "shardId-5", "shard-5", "5", "-005"];
        assert!(named.iter().all(|id| parse_shard_id(id) == Some(5)));
        let nothing = ["", "shardId-", "shardId", "2147483648", "shardId-002147483648", "2.14E4", "shardId-+5", "a--5"];
        assert_eq!(nothing.map(parse_shard_id), [None; 8]);
    }
    use proptest::prelude::*;

    fn stream(shards: u32) -> Stream {
        Stream::new("s".into(), "arn".into(), Mode::Provisioned, shards, 5_000)
    }

    fn ranges(stream: &Stream) -> Vec<(u128, u128)> {
        let mut ranges: Vec<_> = stream
            .shards
            .open()
            .iter()
            .map(|open| &stream.shards[&open.index])
            .map(|shard| (shard.start, shard.end))
            .collect();
        ranges.sort_unstable();
        ranges
    }

    #[test]
    fn the_layout_is_that_of_aws() {
        let third = "113427455640312821154458202477256070485".parse::<u128>().unwrap();
        assert_eq!(ranges(&stream(1)), [(0, u128::MAX)]);
        assert_eq!(ranges(&stream(2)), [(0, u128::MAX / 2), (u128::MAX / 2 + 1, u128::MAX)]);
        assert_eq!(ranges(&stream(3)), [(0, third - 1), (third, 2 * third - 1), (2 * third, u128::MAX)]);
    }

    #[test]
    fn keys_route_by_their_md5() {
        // MD5 of "a" is 0cc175b9..., of "b" 92eb5ffe..., of the empty string d41d8cd9...
        let two = stream(2);
        let routed: Vec<u32> = ["a", "b", ""].iter().map(|key| two.shards.route(hash_of(key)).index).collect();
        assert_eq!(routed, [0, 1, 1]);
        assert_eq!(hash_of("a") >> 96, 0x0cc1_75b9);
    }

    #[test]
    fn a_split_leaves_a_closed_parent_and_two_children_that_know_it() {
        let mut stream = stream(1);
        assert_eq!(stream.split(0, 100, 9_000), [1, 2]);
        assert_eq!(ranges(&stream), [(0, 99), (100, u128::MAX)]);
        let parent = stream.describe_shard(0);
        assert!(parent["SequenceNumberRange"]["EndingSequenceNumber"].is_string());
        assert_eq!(stream.describe_shard(1)["ParentShardId"], "shardId-000000000000");
        assert_eq!(stream.describe_children(0).len(), 2);
    }

    proptest! {
        #[test]
        fn resharding_ends_in_the_even_layout_and_every_child_is_younger_than_its_parents(
            from in 1u32..12, to in proptest::collection::vec(1u32..12, 1..4)
        ) {
            let mut resharded = stream(from);
            for count in &to {
                resharded.reshard(*count, 9_000);
                prop_assert_eq!(ranges(&resharded), even_ranges(*count).collect::<Vec<_>>());
            }
            for index in resharded.shards.keys() {
                for parent in resharded.parents(*index) {
                    let (child, parent) = (&resharded.shards[index], &resharded.shards[&parent]);
                    prop_assert!(child.created_s > parent.created_s);
                    prop_assert!(parent.closed.is_some());
                }
            }
        }
    }
}
