//! The whole engine at a glance, for a person who watches. It looks at shards, buffers and the latest events, and never at all
//! records, so that many records take no longer than few.

use serde::Serialize;

use super::World;
use super::delivery::source;
use crate::flow::failure::{self, Reason};
use crate::flow::pipeline::Pipeline;
use crate::flow::pipeline::held::Held;
use crate::recent::{Calls, Failed, Invoked, Stored};
use crate::service::kinesis;
use crate::time::Millis;

pub mod journey;
pub mod records;
pub mod shown;
#[cfg(test)]
mod tests;

use shown::{Shown, Source};

/// So many of each kind are shown; the counts say how many there are.
const MOST_SHOWN: usize = 200;
const MOST_EVENTS: usize = 30;
/// Bytes of a record's data in a list.
const PREVIEW: usize = 120;

/// All resources and their state now. Counts only grow, so that rates follow from two frames.
#[derive(Debug, Serialize)]
pub struct Frame {
    streams: Vec<Stream>,
    stream_count: usize,
    deliveries: Vec<Delivery>,
    delivery_count: usize,
    functions: Vec<Function>,
    function_count: usize,
    buckets: Vec<String>,
    bucket_count: usize,
    objects: Vec<Object>,
    invocations: Vec<Invocation>,
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Stream {
    /// `region/name`, as all ids.
    id: String,
    status: &'static str,
    shards: usize,
    records: u64,
    bytes: u64,
    /// Records that can still be read.
    kept: u64,
    throttled: u64,
}

#[derive(Debug, Serialize)]
struct Delivery {
    id: String,
    /// The way of the original records, beside that of the transformed ones.
    backup: bool,
    status: &'static str,
    /// The stream that it reads; `None` where records are put directly.
    stream: Option<String>,
    function: Option<String>,
    bucket: String,
    /// Records that were put directly, and their bytes.
    records: u64,
    bytes: u64,
    /// Records that it has not read yet, and the age of the oldest of them.
    unread: u64,
    age: Millis,
    held: Held,
    stored: u64,
    objects: u64,
    stored_bytes: u64,
    failed: u64,
    dropped: u64,
    given_up: u64,
    /// It may not read the stream.
    denied: bool,
}

#[derive(Debug, Serialize)]
struct Function {
    id: String,
    runtime: String,
    memory_size: u32,
    running: usize,
    ended: u64,
    errors: u64,
    refused: u64,
    refusal: Option<&'static str>,
    mean_ms: f64,
    last_ms: f64,
    most_ms: f64,
    memory: Option<u64>,
}

/// An object that was stored lately.
#[derive(Debug, Serialize)]
struct Object {
    at: Millis,
    delivery: String,
    bucket: String,
    key: String,
    bytes: usize,
    records: usize,
    error: Option<&'static str>,
    /// Its records can be shown.
    known: bool,
}

#[derive(Debug, Serialize)]
struct Invocation {
    number: u64,
    at: Millis,
    function: String,
    ms: f64,
    memory: Option<u64>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Failure {
    at: Millis,
    #[serde(flatten)]
    source: Source,
    delivery: String,
    shard: u32,
    ordinal: u64,
    part: u32,
    error: &'static str,
    reason: Option<Reason>,
    raw: Shown,
}

/// The frame of now.
pub fn frame(world: &World, now: Millis) -> Frame {
    let pipelines = &world.firehose.pipelines;
    let recent = &world.recent;
    Frame {
        streams: world.kinesis.streams.iter().take(MOST_SHOWN).map(|(key, of)| stream(world, key, of)).collect(),
        stream_count: world.kinesis.streams.len(),
        deliveries: pipelines.values().take(MOST_SHOWN).map(|pipeline| delivery(world, pipeline, now)).collect(),
        delivery_count: pipelines.len(),
        functions: functions(world),
        function_count: world.lambda.functions.len(),
        buckets: world.s3.names().take(MOST_SHOWN).map(str::to_owned).collect(),
        bucket_count: world.s3.names().count(),
        objects: recent.objects().take(MOST_EVENTS).map(object).collect(),
        invocations: recent.invocations().take(MOST_EVENTS).map(invocation).collect(),
        failures: recent.failures().take(MOST_EVENTS).filter_map(|failed| failure(world, failed)).collect(),
    }
}

fn stream(world: &World, key: &str, stream: &kinesis::stream::Stream) -> Stream {
    let mut out = Stream {
        id: key.to_owned(),
        status: stream.status.as_str(),
        shards: stream.open_shard_count(),
        records: 0,
        bytes: 0,
        kept: 0,
        throttled: world.kinesis.logs(key).map_or(0, kinesis::logs::Logs::throttled),
    };
    for (_, log) in world.kinesis.logs(key).into_iter().flat_map(|logs| logs.iter()) {
        out.records += log.next();
        out.bytes += log.bytes();
        out.kept += log.next() - log.base();
    }
    out
}

fn delivery(world: &World, pipeline: &Pipeline, now: Millis) -> Delivery {
    let job = &pipeline.job;
    let counts = world.recent.counts(&job.lane);
    let direct = world.firehose.log(&job.stream).filter(|_| job.source.is_none());
    let unread = source::behind(world, pipeline);
    Delivery {
        id: job.stream.clone(),
        backup: job.lane != job.stream,
        status: world.firehose.status(&job.stream),
        stream: job.source.as_ref().map(|source| source.stream_key.clone()),
        function: job.config.lambda.as_ref().map(crate::flow::processors::Lambda::function),
        bucket: job.config.store.bucket.clone(),
        records: direct.map_or(0, crate::log::Log::next),
        bytes: direct.map_or(0, crate::log::Log::bytes),
        unread: unread.records,
        age: unread.oldest.map_or(0, |oldest| now.saturating_sub(oldest)),
        held: pipeline.held(),
        stored: counts.stored,
        objects: counts.objects,
        stored_bytes: counts.bytes,
        failed: counts.failed,
        dropped: counts.dropped,
        given_up: pipeline.given_up,
        denied: pipeline.permit.is_some_and(|(_, allowed)| !allowed),
    }
}

fn functions(world: &World) -> Vec<Function> {
    let running = world.lambda.running();
    let shown = world.lambda.functions.iter().take(MOST_SHOWN);
    let functions = shown.map(|(key, function)| {
        let Calls { ended, errors, refused, refusal, total_ms, last_ms, most_ms, memory_mib } = world.recent.calls(key);
        Function {
            id: key.to_owned(),
            runtime: function.latest.settings.runtime.clone(),
            memory_size: function.latest.settings.memory_size,
            running: running.get(key).copied().unwrap_or_default(),
            ended,
            errors,
            refused,
            refusal,
            mean_ms: total_ms / (ended.max(1) as f64),
            last_ms,
            most_ms,
            memory: memory_mib,
        }
    });
    functions.collect()
}

fn object(stored: &Stored) -> Object {
    Object {
        at: stored.at,
        delivery: stored.lane.clone(),
        bucket: stored.bucket.clone(),
        key: stored.key.clone(),
        bytes: stored.bytes,
        records: stored.records,
        error: stored.error,
        known: stored.items.is_some(),
    }
}

fn invocation(invoked: &Invoked) -> Invocation {
    let Invoked { number, at, function, duration_ms, memory_mib, error } = invoked.clone();
    Invocation { number, at, function, ms: duration_ms, memory: memory_mib, error }
}

fn failure(world: &World, failed: &Failed) -> Option<Failure> {
    let origin = failed.output.origin;
    Some(Failure {
        at: failed.at,
        source: Source::of(&world.firehose.pipelines.get(&failed.lane)?.job),
        delivery: failed.lane.clone(),
        shard: origin.shard,
        ordinal: origin.ordinal,
        part: origin.part,
        error: failed.error,
        reason: failure::reason(&failed.output.data, &failed.output.raw),
        raw: Shown::of(&failed.output.raw, PREVIEW),
    })
}
