//! Firehose's data plane: reading a source, buffering, transforming, naming objects, storing them.
//!
//! ```text
//! source -> [buffer -> event -> lambda -> answer] -> buffer by slot -> object -> S3, and progress
//! ```
//!
//! A step runs whenever something happened or is due; it moves everything as far as it can go in that turn.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::request::{InvokeOutcome, Token};
use crate::service::lambda::CannotInvoke;
use crate::settings::Millis;
use crate::world::{Turn, World};

mod answer;
mod buffer;
pub mod config;
mod date;
mod deliver;
mod event;
mod failure;
mod ident;
pub mod item;
pub mod job;
mod object;
mod prefix;
mod processors;
pub mod progress;
pub mod pump;
mod report;
mod source;
#[cfg(test)]
mod tests;
mod transform;

use self::pump::Pump;

/// As which service roles are assumed.
pub const PRINCIPAL: &str = "firehose.amazonaws.com";

/// How long a delivery stream rests after a panic, in milliseconds.
const REST_MS: Millis = 5_000;

/// The transform that [`crate::service::lambda::invoke`] started has ended. One that nobody waits for (its delivery stream
/// is gone) is ignored.
pub fn transformed(world: &mut World, turn: &mut Turn, token: Token, outcome: Result<InvokeOutcome, CannotInvoke>) {
    let mut outcome = Some(outcome);
    each_pump(world, turn, |world, turn, key, pump| {
        let Some(batch) = pump.running.remove(&token) else { return };
        if let Some(outcome) = outcome.take() {
            transform::finish(world, turn.now, key, pump, batch, outcome);
        }
    });
}

/// Does something to what each delivery stream holds. A panic is that one delivery stream's affair: it forgets what it held,
/// and after a while it reads again what is not finished. Nothing is lost by that, and the others go on.
pub fn each_pump(world: &mut World, turn: &mut Turn, mut act: impl FnMut(&mut World, &mut Turn, &str, &mut Pump)) {
    let mut pumps = std::mem::take(&mut world.firehose.pumps);
    for (key, pump) in &mut pumps {
        if catch_unwind(AssertUnwindSafe(|| act(world, turn, key, pump))).is_err() {
            tracing::error!(
                "moving records of delivery stream {key}: a panic; it begins again with what is not delivered"
            );
            *pump = Pump::new(pump.job.clone());
            pump.rests_until = Some(turn.now + REST_MS);
        }
    }
    world.firehose.pumps = pumps;
}

/// Everything that can move, moves.
pub fn step(world: &mut World, turn: &mut Turn, key: &str, pump: &mut Pump) {
    pump.rests_until.take_if(|until| *until <= turn.now);
    if pump.rests_until.is_some() {
        return;
    }
    source::read(world, turn.now, key, pump);
    pump.close_due_batch(turn.now);
    transform::start(world, turn, key, pump);
    pump.seal_due(turn.now);
    deliver::store(world, turn.now, key, pump);
    let open = |(shard, read): (&u32, &u64)| world.firehose.progress(key, *shard).is_none_or(|p| p.next() < *read);
    pump.flush.take_if(|marks| !marks.iter().any(open));
}

/// Everything read up to now is not waited for any more, in any buffer it comes to.
pub fn flush(world: &mut World, turn: &mut Turn, key: &str, pump: &mut Pump) {
    pump.rests_until = None;
    source::read(world, turn.now, key, pump);
    pump.flush = Some(pump.cursors.clone());
    step(world, turn, key, pump);
}

/// How many records were put for this delivery stream and are neither stored nor dropped.
pub fn backlog(world: &World, key: &str, pump: &Pump) -> usize {
    let open = |shard: u32| {
        let log = source::log(world, key, pump, shard)?;
        match world.firehose.progress(key, shard) {
            Some(progress) => Some(progress.open_below(log.next())),
            None => Some(log.next() - log.base()),
        }
    };
    let open: u64 = source::shards_of(world, pump).into_iter().filter_map(open).sum();
    usize::try_from(open).unwrap_or(usize::MAX)
}
