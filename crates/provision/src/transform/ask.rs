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
const BATCH: usize = 500;
const BATCH_BYTES: usize = 2 << 20;

/// A function, and what its events say of their source.
pub struct Asked<'a> {
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

impl Asked<'_> {
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
        let ids: Vec<&str> = sent.iter().map(|record| record.id.as_str()).collect();
        let judged = answer::judge(&ids, &payload, failed);
        let Some(verdicts) = judged.verdicts else {
            if records.len() > 1 {
                let (first, second) = records.split_at(records.len() / 2);
                let mut answers = Box::pin(self.batch(first)).await?;
                answers.extend(Box::pin(self.batch(second)).await?);
                return Ok(answers);
            }
            let why = match failed {
                true => error_message(&payload),
                false => judged.breaches.first().map_or("the response cannot be read".into(), |one| one.what.clone()),
            };
            return Ok(vec![Answer::Failed(why)]);
        };
        Ok(verdicts.into_iter().map(Answer::from).collect())
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

/// The error message of a function that failed.
fn error_message(payload: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        error_message: Option<String>,
        error_type: Option<String>,
    }
    let failure: Option<Failure> = serde_json::from_slice(payload).ok();
    let told = failure.map(|failure| (failure.error_type, failure.error_message));
    match told {
        Some((Some(kind), Some(message))) => format!("{kind}: {message}"),
        Some((_, Some(message))) => message,
        _ => String::from_utf8_lossy(payload).into_owned(),
    }
}
