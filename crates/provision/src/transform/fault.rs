//! Faults of a transform: violations of Firehose's contract, and crashes that a valid response hides. Pure.

use aws_facts::firehose::answer::{Breach, Kind};
use serde::{Deserialize, Serialize, Serializer};

use crate::transform::event::Record;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The rule that is violated.
    pub kind: Rule,
    /// The problem, for people.
    pub what: String,
    /// Place of the record in the batch, if it is about one record.
    pub record: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A rule of Firehose.
    Contract(Kind),
    /// The handler panicked, or a thread of it ended with an exception. Its runtime caught that and answered.
    Crashed,
    /// The process ended after it had answered, or the function failed when it was asked the same once more.
    Unstable,
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Rule::Contract(kind) => kind.serialize(serializer),
            Rule::Crashed => serializer.serialize_str("crashed"),
            Rule::Unstable => serializer.serialize_str("unstable"),
        }
    }
}

impl From<Breach> for Fault {
    fn from(breach: Breach) -> Fault {
        Fault { kind: Rule::Contract(breach.kind), what: breach.what, record: breach.record }
    }
}

impl Fault {
    /// The process of the invocation before ended, although it had answered.
    pub fn exited() -> Fault {
        let what = "the process ended after it had answered, and the next invocation needed a new one".into();
        Fault { kind: Rule::Unstable, what, record: None }
    }

    /// The second invocation with the same batch failed, for this reason.
    pub fn failed_again(why: &str) -> Fault {
        Fault { kind: Rule::Unstable, what: format!("asked the same once more, {why}"), record: None }
    }

    pub fn is_time_out(&self) -> bool {
        self.kind == Rule::Contract(Kind::TimedOut)
    }

    /// Whether two faults are of the same kind. Errors must have the same type too, such as `KeyError`, and panics the same place.
    pub fn is_like(&self, other: &Fault) -> bool {
        let parts = match self.kind {
            Rule::Contract(Kind::FunctionFailed) => 2,
            Rule::Crashed => 1,
            Rule::Contract(_) | Rule::Unstable => 0,
        };
        let class = |fault: &Fault| fault.what.splitn(parts + 1, ": ").take(parts).collect::<Vec<_>>().join(": ");
        self.kind == other.kind && class(self) == class(other)
    }

    /// The effect on records.
    pub fn consequence(&self) -> &'static str {
        match self.kind {
            Rule::Contract(kind) => kind.consequence(),
            Rule::Crashed => {
                "Firehose stores a record that failed under the error prefix, and a crash may have lost other work"
            }
            Rule::Unstable => "Lambda starts a new process, and an invocation that meets the old one fails",
        }
    }

    /// `empty`: the batch has no records.
    pub fn hint(&self, empty: bool) -> Option<&'static str> {
        let kind = match self.kind {
            Rule::Contract(kind) => kind,
            Rule::Crashed => {
                return Some("return ProcessingFailed (in Rust an error) for a record that cannot be transformed");
            }
            Rule::Unstable => {
                return Some(
                    "keep no state that one batch leaves broken for the next, and leave the process to Lambda",
                );
            }
        };
        Some(match kind {
            Kind::FunctionFailed if self.what.contains("illegal instruction") => {
                "build it for this machine's processor, or run this on a newer machine"
            }
            Kind::FunctionFailed if self.what.contains("Runtime.OutOfMemory") => "give the function more `memory`",
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
}

/// Finds a crash in what a function logged while it answered.
pub fn crash(log: &[String], records: &[Record]) -> Option<Fault> {
    let record = log
        .iter()
        .find_map(|line| failed_record(line))
        .and_then(|id| records.iter().position(|record| record.id == id));
    let what = log.iter().enumerate().find_map(|(at, line)| {
        let rest = &log[at + 1..];
        panic(line, rest).or_else(|| thread(line, rest))
    });
    // A program may have a panic hook of its own; the SDK's line is there all the same.
    let what =
        what.or_else(|| log.iter().find_map(|line| sdk(line)).map(|said| format!("the handler panicked: {}", said.1)));
    what.map(|what| Fault { kind: Rule::Crashed, what, record })
}

/// Rust's lines: `thread 'main' panicked at src/main.rs:7:5:` and the message, or both in one line (before Rust 1.73).
fn panic(line: &str, rest: &[String]) -> Option<String> {
    let (_, at) = line.strip_prefix("thread '").and_then(|named| named.split_once(" panicked at "))?;
    Some(match at.strip_suffix(':') {
        Some(place) => format!("the handler panicked at {place}: {}", rest.first().map_or("", String::as_str)),
        None => format!("the handler panicked at {at}"),
    })
}

/// Python's lines: `Exception in thread Thread-1 (work):`, a traceback, and the error, which is not indented.
fn thread(line: &str, rest: &[String]) -> Option<String> {
    let name = line.strip_prefix("Exception in thread ")?.trim_end_matches(':');
    let error = rest.iter().skip(1).find(|line| !line.starts_with(' ') && !line.is_empty());
    Some(format!("thread {name} of the handler ended with an exception: {}", error.map_or("", String::as_str)))
}

/// The line that `firehose-transform` logs for a record whose transform panicked: its record ID, and the message.
fn sdk(line: &str) -> Option<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Line {
        message: String,
        record_id: String,
    }
    let Line { message, record_id } = serde_json::from_str(line).ok()?;
    Some((record_id, message.strip_prefix("the transform panicked: ")?.to_owned()))
}

fn failed_record(line: &str) -> Option<String> {
    sdk(line).map(|(record_id, _)| record_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Rule, what: &str) -> Fault {
        Fault { kind, what: what.into(), record: None }
    }

    #[test]
    fn errors_of_one_type_are_alike_whatever_they_say() {
        let failed = |what: &str| fault(Rule::Contract(Kind::FunctionFailed), what);
        let error = failed("the function failed: KeyError: 'a'");
        assert!(error.is_like(&failed("the function failed: KeyError: 'b'")));
        assert!(!error.is_like(&failed("the function failed: ValueError: 'a'")));
        assert!(!error.is_like(&fault(Rule::Contract(Kind::TimedOut), &error.what)));
        let unknown = |what: &str| fault(Rule::Contract(Kind::UnknownResult), what);
        assert!(unknown("the result is \"OK\"").is_like(&unknown("the result is \"x\"")));
        let panicked = |what: &str| fault(Rule::Crashed, what);
        let panic = panicked("the handler panicked at src/main.rs:7:5: invalid digit: a");
        assert!(panic.is_like(&panicked("the handler panicked at src/main.rs:7:5: invalid digit: b")));
        assert!(!panic.is_like(&panicked("the handler panicked at src/main.rs:8:5: invalid digit: a")));
    }

    #[test]
    fn a_crash_is_found_in_the_log_with_its_place_and_its_record() {
        let records = [Record::numbered(0, "a"), Record::numbered(1, "b")];
        let sdk =
            format!(r#"{{"level":"ERROR","message":"the transform panicked: lost","recordId":"{}"}}"#, records[1].id);
        let found = |log: &[&str]| {
            let log: Vec<String> = log.iter().map(|line| (*line).to_owned()).collect();
            crash(&log, &records).map(|fault| (fault.what, fault.record))
        };
        let told = |what: &str, record| Some((what.to_owned(), record));
        let panicked = "the handler panicked at src/main.rs:7:5: lost";
        assert_eq!(found(&["thread 'main' panicked at src/main.rs:7:5:", "lost", &sdk]), told(panicked, Some(1)));
        assert_eq!(found(&["", "thread 'main' (17) panicked at src/main.rs:7:5:", "lost"]), told(panicked, None));
        let old = "thread 'main' panicked at 'lost', src/main.rs:7:5";
        assert_eq!(found(&[old]), told("the handler panicked at 'lost', src/main.rs:7:5", None));
        assert_eq!(found(&[&sdk]), told("the handler panicked: lost", Some(1)));
        let thread = [
            "Exception in thread Thread-1 (work):",
            "Traceback (most recent call last):",
            "  File \"handler.py\", line 3, in work",
            "KeyError: 'n'",
        ];
        assert_eq!(
            found(&thread),
            told("thread Thread-1 (work) of the handler ended with an exception: KeyError: 'n'", None)
        );
        let handled =
            [r#"{"level":"ERROR","message":"not JSON","recordId":"1"}"#, "[ERROR] ValueError: thread panicked"];
        assert_eq!(found(&handled), None);
    }
}
