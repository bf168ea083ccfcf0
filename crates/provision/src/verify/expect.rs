//! Computes the expected result of each record by running the deployed artifact on this machine.

use aws_facts::firehose::answer::{self, Verdict};
use local_cloud::functions::FunctionImage;

use crate::transform::call::{Called, Callee};
use crate::transform::event::{self, Oddities, Record, Source};
use crate::verify::account::Fate;

/// Records in one event: far below Lambda's 6 MB with records as small as ours.
const BATCH: usize = 500;
/// A batch that failed faster than this is tried again record by record.
const SLOW_MS: f64 = 1_000.0;

/// The expected results without a transform.
pub fn untouched(records: &[Vec<u8>]) -> Vec<Fate> {
    records.iter().cloned().map(Fate::Delivered).collect()
}

/// The expected results with a transform, and the reasons why whole batches failed.
pub struct Expected {
    pub fates: Vec<Fate>,
    /// Each reason once, in order.
    pub failures: Vec<String>,
}

/// The expected results of records that `source` sends to this function.
pub async fn transformed(function: FunctionImage, source: &Source, records: &[Vec<u8>]) -> Expected {
    let callee = Callee::new(function);
    let mut expected = Expected { fates: Vec::with_capacity(records.len()), failures: vec![] };
    for chunk in records.chunks(BATCH) {
        let (fates, duration_ms) = asked(&callee, source, chunk).await;
        match fates {
            Ok(fates) => expected.fates.extend(fates),
            Err(why) => {
                expected.fates.extend(alone(&callee, source, chunk, duration_ms).await);
                if !expected.failures.contains(&why) {
                    expected.failures.push(why);
                }
            }
        }
    }
    callee.close().await;
    if !expected.failures.is_empty() {
        expected.fates = expected.fates.into_iter().map(with_its_batch).collect();
    }
    expected
}

/// The result of each record of a failed batch when it is sent alone.
async fn alone(callee: &Callee, source: &Source, records: &[Vec<u8>], duration_ms: f64) -> Vec<Fate> {
    // A function that runs into its time limit would do so again for each record.
    if duration_ms > SLOW_MS {
        return vec![Fate::Failed; records.len()];
    }
    let mut fates = Vec::with_capacity(records.len());
    for record in records.chunks(1) {
        let (fate, _) = asked(callee, source, record).await;
        fates.extend(fate.unwrap_or_else(|_| vec![Fate::Failed]));
    }
    fates
}

/// The expected result of each record of one batch, or why the whole batch fails; and the duration.
async fn asked(callee: &Callee, source: &Source, records: &[Vec<u8>]) -> (Result<Vec<Fate>, String>, f64) {
    let records = records.iter().enumerate().map(|(number, data)| Record::numbered(number, data.clone()));
    let records: Vec<Record> = records.collect();
    let called = callee.call(event::event(source, &records, Oddities::default())).await;
    (fates(&records, &called), called.measured.duration_ms)
}

fn fates(records: &[Record], called: &Called) -> Result<Vec<Fate>, String> {
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let judged = answer::judge(&ids, &called.payload, called.failed);
    if let Some(breach) = judged.fails_the_batch() {
        return Err(breach.what.clone());
    }
    let fate = |verdict| match verdict {
        Verdict::Ok { data, .. } => Fate::Delivered(data),
        Verdict::Dropped => Fate::Dropped,
        Verdict::Failed | Verdict::Missing | Verdict::Duplicated | Verdict::WithoutData => Fate::Failed,
    };
    Ok(judged.verdicts.into_iter().flatten().map(fate).collect())
}

/// Firehose fails each record of a batch that fails, and its batches are others than ours: what does not fail by itself
/// fails only beside what does.
fn with_its_batch(fate: Fate) -> Fate {
    match fate {
        Fate::Failed => Fate::Failed,
        other => Fate::WithItsBatch(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::call::Measured;

    fn fates_of(payload: &str, failed: bool) -> Result<Vec<Fate>, String> {
        let record = |id: &str| Record { id: id.into(), ..Record::numbered(0, "x") };
        let payload = payload.to_owned().into();
        let called = Called { payload, failed, log: vec![], measured: Measured::default() };
        fates(&["0", "1", "2"].map(record), &called)
    }

    #[test]
    fn answers_become_fates_and_what_is_missing_or_twice_is_a_failure() {
        let payload =
            r#"{"records":[{"recordId":"1","result":"Ok","data":"YQ=="},{"recordId":"0","result":"Dropped"}]}"#;
        assert_eq!(fates_of(payload, false), Ok(vec![Fate::Dropped, Fate::Delivered(b"a".to_vec()), Fate::Failed]));
        let payload = r#"{"records":[{"recordId":"0","result":"Dropped"},{"recordId":"0","result":"Dropped"}]}"#;
        assert_eq!(fates_of(payload, false), Ok(vec![Fate::Failed; 3]));
    }

    #[test]
    fn what_fails_a_whole_batch_is_told() {
        let payload = r#"{"records":[{"recordId":"0","result":"OK","data":"YQ=="}]}"#;
        assert!(fates_of(payload, false).unwrap_err().starts_with("the result is \"OK\", not Ok"));
        let payload = r#"{"errorType":"KeyError","errorMessage":"'a'","stackTrace":[]}"#;
        assert_eq!(fates_of(payload, true), Err("the function failed: KeyError: 'a'".into()));
    }
}
