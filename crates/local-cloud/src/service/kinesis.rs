//! Kinesis Data Streams.
//!
//! Control operations are checked against the service model and work on [`serde_json`] values; putting and reading records
//! is typed and checks its own bounds. What is read by a delivery stream is taken by it within the call that put it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use self::log::{Log, LogChange};
use self::meter::Meter;
use self::stream::{Status, Stream};
use self::subscribe::Subscription;
use crate::request::{Answer, AwsError, Request, Token};
use crate::service::{firehose, json};
use crate::settings::Millis;
use crate::table::{Changes, Table};
use crate::world::{Turn, World};

mod account;
pub mod consumer;
mod control;
mod iterator;
pub mod log;
mod meter;
mod policy;
mod put;
mod read;
mod reshard;
pub mod sequence;
pub mod stream;
pub mod subscribe;
mod tags;
#[cfg(test)]
mod tests;
mod update;
mod write;

/// How often what is too old is looked for, in milliseconds.
const TRIM_EVERY: Millis = 1_000;

/// Streams by `region/name`.
#[derive(Debug)]
pub struct State {
    pub streams: Table<Stream>,
    logs: BTreeMap<String, Logs>,
    /// Streams in whose logs something changed.
    dirty: BTreeSet<String>,
    removed: Vec<LogChange>,
    /// Streams whose status does not last.
    passing: BTreeSet<String>,
    /// Streams with consumers whose status does not last.
    passing_consumers: BTreeSet<String>,
    subscriptions: BTreeMap<Token, Subscription>,
}

/// A stream's records.
#[derive(Debug, Default)]
struct Logs {
    /// A shard without an entry has had no record.
    by_shard: BTreeMap<u32, Log>,
    dirty: BTreeSet<u32>,
    /// Grows with each change.
    touches: u64,
    meters: BTreeMap<u32, Meter>,
    /// When what is too old is looked for next.
    trim_at: Millis,
}

impl Default for State {
    fn default() -> Self {
        State {
            streams: Table::new("kinesis-stream"),
            logs: BTreeMap::new(),
            dirty: BTreeSet::new(),
            removed: vec![],
            passing: BTreeSet::new(),
            passing_consumers: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
        }
    }
}

/// Where and when a call happens.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    region: &'a str,
    account: &'a str,
    /// How long a status lasts that does not last.
    delay: Millis,
    /// Does a shard let through only so much in a second?
    limits: bool,
    now: Millis,
}

pub fn call(world: &mut World, turn: &mut Turn, request: &Request) -> Result<Answer, AwsError> {
    let token = world.token();
    let at = Scope {
        region: &request.region,
        account: &world.settings.account,
        delay: world.settings.delays.stream,
        limits: world.settings.limits,
        now: turn.now,
    };
    let state = &mut world.kinesis;
    let put = match json::operation(request) {
        "PutRecords" => put::put_records(state, at, &request.body)?,
        "PutRecord" => put::put_record(state, at, &request.body)?,
        "GetRecords" => {
            let readers = |stream: &str| firehose::readers(&world.firehose, stream);
            return Ok(json::written(read::get_records(state, at, readers, &request.body)?));
        }
        "SubscribeToShard" => {
            let input = json::checked("kinesis", "SubscribeToShard", &request.body)?;
            return subscribe::subscribe(state, at, token, input).map(|()| Answer::Events(token));
        }
        operation => return control(state, at, operation, &request.body),
    };
    firehose::tick(world, turn);
    Ok(json::written(put))
}

/// Why a body that was not understood, or not accepted, is refused, in AWS's words.
fn refusal(operation: &str, body: &[u8]) -> AwsError {
    let checked = json::checked::<serde::de::IgnoredAny>("kinesis", operation, body);
    checked.err().unwrap_or_else(|| AwsError::new("SerializationException", ""))
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
        "GetShardIterator" => run!(read::get_shard_iterator),
        "ListShards" => run!(read::list_shards),
        "DescribeLimits" => run!(account::describe_limits),
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
        "RegisterStreamConsumer" => run!(consumer::register),
        "DeregisterStreamConsumer" => run!(consumer::deregister),
        "DescribeStreamConsumer" => run!(consumer::describe_one),
        "ListStreamConsumers" => run!(consumer::list),
        "PutResourcePolicy" => run!(policy::put),
        "GetResourcePolicy" => run!(policy::get),
        "DeleteResourcePolicy" => run!(policy::delete),
        "DescribeAccountSettings" => run!(account::describe_settings),
        "AddTagsToStream" => run!(tags::add_tags_to_stream),
        "RemoveTagsFromStream" => run!(tags::remove_tags_from_stream),
        "ListTagsForStream" => run!(tags::list_tags_for_stream),
        "TagResource" => run!(tags::tag_resource),
        "UntagResource" => run!(tags::untag_resource),
        "ListTagsForResource" => run!(tags::list_tags_for_resource),
        other => Err(json::unsupported("Kinesis", other)),
    }?;
    Ok(json::output(&output))
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
    let consumers_due = |key: &&String| {
        let stream = state.streams.get(key);
        stream.is_none_or(|stream| consumer::due(stream).is_none_or(|due| due <= turn.now))
    };
    for key in state.passing_consumers.iter().filter(consumers_due).cloned().collect::<Vec<_>>() {
        let Some(stream) = state.streams.get_mut(&key) else {
            state.passing_consumers.remove(&key);
            continue;
        };
        consumer::pass(stream, turn.now);
        if consumer::due(stream).is_none() {
            state.passing_consumers.remove(&key);
        }
    }
}

pub fn due(world: &World) -> Option<Millis> {
    let state = &world.kinesis;
    let streams = state.passing.iter().filter_map(|key| state.streams.get(key)).map(|stream| stream.until);
    let with_consumers = state.passing_consumers.iter().filter_map(|key| state.streams.get(key));
    streams.chain(with_consumers.filter_map(consumer::due)).min()
}

impl State {
    /// The logs of a stream's shards.
    pub fn logs(&self, key: &str) -> Option<&BTreeMap<u32, Log>> {
        Some(&self.logs.get(key)?.by_shard)
    }

    /// Nobody listens to this subscription any more.
    pub fn unsubscribe(&mut self, token: Token) {
        self.subscriptions.remove(&token);
    }

    /// A shard's log, whether or not anything was ever put to it.
    fn log_of(&self, key: &str, shard: u32) -> &Log {
        static EMPTY: Log = Log::EMPTY;
        self.logs(key).and_then(|logs| logs.get(&shard)).unwrap_or(&EMPTY)
    }

    /// The records of a stream, to be changed.
    fn logs_mut(&mut self, key: &str) -> &mut Logs {
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

    /// The status holds from now on, for the delay.
    fn pass(&mut self, key: &str, status: Status, at: Scope) {
        let stream = self.streams.get_mut(key).expect("the caller found it");
        stream.status = status;
        stream.until = at.now + at.delay;
        self.passing.insert(key.to_owned());
    }

    /// What is older than the retention goes, and closed shards of which nothing can be left. Looked at once a second.
    fn trim(&mut self, key: &str, now: Millis) {
        let Some(stream) = self.streams.get(key) else { return };
        if self.logs.get(key).is_some_and(|logs| now < logs.trim_at) {
            return;
        }
        let horizon = now.saturating_sub(stream.retention_ms());
        let gone = |closed: Option<Millis>| closed.is_some_and(|closed| closed < horizon);
        let expired: Vec<u32> =
            stream.shards.iter().filter(|(_, shard)| gone(shard.closed)).map(|(index, _)| *index).collect();
        let created = stream.created;
        let logs = self.logs_mut(key);
        logs.trim_at = now + TRIM_EVERY;
        for (shard, log) in &mut logs.by_shard {
            if log.trim_before(horizon) {
                logs.dirty.insert(*shard);
            }
        }
        for shard in expired {
            self.streams.get_mut(key).expect("it was just there").shards.remove(shard);
            if self.logs_mut(key).by_shard.remove(&shard).is_some() {
                self.removed.push(LogChange::Remove { log: log_name(key, created, shard) });
            }
        }
    }

    /// What is too old is looked for at once.
    fn trim_now(&mut self, key: &str, now: Millis) {
        self.logs_mut(key).trim_at = now;
        self.trim(key, now);
    }

    fn forget(&mut self, key: &str) {
        let Some(stream) = self.streams.remove(key) else { return };
        for shard in self.logs.remove(key).unwrap_or_default().by_shard.into_keys() {
            self.removed.push(LogChange::Remove { log: log_name(key, stream.created, shard) });
        }
    }

    pub fn take_changes(&mut self, out: &mut Changes) {
        self.streams.take_changes(out);
        out.push_logs(&mut self.removed);
        for key in std::mem::take(&mut self.dirty) {
            let (Some(stream), Some(logs)) = (self.streams.get(&key), self.logs.get_mut(&key)) else { continue };
            for shard in std::mem::take(&mut logs.dirty) {
                if let Some(log) = logs.by_shard.get_mut(&shard) {
                    log.take_changes(|| log_name(&key, stream.created, shard), out);
                }
            }
        }
    }

    /// A row of the journal.
    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        if table != self.streams.name() {
            return Ok(false);
        }
        self.streams.restore(key, value)?;
        if self.streams.get(key).is_some_and(|stream| stream.status != Status::Active) {
            self.passing.insert(key.to_owned());
        }
        self.passing_consumers.insert(key.to_owned());
        Ok(true)
    }

    /// A log is somebody's as long as its stream exists.
    pub fn restore_log(&mut self, change: LogChange) -> bool {
        let Some((key, created, shard)) = split_log_name(change.log()) else { return false };
        let theirs = |stream: &Stream| stream.created == created && stream.shards.contains_key(&shard);
        if !self.streams.get(key).is_some_and(theirs) {
            return false;
        }
        self.logs.entry(key.to_owned()).or_default().by_shard.entry(shard).or_default().restore(change);
        true
    }
}

impl Logs {
    /// The log of a shard, to be changed.
    fn log_mut(&mut self, shard: u32) -> &mut Log {
        self.dirty.insert(shard);
        self.by_shard.entry(shard).or_default()
    }

    fn meter(&mut self, shard: u32) -> &mut Meter {
        self.meters.entry(shard).or_default()
    }
}

/// By which the journal knows a shard's log: another stream of the same name has others.
fn log_name(stream: &str, created: Millis, shard: u32) -> String {
    format!("kinesis/{stream}/{created}/{shard}")
}

/// The stream's key, when it was created, and the index of the shard.
fn split_log_name(name: &str) -> Option<(&str, Millis, u32)> {
    let (rest, shard) = name.strip_prefix("kinesis/")?.rsplit_once('/')?;
    let (key, created) = rest.rsplit_once('/')?;
    Some((key, created.parse().ok()?, shard.parse().ok()?))
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

fn rate_exceeded(at: Scope, stream: &str, shard: u32) -> AwsError {
    let (shard, account) = (stream::shard_id(shard), at.account);
    let message = format!("Rate exceeded for shard {shard} in stream {stream} under account {account}.");
    AwsError::new("ProvisionedThroughputExceededException", message)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidArgumentException", message)
}
