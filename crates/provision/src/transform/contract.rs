//! What Firehose takes for an answer, and what it does with anything else. Pure.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html>

use std::collections::{BTreeMap, HashMap};

use base64_simd::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

/// The most that a function may answer, as Lambda names it in its error, in bytes.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Ok {
        data: Vec<u8>,
        partition_keys: BTreeMap<String, String>,
    },
    Dropped,
    /// The transform failed it, and said so.
    Failed,
    /// Not answered: `Lambda.MissingRecordId`.
    Missing,
    /// Answered more than once: `Lambda.DuplicatedRecordId`.
    Duplicated,
    /// Answered `Ok` without data: `Lambda.InvalidReturnFormat`.
    WithoutData,
}

impl Verdict {
    /// As the answer spells it, or in Firehose's error code.
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
}

/// One way in which an answer is not what Firehose takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub kind: Kind,
    /// What is wrong, for people: "it answered Ok without data".
    pub what: String,
    /// Place of the record that it is about in the batch.
    pub record: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It raised, exited, or could not be started.
    FunctionFailed,
    TimedOut,
    ResponseTooLarge,
    /// No JSON, or not `{"records": [...]}` with an object and its `recordId` for each.
    Unreadable,
    UnknownResult,
    DataMissing,
    DataNotBase64,
    /// Not an object of texts.
    PartitionKeys,
    RecordMissing,
    RecordDuplicated,
    RecordUnknown,
}

impl Kind {
    /// Does it fail every record of the batch, or only its own?
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

    /// What Firehose does, for people.
    pub fn consequence(self) -> &'static str {
        match self {
            Kind::FunctionFailed | Kind::TimedOut | Kind::ResponseTooLarge => {
                "Firehose asks again, and then puts every record of the batch under the error prefix"
            }
            Kind::Unreadable | Kind::UnknownResult | Kind::DataNotBase64 | Kind::PartitionKeys => {
                "Firehose puts every record of the batch under the error prefix (Lambda.FunctionError)"
            }
            Kind::DataMissing => "Firehose puts the record under the error prefix (Lambda.InvalidReturnFormat)",
            Kind::RecordMissing => "Firehose puts the record under the error prefix (Lambda.MissingRecordId)",
            Kind::RecordDuplicated => "Firehose puts the record under the error prefix (Lambda.DuplicatedRecordId)",
            Kind::RecordUnknown => "Firehose ignores the answer, and the record that it was for is missing",
        }
    }
}

/// An answer, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// One for each record, in the order sent. `None`: the batch fails as a whole.
    pub verdicts: Option<Vec<Verdict>>,
    pub breaches: Vec<Breach>,
    /// Firehose takes any order; people may not expect it.
    pub reordered: bool,
}

impl Judged {
    pub fn kept(&self) -> bool {
        self.breaches.is_empty()
    }

    /// Why the whole batch fails, if it does.
    pub fn fails_the_batch(&self) -> Option<&Breach> {
        self.breaches.iter().find(|breach| breach.kind.fails_the_batch())
    }
}

/// Judges what a function answered (or its error document, where it failed) to a batch of records with these ids.
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
        return none(Kind::ResponseTooLarge, format!("it answered {} bytes of {MAX_RESPONSE_BYTES}", payload.len()));
    }
    match records(payload) {
        Ok(records) => judge_records(ids, &records),
        Err(why) => none(Kind::Unreadable, format!("its answer cannot be read: {why}")),
    }
}

fn records(payload: &[u8]) -> Result<Vec<Map<String, Value>>, String> {
    let answer: Value = serde_json::from_slice(payload).map_err(|e| format!("it is not JSON: {e}"))?;
    let Value::Object(mut answer) = answer else {
        return Err(format!("it is {}, where an object with `records` is expected", name_of(&answer)));
    };
    let records = match answer.remove("records") {
        Some(Value::Array(records)) => records,
        Some(other) => return Err(format!("its `records` is {}, where a list is expected", name_of(&other))),
        None => return Err("it has no `records`".into()),
    };
    let object = |record: Value| match record {
        Value::Object(record) => Ok(record),
        other => Err(format!("{} stands among its `records`, where an object is expected", name_of(&other))),
    };
    records.into_iter().map(object).collect()
}

fn judge_records(ids: &[&str], records: &[Map<String, Value>]) -> Judged {
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; ids.len()];
    let mut breaches = vec![];
    let (mut last, mut reordered) = (0, false);
    for record in records {
        let id = record.get("recordId").and_then(Value::as_str);
        let place = id.and_then(|id| places.get(id).copied());
        let mut breach = |kind, what| breaches.push(Breach { kind, what, record: place });
        let verdict = verdict(record).unwrap_or_else(|(kind, what)| {
            breach(kind, what);
            if kind == Kind::DataMissing { Verdict::WithoutData } else { Verdict::Failed }
        });
        let Some(place) = place else {
            match (id, record.get("recordId")) {
                (Some(id), _) => {
                    breach(Kind::RecordUnknown, format!("it answered recordId {id:?}, which was not asked"))
                }
                (None, None) => breach(Kind::RecordUnknown, "a record of its answer has no `recordId`".into()),
                (None, Some(other)) => {
                    let what = format!("a `recordId` of its answer is {}, where a text is expected", name_of(other));
                    breach(Kind::Unreadable, what);
                }
            }
            continue;
        };
        reordered |= place < last;
        last = place;
        match &mut verdicts[place] {
            slot @ None => *slot = Some(verdict),
            Some(Verdict::Duplicated) => {}
            slot => {
                *slot = Some(Verdict::Duplicated);
                breach(Kind::RecordDuplicated, "it answered the record more than once".into());
            }
        }
    }
    for (place, _) in verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_none()) {
        let what = "it did not answer the record".into();
        breaches.push(Breach { kind: Kind::RecordMissing, what, record: Some(place) });
    }
    let fails = breaches.iter().any(|breach| breach.kind.fails_the_batch());
    let verdicts = verdicts.into_iter().map(|verdict| verdict.unwrap_or(Verdict::Missing)).collect();
    Judged { verdicts: (!fails).then_some(verdicts), breaches, reordered }
}

fn verdict(record: &Map<String, Value>) -> Result<Verdict, (Kind, String)> {
    match record.get("result").and_then(Value::as_str) {
        Some("Ok") => Ok(Verdict::Ok { data: data(record)?, partition_keys: partition_keys(record)? }),
        Some("Dropped") => Ok(Verdict::Dropped),
        Some("ProcessingFailed") => Ok(Verdict::Failed),
        other => {
            let other = other.unwrap_or_default();
            let what = format!("it answered {other:?}, where only Ok, Dropped and ProcessingFailed count");
            Err((Kind::UnknownResult, what))
        }
    }
}

fn data(record: &Map<String, Value>) -> Result<Vec<u8>, (Kind, String)> {
    match record.get("data") {
        None | Some(Value::Null) => Err((Kind::DataMissing, "it answered Ok without data".into())),
        Some(Value::String(data)) => STANDARD.decode_to_vec(data).map_err(|_| {
            let what = format!("data in its answer is not base64: {}", short(data));
            (Kind::DataNotBase64, what)
        }),
        Some(other) => {
            let what = format!("data in its answer is not base64: it is {}", name_of(other));
            Err((Kind::DataNotBase64, what))
        }
    }
}

fn partition_keys(record: &Map<String, Value>) -> Result<BTreeMap<String, String>, (Kind, String)> {
    let wrong = |what: String| (Kind::PartitionKeys, what);
    let keys = match record.get("metadata") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(metadata)) => metadata.get("partitionKeys"),
        Some(other) => return Err(wrong(format!("its `metadata` is {}, where an object is expected", name_of(other)))),
    };
    match keys {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(keys)) => {
            let text = |(key, value): (&String, &Value)| match value {
                Value::String(value) => Ok((key.clone(), value.clone())),
                other => {
                    let is = name_of(other);
                    Err(wrong(format!("the partition key {key:?} of its answer is {is}, where a text is expected")))
                }
            };
            keys.iter().map(text).collect()
        }
        Some(other) => {
            Err(wrong(format!("its `partitionKeys` is {}, where an object of texts is expected", name_of(other))))
        }
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
        (Some(name), Some(message)) => format!("{name}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => short(&String::from_utf8_lossy(document)),
    };
    (kind, format!("it failed: {what}"))
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
