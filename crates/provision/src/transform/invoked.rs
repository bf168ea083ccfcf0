//! The report on one invocation: each record before and after, violations of the contract, time and memory. Pure.

use std::collections::BTreeMap;

use aws_facts::firehose::answer::{self, Breach, Verdict};
use aws_facts::lambda::MAX_RESPONSE_BYTES;
use serde::Serialize;

use crate::transform::call::{Called, Measured};
use crate::transform::event::Record;
use crate::transform::fault;

/// One invocation of a function.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Invoked {
    /// As the spec names it.
    pub function: String,
    pub event_bytes: usize,
    pub response_bytes: usize,
    pub records: Vec<Answered>,
    /// Whether the response satisfies Firehose's contract.
    pub kept: bool,
    #[cfg_attr(test, schemars(with = "Vec<super::ShownBreach>"))]
    pub breaches: Vec<Breach>,
    /// Whether the response is in another order than the records. Firehose accepts that.
    pub reordered: bool,
    /// Other notes.
    pub notes: Vec<String>,
    /// The response, if it cannot be read as results of records.
    pub answer: Option<Shown>,
    #[serde(flatten)]
    pub measured: Measured,
    pub memory_mib: u32,
    pub log: Vec<String>,
}

/// One record, before and after.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answered {
    pub record_id: String,
    /// `None`: its batch fails.
    pub result: Option<&'static str>,
    pub before: Shown,
    pub after: Option<Shown>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub partition_keys: BTreeMap<String, String>,
}

/// Bytes in a readable form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Text(String),
    Base64(String),
}

impl Shown {
    /// Text if it is UTF-8.
    pub fn of(bytes: &[u8]) -> Shown {
        match std::str::from_utf8(bytes) {
            Ok(text) => Shown::Text(text.to_owned()),
            Err(_) => Shown::Base64(base64_simd::STANDARD.encode_to_string(bytes)),
        }
    }
}

/// Collects the report.
pub fn invoked(function: &str, memory_mib: u32, records: &[Record], event_bytes: usize, called: Called) -> Invoked {
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let judged = answer::judge(&ids, &called.payload, called.failed);
    let crash = fault::crash(&called.log, records).filter(|_| !called.failed);
    let (kept, unread) = (judged.kept(), judged.verdicts.is_none() && !called.failed);
    let verdicts = judged.verdicts.map_or_else(|| vec![None; records.len()], |all| all.into_iter().map(Some).collect());
    let answered = records.iter().zip(verdicts).map(|(record, verdict)| answered(record, verdict)).collect();
    Invoked {
        function: function.to_owned(),
        event_bytes,
        response_bytes: called.payload.len(),
        records: answered,
        kept,
        breaches: judged.breaches,
        reordered: judged.reordered,
        notes: crash.map(|fault| fault.what).into_iter().chain(notes(memory_mib, &called)).collect(),
        answer: unread.then(|| Shown::of(&called.payload)),
        measured: called.measured,
        memory_mib,
        log: called.log,
    }
}

fn answered(record: &Record, verdict: Option<Verdict>) -> Answered {
    let result = verdict.as_ref().map(Verdict::name);
    let (after, partition_keys) = match verdict {
        Some(Verdict::Ok { data, partition_keys }) => (Some(Shown::of(&data)), partition_keys),
        _ => (None, BTreeMap::new()),
    };
    Answered { record_id: record.id.clone(), result, before: Shown::of(record.bytes()), after, partition_keys }
}

/// Notes on what is valid but would be a surprise on Lambda.
pub fn notes(memory_mib: u32, called: &Called) -> Vec<String> {
    let mut notes = vec![];
    if let Some(peak) = called.measured.peak_memory_mib.filter(|peak| *peak > u64::from(memory_mib)) {
        notes.push(format!("it used {peak} MB, more than the function's {memory_mib} MB; Lambda would stop it"));
    }
    if !called.failed && called.payload.len() > MAX_RESPONSE_BYTES / 10 * 9 {
        notes.push(format!(
            "the response uses {} of the {MAX_RESPONSE_BYTES} bytes that Lambda allows",
            called.payload.len()
        ));
    }
    if called.failed && String::from_utf8_lossy(&called.payload).contains("illegal instruction") {
        notes.push("it was built for a newer processor than this machine's".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(payload: &str, failed: bool) -> Called {
        let measured = Measured { peak_memory_mib: Some(300), ..Measured::default() };
        Called { payload: payload.to_owned().into(), failed, log: vec![], measured, replaced: false }
    }

    #[test]
    fn each_record_is_shown_before_and_after() {
        let records = [Record::numbered(0, "a"), Record::numbered(1, &b"\xff"[..])];
        let (first, second) = (&records[0].id, &records[1].id);
        let answer = format!(
            r#"{{"records":[{{"recordId":"{second}","result":"Dropped"}},{{"recordId":"{first}","result":"Ok","data":"/w==","metadata":{{"partitionKeys":{{"k":"v"}}}}}}]}}"#
        );
        let shown = invoked("f", 256, &records, 7, called(&answer, false));
        assert!(shown.kept && shown.reordered && shown.answer.is_none());
        assert_eq!(shown.notes, ["it used 300 MB, more than the function's 256 MB; Lambda would stop it"]);
        let told: Vec<_> = shown.records.iter().map(|r| (r.result, r.before.clone(), r.after.clone())).collect();
        let base64 = || Shown::Base64("/w==".into());
        assert_eq!(told, [(Some("Ok"), Shown::Text("a".into()), Some(base64())), (Some("Dropped"), base64(), None)]);
        assert_eq!(shown.records[0].partition_keys["k"], "v");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_shown_as_it_is() {
        let shown = invoked("f", 512, &[Record::numbered(0, "a")], 7, called("[]", false));
        assert_eq!((shown.kept, shown.answer), (false, Some(Shown::Text("[]".into()))));
        assert_eq!(shown.records[0].result, None);
    }

    #[test]
    fn an_instruction_that_this_machine_has_not_is_told() {
        let document = r#"{"errorMessage":"Runtime exited with error: signal: illegal instruction"}"#;
        assert!(notes(512, &called(document, true))[0].contains("a newer processor"));
    }
}
