//! PutRecord and PutRecords: the hot path. The body goes straight into these types, and data is decoded once.

use serde::{Deserialize, Serialize};

use super::log::Record;
use super::sequence::Sequence;
use super::stream::{Status, Stream, hash_of, shard_id};
use super::{Logs, Scope, State, invalid, name_in};
use crate::request::AwsError;
use crate::service::json::{Blob, missing, violation};

const MOST_RECORDS: usize = 500;
/// Of a whole PutRecords request, partition keys included, in bytes.
const REQUEST_LIMIT: usize = 10 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecords {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: Option<Blob>,
    explicit_hash_key: Option<String>,
    partition_key: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordsOutput {
    failed_record_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
    records: Vec<Placed>,
}

/// Where a record went.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Placed {
    sequence_number: String,
    shard_id: String,
}

pub fn put_records(state: &mut State, at: Scope, input: PutRecords) -> Result<PutRecordsOutput, AwsError> {
    let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let entries = input.records.ok_or_else(|| missing("records"))?;
    if !(1..=MOST_RECORDS).contains(&entries.len()) {
        let bound = if entries.is_empty() { "greater than or equal to 1" } else { "less than or equal to 500" };
        return Err(violation("records", &format!("have length {bound}")));
    }
    let key = writable(state, at, name)?;
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
    let checked = entries.into_iter().enumerate();
    let checked = checked.map(|(i, entry)| check(stream, entry, &format!("records.{}.member.", i + 1)));
    let checked = checked.collect::<Result<Vec<Checked>, AwsError>>()?;
    if checked.iter().map(Checked::size).sum::<usize>() > REQUEST_LIMIT {
        return Err(invalid(format!("Records size exceeds {} MB limit", REQUEST_LIMIT >> 20)));
    }
    let encryption_type = encryption_type(stream);
    let logs = state.logs_mut(&key);
    let records = checked.into_iter().map(|record| place(logs, at, record)).collect();
    state.trim(&key, at.now);
    Ok(PutRecordsOutput { failed_record_count: 0, encryption_type, records })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    #[serde(flatten)]
    record: Entry,
    sequence_number_for_ordering: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordOutput {
    #[serde(flatten)]
    placed: Placed,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
}

pub fn put_record(state: &mut State, at: Scope, input: PutRecord) -> Result<PutRecordOutput, AwsError> {
    let name = name_in(input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let key = writable(state, at, name)?;
    let stream = state.streams.get(&key).ok_or_else(|| at.not_found(name))?;
    let record = check(stream, input.record, "")?;
    if let Some(after) = input.sequence_number_for_ordering {
        // Numbers of a shard grow anyway; a number that does not come from this stream cannot be honoured.
        let ours =
            |number: &Sequence| stream.shards.get(&number.shard()).is_some_and(|s| s.created_s == number.created_s());
        Sequence::parse(&after).filter(ours).ok_or_else(|| {
            let account = at.account;
            invalid(format!(
                "ExclusiveMinimumSequenceNumber {after} used in PutRecord on stream {name} under account {account} is invalid."
            ))
        })?;
    }
    let encryption_type = encryption_type(stream);
    let placed = place(state.logs_mut(&key), at, record);
    state.trim(&key, at.now);
    Ok(PutRecordOutput { placed, encryption_type })
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

/// A record that is within all bounds, and the shard it goes to.
struct Checked {
    shard: u32,
    created_s: u64,
    partition_key: String,
    data: Blob,
}

impl Checked {
    fn size(&self) -> usize {
        self.data.0.len() + self.partition_key.len()
    }
}

fn check(stream: &Stream, entry: Entry, path: &str) -> Result<Checked, AwsError> {
    let data = entry.data.ok_or_else(|| missing(&format!("{path}data")))?;
    let partition_key = entry.partition_key.ok_or_else(|| missing(&format!("{path}partitionKey")))?;
    let key_path = || format!("{path}partitionKey");
    if partition_key.is_empty() {
        return Err(violation(&key_path(), "have length greater than or equal to 1"));
    }
    // A character has up to four bytes: only keys that may be too long need counting.
    if partition_key.len() > 256 && partition_key.chars().count() > 256 {
        return Err(violation(&key_path(), "have length less than or equal to 256"));
    }
    let limit = stream.max_record_kib as usize * 1024;
    if data.0.len() + partition_key.len() > limit {
        return Err(violation(&format!("{path}data"), &format!("have length less than or equal to {limit}")));
    }
    let hash = match &entry.explicit_hash_key {
        None => hash_of(&partition_key),
        Some(explicit) => explicit.parse().map_err(|_| {
            invalid(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
                 Specified value was {explicit}"
            ))
        })?,
    };
    let (shard, row) = stream.route(hash);
    Ok(Checked { shard, created_s: row.created_s, partition_key, data })
}

fn place(logs: &mut Logs, at: Scope, record: Checked) -> Placed {
    let log = logs.log_mut(record.shard);
    let sequence = Sequence::of_record(record.created_s, record.shard, log.next(), at.now / 1000);
    log.append(Record { sequence, partition_key: record.partition_key.into(), data: record.data.0, arrival: at.now });
    Placed { sequence_number: sequence.to_string(), shard_id: shard_id(record.shard) }
}
