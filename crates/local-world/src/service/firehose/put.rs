//! Records put directly. The body goes straight into these types, and data is decoded once.

use serde::{Deserialize, Serialize};

use super::{DeliveryStream, Scope, State, Status};
use crate::flow::item::{Item, Origin};
use crate::flow::refused::invalid;
use crate::model::json::{Blob, missing, violation};
use crate::record::{Numbering, Record};
use crate::request::AwsError;

const RECORD_LIMIT: usize = 1_024_000;
const BATCH_LIMIT: usize = 4 << 20;
const MOST_RECORDS: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: Option<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecord {
    delivery_stream_name: Option<String>,
    record: Option<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordOutput {
    record_id: String,
    encrypted: bool,
}

pub fn put_record(state: &mut State, at: &Scope, input: PutRecord) -> Result<PutRecordOutput, AwsError> {
    let name = input.delivery_stream_name.ok_or_else(|| missing("deliveryStreamName"))?;
    let encrypted = writable(state, at, &name)?;
    let record = check(input.record.ok_or_else(|| missing("record"))?, "record.data")?;
    if !admitted(state, at, &name) {
        return Err(slow_down());
    }
    Ok(PutRecordOutput { record_id: place(state, at, &name, record).ok_or_else(slow_down)?, encrypted })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordBatch {
    delivery_stream_name: Option<String>,
    records: Option<Vec<Entry>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordBatchOutput {
    failed_put_count: u32,
    encrypted: bool,
    request_responses: Vec<Placed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[serde(untagged)]
enum Placed {
    #[serde(rename_all = "PascalCase")]
    Taken { record_id: String },
    #[serde(rename_all = "PascalCase")]
    Refused { error_code: &'static str, error_message: String },
}

/// More came in this second than the delivery stream takes.
fn slow_down() -> AwsError {
    AwsError::new("ServiceUnavailableException", "Slow down.").with_status(503)
}

pub fn put_record_batch(
    state: &mut State,
    at: &Scope,
    input: PutRecordBatch,
) -> Result<PutRecordBatchOutput, AwsError> {
    let name = input.delivery_stream_name.ok_or_else(|| missing("deliveryStreamName"))?;
    let encrypted = writable(state, at, &name)?;
    let entries = input.records.ok_or_else(|| missing("records"))?;
    if !(1..=MOST_RECORDS).contains(&entries.len()) {
        let bound = if entries.is_empty() { "greater than or equal to 1" } else { "less than or equal to 500" };
        return Err(violation("records", &format!("have length {bound}")));
    }
    let checked = entries.into_iter().enumerate();
    let checked = checked.map(|(i, entry)| check(entry, &format!("records.{}.member.data", i + 1)));
    let checked = checked.collect::<Result<Vec<Blob>, AwsError>>()?;
    if checked.iter().map(|data| data.0.len()).sum::<usize>() > BATCH_LIMIT {
        return Err(invalid("Records size exceeds 4 MB limit"));
    }
    if !admitted(state, at, &name) {
        return Err(slow_down());
    }
    let placed = checked.into_iter().map(|data| match place(state, at, &name, data) {
        Some(record_id) => Placed::Taken { record_id },
        None => Placed::Refused { error_code: slow_down().code, error_message: slow_down().message },
    });
    let request_responses: Vec<Placed> = placed.collect();
    let failed = request_responses.iter().filter(|placed| matches!(placed, Placed::Refused { .. }));
    Ok(PutRecordBatchOutput { failed_put_count: failed.count() as u32, encrypted, request_responses })
}

/// Fails unless records may be put directly. Gives whether they are encrypted at rest.
fn writable(state: &State, at: &Scope, name: &str) -> Result<bool, AwsError> {
    // A put says it in another order than the other operations: <https://github.com/awslabs/lambda-streams-to-firehose/issues/22>.
    let absent = || {
        let message = format!("Firehose {name} not found under account {}.", at.account);
        AwsError::new("ResourceNotFoundException", message)
    };
    let stream: &DeliveryStream = state.streams.get(&at.key(name)).ok_or_else(absent)?;
    if stream.source.is_some() {
        return Err(invalid("This operation is not permitted on KinesisStreamAsSource delivery stream type."));
    }
    if stream.status != Status::Active {
        let message = format!("Firehose {name} is not active in {} account.", at.account);
        return Err(AwsError::new("ResourceNotFoundException", message));
    }
    if stream.destination.decompresses() {
        let message = format!(
            "Put to Firehose failed for AccountId: {}, FirehoseName: {name} because the request is not originating from \
             CloudWatch.",
            at.account
        );
        return Err(AwsError::new("InvalidSourceException", message));
    }
    Ok(stream.encryption.is_on(at.now))
}

fn check(entry: Entry, path: &str) -> Result<Blob, AwsError> {
    let data = entry.data.ok_or_else(|| missing(path))?;
    if data.0.len() > RECORD_LIMIT {
        return Err(violation(path, &format!("have length less than or equal to {RECORD_LIMIT}")));
    }
    Ok(data)
}

/// May one call more be made in this second?
fn admitted(state: &mut State, at: &Scope, name: &str) -> bool {
    !at.limits || state.meter(&at.key(name), at.region).request(at.now)
}

/// Gives the record's id; none when it is one too many in this second.
fn place(state: &mut State, at: &Scope, name: &str, data: Blob) -> Option<String> {
    let key = at.key(name);
    if at.limits && !state.meter(&key, at.region).record(at.now, data.0.len() as u64) {
        return None;
    }
    let log = state.log_mut(&key);
    let ordinal = log.next();
    let numbering = Numbering::default();
    let sequence = numbering.sequence(ordinal, at.now);
    let record = Record { sequence, partition_key: "".into(), data: data.0, arrival: at.now };
    log.append(numbering, record.clone().into());
    Some(Item::new(Origin::whole(0, ordinal), record).id())
}
