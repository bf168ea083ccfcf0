//! What becomes of records once it is known what a function made of them, or at once where there is none.

use bytes::Bytes;

use super::answer::{Answer, Verdict, judge};
use super::failure::{ErrorType, Failure, line};
use super::item::{Item, Origin, Output};
use super::job::Job;
use super::object::Slot;
use super::partition;
use crate::request::InvokeOutcome;
use crate::settings::Millis;

/// Each record is in exactly one of the first two.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    pub outputs: Vec<(Slot, Output)>,
    pub dropped: Vec<Origin>,
    /// What went wrong, each kind of failure once.
    pub failures: Vec<Failure>,
}

/// Records of a batch whose invocation, number `attempts`, has ended. `Err` when it is worth another try.
pub fn answered(
    job: &Job,
    items: &[Item],
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
pub fn failed(job: &Job, items: &[Item], failure: &Failure, attempts: u32, now: Millis) -> Settled {
    each(job, items, items.iter().map(|_| Verdict::Failed(failure.clone())), attempts, now)
}

/// Records that no function transforms.
pub fn untransformed(job: &Job, items: &[Item], now: Millis) -> Settled {
    let kept = |item: &Item| Verdict::Ok { data: item.record.data.clone(), partition_keys: partition::Found::new() };
    each(job, items, items.iter().map(kept), 1, now)
}

fn each(job: &Job, items: &[Item], verdicts: impl IntoIterator<Item = Verdict>, attempts: u32, now: Millis) -> Settled {
    let lambda_arn = job.config.lambda.as_ref().map(|lambda| lambda.arn.as_str());
    let mut out = Settled { outputs: Vec::with_capacity(items.len()), ..Settled::default() };
    for (item, verdict) in items.iter().zip(verdicts) {
        let placed = match verdict {
            Verdict::Dropped => {
                out.dropped.push(item.origin);
                continue;
            }
            Verdict::Failed(failure) => Err(failure),
            Verdict::Ok { data, partition_keys } => {
                partition::slot(&job.config, &data, &partition_keys).map(|slot| (slot, data))
            }
        };
        let (slot, data) = placed.unwrap_or_else(|failure| {
            let line = line(&Output::of(item, Bytes::new()), &failure, attempts, lambda_arn, now);
            if !out.failures.iter().any(|known| known.code == failure.code) {
                out.failures.push(failure);
            }
            (Slot::Failed(ErrorType::Processing), line)
        });
        out.outputs.push((slot, Output::of(item, data)));
    }
    out
}
