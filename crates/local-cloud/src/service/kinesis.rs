//! Kinesis Data Streams.
//!
//! Control operations are checked against the service model and work on [`serde_json`] values; putting and reading records
//! is typed and checks its own bounds. What is read by a delivery stream is taken by it within the call that put it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use self::log::{Log, Tables};
use self::stream::{Status, Stream};
use crate::request::{Answer, AwsError, Request};
use crate::service::{firehose, json};
use crate::settings::Millis;
use crate::table::{Change, Changes, Table};
use crate::world::{Turn, World};

mod control;
mod iterator;
pub mod log;
mod put;
mod read;
mod reshard;
pub mod sequence;
pub mod stream;
mod tags;
#[cfg(test)]
mod tests;
mod update;

const TABLES: Tables = Tables { records: "kinesis-record", base: "kinesis-base" };

/// Streams by `region/name`.
#[derive(Debug)]
pub struct State {
    pub streams: Table<Stream>,
    /// By stream, then by shard. A shard without an entry has had no record.
    logs: BTreeMap<String, BTreeMap<u32, Log>>,
    dirty: BTreeSet<(String, u32)>,
    removed: Vec<Change>,
    /// Streams whose status does not last.
    passing: BTreeSet<String>,
}

impl Default for State {
    fn default() -> Self {
        State {
            streams: Table::new("kinesis-stream"),
            logs: BTreeMap::new(),
            dirty: BTreeSet::new(),
            removed: vec![],
            passing: BTreeSet::new(),
        }
    }
}

/// Where and when a call happens.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    region: &'a str,
    account: &'a str,
    /// How long a status lasts that does not last.
    delay: Millis,
    now: Millis,
}

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let at = Scope {
        region: &request.region,
        account: &world.settings.account,
        delay: world.settings.delays.stream,
        now: turn.now,
    };
    let state = &mut world.kinesis;
    let put = match json::operation(request) {
        "PutRecords" => json::answer(&put::put_records(state, at, json::typed(&request.body)?)?),
        "PutRecord" => json::answer(&put::put_record(state, at, json::typed(&request.body)?)?),
        "GetRecords" => return json::answer(&read::get_records(state, at, json::typed(&request.body)?)?),
        "GetShardIterator" => return json::answer(&read::get_shard_iterator(state, at, json::typed(&request.body)?)?),
        operation => return control(state, at, operation, &request.body),
    };
    firehose::tick(world, turn);
    put
}

fn control(state: &mut State, at: Scope, operation: &str, body: &[u8]) -> Result<Answer, AwsError> {
    macro_rules! run {
        ($function:path) => {
            $function(state, at, json::checked("kinesis", operation, body)?)
        };
    }
    let output: Value = match operation {
        "CreateStream" => run!(control::create_stream),
        "DeleteStream" => run!(control::delete_stream),
        "DescribeStream" => run!(control::describe_stream),
        "DescribeStreamSummary" => run!(control::describe_stream_summary),
        "ListStreams" => run!(control::list_streams),
        "ListShards" => run!(read::list_shards),
        "DescribeLimits" => run!(control::describe_limits),
        "IncreaseStreamRetentionPeriod" => run!(update::increase_retention),
        "DecreaseStreamRetentionPeriod" => run!(update::decrease_retention),
        "UpdateStreamMode" => run!(update::update_stream_mode),
        "UpdateMaxRecordSize" => run!(update::update_max_record_size),
        "StartStreamEncryption" => run!(update::start_encryption),
        "StopStreamEncryption" => run!(update::stop_encryption),
        "EnableEnhancedMonitoring" => run!(update::enable_monitoring),
        "DisableEnhancedMonitoring" => run!(update::disable_monitoring),
        "UpdateShardCount" => run!(reshard::update_shard_count),
        "SplitShard" => run!(reshard::split_shard),
        "MergeShards" => run!(reshard::merge_shards),
        "AddTagsToStream" => run!(tags::add_tags_to_stream),
        "RemoveTagsFromStream" => run!(tags::remove_tags_from_stream),
        "ListTagsForStream" => run!(tags::list_tags_for_stream),
        "TagResource" => run!(tags::tag_resource),
        "UntagResource" => run!(tags::untag_resource),
        "ListTagsForResource" => run!(tags::list_tags_for_resource),
        other => Err(json::unsupported("Kinesis", other)),
    }?;
    json::answer(&output)
}

/// Statuses whose time has come pass into what follows.
pub fn tick(world: &mut World, turn: &mut Turn) {
    let state = &mut world.kinesis;
    let over = |key: &&String| state.streams.get(key).is_none_or(|stream| stream.until <= turn.now);
    for key in state.passing.iter().filter(over).cloned().collect::<Vec<_>>() {
        state.passing.remove(&key);
        match state.streams.get(&key).map(|stream| stream.status) {
            Some(Status::Deleting) => state.forget(&key),
            Some(_) => state.streams.get_mut(&key).expect("it was just there").status = Status::Active,
            None => {}
        }
    }
}

pub fn due(world: &World) -> Option<Millis> {
    let state = &world.kinesis;
    state.passing.iter().filter_map(|key| state.streams.get(key)).map(|stream| stream.until).min()
}

impl State {
    /// The logs of a stream's shards.
    pub fn logs(&self, key: &str) -> Option<&BTreeMap<u32, Log>> {
        self.logs.get(key)
    }

    fn log_mut(&mut self, key: &str, shard: u32) -> &mut Log {
        self.dirty.insert((key.to_owned(), shard));
        if !self.logs.contains_key(key) {
            self.logs.insert(key.to_owned(), BTreeMap::new());
        }
        self.logs.get_mut(key).expect("it is there now").entry(shard).or_default()
    }

    /// The status holds from now on, for the delay.
    fn pass(&mut self, key: &str, status: Status, at: Scope) {
        let stream = self.streams.get_mut(key).expect("the caller found it");
        stream.status = status;
        stream.until = at.now + at.delay;
        self.passing.insert(key.to_owned());
    }

    /// What is older than the retention goes, and closed shards of which nothing can be left.
    fn trim(&mut self, key: &str, now: Millis) {
        let Some(stream) = self.streams.get(key) else { return };
        let horizon = now.saturating_sub(stream.retention_ms());
        let gone = |closed: Option<Millis>| closed.is_some_and(|closed| closed < horizon);
        let expired: Vec<u32> =
            stream.shards.iter().filter(|(_, shard)| gone(shard.closed)).map(|(index, _)| *index).collect();
        for (shard, log) in self.logs.get_mut(key).into_iter().flatten() {
            if log.trim_before(horizon) {
                self.dirty.insert((key.to_owned(), *shard));
            }
        }
        for shard in expired {
            self.streams.get_mut(key).expect("it was just there").shards.remove(&shard);
            if let Some(log) = self.logs.get_mut(key).and_then(|logs| logs.remove(&shard)) {
                log.remove(TABLES, &log_key(key, shard), &mut self.removed);
            }
        }
    }

    fn forget(&mut self, key: &str) {
        self.streams.remove(key);
        for (shard, log) in self.logs.remove(key).into_iter().flatten() {
            log.remove(TABLES, &log_key(key, shard), &mut self.removed);
        }
    }

    pub fn take_changes(&mut self, out: &mut Changes) {
        self.streams.take_changes(out);
        out.append(&mut self.removed);
        for (key, shard) in std::mem::take(&mut self.dirty) {
            if let Some(log) = self.logs.get_mut(&key).and_then(|logs| logs.get_mut(&shard)) {
                log.take_changes(TABLES, &log_key(&key, shard), out);
            }
        }
    }

    /// Rows of one table come in the order of their keys.
    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        if table == self.streams.name() {
            self.streams.restore(key, value)?;
            if self.streams.get(key).is_some_and(|stream| stream.status != Status::Active) {
                self.passing.insert(key.to_owned());
            }
        } else if table == TABLES.base {
            self.restored_log(key)?.restore_base(value)?;
        } else if table == TABLES.records {
            let (log, ordinal) = log::split_row_key(key).ok_or_else(|| bad_key(key))?;
            self.restored_log(log)?.restore_record(ordinal, value)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn restored_log(&mut self, key: &str) -> Result<&mut Log, serde_json::Error> {
        let parts = key.rsplit_once('/').and_then(|(stream, id)| Some((stream, stream::parse_shard_id(id)?)));
        let (stream, shard) = parts.ok_or_else(|| bad_key(key))?;
        Ok(self.logs.entry(stream.to_owned()).or_default().entry(shard).or_default())
    }
}

/// Under which key the journal keeps a shard's log.
fn log_key(stream: &str, shard: u32) -> String {
    format!("{stream}/{}", stream::shard_id(shard))
}

fn bad_key(key: &str) -> serde_json::Error {
    serde::de::Error::custom(format!("{key} is not the key of a shard's log"))
}

/// How most inputs say which stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

impl Named {
    fn name(&self) -> Result<&str, AwsError> {
        name_in(self.stream_name.as_deref(), self.stream_arn.as_deref())
    }
}

/// The name, given by itself or inside of an ARN.
fn name_in<'a>(name: Option<&'a str>, arn: Option<&'a str>) -> Result<&'a str, AwsError> {
    name.or_else(|| arn?.split_once(":stream/").map(|(_, name)| name)).ok_or_else(|| {
        AwsError::new("InvalidArgumentException", "Either StreamName or a valid StreamARN should be provided.")
    })
}

impl Scope<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.region)
    }

    /// The key of a stream that exists.
    fn existing(&self, state: &State, name: &str) -> Result<String, AwsError> {
        let key = self.key(name);
        if state.streams.contains(&key) { Ok(key) } else { Err(self.not_found(name)) }
    }

    /// The key of a stream that is ACTIVE.
    fn active(&self, state: &State, name: &str) -> Result<String, AwsError> {
        let key = self.key(name);
        let status = state.streams.get(&key).ok_or_else(|| self.not_found(name))?.status;
        if status == Status::Active {
            return Ok(key);
        }
        let (account, status) = (self.account, status.as_str());
        Err(AwsError::new(
            "ResourceInUseException",
            format!("Stream {name} under account {account} not ACTIVE, instead in state {status}"),
        ))
    }

    fn not_found(&self, name: &str) -> AwsError {
        let message = format!("Stream {name} under account {} not found.", self.account);
        AwsError::new("ResourceNotFoundException", message)
    }

    fn no_such_shard(&self, name: &str, shard: &str) -> AwsError {
        let message = format!("Could not find shard {shard} in stream {name} under account {}.", self.account);
        AwsError::new("ResourceNotFoundException", message)
    }
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidArgumentException", message)
}
