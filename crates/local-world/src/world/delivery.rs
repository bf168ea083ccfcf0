//! Firehose's data plane: records are read from a source, go through the pipeline ([`crate::flow`]), and are stored in S3.
//!
//! A step runs whenever something happened or is due; it moves everything as far as it can go in that turn. What is much work is a
//! [`task`](crate::flow::task), done beside the world. A backup of the source records is a way of its own, with its own buffers and its
//! own progress.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::effect::{Effect, Turn};
use crate::flow::item::{Item, Origin, Output};
use crate::flow::pipeline::{Pipeline, UnderWay};
use crate::flow::prefix::PartitionKeys;
use crate::flow::prepare::{self, Prepared};
use crate::flow::slot::Slot;
use crate::flow::task::{Done, Spent, Task, Work};
use crate::request::{InvokeOutcome, Token};
use crate::service::lambda::CannotInvoke;
use crate::time::Millis;
use crate::world::World;
use source::Read;

mod deliver;
mod report;
pub(super) mod source;
#[cfg(test)]
mod tests;
mod transform;

/// How long a delivery stream rests after a panic, in milliseconds.
const REST_MS: Millis = 5_000;

/// The transform that [`crate::service::lambda::invoke`] started has ended. One that nobody waits for (its delivery stream
/// is gone) is ignored.
pub fn transformed(world: &mut World, turn: &mut Turn, token: Token, outcome: Result<InvokeOutcome, CannotInvoke>) {
    let mut outcome = Some(outcome);
    each_pipeline(world, turn, |world, turn, pipeline| {
        let Some(UnderWay::Invoked(batch)) = pipeline.under_way.remove(&token) else { return };
        if let Some(outcome) = outcome.take() {
            transform::finish(world, turn, pipeline, batch, token, outcome);
            step(world, turn, pipeline);
        }
    });
}

/// A task is done. One that nobody waits for is ignored.
pub fn worked(world: &mut World, turn: &mut Turn, token: Token, done: Done) {
    let mut done = Some(done);
    each_pipeline(world, turn, |world, turn, pipeline| {
        let Some(waiting) = pipeline.under_way.remove(&token) else { return };
        match (waiting, done.take()) {
            (UnderWay::Preparing, Some(Done::Prepared(prepared))) => take_apart(world, turn, pipeline, prepared),
            (UnderWay::Placing, Some(Done::Placed(settled))) => transform::settle(world, turn.now, pipeline, settled),
            (UnderWay::Writing(batch), Some(Done::Written(event))) => {
                transform::invoke(world, turn, pipeline, batch, event);
            }
            (UnderWay::Judging(batch), Some(Done::Judged(Ok(settled)))) => {
                transform::settle(world, turn.now, pipeline, settled);
                turn.effects.push(Effect::Spent(Spent::Items(batch.items)));
            }
            (UnderWay::Judging(batch), Some(Done::Judged(Err(failure)))) => {
                transform::unanswered(world, turn.now, pipeline, batch, failure);
            }
            (UnderWay::Packing(job, sealed), Some(Done::Packed(object))) => {
                deliver::store(world, turn, pipeline, &job, sealed, object);
            }
            // Without the records that it holds: they are users' data, and many.
            (_, Some(Done::Panicked)) => panic!("a task panicked"),
            (_, _) => panic!("a task gave what nobody waits for"),
        }
        step(world, turn, pipeline);
    });
}

/// Puts a task into the driver's hands.
fn ask(turn: &mut Turn, pipeline: &mut Pipeline, token: Token, work: Work, waiting: UnderWay) {
    pipeline.under_way.insert(token, waiting);
    let task = Task { job: Arc::clone(&pipeline.job), now: turn.now, work };
    turn.effects.push(Effect::Work { token, task });
}

/// Does something to what each way of each delivery stream holds. A panic is that one's affair: it forgets what it held, and
/// after a while it reads again what is not finished. Nothing is lost by that, and the others go on.
pub fn each_pipeline(world: &mut World, turn: &mut Turn, mut act: impl FnMut(&mut World, &mut Turn, &mut Pipeline)) {
    let mut pipelines = std::mem::take(&mut world.firehose.pipelines);
    for (lane, pipeline) in &mut pipelines {
        if catch_unwind(AssertUnwindSafe(|| act(world, turn, pipeline))).is_err() {
            tracing::error!(
                "moving records of delivery stream {lane}: a panic; it begins again with what is not delivered"
            );
            let given_up = pipeline.given_up;
            *pipeline = Pipeline::new(Arc::clone(&pipeline.job));
            pipeline.given_up = given_up;
            pipeline.rests_until = Some(turn.now + REST_MS);
        }
    }
    world.firehose.pipelines = pipelines;
}

/// Moves every delivery stream a step, if it can move.
pub fn run(world: &mut World, turn: &mut Turn) {
    turn.share(readers(world).count());
    each_pipeline(world, turn, step);
}

/// Is there something to move whose time does not have to come first?
pub fn unread(world: &World) -> bool {
    readers(world).next().is_some()
}

/// The pipelines that have something to read, and may read it.
fn readers(world: &World) -> impl Iterator<Item = &Pipeline> {
    moving(world).filter(|pipeline| pipeline.rests_until.is_none() && source::unread(world, pipeline))
}

/// When [`run`] next has something to do.
pub fn due(world: &World) -> Option<Millis> {
    if unread(world) { Some(0) } else { moving(world).filter_map(Pipeline::due).min() }
}

fn moving(world: &World) -> impl Iterator<Item = &Pipeline> {
    world.firehose.pipelines.values().filter(|pipeline| world.firehose.is_active(&pipeline.job.stream))
}

/// Everything that can move, moves; of what is to be read, as much as a turn may take.
fn step(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline) {
    pipeline.rests_until.take_if(|until| *until <= turn.now);
    if pipeline.rests_until.is_some() || !world.firehose.is_active(&pipeline.job.stream) {
        return;
    }
    if pipeline.may_read() {
        let waiting = std::mem::take(&mut pipeline.unprepared);
        let read = match waiting.is_empty() {
            true => source::read(world, turn, pipeline),
            false => Read { items: waiting, may_be_several: true },
        };
        take_in(world, turn, pipeline, read);
    }
    pipeline.close_due_batch(turn.now);
    transform::start(world, turn, pipeline);
    pipeline.seal_due(turn.now);
    deliver::start(world, turn, pipeline);
    let lane = &pipeline.job.lane;
    let open = |(shard, end): (&u32, &u64)| world.firehose.progress(lane, *shard).map_or(0, |p| p.next()) < *end;
    pipeline.flush.take_if(|marks| !marks.iter().any(open));
}

/// Records were read.
fn take_in(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline, read: Read) {
    let Read { items, may_be_several } = read;
    if !items.is_empty() && prepare::needed(&pipeline.job, may_be_several) {
        let token = world.token();
        return ask(turn, pipeline, token, Work::Prepare(items), UnderWay::Preparing);
    }
    pass_on(world, turn, pipeline, items);
}

/// Records were prepared. Parts that are finished since before a restart are of no more interest.
fn take_apart(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline, prepared: Prepared) {
    let Prepared { mut items, mut failed, dropped, rest } = prepared;
    pipeline.unprepared = rest;
    let done = |origin: &Origin| {
        let progress = world.firehose.progress(&pipeline.job.lane, origin.shard);
        progress.is_some_and(|progress| progress.is_origin_done(origin))
    };
    items.retain(|item| item.origin.parts == 1 || !done(&item.origin));
    failed.retain(|(_, output)| output.origin.parts == 1 || !done(&output.origin));
    world.recent.dropped(&pipeline.job.lane, &dropped);
    world.firehose.finish(&pipeline.job, &dropped);
    for (slot, output) in failed {
        let error = slot.error().unwrap_or_default();
        world.recent.failed(turn.now, &pipeline.job.lane, error, std::iter::once(&output));
        pipeline.put_out(&slot, output, turn.now);
    }
    pass_on(world, turn, pipeline, items);
}

fn pass_on(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline, items: Vec<Item>) {
    if items.is_empty() {
        return;
    }
    if pipeline.job.config.lambda.is_some() {
        pipeline.put_in_all(items, turn.now);
    } else if pipeline.job.config.partitioned {
        transform::place(world, turn, pipeline, Arc::new(items.into()));
    } else {
        let outputs = items.into_iter().map(Output::from).collect();
        pipeline.put_out_all(&Slot::Good(PartitionKeys::new()), outputs, turn.now);
    }
}

/// Everything buffered by these delivery streams (all, when empty) becomes due now, and so does, when it comes back, what
/// is in a function.
pub fn flush(world: &mut World, turn: &mut Turn, region: &str, names: &[String]) {
    each_pipeline(world, turn, |world, turn, pipeline| {
        let named = pipeline.job.region == region && (names.is_empty() || names.contains(&pipeline.job.name));
        if named && world.firehose.is_active(&pipeline.job.stream) {
            flush_pipeline(world, turn, pipeline);
        }
    });
}

/// How many records were put for this delivery stream and are neither stored (in the backup too, where there is one) nor
/// dropped. 0 when there is none such.
pub fn backlog(world: &World, region: &str, name: &str) -> usize {
    let pipelines = world.firehose.pipelines_of(&format!("{region}/{name}"));
    pipelines.map(|pipeline| open_records(world, pipeline)).max().unwrap_or(0)
}

/// How many records of this delivery stream are lost, because no object of them could be stored, since the engine began.
pub fn given_up(world: &World, region: &str, name: &str) -> u64 {
    world.firehose.pipelines_of(&format!("{region}/{name}")).map(|pipeline| pipeline.given_up).sum()
}

/// Everything that is there to be read now is not waited for any more, in any buffer it comes to.
fn flush_pipeline(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline) {
    pipeline.rests_until = None;
    let end = |shard| Some((shard, source::log(world, &pipeline.job, shard)?.next()));
    pipeline.flush = Some(source::shards_of(world, &pipeline.job).into_iter().filter_map(end).collect());
    step(world, turn, pipeline);
}

/// How many records were put for this delivery stream and did not yet come to the end of this way.
fn open_records(world: &World, pipeline: &Pipeline) -> usize {
    let open = |shard: u32| {
        let log = source::log(world, &pipeline.job, shard)?;
        match world.firehose.progress(&pipeline.job.lane, shard) {
            Some(progress) => Some(progress.open_below(log.next())),
            None => Some(log.next() - log.base()),
        }
    };
    let open: u64 = source::shards_of(world, &pipeline.job).into_iter().filter_map(open).sum();
    usize::try_from(open).unwrap_or(usize::MAX)
}
