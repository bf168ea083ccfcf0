//! PutRecord and PutRecords: the hot path. A body is read beside the world; the keys and the decoded data of all its records are in one
//! piece of memory that they share. The answer is written beside the world too. What is refused is looked at again by the generic checks, which find AWS's words for it.

use std::borrow::Cow;
use std::sync::Arc;

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use serde::Deserialize;

use super::logs::Logs;
use super::shards::Open;
use super::stream::{Status, Stream, hash_of};
use super::write::Writer;
use super::{Scope, State, invalid, name_in, rate_exceeded, refusal};
use crate::model::json::{self, violation};
use crate::record::sequence::Sequence;
use crate::record::{Compact, Lengths, Numbering};
use crate::request::{Answer, AwsError, Unwritten};

mod usual;

const MOST_RECORDS: usize = 500;
/// The largest PutRecords request in bytes, including partition keys.
const REQUEST_LIMIT: usize = 10 << 20;
/// The most padding characters that base64 has.
const PADDING: usize = 2;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecordsInput<'a> {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(borrow)]
    records: Option<Vec<Entry<'a>>>,
    dry_run: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    partition_key: Option<Cow<'a, str>>,
}

/// A PutRecords call that was read: every record is within its bounds, and its data is decoded.
pub struct PutRecords {
    stream_name: Option<String>,
    stream_arn: Option<String>,
    records: Vec<Whole>,
    piece: Arc<Bytes>,
}

impl PutRecords {
    pub fn read(body: &[u8]) -> Result<PutRecords, AwsError> {
        let refused = || refusal("PutRecords", body);
        let input = usual::read(body).map_or_else(|| json::read(body), Ok).map_err(|_| refused())?;
        let takes = |entries: &Vec<Entry>| (1..=MOST_RECORDS).contains(&entries.len()) && input.dry_run != Some(true);
        let entries = input.records.filter(takes).ok_or_else(refused)?;
        let (records, piece) = whole(&entries).ok_or_else(refused)?;
        Ok(PutRecords { stream_name: input.stream_name, stream_arn: input.stream_arn, records, piece })
    }

    pub fn put(self, state: &mut State, at: Scope) -> Result<Answer, AwsError> {
        let name = name_in(self.stream_name.as_deref(), self.stream_arn.as_deref())?;
        let key = writable(state, at, name)?;
        let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
        if self.records.iter().map(Whole::size).sum::<usize>() > REQUEST_LIMIT {
            return Err(invalid(format!("Records size exceeds {} MB limit", REQUEST_LIMIT >> 20)));
        }
        let routed = self.records.into_iter().enumerate();
        let routed = routed.map(|(i, record)| route(stream, record, || format!("records.{}.member.data", i + 1)));
        let routed = routed.collect::<Result<Vec<Routed>, AwsError>>()?;

        let encryption_type = encryption_type(stream);
        let logs = state.logs_mut(&key);
        let placed = routed.into_iter().map(|record| {
            let shard = record.shard;
            let sequence = place(logs, at, &self.piece, record);
            (shard, sequence.ok_or_else(|| Box::new(rate_exceeded(at, name, shard))))
        });
        let placed: Vec<Placed> = placed.collect();
        state.trim(&key, at.now);
        Ok(Answer::Unwritten(Unwritten::new(move || Ok(json::reply(written(placed, encryption_type))))))
    }
}

/// The shard that a record went to and its sequence number there, or why it was refused.
type Placed = (u32, Result<Sequence, Box<AwsError>>);

fn written(placed: Vec<Placed>, encryption_type: Option<&str>) -> Vec<u8> {
    let mut out = Writer::with_capacity(64 + 120 * placed.len());
    let failed = placed.iter().filter(|(_, sequence)| sequence.is_err()).count();
    out.raw(r#"{"Records":["#);
    for (i, (shard, sequence)) in placed.into_iter().enumerate() {
        out.raw(if i == 0 { "{" } else { ",{" });
        match sequence {
            Ok(sequence) => out.placed(sequence, shard),
            Err(error) => {
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
    out.0
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecordInput<'a> {
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

/// A PutRecord call that was read.
pub struct PutRecord {
    stream_name: Option<String>,
    stream_arn: Option<String>,
    record: Whole,
    piece: Arc<Bytes>,
    sequence_number_for_ordering: Option<String>,
}

impl PutRecord {
    pub fn read(body: &[u8]) -> Result<PutRecord, AwsError> {
        let refused = || refusal("PutRecord", body);
        let input: PutRecordInput = json::read(body).map_err(|_| refused())?;
        let (data, explicit_hash_key) = (input.data, input.explicit_hash_key);
        let entry = Entry { data, explicit_hash_key, partition_key: input.partition_key };
        let (mut records, piece) = whole(&[entry]).filter(|_| input.dry_run != Some(true)).ok_or_else(refused)?;
        let record = records.pop().ok_or_else(refused)?;
        let sequence_number_for_ordering = input.sequence_number_for_ordering;
        let (stream_name, stream_arn) = (input.stream_name, input.stream_arn);
        Ok(PutRecord { stream_name, stream_arn, record, piece, sequence_number_for_ordering })
    }

    pub fn put(self, state: &mut State, at: Scope) -> Result<Vec<u8>, AwsError> {
        let name = name_in(self.stream_name.as_deref(), self.stream_arn.as_deref())?;
        let key = writable(state, at, name)?;
        let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
        let record = route(stream, self.record, || "data".into())?;
        if let Some(after) = self.sequence_number_for_ordering {
            // Numbers of a shard grow anyway.
            Sequence::parse(&after).filter(Sequence::is_possible).ok_or_else(|| {
                let account = at.account;
                invalid(format!(
                    "ExclusiveMinimumSequenceNumber {after} used in PutRecord on stream {name} under account {account} is \
                     invalid."
                ))
            })?;
        }
        let (encryption_type, shard) = (encryption_type(stream), record.shard);
        let placed = place(state.logs_mut(&key), at, &self.piece, record);
        state.trim(&key, at.now);
        let mut out = Writer::with_capacity(160);
        out.raw("{");
        out.placed(placed.ok_or_else(|| rate_exceeded(at, name, shard))?, shard);
        out.encryption_type(encryption_type);
        out.raw("}");
        Ok(out.0)
    }
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

/// An entry in which nothing is missing, every text is within its bounds, and what follows from it alone is known.
struct Whole {
    /// Where its key starts in the piece that it shares with others.
    start: usize,
    lengths: Lengths,
    explicit_hash_key: Option<String>,
    /// The explicit hash key, or the hash of the partition key; `None` if the explicit one is too large.
    hash: Option<u128>,
}

impl Whole {
    fn size(&self) -> usize {
        self.lengths.data + self.lengths.key
    }
}

/// The entries, and the piece of memory that has their keys and data. `None` where some of it is missing, out of its bounds, or not
/// base64.
fn whole(entries: &[Entry]) -> Option<(Vec<Whole>, Arc<Bytes>)> {
    // Decoding makes room for padding too. Without that room at the end, the whole piece would be moved to one of twice the size.
    let mut piece = Vec::with_capacity(entries.iter().map(Entry::size).sum::<usize>() + PADDING);
    let records = entries.iter().map(|entry| entry.append_to(&mut piece)).collect::<Option<_>>()?;
    Some((records, Arc::new(piece.into())))
}

impl Entry<'_> {
    /// The bytes of its key and its data, if they are as they must be.
    fn size(&self) -> usize {
        let [key, data] = [&self.partition_key, &self.data].map(|text| text.as_deref().unwrap_or_default());
        let padding = data.bytes().rev().take(PADDING).filter(|byte| *byte == b'=').count();
        key.len() + (data.len() / 4 * 3).saturating_sub(padding)
    }

    fn append_to(&self, piece: &mut Vec<u8>) -> Option<Whole> {
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
        (fits(partition_key) && explicit_hash_key.is_none_or(is_hash_key)).then_some(())?;
        let start = piece.len();
        piece.extend_from_slice(partition_key.as_bytes());
        let middle = piece.len();
        BASE64.decode_append(self.data.as_deref()?.as_bytes(), piece).ok()?;
        Some(Whole {
            start,
            lengths: Lengths { key: middle - start, data: piece.len() - middle },
            explicit_hash_key: explicit_hash_key.map(str::to_owned),
            hash: explicit_hash_key.map_or_else(|| Some(hash_of(partition_key)), |key| key.parse().ok()),
        })
    }
}

/// A record that is within all bounds, and the shard it goes to.
struct Routed {
    shard: u32,
    created_s: u64,
    start: usize,
    lengths: Lengths,
}

fn route(stream: &Stream, record: Whole, path: impl Fn() -> String) -> Result<Routed, AwsError> {
    let limit = stream.max_record_kib as usize * 1024;
    if record.size() > limit {
        return Err(violation(&path(), &format!("have length less than or equal to {limit}")));
    }
    let hash = record.hash.ok_or_else(|| {
        let explicit = record.explicit_hash_key.unwrap_or_default();
        invalid(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {explicit}"
        ))
    })?;
    let Open { index: shard, created_s, .. } = *stream.shards.route(hash);
    Ok(Routed { shard, created_s, start: record.start, lengths: record.lengths })
}

/// `None` where the shard lets no more through now.
fn place(logs: &mut Logs, at: Scope, piece: &Arc<Bytes>, record: Routed) -> Option<Sequence> {
    let Routed { shard, created_s, start, lengths } = record;
    if at.limits && !logs.meter(shard).write(at.now, (lengths.data + lengths.key) as u64) {
        logs.throttle();
        return None;
    }
    let record = Compact::new(at.now, piece, start, lengths);
    Some(logs.log_mut(shard).append(Numbering { created_s, shard }, record))
}
