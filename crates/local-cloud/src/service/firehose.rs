//! Amazon Data Firehose: the control plane. Its data plane is [`crate::flow`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::destination::Destination;
use self::encryption::Encryption;
use self::meter::Meter;
use crate::flow::config::Config;
use crate::flow::job::{Job, Source};
use crate::flow::progress::{Finished, Progress};
use crate::flow::{self, pump::Pump};
use crate::request::{Answer, AwsError, Request};
use crate::service::json;
use crate::service::kinesis::log::{Log, LogChange};
use crate::service::kinesis::stream::shard_id;
use crate::settings::Millis;
use crate::table::{Changes, Table};
use crate::world::{Turn, World};

mod control;
mod create;
pub mod destination;
mod encryption;
mod meter;
mod put;
mod tags;

/// Delivery streams by `region/name`.
#[derive(Debug)]
pub struct State {
    streams: Table<DeliveryStream>,
    /// By `region/name/shard`.
    progress: Table<Progress>,
    /// Records that were put directly.
    logs: BTreeMap<String, Log>,
    dirty: BTreeSet<String>,
    removed: Vec<LogChange>,
    /// What is in memory only, of each way of each delivery stream that is not being deleted, by its lane.
    pub pumps: BTreeMap<String, Pump>,
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
            pumps: BTreeMap::new(),
            meters: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Creating,
    Active,
    Deleting,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct DeliveryStream {
    name: String,
    arn: String,
    region: String,
    status: Status,
    /// When a status that does not last ends.
    until: Millis,
    version: u64,
    created: Millis,
    updated: Option<Millis>,
    source: Option<Source>,
    destination: Destination,
    /// Of one that is put to directly.
    encryption: Encryption,
    tags: BTreeMap<String, Option<String>>,
}

impl DeliveryStream {
    fn key(&self) -> String {
        format!("{}/{}", self.region, self.name)
    }

    /// What the data plane needs: the way to the destination, and that to the backup where there is one. Fails where the
    /// destination is not possible.
    fn jobs(&self) -> Result<Vec<Job>, AwsError> {
        let job = |lane: String, config: Config| Job {
            stream: self.key(),
            lane,
            name: self.name.clone(),
            arn: self.arn.clone(),
            region: self.region.clone(),
            version: self.version,
            source: self.source.clone(),
            config,
        };
        let mut jobs = vec![job(self.key(), Config::parse(&self.destination)?)];
        jobs.extend(Config::parse_backup(&self.destination)?.map(|config| job(backup_lane(&self.key()), config)));
        Ok(jobs)
    }
}

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let at = Scope { region: request.region.clone(), account: world.settings.account.clone(), now: turn.now };
    match json::operation(request) {
        "PutRecord" => json::answer(&put::put_record(world, &at, json::typed(&request.body)?)?),
        "PutRecordBatch" => json::answer(&put::put_record_batch(world, &at, json::typed(&request.body)?)?),
        operation => control(world, &at, operation, &request.body),
    }
}

fn control(world: &mut World, at: &Scope, operation: &str, body: &[u8]) -> Result<Answer, AwsError> {
    macro_rules! run {
        ($function:path) => {
            $function(world, at, json::checked("firehose", operation, body)?)
        };
    }
    let output: Value = match operation {
        "CreateDeliveryStream" => run!(create::create_delivery_stream),
        "DeleteDeliveryStream" => run!(control::delete_delivery_stream),
        "DescribeDeliveryStream" => run!(control::describe_delivery_stream),
        "ListDeliveryStreams" => run!(control::list_delivery_streams),
        "UpdateDestination" => run!(create::update_destination),
        "StartDeliveryStreamEncryption" => run!(encryption::start),
        "StopDeliveryStreamEncryption" => run!(encryption::stop),
        "TagDeliveryStream" => run!(tags::tag),
        "UntagDeliveryStream" => run!(tags::untag),
        "ListTagsForDeliveryStream" => run!(tags::list),
        other => Err(json::unsupported("Firehose", other)),
    }?;
    json::answer(&output)
}

/// Statuses whose time has come pass into what follows.
pub fn tick(world: &mut World, turn: &mut Turn) {
    world.firehose.pass(turn.now);
}

pub fn due(world: &World) -> Option<Millis> {
    let passing = world.firehose.streams.iter().filter(|(_, stream)| stream.status != Status::Active);
    passing.map(|(_, stream)| stream.until).min()
}

/// Everything buffered by these delivery streams (all, when empty) becomes due now, and so does, when it comes back, what
/// is in a function.
pub fn flush(world: &mut World, turn: &mut Turn, region: &str, names: &[String]) {
    flow::each_pump(world, turn, |world, turn, pump| {
        let named = pump.job.region == region && (names.is_empty() || names.contains(&pump.job.name));
        if named && world.firehose.is_active(&pump.job.stream) {
            flow::flush(world, turn, pump);
        }
    });
}

/// How many records were put for this delivery stream and are neither stored (in the backup too, where there is one) nor
/// dropped. 0 when there is none such.
pub fn backlog(world: &World, region: &str, name: &str) -> usize {
    let lanes = lanes(&format!("{region}/{name}"));
    let pumps = lanes.iter().filter_map(|lane| world.firehose.pumps.get(lane));
    pumps.map(|pump| flow::backlog(world, pump)).max().unwrap_or(0)
}

/// How many delivery streams read a stream: each calls once a second.
pub fn readers(state: &State, stream: &str) -> u64 {
    let theirs = |pump: &&Pump| pump.job.source.as_ref().is_some_and(|source| source.stream_key == stream);
    state.pumps.values().filter(theirs).count() as u64
}

/// Where and when a call happens.
#[derive(Debug, Clone)]
struct Scope {
    region: String,
    account: String,
    now: Millis,
}

impl Scope {
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.region)
    }

    fn find<'a>(&self, state: &'a State, name: &str) -> Result<&'a DeliveryStream, AwsError> {
        state.streams.get(&self.key(name)).ok_or_else(|| {
            let message = format!("Firehose {name} not found under account {}.", self.account);
            AwsError::new("ResourceNotFoundException", message)
        })
    }
}

impl State {
    /// Does data move?
    pub fn is_active(&self, key: &str) -> bool {
        self.streams.get(key).is_some_and(|stream| stream.status == Status::Active)
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

    /// What is before `ordinal` is lost.
    pub fn skip(&mut self, lane: &str, shard: u32, ordinal: u64) {
        self.progress_mut(lane, shard).skip_to(ordinal);
    }

    fn progress_mut(&mut self, lane: &str, shard: u32) -> &mut Progress {
        let key = progress_key(lane, shard);
        if !self.progress.contains(&key) {
            self.progress.insert(&key, Progress::default());
        }
        self.progress.get_mut(&key).expect("it is there now")
    }

    /// Of records put directly, those are kept that did not come to the end of every way.
    fn trim_log(&mut self, key: &str) {
        let backed_up = self.streams.get(key).is_some_and(|stream| stream.destination.is_backed_up());
        let lanes = lanes(key);
        let lanes = &lanes[..if backed_up { 2 } else { 1 }];
        let finished = lanes.iter().map(|lane| self.progress(lane, 0).map_or(0, Progress::next)).min();
        if self.logs.get_mut(key).is_some_and(|log| log.trim_to(finished.unwrap_or(0))) {
            self.dirty.insert(key.to_owned());
        }
    }

    /// Data moves as these jobs say, from now on.
    fn pump(&mut self, jobs: Vec<Job>) {
        for job in jobs.into_iter().map(Arc::new) {
            match self.pumps.get_mut(&job.lane) {
                Some(pump) => pump.job = job,
                None => drop(self.pumps.insert(job.lane.clone(), Pump::new(job))),
            }
        }
    }

    /// What is buffered is discarded.
    fn stop_pumps(&mut self, key: &str) {
        for lane in lanes(key) {
            self.pumps.remove(&lane);
        }
    }

    /// What this delivery stream takes in a second.
    fn meter(&mut self, key: &str, region: &str) -> &mut Meter {
        self.meters.entry(key.to_owned()).or_insert_with(|| Meter::of(region))
    }

    fn log_mut(&mut self, key: &str) -> &mut Log {
        self.dirty.insert(key.to_owned());
        self.logs.entry(key.to_owned()).or_default()
    }

    fn pass(&mut self, now: Millis) {
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
                self.pump(jobs);
            }
            _ => {}
        }
        Ok(())
    }
}

/// By which the journal knows its records: another delivery stream of the same name has others.
fn log_name(key: &str, created: Millis) -> String {
    format!("firehose/{key}/{created}")
}

/// Under which the ways of a delivery stream's records keep their progress: to the destination, and to the backup.
fn lanes(key: &str) -> [String; 2] {
    [key.to_owned(), backup_lane(key)]
}

fn backup_lane(key: &str) -> String {
    format!("{key}/backup")
}

fn progress_key(lane: &str, shard: u32) -> String {
    format!("{lane}/{}", shard_id(shard))
}
