//! Closed buffers become objects. Storing one and counting its records as finished are one change.

use std::sync::Arc;

use super::report;
use crate::effect::{Effect, Turn};
use crate::faults::FIREHOSE_STORES;
use crate::flow::PRINCIPAL;
use crate::flow::compression::Compression;
use crate::flow::failure::Failure;
use crate::flow::job::Job;
use crate::flow::object::Object;
use crate::flow::pipeline::{Pipeline, Sealed, UnderWay};
use crate::flow::task::Work;
use crate::recent::Stored;
use crate::request::AwsError;
use crate::service::kinesis::stream::Stream;
use crate::service::s3;
use crate::time::Millis;
use crate::world::World;

/// Between two tries to store an object, in milliseconds.
const RETRY_MS: Millis = 5_000;
/// How long records that were put directly are kept while the destination does not take them.
const KEPT_MS: Millis = 24 * 3_600_000;

/// Makes objects of what waits to be stored. What could not be stored is made anew for the next try: by then the destination
/// may be another.
pub fn start(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline) {
    let (ready, waiting) = std::mem::take(&mut pipeline.sealed).into_iter().partition(|s| s.not_before <= turn.now);
    pipeline.sealed = waiting;
    for sealed in ready {
        let token = world.token();
        let work = Work::Pack { slot: sealed.slot.clone(), items: Arc::clone(&sealed.items) };
        let job = Arc::clone(&pipeline.job);
        super::ask(turn, pipeline, token, work, UnderWay::Packing(job, sealed));
    }
}

/// The object is made: now it is stored.
pub fn store(
    world: &mut World,
    turn: &mut Turn,
    pipeline: &mut Pipeline,
    job: &Job,
    mut sealed: Sealed,
    object: Object,
) {
    let (now, finished) = (turn.now, object.finished.clone());
    let (bucket, key) = (job.config.store.bucket.clone(), object.key.clone());
    let bytes = object.body.len();
    let Err(error) = put(world, now, job, object) else {
        let spent = world.recent.stored(stored(job, sealed, key, bytes, now));
        turn.effects.extend(spent.into_iter().map(Effect::Spent));
        return world.firehose.finish(job, &finished);
    };
    let oldest = sealed.items.iter().map(|item| item.arrival).min().unwrap_or(now);
    let why = error.to_string();
    report::failure(world, now, pipeline, &failure_of(error));
    if now.saturating_sub(oldest) > kept_ms(world, job) {
        let (name, count) = (&job.name, sealed.items.iter().count());
        tracing::error!(
            "delivery stream {name}: {count} records are lost: s3://{bucket}/{key} could not be stored: {why}"
        );
        pipeline.given_up += count as u64;
        return world.firehose.finish(job, &finished);
    }
    sealed.not_before = now + RETRY_MS;
    pipeline.sealed.push(sealed);
}

/// The object, as it is remembered for a while.
fn stored(job: &Job, sealed: Sealed, key: String, bytes: usize, at: Millis) -> Stored {
    let store = &job.config.store;
    let error = sealed.slot.error();
    Stored {
        at,
        lane: job.lane.clone(),
        bucket: store.bucket.clone(),
        key,
        bytes,
        records: sealed.items.len(),
        error,
        compressed: store.compression != Compression::Uncompressed,
        delimiter: if error.is_none() { job.config.delimiter.len() } else { 0 },
        items: Some(sealed.items),
    }
}

/// As the log names it: S3's own failure without its name.
fn failure_of(error: AwsError) -> Failure {
    match error.code {
        "InternalError" => Failure::new(error.code, error.message),
        code => Failure::new(&format!("S3.{code}"), error.message),
    }
}

/// After this the records are lost, as they are in their stream.
fn kept_ms(world: &World, job: &Job) -> Millis {
    let stream = job.source.as_ref().and_then(|source| world.kinesis.streams.get(&source.stream_key));
    stream.map_or(KEPT_MS, Stream::retention_ms)
}

fn put(world: &mut World, now: Millis, job: &Job, object: Object) -> Result<(), AwsError> {
    if let Some(refusal) = world.faults.decide(FIREHOSE_STORES).refusal {
        return Err(refusal.error("s3:PutObject"));
    }
    let store = &job.config.store;
    let arn = format!("arn:{}:s3:::{}/{}", crate::arn::partition(&job.region), store.bucket, object.key);
    let role = &store.role_arn;
    let access = world.access(now);
    if !access.assumable(role, PRINCIPAL) || !access.allows(role, "s3:PutObject", &arn) {
        let message =
            format!("Access was denied. Ensure that the trust policy and the policy of {role} allow s3:PutObject");
        return Err(AwsError::new("AccessDenied", message).with_status(403));
    }
    let delivered = s3::Delivered {
        bucket: &store.bucket,
        key: &object.key,
        body: object.body,
        etag: object.etag,
        content_encoding: store.compression.content_encoding(),
        kms_key: store.kms_key.as_deref(),
    };
    s3::store(&mut world.s3, now, delivered)
}
