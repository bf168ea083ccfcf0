//! The records of streams: a log for each shard, what is too old in them, and what the journal is told of them.

use super::State;
use super::meter::Meter;
use super::stream::Stream;
use crate::changes::{Changes, LogChange};
use crate::log::Log;
use crate::time::Millis;

/// How often what is too old is looked for, in milliseconds.
const TRIM_EVERY: Millis = 1_000;
/// So much later it is looked for in a stream that nobody calls.
const SWEEP_LATE: Millis = 60_000;

/// A stream's records.
#[derive(Debug, Default)]
pub struct Logs {
    /// By the shard's index, which is a number from zero on. A list, because each record looks its own log up.
    by_shard: Vec<Log>,
    /// Shards of which the journal has something to learn, some of them twice.
    dirty: Vec<u32>,
    /// Grows with each change.
    touches: u64,
    meters: Vec<Meter>,
    /// Records that were refused, because a shard let no more through.
    throttled: u64,
    /// When what is too old is looked for next.
    trim_at: Millis,
}

impl Logs {
    /// The logs of the shards that ever had a record.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Log)> {
        (0..).zip(&self.by_shard).filter(|(_, log)| log.next() > 0)
    }

    pub fn get(&self, shard: u32) -> Option<&Log> {
        self.by_shard.get(shard as usize)
    }

    /// The log of a shard, to be changed.
    pub fn log_mut(&mut self, shard: u32) -> &mut Log {
        let log = at(&mut self.by_shard, shard);
        if log.is_journalled() {
            self.dirty.push(shard);
        }
        log
    }

    /// A record was refused, because its shard let no more through.
    pub fn throttle(&mut self) {
        self.throttled += 1;
    }

    /// How many records were refused so.
    pub fn throttled(&self) -> u64 {
        self.throttled
    }

    pub fn meter(&mut self, shard: u32) -> &mut Meter {
        at(&mut self.meters, shard)
    }

    fn trim_before(&mut self, horizon: Millis) {
        for (shard, log) in (0..).zip(&mut self.by_shard) {
            if log.trim_before(horizon) {
                self.dirty.push(shard);
            }
        }
    }

    /// When the oldest record there is arrived.
    fn oldest(&self) -> Option<Millis> {
        self.by_shard.iter().filter_map(|log| Some(log.get(log.base())?.arrival)).min()
    }

    /// When what is too old is looked for although nobody calls. Never where there is nothing.
    pub fn sweep_at(&self) -> Option<Millis> {
        self.by_shard.iter().any(|log| log.next() > log.base()).then_some(self.trim_at + SWEEP_LATE)
    }

    /// Gives whether there was one.
    fn remove(&mut self, shard: u32) -> bool {
        self.by_shard.get_mut(shard as usize).is_some_and(|log| std::mem::take(log).next() > 0)
    }

    fn take_changes(&mut self, name: impl Fn(u32) -> String, out: &mut Changes) {
        for shard in self.dirty.drain(..) {
            self.by_shard[shard as usize].take_changes(|| name(shard), out);
        }
    }
}

fn at<T: Default>(list: &mut Vec<T>, shard: u32) -> &mut T {
    let index = shard as usize;
    if index >= list.len() {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

impl State {
    /// The logs of a stream's shards.
    pub fn logs(&self, key: &str) -> Option<&Logs> {
        self.logs.get(key)
    }

    /// A shard's log, whether or not anything was ever put to it.
    pub(super) fn log_of(&self, key: &str, shard: u32) -> &Log {
        static EMPTY: Log = Log::EMPTY;
        self.logs(key).and_then(|logs| logs.get(shard)).unwrap_or(&EMPTY)
    }

    /// The records of a stream, to be changed.
    pub(super) fn logs_mut(&mut self, key: &str) -> &mut Logs {
        if !self.dirty.contains(key) {
            self.dirty.insert(key.to_owned());
        }
        if !self.logs.contains_key(key) {
            self.logs.insert(key.to_owned(), Logs::default());
        }
        let logs = self.logs.get_mut(key).expect("it is there now");
        logs.touches += 1;
        logs
    }

    /// A number that is another whenever a stream's records are.
    pub fn touches(&self, key: &str) -> u64 {
        self.logs.get(key).map_or(0, |logs| logs.touches)
    }

    /// Removes records that are older than the retention, and closed shards that can have none left. It looks once a second at
    /// most, and not before there can be something to remove.
    pub(super) fn trim(&mut self, key: &str, now: Millis) {
        let Some(stream) = self.streams.get(key) else { return };
        if self.logs.get(key).is_some_and(|logs| now < logs.trim_at) {
            return;
        }
        let (created, retention) = (stream.created, stream.retention_ms());
        let horizon = now.saturating_sub(retention);
        let closed = stream.shards.iter().filter_map(|(index, shard)| Some((*index, shard.closed?)));
        let (expired, kept): (Vec<_>, Vec<_>) = closed.partition(|(_, closed)| *closed < horizon);
        let logs = self.logs_mut(key);
        logs.trim_before(horizon);
        let oldest = kept.iter().map(|(_, closed)| *closed).chain(logs.oldest()).min();
        logs.trim_at = (oldest.unwrap_or(now) + retention + 1).max(now + TRIM_EVERY);
        for (shard, _) in expired {
            self.streams.get_mut(key).expect("it was just there").shards.remove(shard);
            if self.logs_mut(key).remove(shard) {
                self.removed.push(LogChange::Remove { log: log_name(key, created, shard).into() });
            }
        }
    }

    /// Streams that nobody calls lose what is too old as well.
    pub(super) fn sweep(&mut self, now: Millis) {
        let due = |logs: &Logs| logs.sweep_at().is_some_and(|at| at <= now);
        let keys: Vec<String> = self.logs.iter().filter(|(_, logs)| due(logs)).map(|(key, _)| key.clone()).collect();
        keys.iter().for_each(|key| self.trim(key, now));
    }

    /// Looks at once for records that are too old.
    pub(super) fn trim_now(&mut self, key: &str, now: Millis) {
        self.logs_mut(key).trim_at = now;
        self.trim(key, now);
    }

    pub(super) fn forget(&mut self, key: &str) {
        let Some(stream) = self.streams.remove(key) else { return };
        for (shard, _) in self.logs.remove(key).unwrap_or_default().iter() {
            self.removed.push(LogChange::Remove { log: log_name(key, stream.created, shard).into() });
        }
    }

    pub(crate) fn take_changes(&mut self, out: &mut Changes) {
        self.streams.take_changes(out);
        out.push_logs(&mut self.removed);
        for key in std::mem::take(&mut self.dirty) {
            if let (Some(stream), Some(logs)) = (self.streams.get(&key), self.logs.get_mut(&key)) {
                logs.take_changes(|shard| log_name(&key, stream.created, shard), out);
            }
        }
    }

    /// This many records of every shard may be lost.
    pub fn records_lost(&mut self, count: u64) {
        let shards: Vec<(String, u32)> = self
            .streams
            .iter()
            .flat_map(|(key, stream)| stream.shards.keys().map(|shard| (key.to_owned(), *shard)))
            .collect();
        for (key, shard) in shards {
            self.logs_mut(&key).log_mut(shard).lose(count);
        }
    }

    /// A log is somebody's as long as its stream exists.
    pub fn restore_log(&mut self, change: LogChange) -> bool {
        let Some((key, created, shard)) = split_log_name(change.log()) else { return false };
        let theirs = |stream: &Stream| stream.created == created && stream.shards.contains_key(&shard);
        if !self.streams.get(key).is_some_and(theirs) {
            return false;
        }
        at(&mut self.logs.entry(key.to_owned()).or_default().by_shard, shard).restore(change);
        true
    }
}

/// The name by which the journal knows a shard's log. Another stream of the same name has another one.
fn log_name(stream: &str, created: Millis, shard: u32) -> String {
    format!("kinesis/{stream}/{created}/{shard}")
}

/// The stream's key, when it was created, and the index of the shard.
fn split_log_name(name: &str) -> Option<(&str, Millis, u32)> {
    let (rest, shard) = name.strip_prefix("kinesis/")?.rsplit_once('/')?;
    let (key, created) = rest.rsplit_once('/')?;
    Some((key, created.parse().ok()?, shard.parse().ok()?))
}
