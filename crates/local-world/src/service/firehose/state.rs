//! Delivery streams as they are kept: what the control plane knows of them, how far their records are, and the journal's rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::meter::Meter;
use super::{DeliveryStream, Status};
use crate::changes::{Changes, LogChange};
use crate::flow::job::Job;
use crate::flow::pipeline::Pipeline;
use crate::flow::progress::{Finished, Progress};
use crate::log::Log;
use crate::record::sequence::shard_id;
use crate::request::AwsError;
use crate::table::Table;
use crate::time::Millis;

/// Delivery streams by `region/name`.
#[derive(Debug)]
pub struct State {
    pub(super) streams: Table<DeliveryStream>,
    /// By `region/name/shard`.
    progress: Table<Progress>,
    /// Records that were put directly.
    logs: BTreeMap<String, Log>,
    dirty: BTreeSet<String>,
    removed: Vec<LogChange>,
    /// The state that is in memory only, for each lane of each delivery stream that is not being deleted.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// Where there are limits: what came in this second, by `region/name`.
    meters: BTreeMap<String, Meter>,
}

impl Default for State {
    fn default() -> Self {
        State {
            streams: Table::new("firehose-stream"),
            progress: Table::new("firehose-progress"),
            logs: BTreeMap::new(),
            dirty: BTreeSet::new(),
            removed: vec![],
            pipelines: BTreeMap::new(),
            meters: BTreeMap::new(),
        }
    }
}

impl State {
    /// Does data move?
    pub fn is_active(&self, key: &str) -> bool {
        self.streams.get(key).is_some_and(|stream| stream.status == Status::Active)
    }

    /// When an ACTIVE delivery stream became so.
    pub fn active_since(&self, key: &str) -> Option<Millis> {
        self.streams.get(key).filter(|stream| stream.status == Status::Active).map(|stream| stream.until)
    }

    /// The status of a delivery stream, in AWS's word.
    pub fn status(&self, key: &str) -> &'static str {
        match self.streams.get(key).map(|stream| stream.status) {
            Some(Status::Creating) => "CREATING",
            Some(Status::Active) => "ACTIVE",
            Some(Status::Deleting) | None => "DELETING",
        }
    }

    /// How far one way of a delivery stream is with a shard; `None` as long as nothing of it is finished.
    pub fn progress(&self, lane: &str, shard: u32) -> Option<&Progress> {
        self.progress.get(&progress_key(lane, shard))
    }

    /// Records put directly.
    pub fn log(&self, key: &str) -> Option<&Log> {
        self.logs.get(key)
    }

    /// These records are stored or dropped.
    pub fn finish(&mut self, job: &Job, finished: &Finished) {
        for (shard, of_shard) in finished.by_shard() {
            self.progress_mut(&job.lane, shard).finish_all(of_shard);
        }
        if job.source.is_none() {
            self.trim_log(&job.stream);
        }
    }

    /// This way begins at `ordinal`.
    pub(super) fn start(&mut self, lane: &str, shard: u32, ordinal: u64) {
        self.progress.insert(progress_key(lane, shard), Progress::starting_at(ordinal));
    }

    /// Records before `ordinal` are lost.
    pub fn skip(&mut self, lane: &str, shard: u32, ordinal: u64) {
        self.progress_mut(lane, shard).skip_to(ordinal);
    }

    /// These ordinals are of no record.
    pub fn lose(&mut self, lane: &str, shard: u32, ordinals: Range<u64>) {
        self.progress_mut(lane, shard).lose(ordinals);
    }

    fn progress_mut(&mut self, lane: &str, shard: u32) -> &mut Progress {
        let key = progress_key(lane, shard);
        if !self.progress.contains(&key) {
            self.progress.insert(&key, Progress::default());
        }
        self.progress.get_mut(&key).expect("it is there now")
    }

    /// Forgets records that were put directly and are finished on every way.
    fn trim_log(&mut self, key: &str) {
        let backed_up = self.streams.get(key).is_some_and(|stream| stream.destination.is_backed_up());
        let lanes = lanes(key);
        let lanes = &lanes[..if backed_up { 2 } else { 1 }];
        let finished = lanes.iter().map(|lane| self.progress(lane, 0).map_or(0, Progress::next)).min();
        if self.logs.get_mut(key).is_some_and(|log| log.trim_to(finished.unwrap_or(0))) {
            self.dirty.insert(key.to_owned());
        }
    }

    /// Makes a pipeline of each job, or gives the job to the pipeline that is there.
    pub(super) fn start_pipelines(&mut self, jobs: Vec<Job>) {
        for job in jobs.into_iter().map(Arc::new) {
            match self.pipelines.get_mut(&job.lane) {
                Some(pipeline) => pipeline.job = job,
                None => drop(self.pipelines.insert(job.lane.clone(), Pipeline::new(job))),
            }
        }
    }

    /// Both ways of a delivery stream, where they are.
    pub fn pipelines_of<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Pipeline> + use<'a> {
        lanes(key).into_iter().filter_map(|lane| self.pipelines.get(&lane))
    }

    /// Discards what is buffered.
    pub(super) fn stop_pipelines(&mut self, key: &str) {
        for lane in lanes(key) {
            self.pipelines.remove(&lane);
        }
    }

    /// The meter of the records that this delivery stream takes in a second.
    pub(super) fn meter(&mut self, key: &str, region: &str) -> &mut Meter {
        self.meters.entry(key.to_owned()).or_insert_with(|| Meter::of(region))
    }

    pub(super) fn log_mut(&mut self, key: &str) -> &mut Log {
        self.dirty.insert(key.to_owned());
        self.logs.entry(key.to_owned()).or_default()
    }

    /// When [`State::pass`] next has something to do.
    pub fn due(&self) -> Option<Millis> {
        let passing = self.streams.iter().filter(|(_, stream)| stream.status != Status::Active);
        passing.map(|(_, stream)| stream.until).min()
    }

    /// Statuses whose time has come pass into what follows.
    pub fn pass(&mut self, now: Millis) {
        let over = |stream: &DeliveryStream| stream.status != Status::Active && stream.until <= now;
        let keys: Vec<String> =
            self.streams.iter().filter(|(_, stream)| over(stream)).map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            match self.streams.get_mut(&key) {
                Some(stream) if stream.status == Status::Creating => stream.status = Status::Active,
                _ => self.forget(&key),
            }
        }
    }

    fn forget(&mut self, key: &str) {
        let Some(stream) = self.streams.remove(key) else { return };
        self.meters.remove(key);
        let prefix = format!("{key}/");
        let rows: Vec<String> = self.progress.with_prefix(&prefix).map(|(row, _)| row.to_owned()).collect();
        for row in rows {
            self.progress.remove(&row);
        }
        if self.logs.remove(key).is_some() {
            self.removed.push(LogChange::Remove { log: log_name(key, stream.created).into() });
        }
    }

    /// `region/name` of every delivery stream, in whatever status.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().map(|(key, _)| key)
    }

    pub fn take_changes(&mut self, out: &mut Changes) {
        self.streams.take_changes(out);
        self.progress.take_changes(out);
        out.push_logs(&mut self.removed);
        for key in std::mem::take(&mut self.dirty) {
            if let (Some(stream), Some(log)) = (self.streams.get(&key), self.logs.get_mut(&key)) {
                log.take_changes(|| log_name(&key, stream.created), out);
            }
        }
    }

    /// A row of the journal.
    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        if table == self.streams.name() {
            self.streams.restore(key, value)?;
            self.restart(key)?;
        } else if table == self.progress.name() {
            self.progress.restore(key, value)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// This many records may be lost of those that were put directly.
    pub fn records_lost(&mut self, count: u64) {
        let direct = self.pipelines.values().filter(|pipeline| pipeline.job.source.is_none());
        let keys: BTreeSet<String> = direct.map(|pipeline| pipeline.job.stream.clone()).collect();
        keys.iter().for_each(|key| self.log_mut(key).lose(count));
    }

    /// A log is somebody's as long as its delivery stream exists.
    pub fn restore_log(&mut self, change: LogChange) -> bool {
        let name = change.log();
        let key = name.strip_prefix("firehose/").and_then(|rest| Some(rest.rsplit_once('/')?.0));
        let stream = key.and_then(|key| Some((key, self.streams.get(key)?)));
        let Some((key, _)) = stream.filter(|(key, stream)| log_name(key, stream.created) == name) else { return false };
        self.logs.entry(key.to_owned()).or_default().restore(change);
        true
    }

    fn restart(&mut self, key: &str) -> Result<(), serde_json::Error> {
        match self.streams.get(key) {
            Some(stream) if stream.status != Status::Deleting => {
                let jobs = stream.jobs().map_err(serde::de::Error::custom)?;
                self.start_pipelines(jobs);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Only then can it be changed.
pub fn check_active(stream: &DeliveryStream) -> Result<(), AwsError> {
    let status = match stream.status {
        Status::Active => return Ok(()),
        Status::Creating => "CREATING",
        Status::Deleting => "DELETING",
    };
    let message = format!("Cannot update firehose: {} when it is in {status} status", stream.name);
    Err(AwsError::new("ResourceInUseException", message))
}

/// The name by which the journal knows its records. Another delivery stream of the same name has another one.
fn log_name(key: &str, created: Millis) -> String {
    format!("firehose/{key}/{created}")
}

/// Under which the ways of a delivery stream's records keep their progress: to the destination, and to the backup.
fn lanes(key: &str) -> [String; 2] {
    [key.to_owned(), backup_lane(key)]
}

pub(super) fn backup_lane(key: &str) -> String {
    format!("{key}/backup")
}

fn progress_key(lane: &str, shard: u32) -> String {
    format!("{lane}/{}", shard_id(shard))
}
