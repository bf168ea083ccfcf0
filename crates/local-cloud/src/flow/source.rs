//! Reading: from the shards of a stream, parents before children, or from the delivery stream's own log.

use super::item::{Item, Origin};
use super::pump::Pump;
use crate::service::iam;
use crate::service::kinesis::log::Log;
use crate::settings::Millis;
use crate::world::World;

/// How long what IAM said about reading is believed, in milliseconds.
const PERMIT_MS: Millis = 1_000;

/// Takes in everything that can be read. Copies no data.
pub fn read(world: &mut World, now: Millis, key: &str, pump: &mut Pump) {
    forget_expired_denial(pump, now);
    for shard in readable(world, key, pump) {
        let log = log(world, key, pump, shard).expect("a shard with something to read has a log");
        let cursor = pump.cursors.get(&shard).copied().unwrap_or_default();
        // What was trimmed before it was read is lost.
        let from = cursor.max(log.base());
        if log.next() > from && !permitted(world, now, pump) {
            return;
        }
        let end = log.next();
        let progress = world.firehose.progress(key, shard);
        let items: Vec<Item> = log
            .from(from)
            .filter(|(ordinal, _)| !progress.is_some_and(|progress| progress.is_done(*ordinal)))
            .map(|(ordinal, record)| Item { origin: Origin { shard, ordinal }, record: record.clone() })
            .collect();
        pump.cursors.insert(shard, end);
        items.into_iter().for_each(|item| pump.take_in(item, now));
        if from > cursor {
            world.firehose.skip(key, shard, from);
        }
    }
}

/// Shards in which there is something to read, in an order in which they may be read.
fn readable(world: &World, key: &str, pump: &mut Pump) -> Vec<u32> {
    let mut shards = vec![];
    for shard in shards_of(world, pump) {
        let start = world.firehose.progress(key, shard).map_or(0, |progress| progress.next());
        let cursor = *pump.cursors.entry(shard).or_insert(start);
        if log(world, key, pump, shard).is_some_and(|log| log.next() > cursor) {
            shards.push(shard);
        }
    }
    shards
}

/// By index, so that parents, which are older, come before their children. None when the stream is gone: one of the same
/// name is another stream.
pub fn shards_of(world: &World, pump: &Pump) -> Vec<u32> {
    let Some(source) = &pump.job.source else { return vec![0] };
    let stream = world.kinesis.streams.get(&source.stream_key);
    let same = stream.filter(|stream| stream.created == source.stream_created);
    same.into_iter().flat_map(|stream| stream.shards.keys().copied()).collect()
}

/// The log behind a shard; `None` while nothing was put to it.
pub fn log<'a>(world: &'a World, key: &str, pump: &Pump, shard: u32) -> Option<&'a Log> {
    match &pump.job.source {
        None => world.firehose.log(key),
        Some(source) => world.kinesis.logs(&source.stream_key)?.get(&shard),
    }
}

fn forget_expired_denial(pump: &mut Pump, now: Millis) {
    if pump.permit.is_some_and(|(until, _)| until <= now) {
        pump.permit = None;
    }
}

/// May the source's role read the stream? Direct records need no permission.
fn permitted(world: &World, now: Millis, pump: &mut Pump) -> bool {
    let Some(source) = &pump.job.source else { return true };
    let ask = || {
        let role = &source.role_arn;
        let allowed = ["kinesis:GetShardIterator", "kinesis:GetRecords"]
            .iter()
            .all(|action| iam::allows(world, role, action, &source.stream_arn, now));
        (now + PERMIT_MS, allowed && iam::assumable(world, role, super::PRINCIPAL, now).is_ok())
    };
    pump.permit.get_or_insert_with(ask).1
}
