//! What a transform's answer means for each record of the batch.
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html>

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;

use super::failure::Failure;
use super::partition::Found;
use crate::model::json::decode_base64;
use crate::request::InvokeOutcome;

/// Of a synchronous invocation's answer, in bytes.
const ANSWER_LIMIT: usize = 6_291_556;

const BAD_OUTPUT: &str = "Check your function and make sure the output is in required format. In addition to that, \
    make sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed";
const FUNCTION_FAILED: &str = "The Lambda function was successfully invoked but it returned an error result.";
const MISSING: &str = "One or more record Ids were not returned. Ensure that the Lambda function returns all received \
    record Ids.";
const DUPLICATED: &str = "Multiple records were returned with the same record Id. Ensure that the Lambda function \
    returns a unique record Id for each record.";
const NO_DATA: &str = "The data field cannot be null when the SourceType is DirectPut or KinesisStreamAsSource and \
    processing result is Ok. The value field cannot be null when the SourceType is MSKAsSource and processing result \
    is Ok.";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Ok { data: Bytes, partition_keys: Found },
    Dropped,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// One verdict for each record, in the order they were sent.
    Verdicts(Vec<Verdict>),
    /// The content is wrong: the whole batch fails, and asking again would not help.
    Wrong(Failure),
    /// The invocation failed: worth another try.
    Unanswered(Failure),
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    records: Vec<Returned<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned<'a> {
    #[serde(borrow)]
    record_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    partition_keys: Option<Found>,
}

/// Judges the outcome of an invocation with records of these ids.
pub fn judge(ids: &[String], outcome: &InvokeOutcome) -> Answer {
    if outcome.function_error.is_some() || outcome.payload.len() > ANSWER_LIMIT {
        return Answer::Unanswered(Failure::new("Lambda.FunctionError", FUNCTION_FAILED));
    }
    let verdicts = serde_json::from_slice(&outcome.payload).ok().and_then(|document| verdicts(ids, document));
    verdicts.map_or_else(|| Answer::Wrong(Failure::new("Lambda.FunctionError", BAD_OUTPUT)), Answer::Verdicts)
}

/// `None` when any record returned is not in the required format: that fails them all.
fn verdicts(ids: &[String], document: Document) -> Option<Vec<Verdict>> {
    let places: HashMap<&str, usize> = ids.iter().zip(0..).map(|(id, place)| (id.as_str(), place)).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; ids.len()];
    for (i, record) in document.records.into_iter().enumerate() {
        let verdict = verdict(record.result.as_deref()?, record.data.as_deref(), record.metadata)?;
        let Some(id) = record.record_id else { continue };
        // Nearly always they come back in the order they went.
        let place = if ids.get(i).is_some_and(|sent| *sent == id) { Some(i) } else { places.get(&*id).copied() };
        let Some(place) = place else { continue };
        verdicts[place] = Some(match verdicts[place] {
            None => verdict,
            Some(_) => Verdict::Failed(Failure::new("Lambda.DuplicatedRecordId", DUPLICATED)),
        });
    }
    let missing = || Verdict::Failed(Failure::new("Lambda.MissingRecordId", MISSING));
    Some(verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(missing)).collect())
}

fn verdict(result: &str, data: Option<&str>, metadata: Option<Metadata>) -> Option<Verdict> {
    match result {
        "Ok" => Some(match data {
            // This fails its own record only: <https://github.com/floci-io/floci/pull/3393>, which was tried on AWS.
            None => Verdict::Failed(Failure::new("Lambda.InvalidReturnFormat", NO_DATA)),
            Some(data) => Verdict::Ok {
                data: decode_base64(data.as_bytes())?,
                partition_keys: metadata.and_then(|metadata| metadata.partition_keys).unwrap_or_default(),
            },
        }),
        "Dropped" => Some(Verdict::Dropped),
        "ProcessingFailed" => {
            let message = "ProcessingFailed status set for record";
            Some(Verdict::Failed(Failure::new("Lambda.ProcessingFailedStatus", message)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(payload: &str, function_error: Option<&str>) -> Answer {
        let outcome = InvokeOutcome {
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            function_error: function_error.map(Into::into),
            log: vec![],
            duration_ms: 1.0,
        };
        judge(&["a".into(), "b".into()], &outcome)
    }

    fn told(answer: Answer) -> String {
        let verdict = |verdict: &Verdict| match verdict {
            Verdict::Ok { data, partition_keys } => format!("{data:?} {partition_keys:?}"),
            Verdict::Dropped => "dropped".into(),
            Verdict::Failed(failure) => failure.code.clone(),
        };
        match answer {
            Answer::Verdicts(all) => all.iter().map(verdict).collect::<Vec<_>>().join(", "),
            Answer::Wrong(failure) => format!("wrong: {}", failure.code),
            Answer::Unanswered(failure) => format!("unanswered: {}", failure.code),
        }
    }

    #[test]
    fn each_answer_means_what_it_means_to_the_service() {
        const WRONG: &str = "wrong: Lambda.FunctionError";
        let ok_b = r#"{"recordId":"b","result":"Ok","data":"Qg=="}"#;
        // (records of the answer, verdicts on a and b)
        let table = [
            (r#"{"recordId":"a","result":"Ok","data":""}"#, r#"b"" {}, b"B" {}"#),
            (r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{}}"#, r#"b"A" {}, b"B" {}"#),
            (
                r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{"partitionKeys":{"k":"v"}}}"#,
                r#"b"A" {"k": "v"}, b"B" {}"#,
            ),
            (r#"{"recordId":"a","result":"Dropped"}"#, r#"dropped, b"B" {}"#),
            (
                r#"{"recordId":"a","result":"ProcessingFailed","data":"eA=="}"#,
                r#"Lambda.ProcessingFailedStatus, b"B" {}"#,
            ),
            (r#"{"recordId":"zzz","result":"Dropped"}"#, r#"Lambda.MissingRecordId, b"B" {}"#),
            (r#"{"recordId":"b","result":"Dropped"}"#, "Lambda.MissingRecordId, Lambda.DuplicatedRecordId"),
            (r#"{"recordId":"a","result":"ok","data":""}"#, WRONG),
            (r#"{"recordId":"a","data":""}"#, WRONG),
            (r#"{"recordId":"a","result":"Ok","data":"*"}"#, WRONG),
            (r#"{"recordId":"a","result":"Ok"}"#, r#"Lambda.InvalidReturnFormat, b"B" {}"#),
            (r#"{"recordId":"a","result":"Ok","data":null}"#, r#"Lambda.InvalidReturnFormat, b"B" {}"#),
            (r#"{"recordId":"a","result":"Ok","data":"QQ"}"#, WRONG),
            (r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{"partitionKeys":[]}}"#, WRONG),
            (r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{"partitionKeys":{"k":1}}}"#, WRONG),
            (r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":null}"#, r#"b"A" {}, b"B" {}"#),
            (r#"{"recordId":"\u0061","result":"Dropped"}"#, r#"dropped, b"B" {}"#),
            (r#"{"result":"Dropped"}"#, r#"Lambda.MissingRecordId, b"B" {}"#),
            (r#"{"recordId":7,"result":"Dropped"}"#, WRONG),
        ];
        for (record, expected) in table {
            let answer = judged(&format!(r#"{{"records":[{record},{ok_b}]}}"#), None);
            assert_eq!(told(answer), expected, "{record}");
        }
    }

    #[test]
    fn what_is_no_answer_fails_the_batch() {
        let deep = format!("{{\"records\":{}", "[".repeat(1_000_000));
        for payload in ["", "null", "[]", "{}", r#"{"records":1}"#, r#"{"records":[1]}"#, "text", &deep] {
            assert_eq!(told(judged(payload, None)), "wrong: Lambda.FunctionError", "{payload:.40}");
        }
        assert_eq!(told(judged(r#"{"records":[]}"#, None)), "Lambda.MissingRecordId, Lambda.MissingRecordId");
    }

    #[test]
    fn a_failed_function_may_be_asked_again() {
        assert_eq!(told(judged("{}", Some("Unhandled"))), "unanswered: Lambda.FunctionError");
        assert_eq!(told(judged(&" ".repeat(ANSWER_LIMIT + 1), None)), "unanswered: Lambda.FunctionError");
    }
}
