//! Runs the cases of `test-transform` and reports the results.

use std::time::{Duration, Instant};

use aws_facts::firehose::answer::{self, Judged};
use serde::Serialize;

use crate::transform::call::{Called, Callee};
use crate::transform::event::{self, Oddities, Record, Source};
use crate::transform::fault::{self, Fault, Rule};
use crate::transform::hostile::Case;
use crate::transform::invoked::{self, Shown};
use crate::transform::shrink::{self, Tries};

/// The result of one case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tested {
    pub case: String,
    /// Firehose does not send this, so a failure is only a warning.
    pub beyond: bool,
    pub random: bool,
    pub records: usize,
    pub event_bytes: usize,
    pub response_bytes: usize,
    pub kept: bool,
    pub ok: usize,
    pub dropped: usize,
    pub failed: usize,
    pub duration_ms: f64,
    /// The first fault of each kind.
    #[cfg_attr(test, schemars(with = "Vec<super::ShownBreach>"))]
    pub breaches: Vec<Fault>,
    pub notes: Vec<String>,
}

impl Tested {
    /// Whether every response was valid, and the function crashed behind one.
    pub fn only_crashed(&self) -> bool {
        !self.kept && !self.breaches.iter().any(|fault| matches!(fault.kind, Rule::Contract(_)))
    }
}

/// The smallest batch that breaks the transform in the same way as a case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Broken {
    pub case: String,
    #[cfg_attr(test, schemars(with = "super::ShownBreach"))]
    pub breach: Fault,
    pub consequence: &'static str,
    pub hint: Option<String>,
    pub records: usize,
    /// The first of them.
    pub data: Vec<Shown>,
    /// The IDs of these.
    pub record_ids: Vec<String>,
    /// Lines that the function logged when it failed.
    pub log: Vec<String>,
    /// The file with the event, for a replay.
    pub event: Option<String>,
    pub replay: Option<String>,
}

/// The result of all cases.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    pub function: String,
    pub seed: u64,
    pub cases: usize,
    pub records: usize,
    pub broken: usize,
    /// Those of them that crashed behind a valid response.
    pub crashed: usize,
    /// Failed cases that Firehose does not send.
    pub warned: usize,
    /// Cases that were not tried, because too many had timed out.
    pub not_tried: usize,
    pub took_ms: u64,
}

/// Larger batches are not sent twice.
const TWICE_BYTES: usize = 1 << 20;
/// The number of records of the smallest batch that are shown.
const SHOWN: usize = 3;

/// A failed case, with what is needed to shrink it.
pub struct Break {
    pub case: Case,
    pub fault: Fault,
}

/// Runs one case twice, to see whether the responses are the same and the process is still there.
pub async fn run(callee: &Callee, source: &Source, case: Case) -> (Tested, Option<Break>) {
    let source = shaped(source, case.direct);
    let event = event::event(&source, &case.records, case.odd);
    let event_bytes = event.len();
    let asked = ask(callee, &case.records, event, event_bytes <= TWICE_BYTES).await;
    let Asked { called, judged, faults, changed } = &asked;
    let mut notes = invoked::notes(callee.image.memory_mib, called);
    if *changed {
        notes.push(
            "the second response to the same batch was different; a retry by Firehose would give another result".into(),
        );
    }
    if judged.reordered {
        notes.push("the response is in another order than the records; Firehose accepts that".into());
    }
    let broken = faults.first().cloned().map(|fault| Break { fault, case: case.clone() });
    (tested(case, asked, notes, event_bytes), broken)
}

/// The answer to one batch.
struct Asked {
    called: Called,
    judged: Judged,
    faults: Vec<Fault>,
    /// The second response was different.
    changed: bool,
}

async fn ask(callee: &Callee, records: &[Record], event: bytes::Bytes, twice: bool) -> Asked {
    let called = callee.call(event.clone()).await;
    let mut judged = judge(records, &called);
    let mut faults: Vec<Fault> = std::mem::take(&mut judged.breaches).into_iter().map(Fault::from).collect();
    faults.extend(fault::crash(&called.log, records));
    let (mut changed, mut exited) = (false, called.replaced);
    if twice && judged.verdicts.is_some() {
        let again = callee.call(event).await;
        let second = judge(records, &again);
        exited |= again.replaced;
        match second.breaches.first().filter(|_| again.failed) {
            Some(breach) => faults.push(Fault::failed_again(&breach.what)),
            None => changed = second.verdicts != judged.verdicts,
        }
    }
    faults.extend(exited.then(Fault::exited));
    Asked { called, judged, faults, changed }
}

fn tested(case: Case, asked: Asked, notes: Vec<String>, event_bytes: usize) -> Tested {
    let Asked { called, judged, faults: mut breaches, .. } = asked;
    let count = |name: &str| judged.verdicts.iter().flatten().filter(|verdict| verdict.name() == name).count();
    let (ok, dropped) = (count("Ok"), count("Dropped"));
    let failed = case.records.len() - ok - dropped;
    let kept = breaches.is_empty();
    let mut seen = std::collections::HashSet::new();
    breaches.retain(|breach| seen.insert(breach.kind));
    Tested {
        case: case.name,
        beyond: case.beyond,
        random: case.random,
        records: case.records.len(),
        event_bytes,
        response_bytes: called.payload.len(),
        kept,
        ok,
        dropped,
        failed,
        duration_ms: called.measured.duration_ms,
        breaches,
        notes,
    }
}

fn judge(records: &[Record], called: &Called) -> Judged {
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    answer::judge(&ids, &called.payload, called.failed)
}

/// Events from a stream have the positions of records. Events from direct puts do not.
fn shaped(source: &Source, direct: bool) -> Source {
    let example =
        || source.delivery_stream_arn.replacen(":firehose:", ":kinesis:", 1).replace("deliverystream/", "stream/");
    let stream_arn = (!direct).then(|| source.stream_arn.clone().unwrap_or_else(example));
    Source { stream_arn, ..source.clone() }
}

/// Finds the smallest batch that breaks it in the same way, and its event.
pub async fn shrink(callee: &Callee, source: &Source, broken: Break, limit: Duration) -> (Broken, bytes::Bytes) {
    let Break { case, fault } = broken;
    let source = shaped(source, case.direct);
    let suspect = fault.record;
    let mut found = Found { until: Instant::now() + limit, callee, source: &source, odd: case.odd, fault, log: vec![] };
    let records = shrink::smallest(case.records, suspect, &mut found).await;
    let event = event::event(&source, &records, case.odd);
    let result = Broken {
        case: case.name,
        consequence: found.fault.consequence(),
        hint: found.fault.hint(records.is_empty()).map(str::to_owned),
        breach: found.fault,
        records: records.len(),
        data: records.iter().take(SHOWN).map(|record| Shown::of(record.bytes())).collect(),
        record_ids: records.iter().take(SHOWN).map(|record| record.id.clone()).collect(),
        log: found.log,
        event: None,
        replay: None,
    };
    (result, event)
}

/// Tries batches until the time is up, and keeps the result of the last one that failed.
struct Found<'a> {
    until: Instant,
    callee: &'a Callee,
    source: &'a Source,
    odd: Oddities,
    fault: Fault,
    log: Vec<String>,
}

impl Tries for Found<'_> {
    async fn breaks(&mut self, records: &[Record]) -> Option<bool> {
        if Instant::now() >= self.until {
            return None;
        }
        let event = event::event(self.source, records, self.odd);
        let asked = ask(self.callee, records, event, false).await;
        let same = asked.faults.into_iter().find(|fault| fault.is_like(&self.fault));
        let Some(fault) = same else { return Some(false) };
        (self.fault, self.log) = (fault, asked.called.log);
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_takes_the_shape_that_a_case_wants() {
        let direct = Source {
            delivery_stream_arn: "arn:aws:firehose:us-east-1:1:deliverystream/d".into(),
            stream_arn: None,
            region: "us-east-1".into(),
        };
        let streamed = shaped(&direct, false);
        assert_eq!(streamed.stream_arn.as_deref(), Some("arn:aws:kinesis:us-east-1:1:stream/d"));
        assert_eq!(shaped(&streamed, true), direct);
    }
}
