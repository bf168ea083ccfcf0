//! Reading: from the shards of a stream, parents before children, or from the delivery stream's own log.

use super::report;
use crate::effect::Turn;
use crate::flow::PRINCIPAL;
use crate::flow::failure::Failure;
use crate::flow::item::{Item, Origin};
use crate::flow::job::Job;
use crate::flow::pipeline::Pipeline;
use crate::log::Log;
use crate::time::Millis;
use crate::world::World;

/// How long what IAM said about reading is believed, in milliseconds.
const PERMIT_MS: Millis = 1_000;
/// Read at once at most.
const MOST_BYTES: usize = 16 << 20;

/// Records that were read.
#[derive(Debug, Default)]
pub struct Read {
    pub items: Vec<Item>,
    /// A record among them may be several that a producer put together.
    pub may_be_several: bool,
}

/// Reads records from the source, up to a limit. Looks at no data: it may be in another core's cache, and a turn would wait for it record
/// by record.
pub fn read(world: &mut World, turn: &Turn, pipeline: &mut Pipeline) -> Read {
    let now = turn.now;
    forget_expired_denial(pipeline, now);
    // With many shards, looking at each of them in every turn is what a turn would mostly do.
    let touches = touches(world, &pipeline.job);
    if pipeline.read_until == Some(touches) {
        return Read::default();
    }
    if begins(world, &pipeline.job).is_some_and(|begins| now < begins) {
        skip_all(world, pipeline);
        pipeline.read_until = Some(touches);
        return Read::default();
    }
    let mut denied = false;
    let Read { mut items, mut may_be_several } = Read::default();
    let (mut bytes, mut more) = (0, false);
    if shards_of(world, &pipeline.job).is_empty() && !std::mem::replace(&mut pipeline.complained, true) {
        let message = "Stream not found. Ensure that the Kinesis stream exists.";
        report::failure(world, now, pipeline, &Failure::new("Kinesis.ResourceNotFound", message));
    }
    for shard in readable(world, pipeline) {
        denied = !permitted(world, now, pipeline);
        if denied {
            break;
        }
        let log = log(world, &pipeline.job, shard).expect("a shard with something to read has a log");
        let cursor = pipeline.cursors.get(&shard).copied().unwrap_or_default();
        // Records that were trimmed before they were read are lost.
        let from = cursor.max(log.base());
        let progress = world.firehose.progress(&pipeline.job.lane, shard);
        let (mut end, mut to, mut lost) = (from, log.next(), vec![]);
        items.reserve(turn.most_records.saturating_sub(items.len()).min((to - from) as usize));
        for (ordinal, record) in log.from(from) {
            if items.len() >= turn.most_records || bytes >= MOST_BYTES {
                (more, to) = (true, end);
                break;
            }
            if ordinal > end {
                lost.push(end..ordinal);
            }
            end = ordinal + 1;
            if !progress.is_some_and(|progress| progress.is_done(ordinal)) {
                bytes += record.data.len();
                items.push(Item::new(Origin::whole(shard, ordinal), record));
            }
        }
        if to > end {
            lost.push(end..to);
        }
        may_be_several |= log.may_have_several(&(from..to));
        pipeline.cursors.insert(shard, to);
        // Nobody waits for what a damaged disk has lost.
        lost.into_iter().for_each(|ordinals| world.firehose.lose(&pipeline.job.lane, shard, ordinals));
        if from > cursor {
            world.firehose.skip(&pipeline.job.lane, shard, from);
        }
    }
    pipeline.read_until = (!denied && !more).then_some(touches);
    Read { items, may_be_several }
}

/// When a delivery stream begins to read its stream.
fn begins(world: &World, job: &Job) -> Option<Millis> {
    let since = job.source.as_ref().and_then(|_| world.firehose.active_since(&job.stream));
    since.map(|since| since + world.late.reading)
}

/// Reading begins behind the newest record.
fn skip_all(world: &mut World, pipeline: &mut Pipeline) {
    for shard in shards_of(world, &pipeline.job) {
        let Some(end) = log(world, &pipeline.job, shard).map(Log::next) else { continue };
        pipeline.cursors.insert(shard, end);
        world.firehose.skip(&pipeline.job.lane, shard, end);
    }
}

/// Is there anything to read, and may it be?
pub fn unread(world: &World, pipeline: &Pipeline) -> bool {
    let denied = pipeline.permit.is_some_and(|(_, allowed)| !allowed);
    let more = || !denied && pipeline.read_until != Some(touches(world, &pipeline.job));
    pipeline.may_read() && (!pipeline.unprepared.is_empty() || more())
}

/// The records that a delivery stream has yet to read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Behind {
    pub records: u64,
    /// When the oldest of them arrived.
    pub oldest: Option<Millis>,
}

/// How far reading is behind. It looks at one record of each shard.
pub fn behind(world: &World, pipeline: &Pipeline) -> Behind {
    let mut behind = Behind::default();
    if pipeline.read_until == Some(touches(world, &pipeline.job)) {
        return behind;
    }
    for shard in shards_of(world, &pipeline.job) {
        let Some(log) = log(world, &pipeline.job, shard) else { continue };
        let cursor = cursor(world, pipeline, shard).max(log.base());
        behind.records += log.next().saturating_sub(cursor);
        let oldest = log.get(cursor).map(|record| record.arrival);
        behind.oldest = behind.oldest.into_iter().chain(oldest).min();
    }
    behind
}

/// The ordinal in a shard that is read next.
pub fn cursor(world: &World, pipeline: &Pipeline, shard: u32) -> u64 {
    let start = || world.firehose.progress(&pipeline.job.lane, shard).map_or(0, |progress| progress.next());
    pipeline.cursors.get(&shard).copied().unwrap_or_else(start)
}

/// A number that is another whenever there is something new to read.
fn touches(world: &World, job: &Job) -> u64 {
    match &job.source {
        None => world.firehose.log(&job.stream).map_or(0, Log::next),
        Some(source) => world.kinesis.touches(&source.stream_key),
    }
}

/// Shards in which there is something to read, in an order in which they may be read.
fn readable(world: &World, pipeline: &mut Pipeline) -> Vec<u32> {
    let mut shards = vec![];
    for shard in shards_of(world, &pipeline.job) {
        let start = cursor(world, pipeline, shard);
        let cursor = *pipeline.cursors.entry(shard).or_insert(start);
        if log(world, &pipeline.job, shard).is_some_and(|log| log.next() > cursor) {
            shards.push(shard);
        }
    }
    shards
}

/// By index, so that parents, which are older, come before their children. None when the stream is gone: one of the same
/// name is another stream.
pub fn shards_of(world: &World, job: &Job) -> Vec<u32> {
    let Some(source) = &job.source else { return vec![0] };
    let stream = world.kinesis.streams.get(&source.stream_key);
    let same = stream.filter(|stream| stream.created == source.stream_created);
    same.into_iter().flat_map(|stream| stream.shards.keys().copied()).collect()
}

/// The log behind a shard; `None` while nothing was put to it.
pub fn log<'a>(world: &'a World, job: &Job, shard: u32) -> Option<&'a Log> {
    match &job.source {
        None => world.firehose.log(&job.stream),
        Some(source) => world.kinesis.logs(&source.stream_key)?.get(shard),
    }
}

fn forget_expired_denial(pipeline: &mut Pipeline, now: Millis) {
    if pipeline.permit.is_some_and(|(until, _)| until <= now) {
        pipeline.permit = None;
    }
}

/// May the source's role read the stream? Direct records need no permission. The first of several denials is logged.
fn permitted(world: &mut World, now: Millis, pipeline: &mut Pipeline) -> bool {
    let Some(source) = &pipeline.job.source else { return true };
    if let Some((_, allowed)) = pipeline.permit {
        return allowed;
    }
    let role = &source.role_arn;
    let access = world.access(now);
    let may = |action: &&str| access.allows(role, action, &source.stream_arn);
    let denied = ["kinesis:GetShardIterator", "kinesis:GetRecords"].into_iter().find(|action| !may(action));
    let allowed = denied.is_none() && access.assumable(role, PRINCIPAL);
    pipeline.permit = Some((now + PERMIT_MS, allowed));
    if !allowed && !pipeline.complained {
        let message = "Access was denied. Ensure that the trust policy for the provided IAM role allows Firehose to assume \
            the role, and the access policy allows access to the Amazon Kinesis API.";
        report::failure(world, now, pipeline, &Failure::new("Kinesis.AccessDenied", message));
    }
    pipeline.complained = !allowed;
    allowed
}
