//! Runs the cases of `test-transform` and reports the results.

use std::time::{Duration, Instant};

use aws_facts::firehose::answer::{self, Breach, Judged, Kind};
use serde::Serialize;

use crate::transform::call::{Called, Callee};
use crate::transform::event::{self, Oddities, Record, Source};
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
    /// The first violation of each kind.
    #[cfg_attr(test, schemars(with = "Vec<super::ShownBreach>"))]
    pub breaches: Vec<Breach>,
    pub notes: Vec<String>,
}

/// The smallest batch that breaks the transform in the same way as a case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Broken {
    pub case: String,
    #[cfg_attr(test, schemars(with = "super::ShownBreach"))]
    pub breach: Breach,
    pub consequence: &'static str,
    pub hint: Option<String>,
    pub records: usize,
    /// The first of them.
    pub data: Vec<Shown>,
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
    /// Failed cases that Firehose does not send.
    pub warned: usize,
    pub took_ms: u64,
}

/// Larger batches are not sent twice.
const TWICE_BYTES: usize = 1 << 20;
/// The number of records of the smallest batch that are shown.
const SHOWN: usize = 3;

/// A failed case, with what is needed to shrink it.
pub struct Break {
    pub case: Case,
    pub breach: Breach,
}

/// Runs one case twice, to see whether the responses are the same.
pub async fn run(callee: &Callee, source: &Source, case: Case) -> (Tested, Option<Break>) {
    let source = shaped(source, case.direct);
    let event = event::event(&source, &case.records, case.odd);
    let event_bytes = event.len();
    let called = callee.call(event.clone()).await;
    let judged = judge(&case.records, &called);
    let mut notes = invoked::notes(callee.image.memory_mib, &called);
    if judged.kept() && event_bytes <= TWICE_BYTES {
        let again = callee.call(event).await;
        if judge(&case.records, &again).verdicts != judged.verdicts {
            notes.push(
                "the second response to the same batch was different; a retry by Firehose would give another result"
                    .into(),
            );
        }
    }
    if judged.reordered {
        notes.push("the response is in another order than the records; Firehose accepts that".into());
    }
    let broken = judged.breaches.first().cloned().map(|breach| Break { breach, case: case.clone() });
    (tested(case, judged, notes, event_bytes, &called), broken)
}

fn tested(case: Case, judged: Judged, notes: Vec<String>, event_bytes: usize, called: &Called) -> Tested {
    let count = |name: &str| judged.verdicts.iter().flatten().filter(|verdict| verdict.name() == name).count();
    let (ok, dropped) = (count("Ok"), count("Dropped"));
    let failed = case.records.len() - ok - dropped;
    let kept = judged.kept();
    let mut breaches = judged.breaches;
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
    let Break { case, breach } = broken;
    let source = shaped(source, case.direct);
    let suspect = breach.record;
    let mut found =
        Found { until: Instant::now() + limit, callee, source: &source, odd: case.odd, breach, log: vec![] };
    let records = shrink::smallest(case.records, suspect, &mut found).await;
    let event = event::event(&source, &records, case.odd);
    let result = Broken {
        case: case.name,
        consequence: found.breach.kind.consequence(),
        hint: hint(found.breach.kind, &found.breach.what, records.is_empty()).map(str::to_owned),
        breach: found.breach,
        records: records.len(),
        data: records.iter().take(SHOWN).map(|record| Shown::of(record.bytes())).collect(),
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
    breach: Breach,
    log: Vec<String>,
}

impl Tries for Found<'_> {
    async fn breaks(&mut self, records: &[Record]) -> Option<bool> {
        if Instant::now() >= self.until {
            return None;
        }
        let called = self.callee.call(event::event(self.source, records, self.odd)).await;
        let same = judge(records, &called).breaches.into_iter().find(|breach| alike(breach, &self.breach));
        let Some(breach) = same else { return Some(false) };
        (self.breach, self.log) = (breach, called.log);
        Some(true)
    }
}

/// Whether two violations are of the same kind. Errors must have the same type too, such as `KeyError`.
pub fn alike(one: &Breach, other: &Breach) -> bool {
    let class = |breach: &Breach| breach.what.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": ");
    one.kind == other.kind && (one.kind != Kind::FunctionFailed || class(one) == class(other))
}

fn hint(kind: Kind, what: &str, empty: bool) -> Option<&'static str> {
    Some(match kind {
        Kind::FunctionFailed if what.contains("illegal instruction") => {
            "build it for this machine's processor, or run this on a newer machine"
        }
        Kind::FunctionFailed if what.contains("Runtime.OutOfMemory") => "give the function more `memory`",
        Kind::FunctionFailed if empty => "return {\"records\": []} for an event without records",
        Kind::FunctionFailed => {
            "return ProcessingFailed for the record that cannot be transformed, and continue with the others"
        }
        Kind::TimedOut => {
            "give the function a longer `timeout` or more `memory`, or set a smaller `buffer_size` on the delivery"
        }
        Kind::ResponseTooLarge => {
            "return ProcessingFailed for what does not fit into 6 MB, or set a smaller `buffer_size` on the delivery's transform"
        }
        Kind::DataMissing => "return Dropped if there is nothing to deliver, or data: \"\"",
        Kind::DataNotBase64 => "encode data as a base64 string, with the standard alphabet and padding",
        Kind::RecordMissing => "return Dropped for records that should be left out",
        Kind::RecordUnknown => "return each record with the recordId that it came with, unchanged",
        Kind::PartitionKeys => "make each partition key a string",
        Kind::Unreadable | Kind::UnknownResult | Kind::RecordDuplicated => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_one_type_are_alike_whatever_they_say() {
        let breach = |kind, what: &str| Breach { kind, what: what.into(), record: None };
        let failed = |what| breach(Kind::FunctionFailed, what);
        assert!(alike(&failed("the function failed: KeyError: 'a'"), &failed("the function failed: KeyError: 'b'")));
        assert!(!alike(&failed("the function failed: KeyError: 'a'"), &failed("the function failed: ValueError: 'a'")));
        assert!(!alike(
            &failed("the function failed: KeyError: 'a'"),
            &breach(Kind::TimedOut, "the function failed: KeyError: 'a'")
        ));
        assert!(alike(
            &breach(Kind::UnknownResult, "the result is \"OK\""),
            &breach(Kind::UnknownResult, "the result is \"x\"")
        ));
    }

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
