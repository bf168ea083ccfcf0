//! What must become of each record: known by running the very artifact that is deployed, here, over what is sent.

use bytes::Bytes;
use local_cloud::request::FunctionImage;
use local_cloud::runner::Runner;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::names::Names;
use crate::resource::function::{Code, Function, Package, Upload};
use crate::verify::account::Fate;

/// Records in one event: far below Lambda's 6 MB with records as small as ours.
const BATCH: usize = 500;

/// The fates of records that no transform touches.
pub fn untouched(records: &[Vec<u8>]) -> Vec<Fate> {
    records.iter().cloned().map(Fate::Delivered).collect()
}

/// The fates of records that this function transforms.
pub async fn transformed(function: &FunctionImage, records: &[Vec<u8>]) -> Result<Vec<Fate>> {
    let runner = Runner::new();
    let mut fates = Vec::with_capacity(records.len());
    for chunk in records.chunks(BATCH) {
        let outcome = runner.invoke(function, event(function, chunk)).await;
        match answers(&outcome.payload, outcome.function_error.as_deref(), chunk.len()) {
            Ok(answers) => fates.extend(answers),
            Err(error) => {
                runner.close().await;
                return Err(Error::new(format!("running function {} here", function.name), error)
                    .hint(format!("its log said: {}", outcome.log.join(" | "))));
            }
        }
    }
    runner.close().await;
    Ok(fates)
}

/// The function as the runner wants it, once `prepare` has its code.
pub fn image(function: &Function, name: &str, names: &Names) -> Result<FunctionImage> {
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
    record_id: String,
    result: String,
    data: Option<String>,
}

/// A batch that Firehose would fail as a whole fails each of its records.
fn answers(payload: &[u8], function_error: Option<&str>, count: usize) -> Result<Vec<Fate>, String> {
    if let Some(error) = function_error {
        return Err(format!("{error}: {}", String::from_utf8_lossy(payload)));
    }
    let answers: Answers = serde_json::from_slice(payload).map_err(|e| format!("its answer cannot be read: {e}"))?;
    let mut fates = vec![None; count];
    for answer in answers.records {
        let place = answer.record_id.parse().ok().and_then(|number: usize| fates.get_mut(number));
        if let Some(place) = place {
            *place = Some(fate(&answer)?);
        }
    }
    // A record without an answer fails, as on AWS (Lambda.MissingRecordId).
    Ok(fates.into_iter().map(|fate| fate.unwrap_or(Fate::Failed)).collect())
}

fn fate(answer: &Answer) -> Result<Fate, String> {
    match (answer.result.as_str(), &answer.data) {
        ("Ok", Some(data)) => {
            let data =
                base64_simd::STANDARD.decode_to_vec(data).map_err(|e| format!("its answer is not base64: {e}"))?;
            Ok(Fate::Delivered(data))
        }
        ("Dropped", _) => Ok(Fate::Dropped),
        ("ProcessingFailed", _) => Ok(Fate::Failed),
        (other, _) => {
            Err(format!("it answered {other:?}, where only Ok (with data), Dropped and ProcessingFailed count"))
        }
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
    fn a_misspelt_result_is_told() {
        let payload = br#"{"records":[{"recordId":"0","result":"OK","data":"YQ=="}]}"#;
        assert!(answers(payload, None, 1).unwrap_err().contains("\"OK\""));
    }
}
