//! Decides where records go after the function's answer, or at once if there is no function.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::answer::{Answer, Verdict, judge};
use super::failure::{ErrorType, Failure, line};
use super::item::{Item, Output};
use super::job::Job;
use super::partition::{Found, Placing};
use super::pieces::Pieces;
use super::progress::Finished;
use super::slot::Slot;
use crate::request::InvokeOutcome;
use crate::time::Millis;

/// Each record is in exactly one of the first two.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    pub outputs: BTreeMap<Slot, Outputs>,
    pub dropped: Finished,
    /// Failures, each kind once.
    pub failures: Vec<Failure>,
}

/// Records for one object, in parts: a buffer takes each as a whole, unless it is full before the part's end.
#[derive(Debug, Clone, Default)]
pub struct Outputs(pub Vec<Part>);

/// Some records, and the size of their data.
#[derive(Debug, Clone, Default)]
pub struct Part {
    pub items: Vec<Output>,
    pub bytes: usize,
}

/// Records of a part.
const PART: usize = 256;

impl Outputs {
    pub fn push(&mut self, item: Output) {
        let bytes = item.data.len();
        match self.0.last_mut().filter(|part| part.items.len() < PART) {
            Some(part) => {
                part.bytes += bytes;
                part.items.push(item);
            }
            None => self.0.push(Part { items: vec![item], bytes }),
        }
    }
}

/// Makes one part of all items.
impl FromIterator<Output> for Outputs {
    fn from_iter<I: IntoIterator<Item = Output>>(items: I) -> Outputs {
        let items: Vec<Output> = items.into_iter().collect();
        Outputs(vec![Part { bytes: items.iter().map(|item| item.data.len()).sum(), items }])
    }
}

/// Records of a batch whose invocation, number `attempts`, has ended. `Err` when it is worth another try.
pub fn answered(
    job: &Job,
    items: &Pieces<Item>,
    attempts: u32,
    outcome: &InvokeOutcome,
    now: Millis,
) -> Result<Settled, Failure> {
    let ids: Vec<String> = items.iter().map(Item::id).collect();
    match judge(&ids, outcome) {
        Answer::Verdicts(verdicts) => Ok(each(job, items, verdicts, attempts, now)),
        Answer::Wrong(failure) => Ok(failed(job, items, &failure, attempts, now)),
        Answer::Unanswered(failure) => Err(failure),
    }
}

/// All records failed for the same reason.
pub fn failed(job: &Job, items: &Pieces<Item>, failure: &Failure, attempts: u32, now: Millis) -> Settled {
    each(job, items, items.iter().map(|_| Verdict::Failed(failure.clone())), attempts, now)
}

/// Records that no function transforms.
pub fn untransformed(job: &Job, items: &Pieces<Item>, now: Millis) -> Settled {
    let kept = |item: &Item| Verdict::Ok { data: item.record.data.clone(), partition_keys: Found::new() };
    each(job, items, items.iter().map(kept), 1, now)
}

fn each(
    job: &Job,
    items: &Pieces<Item>,
    verdicts: impl IntoIterator<Item = Verdict>,
    attempts: u32,
    now: Millis,
) -> Settled {
    let lambda_arn = job.config.lambda.as_ref().map(|lambda| lambda.arn.as_str());
    let (mut out, mut dropped) = (Settled::default(), vec![]);
    let mut placing = Placing::of(job);
    for (item, verdict) in items.iter().zip(verdicts) {
        let placed = match verdict {
            Verdict::Dropped => {
                dropped.push(item.origin);
                continue;
            }
            Verdict::Failed(failure) => Err((ErrorType::Processing, failure)),
            Verdict::Ok { data, partition_keys } => {
                placing.slot(&data, &partition_keys, item.record.arrival).map(|slot| (slot, data))
            }
        };
        let (slot, data) = placed.unwrap_or_else(|(kind, failure)| {
            let line = line(&Output::of(item, Bytes::new()), &failure, attempts, lambda_arn, now);
            if !out.failures.iter().any(|known| known.code == failure.code) {
                out.failures.push(failure);
            }
            (Slot::Failed(kind), line)
        });
        out.outputs.entry(slot).or_default().push(Output::of(item, data));
    }
    Settled { dropped: dropped.into_iter().collect(), ..out }
}
