//! Asks a function about records, whether it is deployed or runs on this machine.

use std::collections::BTreeMap;

use aws_facts::firehose::answer::{self, Verdict};
use aws_sdk_lambda::primitives::Blob;
use bytes::Bytes;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::transform::call::Callee;
use crate::transform::event::{self, Oddities, Record, Source};

/// Records and bytes in one event: below Lambda's 6 MB in base64.
pub const BATCH: usize = 500;
pub const BATCH_BYTES: usize = 2 << 20;

/// Calls a function as a delivery stream does.
pub struct Caller<'a> {
    pub function: Function<'a>,
    pub source: &'a Source,
}

/// A function that can be called.
pub enum Function<'a> {
    /// By its name or ARN.
    Deployed {
        cx: &'a Cx,
        name: &'a str,
        qualifier: Option<&'a str>,
    },
    Here(&'a Callee),
}

impl Function<'_> {
    /// The response or the error document, and whether the function failed.
    async fn call(&self, event: Bytes) -> Result<(Bytes, bool)> {
        match self {
            Function::Here(callee) => {
                let called = callee.call(event).await;
                Ok((called.payload, called.failed))
            }
            Function::Deployed { cx, name, qualifier } => {
                let call = cx.lambda().invoke().function_name(*name).set_qualifier(qualifier.map(str::to_owned));
                let called = call.payload(Blob::new(event)).send().await;
                let called = called.map_err(|e| Error::aws(format!("calling function {name}"), e))?;
                let failed = called.function_error.is_some();
                Ok((called.payload.map(Blob::into_inner).unwrap_or_default().into(), failed))
            }
        }
    }
}

/// The function's answer for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Delivered(Vec<u8>, BTreeMap<String, String>),
    Dropped,
    /// The reason.
    Failed(String),
}

impl Caller<'_> {
    /// The answer for each record: its data, and when it arrived.
    ///
    /// # Errors
    /// The function cannot be called.
    pub async fn answers(&self, records: &[(Bytes, i64)]) -> Result<Vec<Answer>> {
        let mut answers = vec![];
        let mut rest = records;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(BATCH).take_while(|(data, _)| {
                bytes += data.len();
                bytes <= BATCH_BYTES
            });
            let (batch, later) = rest.split_at(fits.count().max(1));
            answers.extend(Box::pin(self.batch(batch)).await?);
            rest = later;
        }
        Ok(answers)
    }

    /// A batch that fails as a whole is tried again in halves, so that one record does not fail the others.
    async fn batch(&self, records: &[(Bytes, i64)]) -> Result<Vec<Answer>> {
        let record = |(number, (data, arrived_ms)): (usize, &(Bytes, i64))| Record {
            arrival_ms: arrived_ms.unsigned_abs(),
            ..Record::numbered(number, data.clone())
        };
        let sent: Vec<Record> = records.iter().enumerate().map(record).collect();
        let event = event::event(self.source, &sent, Oddities::default());
        let (payload, failed) = self.function.call(event).await?;
        match judged(&sent, &payload, failed) {
            Ok(answers) => Ok(answers),
            Err(why) if records.len() == 1 => Ok(vec![Answer::Failed(why)]),
            Err(_) => {
                let (first, second) = records.split_at(records.len() / 2);
                let mut answers = Box::pin(self.batch(first)).await?;
                answers.extend(Box::pin(self.batch(second)).await?);
                Ok(answers)
            }
        }
    }
}

/// The answers in a response to these records.
///
/// # Errors
/// The reason why the whole batch fails.
pub fn judged(records: &[Record], payload: &[u8], failed: bool) -> std::result::Result<Vec<Answer>, String> {
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let judged = answer::judge(&ids, payload, failed);
    match judged.fails_the_batch() {
        Some(breach) => Err(breach.what.clone()),
        None => Ok(judged.verdicts.into_iter().flatten().map(Answer::from).collect()),
    }
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Answer {
        match verdict {
            Verdict::Ok { data, partition_keys } => Answer::Delivered(data, partition_keys),
            Verdict::Dropped => Answer::Dropped,
            failed => {
                let (code, message) = failed.failure().unwrap_or((failed.name(), ""));
                Answer::Failed(format!("{code}: {message}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(payload: &str, failed: bool) -> std::result::Result<Vec<Answer>, String> {
        let record = |id: &str| Record { id: id.into(), ..Record::numbered(0, "x") };
        judged(&["0", "1", "2"].map(record), payload.as_bytes(), failed)
    }

    #[test]
    fn a_record_that_is_missing_or_twice_has_failed() {
        let payload =
            r#"{"records":[{"recordId":"1","result":"Ok","data":"YQ=="},{"recordId":"0","result":"Dropped"}]}"#;
        let delivered = Answer::Delivered("a".into(), BTreeMap::new());
        let missing =
            |answer: &Answer| matches!(answer, Answer::Failed(why) if why.starts_with("Lambda.MissingRecordId: "));
        let told = answers(payload, false).unwrap();
        assert_eq!(told[..2], [Answer::Dropped, delivered]);
        assert!(missing(&told[2]), "{told:?}");
        let payload = r#"{"records":[{"recordId":"0","result":"Dropped"},{"recordId":"0","result":"Dropped"}]}"#;
        let told = answers(payload, false).unwrap();
        let twice = "Lambda.DuplicatedRecordId: ";
        assert!(matches!(&told[0], Answer::Failed(why) if why.starts_with(twice)), "{told:?}");
        assert!(told[1..].iter().all(missing), "{told:?}");
    }

    #[test]
    fn what_fails_a_whole_batch_is_told() {
        let payload = r#"{"records":[{"recordId":"0","result":"OK","data":"YQ=="}]}"#;
        assert!(answers(payload, false).unwrap_err().starts_with("the result is \"OK\", not Ok"));
        let payload = r#"{"errorType":"KeyError","errorMessage":"'a'","stackTrace":[]}"#;
        assert_eq!(answers(payload, true), Err("the function failed: KeyError: 'a'".into()));
    }
}
