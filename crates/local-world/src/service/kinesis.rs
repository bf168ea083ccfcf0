//! Kinesis Data Streams.
//!
//! Control operations are checked against the service model and work on [`serde_json`] values; putting and reading records
//! is typed and checks its own bounds. What is read by a delivery stream is taken by it within the call that put it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::logs::Logs;
use self::stream::{Status, Stream};
use self::subscribe::Subscription;
use crate::changes::LogChange;
use crate::effect::Tokens;
use crate::model::json;
use crate::record::sequence::shard_id;
use crate::request::{Answer, AwsError, Request, Token};
use crate::settings::Settings;
use crate::table::Table;
use crate::time::Millis;

mod account;
pub(crate) mod consumer;
mod control;
pub(crate) mod iterator;
mod list_shards;
pub(crate) mod logs;
mod meter;
mod policy;
mod put;
mod read;
mod reshard;
mod shards;
pub(crate) mod stream;
pub mod subscribe;
mod tags;
#[cfg(test)]
mod tests;
mod update;
mod write;

/// Streams by `region/name`.
#[derive(Debug)]
pub struct State {
    pub(crate) streams: Table<Stream>,
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

/// A call that was read and checked.
pub type Call<'a> = Box<dyn FnOnce(&mut State, Around) -> Result<Answer, AwsError> + Send + 'a>;

/// The parts of the world that a call needs.
pub struct Around<'a> {
    /// The emulator's settings.
    pub settings: &'a Settings,
    /// The world's time.
    pub now: Millis,
    pub(crate) tokens: &'a mut Tokens,
    /// How many delivery streams read a stream, by its key.
    pub readers: &'a dyn Fn(&str) -> u64,
}

pub(crate) fn read(request: &Request) -> Result<Call<'_>, AwsError> {
    let body = &request.body;
    Ok(match json::operation(request) {
        "PutRecords" => {
            let put = put::PutRecords::read(body)?;
            in_turn(request, |state, at| put.put(state, at))
        }
        "PutRecord" => {
            let put = put::PutRecord::read(body)?;
            in_turn(request, |state, at| put.put(state, at).map(json::written))
        }
        "GetRecords" => {
            let get = read::GetRecords::read(body)?;
            Box::new(move |state, around| get.get(state, Scope::of(&around, request), around.readers))
        }
        "SubscribeToShard" => {
            let input = json::checked("kinesis", "SubscribeToShard", body)?;
            Box::new(move |state, around| {
                let token = around.tokens.fresh();
                subscribe::subscribe(state, Scope::of(&around, request), token, input).map(|()| Answer::Events(token))
            })
        }
        operation => return control(request, operation),
    })
}

fn in_turn<'a>(
    request: &'a Request,
    act: impl FnOnce(&mut State, Scope) -> Result<Answer, AwsError> + Send + 'a,
) -> Call<'a> {
    Box::new(move |state, around| act(state, Scope::of(&around, request)))
}

/// Why a body that was not understood, or not accepted, is refused, in AWS's words.
fn refusal(operation: &str, body: &[u8]) -> AwsError {
    let checked = json::checked::<serde::de::IgnoredAny>("kinesis", operation, body);
    checked.err().unwrap_or_else(|| AwsError::new("SerializationException", ""))
}

fn control<'a>(request: &'a Request, operation: &str) -> Result<Call<'a>, AwsError> {
    macro_rules! run {
        ($function:path) => {{
            let input = json::checked("kinesis", operation, &request.body)?;
            in_turn(request, |state, at| $function(state, at, input).map(json::output))
        }};
    }
    Ok(match operation {
        "CreateStream" => run!(control::create_stream),
        "DeleteStream" => run!(control::delete_stream),
        "DescribeStream" => run!(control::describe_stream),
        "DescribeStreamSummary" => run!(control::describe_stream_summary),
        "ListStreams" => run!(control::list_streams),
        "GetShardIterator" => run!(read::get_shard_iterator),
        "ListShards" => run!(list_shards::list_shards),
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
        other => return Err(json::unsupported("Kinesis", other)),
    })
}

impl State {
    /// Statuses whose time has come pass into what follows.
    pub fn tick(&mut self, now: Millis) {
        let over = |key: &&String| self.streams.get(key).is_none_or(|stream| stream.until <= now);
        for key in self.passing.iter().filter(over).cloned().collect::<Vec<_>>() {
            self.passing.remove(&key);
            match self.streams.get(&key).map(|stream| stream.status) {
                Some(Status::Deleting) => self.forget(&key),
                Some(_) => self.streams.get_mut(&key).expect("it was just there").status = Status::Active,
                None => {}
            }
        }
        let consumers_due = |key: &&String| {
            let stream = self.streams.get(key);
            stream.is_none_or(|stream| consumer::due(stream).is_none_or(|due| due <= now))
        };
        for key in self.passing_consumers.iter().filter(consumers_due).cloned().collect::<Vec<_>>() {
            let Some(stream) = self.streams.get_mut(&key) else {
                self.passing_consumers.remove(&key);
                continue;
            };
            consumer::pass(stream, now);
            if consumer::due(stream).is_none() {
                self.passing_consumers.remove(&key);
            }
        }
        self.sweep(now);
    }

    /// When [`State::tick`] next has something to do.
    pub fn due(&self) -> Option<Millis> {
        let streams = self.passing.iter().filter_map(|key| self.streams.get(key)).map(|stream| stream.until);
        let with_consumers = self.passing_consumers.iter().filter_map(|key| self.streams.get(key));
        let sweeps = self.logs.values().filter_map(Logs::sweep_at);
        streams.chain(with_consumers.filter_map(consumer::due)).chain(sweeps).min()
    }

    /// Nobody listens to this subscription any more.
    pub fn unsubscribe(&mut self, token: Token) {
        self.subscriptions.remove(&token);
    }

    /// The status holds from now on, for the delay.
    fn pass(&mut self, key: &str, status: Status, at: Scope) {
        let stream = self.streams.get_mut(key).expect("the caller found it");
        stream.status = status;
        stream.until = at.now + at.delay;
        self.passing.insert(key.to_owned());
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

impl<'a> Scope<'a> {
    fn of(around: &Around<'a>, request: &'a Request) -> Scope<'a> {
        let settings = around.settings;
        Scope {
            region: &request.region,
            account: &settings.account,
            delay: settings.delays.stream,
            limits: settings.limits,
            now: around.now,
        }
    }

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

    /// Is it the stream that was created then, in epoch seconds, and not a later one of its name?
    fn of_that_time(&self, stream: &Stream, created: Option<f64>) -> Result<(), AwsError> {
        match created {
            Some(seconds) if seconds as u64 != stream.created / 1000 => Err(self.not_found(&stream.name)),
            Some(_) | None => Ok(()),
        }
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
    let (shard, account) = (shard_id(shard), at.account);
    let message = format!("Rate exceeded for shard {shard} in stream {stream} under account {account}.");
    AwsError::new("ProvisionedThroughputExceededException", message)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidArgumentException", message)
}
