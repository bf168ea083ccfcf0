//! Where one record is and has been: in its source, and on its way through each delivery stream that reads it.

use base64_simd::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Listed;
use super::shown::{Shown, Source};
use crate::flow::pipeline::Pipeline;
use crate::flow::pipeline::whereabouts::Whereabouts;
use crate::recent::{Failed, Stored};
use crate::record::{Key, Record};
use crate::world::World;
use crate::world::delivery::source;

/// Bytes of data that are shown of a record.
const MOST_SHOWN: usize = 64 << 10;

/// Everything that is known of a record. Copied from the world, so that looking for the record holds no lock.
pub struct Found {
    shard: u32,
    ordinal: u64,
    record: Option<Record>,
    lanes: Vec<Lane>,
}

struct Lane {
    name: String,
    function: Option<String>,
    state: State,
    /// Where it is held.
    held: Option<Whereabouts>,
    stored: Vec<Stored>,
    failures: Vec<Failed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Not read yet.
    Unread,
    /// Read, and neither stored nor dropped.
    Held,
    Dropped,
    Stored,
}

/// Looks a record up. `None`: no delivery stream reads such a record, and the source does not have it.
pub fn find(world: &World, from: &Source, shard: u32, ordinal: u64) -> Option<Found> {
    let log = match from {
        Source::Stream(key) => world.kinesis.logs(key)?.get(shard),
        Source::Delivery(key) => world.firehose.log(key),
    };
    let record = log.and_then(|log| log.get(ordinal));
    let put = log.is_some_and(|log| ordinal < log.next());
    let readers = world.firehose.pipelines.values().filter(|pipeline| Source::of(&pipeline.job) == *from);
    let lanes = readers.map(|pipeline| lane(world, pipeline, shard, ordinal)).collect();
    put.then_some(Found { shard, ordinal, record, lanes })
}

fn lane(world: &World, pipeline: &Pipeline, shard: u32, ordinal: u64) -> Lane {
    let name = &pipeline.job.lane;
    let done = world.firehose.progress(name, shard).is_some_and(|progress| progress.is_done(ordinal));
    let state = match done {
        true if world.recent.was_dropped(name, shard, ordinal) => State::Dropped,
        true => State::Stored,
        false if ordinal < source::cursor(world, pipeline, shard) => State::Held,
        false => State::Unread,
    };
    let held = if state == State::Held { pipeline.whereabouts(shard, ordinal) } else { None };
    Lane {
        name: name.clone(),
        function: pipeline.job.config.lambda.as_ref().map(crate::flow::processors::Lambda::function),
        state,
        held,
        stored: world
            .recent
            .objects()
            .filter(|stored| stored.lane == *name && stored.items.is_some())
            .cloned()
            .collect(),
        failures: world.recent.failures().filter(|failed| failed.lane == *name).cloned().collect(),
    }
}

impl Found {
    /// As the page reads it.
    pub fn told(self) -> Value {
        let Found { shard, ordinal, record, lanes } = self;
        let data = record.as_ref().map(|record| Shown::of(&record.data, MOST_SHOWN));
        let listed = record.map(|record| Listed::of((shard, ordinal, record)));
        json!({
            "record": listed,
            "data": data,
            "deliveries": lanes.into_iter().map(|lane| lane.told(shard, ordinal)).collect::<Vec<_>>(),
        })
    }
}

impl Lane {
    fn told(self, shard: u32, ordinal: u64) -> Value {
        let places = self.stored.iter().flat_map(|object| {
            let place = move |(at, output): (usize, crate::flow::item::Output)| {
                json!({
                    "bucket": object.bucket, "key": object.key, "at": object.at, "offset": at,
                    "compressed": object.compressed, "error": object.error, "part": output.origin.part,
                    "parts": output.origin.parts, "data": Shown::of(&output.data, MOST_SHOWN),
                })
            };
            object.places(shard, ordinal).into_iter().map(place)
        });
        let places: Vec<Value> = places.collect();
        let failed = self.failures.iter().filter(|failed| {
            let origin = failed.output.origin;
            origin.shard == shard && origin.ordinal == ordinal
        });
        let failures: Vec<Value> = failed
            .map(|failed| json!({ "error": failed.error, "line": Shown::of(&failed.output.data, MOST_SHOWN) }))
            .collect();
        json!({
            "delivery": self.name, "function": self.function, "state": self.state, "places": places, "failures": failures,
            "held": self.held.map(told_held),
        })
    }
}

fn told_held(held: Whereabouts) -> Value {
    match held {
        Whereabouts::BeforeFunction(due) => json!({ "place": "before", "due": due }),
        Whereabouts::InFunction => json!({ "place": "function" }),
        Whereabouts::Buffered { due, error, data } => {
            json!({ "place": "buffer", "due": due, "error": error, "data": Shown::of(&data, MOST_SHOWN) })
        }
        Whereabouts::Storing => json!({ "place": "storing" }),
    }
}

/// The data of a record that failed, as it was put, and the partition key that it was put with, where that is still known.
pub struct Failure {
    /// The source that it was read from.
    pub source: Source,
    /// In base64.
    pub data: String,
    /// The partition key. `None`: the source no longer has the record.
    pub key: Option<Key>,
}

/// A failed record that is still remembered.
pub fn failure(world: &World, lane: &str, shard: u32, ordinal: u64, part: u32) -> Option<Failure> {
    let job = &world.firehose.pipelines.get(lane)?.job;
    let theirs = |failed: &&Failed| {
        let origin = failed.output.origin;
        failed.lane == lane && (origin.shard, origin.ordinal, origin.part) == (shard, ordinal, part)
    };
    let failed = world.recent.failures().find(theirs)?;
    let record = source::log(world, job, shard).and_then(|log| log.get(ordinal));
    Some(Failure {
        source: Source::of(job),
        data: BASE64.encode_to_string(&failed.output.raw),
        key: record.map(|record| record.partition_key),
    })
}

/// The records of an object that was stored lately. `None`: they are not remembered.
pub fn object(world: &World, bucket: &str, key: &str) -> Option<Contents> {
    let stored = world.recent.objects().find(|stored| stored.bucket == bucket && stored.key == key)?.clone();
    let source = Source::of(&world.firehose.pipelines.get(&stored.lane)?.job);
    stored.items.is_some().then_some(Contents { source, stored })
}

/// An object and its records.
pub struct Contents {
    source: Source,
    stored: Stored,
}

impl Contents {
    /// The first records of it, as the page reads them.
    pub fn told(&self, most: usize) -> Value {
        let one = |(at, output): (usize, &crate::flow::item::Output)| {
            json!({
                "offset": at, "shard": output.origin.shard, "ordinal": output.origin.ordinal, "at": output.arrival,
                "data": Shown::of(&output.data, super::PREVIEW),
            })
        };
        let records: Vec<Value> = self.stored.each().take(most).map(one).collect();
        let mut told = json!(self.source);
        told["delivery"] = self.stored.lane.as_str().into();
        told["count"] = self.stored.records.into();
        told["compressed"] = self.stored.compressed.into();
        told["records"] = records.into();
        told
    }
}
