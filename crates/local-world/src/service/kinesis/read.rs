//! Reading: iterators and records.

use serde::Deserialize;
use serde_json::{Value, json};

use super::iterator::Iterator;
use super::shards::Shard;
use super::stream::{Stream, parse_shard_id};
use super::write::{Writer, record_bound};
use super::{Scope, State, invalid, name_in, rate_exceeded, refusal};
use crate::log::Log;
use crate::model::json::{missing, violation};
use crate::record::Record;
use crate::record::sequence::{Sequence, shard_id};
use crate::request::{Answer, AwsError, Reply, Unwritten};
use crate::time::Millis;

/// In bytes; the service model's own bound is in characters.
const LONGEST_ITERATOR: usize = 512;
const MOST_RECORDS: usize = 10_000;
/// The most data in one answer, in bytes.
const ANSWER_LIMIT: usize = 10 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: Option<String>,
    shard_iterator_type: Option<String>,
    starting_sequence_number: Option<String>,
    /// Epoch seconds.
    timestamp: Option<f64>,
}

pub fn get_shard_iterator(state: &mut State, at: Scope, input: GetShardIterator) -> Result<Value, AwsError> {
    let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let id = input.shard_id.as_deref().ok_or_else(|| missing("shardId"))?;
    let shard = parse_shard_id(id).ok_or_else(|| at.no_such_shard(name, id))?;
    let key = at.key(name);
    state.trim(&key, at.now);
    let stream = state.streams.get(&key).filter(|stream| stream.shards.contains_key(&shard));
    let stream = stream.ok_or_else(|| no_shard_to_read(at, name, &shard_id(shard)))?;
    if at.limits && !state.logs.entry(key.clone()).or_default().meter(shard).iterator(at.now) {
        return Err(rate_exceeded(at, name, shard));
    }
    let position = Position {
        operation: "GetShardIterator",
        kind: input.shard_iterator_type.as_deref(),
        number: input.starting_sequence_number.as_deref(),
        timestamp: input.timestamp,
    };
    let ordinal = position.ordinal(at, stream, shard, state.log_of(&key, shard))?;
    let iterator = Iterator { created: stream.created, stream: key, shard, ordinal, issued: at.now };
    Ok(json!({ "ShardIterator": iterator.encode() }))
}

fn no_shard_to_read(at: Scope, name: &str, shard: &str) -> AwsError {
    let message = format!("Shard {shard} in stream {name} under account {} does not exist", at.account);
    AwsError::new("ResourceNotFoundException", message)
}

/// Where reading begins, as a call says it.
pub struct Position<'a> {
    pub operation: &'static str,
    pub kind: Option<&'a str>,
    pub number: Option<&'a str>,
    /// Epoch seconds.
    pub timestamp: Option<f64>,
}

impl Position<'_> {
    pub fn ordinal(&self, at: Scope, stream: &Stream, shard: u32, log: &Log) -> Result<u64, AwsError> {
        let kind = self.kind.ok_or_else(|| missing("shardIteratorType"))?;
        match (kind, self.number) {
            ("TRIM_HORIZON", None) => Ok(log.base()),
            ("LATEST", None) => Ok(log.next()),
            ("AT_TIMESTAMP", None) => Ok(log.at_time(timestamp(at, self.timestamp)?)),
            ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER", Some(number)) => {
                let number = self.located(at, stream, shard, number)?;
                let nearest = log.get(number.ordinal());
                let past = nearest.is_some_and(|record| match kind {
                    "AT_SEQUENCE_NUMBER" => record.sequence < number,
                    _ => record.sequence <= number,
                });
                Ok(number.ordinal() + u64::from(past))
            }
            ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER", None) => Err(seq_mismatch(kind, "no")),
            ("TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP", Some(_)) => Err(seq_mismatch(kind, "also a")),
            _ => Err(violation(
                "shardIteratorType",
                "satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
            )),
        }
    }

    /// A sequence number that belongs to this shard of this stream.
    fn located(&self, at: Scope, stream: &Stream, shard: u32, text: &str) -> Result<Sequence, AwsError> {
        let unusable = |end: &str| {
            invalid(format!(
                "StartingSequenceNumber {text} used in {} on shard {} in stream {} under account {} is invalid{end}",
                self.operation,
                shard_id(shard),
                stream.name,
                at.account
            ))
        };
        let number = Sequence::parse(text).filter(Sequence::is_possible).ok_or_else(|| unusable("."))?;
        if number.shard() != shard {
            return Err(invalid(format!(
                "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
                shard_id(number.shard()),
                shard_id(shard)
            )));
        }
        if number.created_s() != stream.shards[&shard].created_s {
            return Err(unusable(" because it did not come from this stream."));
        }
        Ok(number)
    }
}

fn seq_mismatch(kind: &str, what: &str) -> AwsError {
    invalid(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
         (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
         Request specified {kind} and {what} StartingSequenceNumber."
    ))
}

fn timestamp(at: Scope, given: Option<f64>) -> Result<Millis, AwsError> {
    let given = given.ok_or_else(|| {
        invalid(
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
             Current request has no timestamp parameter.",
        )
    })?;
    let millis = (given * 1000.0).round() as Millis;
    if millis <= at.now {
        return Ok(millis);
    }
    Err(invalid(format!(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
         timestampInMillis: {millis}, currentTimestampInMillis: {}",
        at.now
    )))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRecords {
    shard_iterator: Option<String>,
    limit: Option<usize>,
    dry_run: Option<bool>,
}

impl GetRecords {
    pub fn read(body: &[u8]) -> Result<GetRecords, AwsError> {
        let input: GetRecords = crate::model::json::read(body).map_err(|_| refusal("GetRecords", body))?;
        let limited = input.limit.is_none_or(|limit| (1..=MOST_RECORDS).contains(&limit));
        // An iterator that is too long is refused in the words of the service model.
        let short = input.shard_iterator.as_ref().is_some_and(|iterator| iterator.len() <= LONGEST_ITERATOR);
        let taken = limited && short && input.dry_run != Some(true);
        if taken { Ok(input) } else { Err(refusal("GetRecords", body)) }
    }

    pub fn get(self, state: &mut State, at: Scope, readers: impl Fn(&str) -> u64) -> Result<Answer, AwsError> {
        let iterator = Iterator::decode(self.shard_iterator.as_deref().unwrap_or_default(), at.now)?;
        state.trim(&iterator.stream, at.now);
        let stream = state.streams.get(&iterator.stream).filter(|stream| stream.created == iterator.created);
        let shard = stream.and_then(|stream| stream.shards.get(&iterator.shard));
        let (Some(stream), Some(shard)) = (stream, shard) else {
            let name = iterator.stream.split_once('/').map_or("", |(_, name)| name);
            return Err(no_shard_to_read(at, name, &shard_id(iterator.shard)));
        };
        if at.limits {
            let meter = state.logs.entry(iterator.stream.clone()).or_default().meter(iterator.shard);
            if !meter.read(at.now, readers(&iterator.stream)) {
                return Err(rate_exceeded(at, &stream.name, iterator.shard));
            }
        }
        let log = state.log_of(&iterator.stream, iterator.shard);
        let page = page_of(log, iterator.ordinal, self.limit.unwrap_or(MOST_RECORDS), ANSWER_LIMIT);
        let read = Read::of(stream, shard, log, &iterator, page, at.now);
        if at.limits {
            let bytes = read.records.iter().map(|record| record.data.len() as u64).sum();
            state.logs.entry(iterator.stream.clone()).or_default().meter(iterator.shard).was_read(bytes);
        }
        Ok(Answer::Unwritten(Unwritten::new(move || Ok(Reply { body: read.written().into(), ..Reply::empty() }))))
    }
}

/// The records of one answer.
pub struct Page {
    pub records: Vec<Record>,
    /// The ordinal after the last of them.
    pub next: u64,
}

/// So many records and bytes of data at most, but one if there is one, from this ordinal or from the oldest that is kept.
pub fn page_of(log: &Log, ordinal: u64, limit: usize, most_bytes: usize) -> Page {
    let (mut page, mut bytes) = (Page { records: vec![], next: ordinal.max(log.base()) }, 0);
    for (ordinal, record) in log.from(page.next).take(limit) {
        bytes += record.data.len();
        if bytes > most_bytes && !page.records.is_empty() {
            break;
        }
        page.records.push(record);
        page.next = ordinal + 1;
    }
    if log.from(page.next).next().is_none() {
        // Behind it there are lost records at most.
        page.next = page.next.max(log.next());
    }
    page
}

/// How old the record there is; 0 where none is yet.
pub fn millis_behind(log: &Log, ordinal: u64, now: Millis) -> Millis {
    log.get(ordinal).map_or(0, |record| now.saturating_sub(record.arrival))
}

/// The records that were read. Their data is shared with the log: 10 MB are encoded beside the world.
struct Read {
    records: Vec<Record>,
    encryption_type: Option<&'static str>,
    millis_behind: Millis,
    next: Next,
}

enum Next {
    Children(Value),
    Iterator(String),
}

impl Read {
    fn of(stream: &Stream, shard: &Shard, log: &Log, from: &Iterator, page: Page, now: Millis) -> Read {
        let ended = shard.closed.is_some() && page.next >= log.next();
        let again = || Iterator { ordinal: page.next, issued: now, ..from.clone() };
        Read {
            records: page.records,
            encryption_type: stream.key_id.as_ref().map(|_| "KMS"),
            millis_behind: millis_behind(log, page.next, now),
            next: match ended {
                true => Next::Children(Value::from(stream.describe_children(from.shard))),
                false => Next::Iterator(again().encode()),
            },
        }
    }

    fn written(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(512 + self.records.iter().map(record_bound).sum::<usize>());
        out.raw("{");
        out.records(&self.records, self.encryption_type);
        out.raw(r#","MillisBehindLatest":"#);
        out.number(self.millis_behind);
        match &self.next {
            Next::Children(children) => {
                out.raw(r#","ChildShards":"#);
                out.raw(&children.to_string());
            }
            Next::Iterator(iterator) => {
                out.raw(r#","NextShardIterator":"#);
                out.string(iterator);
            }
        }
        out.raw("}");
        out.0
    }
}
