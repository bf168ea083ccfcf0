//! PutRecord and PutRecords: the hot path. A body is borrowed, not copied; the data of all its records is decoded into one piece
//! of memory that they share. What is refused is looked at again by the generic checks, which find AWS's words for it.

use std::borrow::Cow;

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use serde::Deserialize;

use super::log::Record;
use super::logs::Logs;
use super::sequence::Sequence;
use super::shards::Open;
use super::stream::{Status, Stream, hash_of};
use super::write::Writer;
use super::{Scope, State, invalid, name_in, rate_exceeded, refusal};
use crate::request::AwsError;
use crate::service::json::violation;

const MOST_RECORDS: usize = 500;
/// Of a whole PutRecords request, partition keys included, in bytes.
const REQUEST_LIMIT: usize = 10 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecords<'a> {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(borrow)]
    records: Option<Vec<Entry<'a>>>,
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    partition_key: Option<Cow<'a, str>>,
}

pub fn put_records(state: &mut State, at: Scope, body: &[u8]) -> Result<Vec<u8>, AwsError> {
    let refused = || refusal("PutRecords", body);
    let input: PutRecords = serde_json::from_slice(body).map_err(|_| refused())?;
    let takes = |entries: &Vec<Entry>| (1..=MOST_RECORDS).contains(&entries.len()) && input.dry_run != Some(true);
    let entries = input.records.filter(takes).ok_or_else(refused)?;
    let records = entries.iter().map(Entry::whole).collect::<Option<Vec<Whole>>>().ok_or_else(refused)?;
    let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let key = writable(state, at, name)?;
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
    let data = decode(&records).ok_or_else(refused)?;
    if data.iter().zip(&records).map(|(data, record)| data.len() + record.partition_key.len()).sum::<usize>()
        > REQUEST_LIMIT
    {
        return Err(invalid(format!("Records size exceeds {} MB limit", REQUEST_LIMIT >> 20)));
    }
    let routed = records.iter().zip(data).enumerate();
    let routed =
        routed.map(|(i, (record, data))| route(stream, record, data, || format!("records.{}.member.data", i + 1)));
    let routed = routed.collect::<Result<Vec<Routed>, AwsError>>()?;

    let encryption_type = encryption_type(stream);
    let logs = state.logs_mut(&key);
    // All are placed before any is told of: to read a number at once that was only just made waits for the memory behind its record.
    let placed: Vec<_> = routed.into_iter().map(|record| (record.shard, place(logs, at, record))).collect();
    let failed = placed.iter().filter(|(_, sequence)| sequence.is_none()).count();
    let mut out = Writer::with_capacity(64 + 120 * placed.len());
    out.raw(r#"{"Records":["#);
    for (i, (shard, sequence)) in placed.into_iter().enumerate() {
        out.raw(if i == 0 { "{" } else { ",{" });
        match sequence {
            Some(sequence) => out.placed(sequence, shard),
            None => {
                let error = rate_exceeded(at, name, shard);
                out.raw(r#""ErrorCode":"#);
                out.string(error.code);
                out.raw(r#","ErrorMessage":"#);
                out.string(&error.message);
            }
        }
        out.raw("}");
    }
    out.raw(r#"],"FailedRecordCount":"#);
    out.number(failed as u64);
    out.encryption_type(encryption_type);
    out.raw("}");
    state.trim(&key, at.now);
    Ok(out.0)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecord<'a> {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    partition_key: Option<Cow<'a, str>>,
    sequence_number_for_ordering: Option<String>,
    dry_run: Option<bool>,
}

pub fn put_record(state: &mut State, at: Scope, body: &[u8]) -> Result<Vec<u8>, AwsError> {
    let refused = || refusal("PutRecord", body);
    let input: PutRecord = serde_json::from_slice(body).map_err(|_| refused())?;
    let (data, explicit_hash_key) = (input.data, input.explicit_hash_key);
    let entry = Entry { data, explicit_hash_key, partition_key: input.partition_key };
    let record = entry.whole().filter(|_| input.dry_run != Some(true)).ok_or_else(refused)?;
    let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let key = writable(state, at, name)?;
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
    let data = BASE64.decode_to_vec(record.data.as_bytes()).map_err(|_| refused())?;
    let record = route(stream, &record, data.into(), || "data".into())?;
    if let Some(after) = input.sequence_number_for_ordering {
        // Numbers of a shard grow anyway.
        Sequence::parse(&after).filter(Sequence::is_possible).ok_or_else(|| {
            let account = at.account;
            invalid(format!(
                "ExclusiveMinimumSequenceNumber {after} used in PutRecord on stream {name} under account {account} is invalid."
            ))
        })?;
    }
    let (encryption_type, shard) = (encryption_type(stream), record.shard);
    let placed = place(state.logs_mut(&key), at, record);
    state.trim(&key, at.now);
    let mut out = Writer::with_capacity(160);
    out.raw("{");
    out.placed(placed.ok_or_else(|| rate_exceeded(at, name, shard))?, shard);
    out.encryption_type(encryption_type);
    out.raw("}");
    Ok(out.0)
}

/// A stream takes records from its creation to its end, as long as it can be found.
fn writable(state: &State, at: Scope, name: &str) -> Result<String, AwsError> {
    let key = at.key(name);
    let status = state.streams.get(&key).map(|stream| stream.status);
    if status.is_none_or(|status| status == Status::Creating) { Err(at.not_found(name)) } else { Ok(key) }
}

fn encryption_type(stream: &Stream) -> Option<&'static str> {
    stream.key_id.as_ref().map(|_| "KMS")
}

/// An entry in which nothing is missing and every text is within its bounds.
struct Whole<'a> {
    /// Base64.
    data: &'a str,
    explicit_hash_key: Option<&'a str>,
    partition_key: &'a str,
}

impl Entry<'_> {
    fn whole(&self) -> Option<Whole<'_>> {
        let partition_key = self.partition_key.as_deref()?;
        let explicit_hash_key = self.explicit_hash_key.as_deref();
        // A character has up to four bytes: only keys that may be too long need counting.
        let fits = |key: &str| !key.is_empty() && (key.len() <= 256 || key.chars().count() <= 256);
        let is_hash_key = |key: &str| {
            key == "0"
                || (key.len() <= 39
                    && !key.starts_with('0')
                    && !key.is_empty()
                    && key.bytes().all(|b| b.is_ascii_digit()))
        };
        let whole = fits(partition_key) && explicit_hash_key.is_none_or(is_hash_key);
        Some(Whole { data: self.data.as_deref()?, explicit_hash_key, partition_key }).filter(|_| whole)
    }
}

/// The data of each, in one piece of memory. `None` where some of it is not base64.
fn decode(records: &[Whole]) -> Option<Vec<Bytes>> {
    let mut whole = Vec::with_capacity(records.iter().map(|record| record.data.len() / 4 * 3).sum());
    let mut ends = Vec::with_capacity(records.len());
    for record in records {
        BASE64.decode_append(record.data.as_bytes(), &mut whole).ok()?;
        ends.push(whole.len());
    }
    let (whole, mut start) = (Bytes::from(whole), 0);
    Some(ends.into_iter().map(|end| whole.slice(std::mem::replace(&mut start, end)..end)).collect())
}

/// A record that is within all bounds, and the shard it goes to.
struct Routed<'a> {
    shard: u32,
    created_s: u64,
    partition_key: &'a str,
    data: Bytes,
}

fn route<'a>(
    stream: &Stream,
    record: &Whole<'a>,
    data: Bytes,
    path: impl Fn() -> String,
) -> Result<Routed<'a>, AwsError> {
    let limit = stream.max_record_kib as usize * 1024;
    if data.len() + record.partition_key.len() > limit {
        return Err(violation(&path(), &format!("have length less than or equal to {limit}")));
    }
    let hash = match record.explicit_hash_key {
        None => hash_of(record.partition_key),
        Some(explicit) => explicit.parse().map_err(|_| {
            invalid(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
                 Specified value was {explicit}"
            ))
        })?,
    };
    let Open { index: shard, created_s, .. } = *stream.shards.route(hash);
    Ok(Routed { shard, created_s, partition_key: record.partition_key, data })
}

/// `None` where the shard lets no more through now.
fn place(logs: &mut Logs, at: Scope, record: Routed) -> Option<Sequence> {
    let size = (record.data.len() + record.partition_key.len()) as u64;
    if at.limits && !logs.meter(record.shard).write(at.now, size) {
        return None;
    }
    let log = logs.log_mut(record.shard);
    let sequence = Sequence::of_record(record.created_s, record.shard, log.next(), at.now / 1000);
    log.append(Record { sequence, partition_key: record.partition_key.into(), data: record.data, arrival: at.now });
    Some(sequence)
}
