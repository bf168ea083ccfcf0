//! What must become of each record: known by running the very artifact that is deployed, here, over what is sent.

use bytes::Bytes;
use local_cloud::request::FunctionImage;
use local_cloud::runner::Runner;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::names::Names;
use crate::resource::function::{Code, Function, Package, Upload};
use crate::verify::account::Fate;

/// Records in one event: far below Lambda's 6 MB with records as small as ours.
const BATCH: usize = 500;
/// A batch that failed in less than this is looked at record by record.
const SLOW_MS: f64 = 1_000.0;

/// The fates of records that no transform touches.
pub fn untouched(records: &[Vec<u8>]) -> Vec<Fate> {
    records.iter().cloned().map(Fate::Delivered).collect()
}

/// What a transform makes of the records, and why it failed whole batches, if it did.
pub struct Expected {
    pub fates: Vec<Fate>,
    /// In the order met, each reason once.
    pub failures: Vec<String>,
}

/// The fates of records that this function transforms.
pub async fn transformed(function: &FunctionImage, records: &[Vec<u8>]) -> Expected {
    let runner = Runner::new();
    let mut expected = Expected { fates: Vec::with_capacity(records.len()), failures: vec![] };
    for chunk in records.chunks(BATCH) {
        let outcome = runner.invoke(function, event(function, chunk).into()).await;
        match answers(&outcome.payload, outcome.function_error.as_deref(), chunk.len()) {
            Ok(fates) => expected.fates.extend(fates),
            Err(why) => {
                expected.fates.extend(alone(&runner, function, chunk, outcome.duration_ms).await);
                if !expected.failures.contains(&why) {
                    expected.failures.push(why);
                }
            }
        }
    }
    runner.close().await;
    if !expected.failures.is_empty() {
        expected.fates = expected.fates.into_iter().map(with_its_batch).collect();
    }
    expected
}

/// What becomes of each record of a failed batch by itself.
async fn alone(runner: &Runner, function: &FunctionImage, records: &[Vec<u8>], duration_ms: f64) -> Vec<Fate> {
    // A function that runs into its time limit would do so again for each record.
    if duration_ms > SLOW_MS {
        return vec![Fate::Failed; records.len()];
    }
    let mut fates = Vec::with_capacity(records.len());
    for record in records.chunks(1) {
        let outcome = runner.invoke(function, event(function, record).into()).await;
        let fate = answers(&outcome.payload, outcome.function_error.as_deref(), 1);
        fates.extend(fate.unwrap_or_else(|_| vec![Fate::Failed]));
    }
    fates
}

/// Firehose fails each record of a batch that fails, and its batches are others than ours: what does not fail by itself
/// fails only beside what does.
fn with_its_batch(fate: Fate) -> Fate {
    match fate {
        Fate::Failed => Fate::Failed,
        other => Fate::WithItsBatch(Box::new(other)),
    }
}

/// The function as the runner wants it, once `prepare` has its code.
pub fn image(function: &Function, name: &str, names: &Names) -> crate::error::Result<FunctionImage> {
    let Code::Ready(Package { sha256, upload: Upload::Zip(code), .. }) = &function.code else {
        let why = format!("what function {name} makes of a record cannot be known: its code is not on this machine");
        return Err(Error::msg(why).hint("verify a stack whose function has its code from crate:, zip: or dir:"));
    };
    Ok(FunctionImage {
        arn: names.function_arn(name),
        name: name.to_owned(),
        version: "$LATEST".into(),
        runtime: function.runtime.clone(),
        handler: function.handler.clone(),
        code: code.clone(),
        code_sha256: sha256.clone(),
        revision: sha256.clone(),
        environment: function.environment.clone(),
        timeout_s: function.timeout_s,
        memory_mib: function.memory_mib,
        region: names.region.clone(),
        log_group: format!("/aws/lambda/{name}"),
        log_stream: "verify".into(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    invocation_id: String,
    delivery_stream_arn: &'a str,
    region: &'a str,
    records: Vec<Record>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    record_id: String,
    approximate_arrival_timestamp: u64,
    data: String,
}

fn event(function: &FunctionImage, records: &[Vec<u8>]) -> Bytes {
    let record = |(number, data): (usize, &Vec<u8>)| Record {
        record_id: number.to_string(),
        approximate_arrival_timestamp: 0,
        data: base64_simd::STANDARD.encode_to_string(data),
    };
    let event = Event {
        invocation_id: uuid::Uuid::new_v4().to_string(),
        delivery_stream_arn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/verify",
        region: &function.region,
        records: records.iter().enumerate().map(record).collect(),
    };
    serde_json::to_vec(&event).expect("an event of strings serialises").into()
}

#[derive(Deserialize)]
struct Answers {
    records: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    record_id: Option<String>,
    result: Option<String>,
    data: Option<String>,
}

/// The fate of each record, or why Firehose fails the batch as a whole: the function failed, or something in its answer is
/// not in the required format.
fn answers(payload: &[u8], function_error: Option<&str>, count: usize) -> Result<Vec<Fate>, String> {
    if function_error.is_some() {
        return Err(format!("it failed: {}", raised(payload)));
    }
    let answers: Answers = serde_json::from_slice(payload).map_err(|e| format!("its answer cannot be read: {e}"))?;
    let mut fates = vec![None; count];
    for answer in answers.records {
        let fate = fate(&answer)?;
        let place = answer.record_id.and_then(|id| id.parse().ok()).and_then(|number: usize| fates.get_mut(number));
        if let Some(place) = place {
            // A record that is answered twice fails (Lambda.DuplicatedRecordId).
            *place = Some(if place.is_some() { Fate::Failed } else { fate });
        }
    }
    // A record without an answer fails (Lambda.MissingRecordId).
    Ok(fates.into_iter().map(|fate| fate.unwrap_or(Fate::Failed)).collect())
}

/// What a function raised, in short: the message of Lambda's error document, without its trace.
fn raised(payload: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let said = |key| document.get(key).and_then(|value| value.as_str());
    match (said("errorType"), said("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => String::from_utf8_lossy(payload).into_owned(),
    }
}

fn fate(answer: &Answer) -> Result<Fate, String> {
    match (answer.result.as_deref(), &answer.data) {
        (Some("Ok"), Some(data)) => {
            let data = base64_simd::STANDARD.decode_to_vec(data);
            Ok(Fate::Delivered(data.map_err(|e| format!("data in its answer is not base64: {e}"))?))
        }
        (Some("Ok"), None) => Err("it answered Ok without data".into()),
        (Some("Dropped"), _) => Ok(Fate::Dropped),
        (Some("ProcessingFailed"), _) => Ok(Fate::Failed),
        (other, _) => Err(format!(
            "it answered {:?}, where only Ok, Dropped and ProcessingFailed count",
            other.unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_fates_and_a_missing_answer_is_a_failure() {
        let payload =
            br#"{"records":[{"recordId":"1","result":"Ok","data":"YQ=="},{"recordId":"0","result":"Dropped"}]}"#;
        let fates = answers(payload, None, 3).unwrap();
        assert_eq!(fates, [Fate::Dropped, Fate::Delivered(b"a".to_vec()), Fate::Failed]);
    }

    #[test]
    fn a_record_that_is_answered_twice_fails() {
        let payload = br#"{"records":[{"recordId":"0","result":"Dropped"},{"recordId":"0","result":"Dropped"}]}"#;
        assert_eq!(answers(payload, None, 1), Ok(vec![Fate::Failed]));
    }

    #[test]
    fn what_fails_a_whole_batch_is_told() {
        let table = [
            (r#"{"records":[{"recordId":"0","result":"OK","data":"YQ=="}]}"#, None, "it answered \"OK\", where only"),
            (r#"{"records":[{"recordId":"0","data":"YQ=="}]}"#, None, "it answered \"\", where only"),
            (r#"{"records":[{"recordId":"0","result":"Ok"}]}"#, None, "it answered Ok without data"),
            (r#"{"records":[{"recordId":"0","result":"Ok","data":"*"}]}"#, None, "data in its answer is not base64"),
            ("null", None, "its answer cannot be read"),
            (
                r#"{"errorType":"KeyError","errorMessage":"'a'","stackTrace":[]}"#,
                Some("Unhandled"),
                "it failed: KeyError: 'a'",
            ),
            ("gone", Some("Unhandled"), "it failed: gone"),
        ];
        for (payload, function_error, expected) in table {
            let told = answers(payload.as_bytes(), function_error, 1).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
