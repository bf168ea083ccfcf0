//! Maps a transform's response to the records of its batch. The rules are those of [`aws_facts::firehose::answer`].

use aws_facts::firehose::answer;
use bytes::Bytes;

use super::failure::Failure;
use super::partition::Found;
use crate::request::InvokeOutcome;

const BAD_OUTPUT: &str = "Check your function and make sure the output is in required format. In addition to that, \
    make sure the processed records contain valid result status of Dropped, Ok, or ProcessingFailed";
const FUNCTION_FAILED: &str = "The Lambda function was successfully invoked but it returned an error result.";

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

/// Judges the outcome of an invocation with records of these ids.
pub fn judge(ids: &[String], outcome: &InvokeOutcome) -> Answer {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let judged = answer::judge(&ids, &outcome.payload, outcome.function_error.is_some());
    let retried = judged.fails_the_batch().is_some_and(|breach| breach.kind.is_retried());
    match judged.verdicts {
        Some(verdicts) => Answer::Verdicts(verdicts.into_iter().map(Verdict::of).collect()),
        None if retried => Answer::Unanswered(Failure::new("Lambda.FunctionError", FUNCTION_FAILED)),
        None => Answer::Wrong(Failure::new("Lambda.FunctionError", BAD_OUTPUT)),
    }
}

impl Verdict {
    fn of(verdict: answer::Verdict) -> Verdict {
        match (verdict.failure(), verdict) {
            (Some((code, message)), _) => Verdict::Failed(Failure::new(code, message)),
            (None, answer::Verdict::Ok { data, partition_keys }) => Verdict::Ok { data: data.into(), partition_keys },
            (None, _) => Verdict::Dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(payload: &str, function_error: Option<&str>) -> String {
        let outcome = InvokeOutcome {
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            function_error: function_error.map(Into::into),
            log: vec![],
            duration_ms: 1.0,
        };
        let verdict = |verdict: &Verdict| match verdict {
            Verdict::Ok { data, partition_keys } => format!("{data:?} {partition_keys:?}"),
            Verdict::Dropped => "dropped".into(),
            Verdict::Failed(failure) => failure.code.clone(),
        };
        match judge(&["a".into(), "b".into()], &outcome) {
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
            (
                r#"{"recordId":"a","result":"Ok","data":"QQ==","metadata":{"partitionKeys":{"k":"v"}}}"#,
                r#"b"A" {"k": "v"}, b"B" {}"#,
            ),
            (r#"{"recordId":"a","result":"Dropped"}"#, r#"dropped, b"B" {}"#),
            (
                r#"{"recordId":"a","result":"ProcessingFailed","data":"eA=="}"#,
                r#"Lambda.ProcessingFailedStatus, b"B" {}"#,
            ),
            (r#"{"recordId":"a","result":"Ok"}"#, r#"Lambda.InvalidReturnFormat, b"B" {}"#),
            (r#"{"recordId":"b","result":"Dropped"}"#, "Lambda.MissingRecordId, Lambda.DuplicatedRecordId"),
            (r#"{"recordId":"a","result":"ok","data":""}"#, WRONG),
        ];
        for (record, expected) in table {
            assert_eq!(told(&format!(r#"{{"records":[{record},{ok_b}]}}"#), None), expected, "{record}");
        }
        assert_eq!(told("text", None), WRONG);
    }

    #[test]
    fn a_failed_function_may_be_asked_again() {
        assert_eq!(told("{}", Some("Unhandled")), "unanswered: Lambda.FunctionError");
        let long = " ".repeat(aws_facts::lambda::MAX_RESPONSE_BYTES + 1);
        assert_eq!(told(&long, None), "unanswered: Lambda.FunctionError");
    }
}
