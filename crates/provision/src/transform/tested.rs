//! The cases of `test-transform`, run and judged, and how they are told.

use std::time::{Duration, Instant};

use aws_facts::firehose::answer::{self, Breach, Judged, Kind};
use serde::Serialize;

use crate::transform::call::{Called, Callee};
use crate::transform::event::{self, Oddities, Record, Source};
use crate::transform::hostile::Case;
use crate::transform::invoked::{self, Shown};
use crate::transform::shrink::{self, Tries};

/// What came of one case.
#[derive(Debug, Clone, Serialize)]
pub struct Tested {
    pub case: String,
    /// Firehose does not send this: what breaks is a warning.
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
    /// Of each kind the first.
    pub breaches: Vec<Breach>,
    pub notes: Vec<String>,
}

/// The smallest batch that breaks it as a case did.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    pub case: String,
    pub breach: Breach,
    pub consequence: &'static str,
    pub hint: Option<String>,
    pub records: usize,
    /// The first of them.
    pub data: Vec<Shown>,
    /// What the function wrote when it broke.
    pub log: Vec<String>,
    /// The event, kept for another try.
    pub event: Option<String>,
    pub replay: Option<String>,
}

/// What came of all cases.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    pub function: String,
    pub seed: u64,
    pub cases: usize,
    pub records: usize,
    pub broken: usize,
    /// Cases beyond what Firehose sends that broke it.
    pub warned: usize,
    pub took_ms: u64,
}

/// Batches of more data than this are not asked twice.
const TWICE_BYTES: usize = 1 << 20;
/// What is shown of the smallest batch.
const SHOWN: usize = 3;

/// A case that broke it, with all there is to shrink it by.
pub struct Break {
    pub case: Case,
    pub breach: Breach,
}

/// Runs one case, and once more to see whether the answers are the same.
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
            notes.push("it answered the same batch differently the second time: a retry would not repeat it".into());
        }
    }
    if judged.reordered {
        notes.push("its answers are in another order than the records: Firehose does not mind".into());
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

/// A stream's events say where records stood; those of what is put to directly do not.
fn shaped(source: &Source, direct: bool) -> Source {
    let example =
        || source.delivery_stream_arn.replacen(":firehose:", ":kinesis:", 1).replace("deliverystream/", "stream/");
    let stream_arn = (!direct).then(|| source.stream_arn.clone().unwrap_or_else(example));
    Source { stream_arn, ..source.clone() }
}

/// The smallest batch that breaks it in the same way, and its event.
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

/// Tries for as long as there is time, and keeps what was told of the last batch that broke it.
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

/// The same kind of breach, and of errors the same type: "it failed: KeyError: 'a'" and "it failed: KeyError: 'b'".
pub fn alike(one: &Breach, other: &Breach) -> bool {
    let class = |breach: &Breach| breach.what.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": ");
    one.kind == other.kind && (one.kind != Kind::FunctionFailed || class(one) == class(other))
}

fn hint(kind: Kind, what: &str, empty: bool) -> Option<&'static str> {
    Some(match kind {
        Kind::FunctionFailed if what.contains("illegal instruction") => {
            "build it for this machine's processor too, or run this where the processor can do what Lambda's can"
        }
        Kind::FunctionFailed if what.contains("Runtime.OutOfMemory") => "give the function more `memory`",
        Kind::FunctionFailed if empty => "answer {\"records\": []} to an event without records",
        Kind::FunctionFailed => {
            "answer ProcessingFailed for the record that cannot be transformed, and go on with the others"
        }
        Kind::TimedOut => {
            "give the function a longer `timeout` or more `memory`, or the delivery a smaller `buffer_size`"
        }
        Kind::ResponseTooLarge => {
            "answer ProcessingFailed for what does not fit into 6 MB, or give the delivery's transform a smaller `buffer_size`"
        }
        Kind::DataMissing => "answer Dropped where there is nothing to deliver, or data: \"\"",
        Kind::DataNotBase64 => "encode data with standard base64 and padding, as text",
        Kind::RecordMissing => "answer Dropped for what is to be left out",
        Kind::RecordUnknown => "answer each record with the recordId that it came with, unchanged",
        Kind::PartitionKeys => "make each partition key a text",
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
        assert!(alike(&failed("it failed: KeyError: 'a'"), &failed("it failed: KeyError: 'b'")));
        assert!(!alike(&failed("it failed: KeyError: 'a'"), &failed("it failed: ValueError: 'a'")));
        assert!(!alike(&failed("it failed: KeyError: 'a'"), &breach(Kind::TimedOut, "it failed: KeyError: 'a'")));
        assert!(alike(
            &breach(Kind::UnknownResult, "it answered \"OK\""),
            &breach(Kind::UnknownResult, "it answered \"x\"")
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
