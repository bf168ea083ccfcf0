//! Checks a transform's response as Firehose does.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html>

use std::collections::{BTreeMap, HashMap};

use base64_simd::STANDARD;
use serde::Serialize;
use serde_json::Value;

use self::read::{Form, Returned, Text};
use crate::lambda::MAX_RESPONSE_BYTES;

mod read;

/// The result for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The record is delivered as the transform returned it.
    Ok {
        /// The record's new data, decoded from base64.
        data: Vec<u8>,
        /// Values of the keys for dynamic partitioning, by name.
        partition_keys: BTreeMap<String, String>,
    },
    /// The transform returned Dropped: the record is not delivered, and that is no failure.
    Dropped,
    /// The transform returned ProcessingFailed.
    Failed,
    /// Missing from the response: `Lambda.MissingRecordId`.
    Missing,
    /// More than once in the response: `Lambda.DuplicatedRecordId`.
    Duplicated,
    /// Answered `Ok` without data: `Lambda.InvalidReturnFormat`.
    WithoutData,
}

impl Verdict {
    /// The result in the response, or Firehose's error code.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Ok { .. } => "Ok",
            Verdict::Dropped => "Dropped",
            Verdict::Failed => "ProcessingFailed",
            Verdict::Missing => "Lambda.MissingRecordId",
            Verdict::Duplicated => "Lambda.DuplicatedRecordId",
            Verdict::WithoutData => "Lambda.InvalidReturnFormat",
        }
    }

    /// Code and message of a record that failed, as Firehose writes them.
    /// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
    pub fn failure(&self) -> Option<(&'static str, &'static str)> {
        let message = match self {
            Verdict::Ok { .. } | Verdict::Dropped => return None,
            Verdict::Failed => {
                return Some(("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"));
            }
            Verdict::Missing => {
                "One or more record Ids were not returned. Ensure that the Lambda function returns all received record \
                 Ids."
            }
            Verdict::Duplicated => {
                "Multiple records were returned with the same record Id. Ensure that the Lambda function returns a \
                 unique record Id for each record."
            }
            Verdict::WithoutData => {
                "The data field cannot be null when the SourceType is DirectPut or KinesisStreamAsSource and \
                 processing result is Ok. The value field cannot be null when the SourceType is MSKAsSource and \
                 processing result is Ok."
            }
        };
        Some((self.name(), message))
    }
}

/// One violation of Firehose's contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The rule that was broken.
    pub kind: Kind,
    /// The problem, for people: "the result is Ok, but there is no data".
    pub what: String,
    /// Place of the record that it is about in the batch.
    pub record: Option<usize>,
}

/// The rules that a response can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The function raised an error, exited, or could not be started.
    FunctionFailed,
    /// The function took longer than its time-out.
    TimedOut,
    /// The response has more than [`MAX_RESPONSE_BYTES`].
    ResponseTooLarge,
    /// The response is no JSON, or not `{"records": [...]}` with an object and its `recordId` for each.
    Unreadable,
    /// A result is not `Ok`, `Dropped` or `ProcessingFailed`.
    UnknownResult,
    /// A result is `Ok`, and there is no data. This fails its own record only: <https://github.com/floci-io/floci/pull/3393>, which
    /// was tried on AWS.
    DataMissing,
    /// The data of a record is not base64.
    DataNotBase64,
    /// The partition keys of a record are not an object of strings.
    PartitionKeys,
    /// The response has no result for a record.
    RecordMissing,
    /// The response has several results for a record.
    RecordDuplicated,
    /// The response has a result for a record that was not in the event.
    RecordUnknown,
}

impl Kind {
    /// Whether it fails every record of the batch, or only its own.
    pub fn fails_the_batch(self) -> bool {
        match self {
            Kind::FunctionFailed
            | Kind::TimedOut
            | Kind::ResponseTooLarge
            | Kind::Unreadable
            | Kind::UnknownResult
            | Kind::DataNotBase64
            | Kind::PartitionKeys => true,
            Kind::DataMissing | Kind::RecordMissing | Kind::RecordDuplicated | Kind::RecordUnknown => false,
        }
    }

    /// Whether Firehose invokes the function again. An invocation that succeeded with a wrong response is final.
    pub fn is_retried(self) -> bool {
        matches!(self, Kind::FunctionFailed | Kind::TimedOut | Kind::ResponseTooLarge)
    }

    /// How Firehose reacts, for people.
    pub fn consequence(self) -> &'static str {
        match self {
            Kind::FunctionFailed | Kind::TimedOut | Kind::ResponseTooLarge => {
                "Firehose retries, then stores every record of the batch under the error prefix"
            }
            Kind::Unreadable | Kind::UnknownResult | Kind::DataNotBase64 | Kind::PartitionKeys => {
                "Firehose stores every record of the batch under the error prefix (Lambda.FunctionError)"
            }
            Kind::DataMissing => "Firehose stores the record under the error prefix (Lambda.InvalidReturnFormat)",
            Kind::RecordMissing => "Firehose stores the record under the error prefix (Lambda.MissingRecordId)",
            Kind::RecordDuplicated => "Firehose stores the record under the error prefix (Lambda.DuplicatedRecordId)",
            Kind::RecordUnknown => "Firehose ignores this result, and the record it was meant for counts as missing",
        }
    }
}

/// The result of checking a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// One for each record, in the order sent. `None`: the batch fails as a whole.
    pub verdicts: Option<Vec<Verdict>>,
    /// Everything that breaks the contract, in the order of the response, and then the missing records.
    pub breaches: Vec<Breach>,
    /// Firehose takes any order; people may not expect it.
    pub reordered: bool,
}

impl Judged {
    /// Whether the response keeps the contract.
    pub fn kept(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Why the whole batch fails, if it does.
    pub fn fails_the_batch(&self) -> Option<&Breach> {
        self.breaches.iter().find(|breach| breach.kind.fails_the_batch())
    }
}

/// Checks the response (or the error document) of a function to a batch of records with these IDs.
pub fn judge(ids: &[&str], payload: &[u8], function_failed: bool) -> Judged {
    let none = |kind, what: String| Judged {
        verdicts: None,
        breaches: vec![Breach { kind, what, record: None }],
        reordered: false,
    };
    if function_failed {
        let (kind, what) = failure(payload);
        return none(kind, what);
    }
    if payload.len() > MAX_RESPONSE_BYTES {
        return none(
            Kind::ResponseTooLarge,
            format!("the response has {} bytes, and Lambda allows {MAX_RESPONSE_BYTES}", payload.len()),
        );
    }
    match read::records(payload) {
        Ok(records) => judge_records(ids, records),
        Err(why) => none(Kind::Unreadable, format!("the response cannot be read: {why}")),
    }
}

fn judge_records(ids: &[&str], records: Vec<Returned>) -> Judged {
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; ids.len()];
    let mut breaches = vec![];
    let (mut last, mut reordered) = (0, false);
    for (i, record) in records.into_iter().enumerate() {
        // Nearly always they come back in the order they went.
        let place = |id: &str| if ids.get(i) == Some(&id) { Some(i) } else { places.get(id).copied() };
        let place = record.record_id.text().and_then(place);
        let mut breach = |kind, what| breaches.push(Breach { kind, what, record: place });
        let verdict = verdict(&record).unwrap_or_else(|(kind, what)| {
            breach(kind, what);
            if kind == Kind::DataMissing { Verdict::WithoutData } else { Verdict::Failed }
        });
        let Some(place) = place else {
            let (kind, what) = unknown(&record.record_id);
            breach(kind, what);
            continue;
        };
        reordered |= place < last;
        last = place;
        match &mut verdicts[place] {
            slot @ None => *slot = Some(verdict),
            Some(Verdict::Duplicated) => {}
            slot => {
                *slot = Some(Verdict::Duplicated);
                breach(Kind::RecordDuplicated, "the record is in the response more than once".into());
            }
        }
    }
    for (place, _) in verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_none()) {
        let what = "the record is missing from the response".into();
        breaches.push(Breach { kind: Kind::RecordMissing, what, record: Some(place) });
    }
    let fails = breaches.iter().any(|breach| breach.kind.fails_the_batch());
    let verdicts = verdicts.into_iter().map(|verdict| verdict.unwrap_or(Verdict::Missing)).collect();
    Judged { verdicts: (!fails).then_some(verdicts), breaches, reordered }
}

/// The breach that a record with an unknown id is.
fn unknown(record_id: &Text) -> (Kind, String) {
    match record_id {
        Text::Is(id) => {
            (Kind::RecordUnknown, format!("the response has recordId {:?}, which was not in the event", short(id)))
        }
        Text::Not(Form::Null) => (Kind::RecordUnknown, "a record of the response has no `recordId`".into()),
        Text::Not(form) => (Kind::Unreadable, format!("a `recordId` of the response is {form}, not a string")),
    }
}

fn verdict(record: &Returned) -> Result<Verdict, (Kind, String)> {
    let unknown = |what: String| {
        let what = format!("{what}, not Ok, Dropped or ProcessingFailed");
        Err((Kind::UnknownResult, what))
    };
    match &record.result {
        Text::Is(text) => match text.as_ref() {
            "Ok" => Ok(Verdict::Ok { data: data(&record.data)?, partition_keys: partition_keys(&record.metadata)? }),
            "Dropped" => Ok(Verdict::Dropped),
            "ProcessingFailed" => Ok(Verdict::Failed),
            other => unknown(format!("the result is {:?}", short(other))),
        },
        Text::Not(Form::Null) => Err((Kind::UnknownResult, "there is no `result`".into())),
        Text::Not(form) => unknown(format!("the result is {form}")),
    }
}

fn data(data: &Text) -> Result<Vec<u8>, (Kind, String)> {
    let not_base64 = |what: String| (Kind::DataNotBase64, what);
    match data {
        Text::Not(Form::Null) => Err((Kind::DataMissing, "the result is Ok, but there is no data".into())),
        Text::Is(text) => STANDARD
            .decode_to_vec(text.as_bytes())
            .map_err(|_| not_base64(format!("`data` is not base64: {}", short(text)))),
        Text::Not(form) => Err(not_base64(format!("`data` is {form}, not a base64 string"))),
    }
}

fn partition_keys(metadata: &Value) -> Result<BTreeMap<String, String>, (Kind, String)> {
    let wrong = |what: String, value: &Value, expected: &str| {
        let is = Form::of(value);
        (Kind::PartitionKeys, format!("{what} is {is}, not {expected}"))
    };
    let keys = match metadata {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Object(metadata) => metadata.get("partitionKeys"),
        other => return Err(wrong("`metadata`".into(), other, "an object")),
    };
    match keys {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(keys)) => {
            let text = |(key, value): (&String, &Value)| match value {
                Value::String(value) => Ok((key.clone(), value.clone())),
                other => Err(wrong(format!("partition key {:?}", short(key)), other, "a string")),
            };
            keys.iter().map(text).collect()
        }
        Some(other) => Err(wrong("`partitionKeys`".into(), other, "an object of strings")),
    }
}

/// Why a function failed: the message of Lambda's error document, without its trace.
fn failure(document: &[u8]) -> (Kind, String) {
    let parsed: Value = serde_json::from_slice(document).unwrap_or_default();
    let said = |key| parsed.get(key).and_then(Value::as_str);
    let kind = match said("errorType") {
        Some("Sandbox.Timedout") => Kind::TimedOut,
        Some("Function.ResponseSizeTooLarge") => Kind::ResponseTooLarge,
        _ => Kind::FunctionFailed,
    };
    let what = match (said("errorType"), said("errorMessage")) {
        (Some(name), Some(message)) => format!("{}: {}", short(name), cut(message, MAX_MESSAGE_CHARS)),
        (None, Some(message)) => cut(message, MAX_MESSAGE_CHARS),
        _ => short(&String::from_utf8_lossy(document)),
    };
    (kind, format!("the function failed: {what}"))
}

/// Characters of a function's own error message that are told.
const MAX_MESSAGE_CHARS: usize = 1_000;

fn short(text: &str) -> String {
    cut(text, 60)
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
