//! The results of `verify` and `test-transform` in files: as JUnit's XML, and `verify`'s as a page. Both are pure functions of the events.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::event::{Event, Events, Reporter};
use crate::exit::Stop;
use crate::report::junit::{Case, Outcome, Suite};
use crate::report::transform::told;
use crate::report::{html, verified};
use crate::secret::masked;
use crate::transform::tested::{Broken, Tested};
use crate::verify::Verified;

/// The files of `--junit` and `--html`, and the events that they are written from.
pub struct Results {
    junit: Option<(PathBuf, File)>,
    html: Option<(PathBuf, File)>,
    kept: Arc<Mutex<Vec<Event>>>,
}

impl Results {
    /// Creates the file, so that a path that cannot be written is reported before the work, and no older results are left in it.
    pub fn into_file(junit: Option<&Path>) -> Result<Results> {
        Results::into_files(junit, None)
    }

    /// The same, for both files.
    pub fn into_files(junit: Option<&Path>, html: Option<&Path>) -> Result<Results> {
        let create = |path: &Path| {
            let created = File::create(path).map_err(|e| Error::new(format!("writing {}", path.display()), e));
            created.map(|file| (path.to_owned(), file))
        };
        Ok(Results { junit: junit.map(create).transpose()?, html: html.map(create).transpose()?, kept: Arc::default() })
    }

    /// Passes events on to these, and keeps the results among them.
    pub fn listen(&self, events: &Events) -> Events {
        match (&self.junit, &self.html) {
            (None, None) => events.clone(),
            _ => Events::to(Listener { events: events.clone(), kept: self.kept.clone() }),
        }
    }

    /// Writes the files. `command` is the name of the suite; an error that stopped the command is a failed case.
    pub fn write<T>(self, command: &str, ended: &Result<T, Stop>) -> Result<()> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let errors = match ended {
            Err(Stop::Errors(errors)) => errors.as_slice(),
            Err(Stop::Spec(_) | Stop::Usage(_) | Stop::Said(_)) | Ok(_) => &[],
        };
        let write = |(path, mut file): (PathBuf, File), text: String| {
            let written = file.write_all(masked(&text).as_bytes());
            written.map_err(|e| Error::new(format!("writing {}", path.display()), e))
        };
        if let Some(junit) = self.junit {
            write(junit, suite(command, &kept, errors).xml())?;
        }
        if let Some(html) = self.html {
            write(html, html::page(&kept, errors))?;
        }
        Ok(())
    }
}

struct Listener {
    events: Events,
    kept: Arc<Mutex<Vec<Event>>>,
}

impl Reporter for Listener {
    fn event(&mut self, event: &Event) {
        let is_kept = matches!(
            event,
            Event::Target { .. } | Event::Verified { .. } | Event::Tested { .. } | Event::Broken { .. }
        );
        if is_kept {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }
        self.events.say(event.clone());
    }
}

fn suite(command: &str, events: &[Event], errors: &[Error]) -> Suite {
    let broken: Vec<&Broken> = events
        .iter()
        .filter_map(|event| if let Event::Broken { result } = event { Some(&**result) } else { None })
        .collect();
    let case = |event: &Event| match event {
        Event::Verified { result } => Some(case_of(command, result)),
        Event::Tested { result } => Some(tested(command, result, &broken)),
        _ => None,
    };
    let error = |error: &Error| {
        let details = error.what_next().map(|hint| format!("hint: {hint}")).unwrap_or_default();
        let result = Outcome::Failed { message: error.to_string(), details };
        Case { class: command.into(), name: "error".into(), result, took_ms: None }
    };
    let cases = events.iter().filter_map(case).chain(errors.iter().map(error)).collect();
    Suite { name: format!("provision {command}"), cases }
}

fn case_of(command: &str, result: &Verified) -> Case {
    let outcome = match result.accounted {
        true => Outcome::Passed,
        false => {
            let mut details = vec![verified::counts(result)];
            details.extend(result.hint.iter().map(|hint| format!("hint: {hint}")));
            Outcome::Failed { message: verified::account(result), details: details.join("\n") }
        }
    };
    Case { class: command.into(), name: format!("delivery.{}", result.delivery), result: outcome, took_ms: None }
}

/// A case that Firehose does not send is no failure. JUnit has no warnings, so it is one that was skipped.
fn tested(command: &str, result: &Tested, broken: &[&Broken]) -> Case {
    let first = || result.breaches.first().map(told).unwrap_or_default();
    let outcome = match (result.kept, result.beyond) {
        (true, _) => Outcome::Passed,
        (false, true) => Outcome::Skipped { message: format!("Firehose does not send this: {}", first()) },
        (false, false) => {
            let mut details: Vec<String> = result.breaches.iter().map(told).collect();
            for broken in broken.iter().filter(|broken| broken.case == result.case) {
                details.push(broken.consequence.to_owned());
                details.extend(broken.replay.iter().map(|replay| format!("try again: {replay}")));
                details.extend(broken.log.iter().cloned());
            }
            Outcome::Failed { message: first(), details: details.join("\n") }
        }
    };
    let took_ms = Some(result.duration_ms.round() as u64);
    Case { class: command.into(), name: result.case.clone(), result: outcome, took_ms }
}

#[cfg(test)]
mod tests {
    use aws_facts::firehose::answer::{Breach, Kind};

    use super::*;
    use crate::transform::fault::Fault;

    #[test]
    fn a_delivery_stream_is_a_case_of_verify() {
        let raw = Verified {
            delivery: "raw".into(),
            sent: 1000,
            delivered: 997,
            missing: 3,
            hint: Some("look".into()),
            ..Verified::default()
        };
        let direct = Verified { delivery: "direct".into(), accounted: true, missing: 0, hint: None, ..raw.clone() };
        let events = [raw, direct].map(|result| Event::Verified { result: Box::new(result) });
        let errors = [Error::msg("reading s3://lake").hint("wait")];
        let cases: Vec<_> =
            suite("verify", &events, &errors).cases.into_iter().map(|case| (case.name, case.result)).collect();
        let failed =
            |message: &str, details: &str| Outcome::Failed { message: message.into(), details: details.into() };
        let counts = "delivered 997, dropped 0, failed 0, missing 3, duplicated 0\nhint: look";
        let expected = [
            ("delivery.raw".to_owned(), failed("3 of 1000 records are missing", counts)),
            ("delivery.direct".to_owned(), Outcome::Passed),
            ("error".to_owned(), failed("reading s3://lake", "hint: wait")),
        ];
        assert_eq!(cases, expected);
    }

    #[test]
    fn what_firehose_does_not_send_is_skipped_and_not_failed() {
        let breach: Fault = Breach { kind: Kind::RecordMissing, what: "it is missing".into(), record: Some(1) }.into();
        let wrong = Tested {
            case: "one record".into(),
            beyond: false,
            random: false,
            records: 1,
            event_bytes: 1,
            response_bytes: 1,
            kept: false,
            ok: 0,
            dropped: 0,
            failed: 0,
            duration_ms: 1.6,
            breaches: vec![breach.clone()],
            notes: vec![],
        };
        let beyond = Tested { case: "no records".into(), beyond: true, ..wrong.clone() };
        let broken = Broken {
            case: "one record".into(),
            breach,
            consequence: "Firehose retries",
            hint: None,
            records: 1,
            data: vec![],
            record_ids: vec![],
            log: vec!["logged".into()],
            event: None,
            replay: Some("provision invoke".into()),
        };
        let events = [
            Event::Tested { result: wrong },
            Event::Tested { result: beyond },
            Event::Broken { result: Box::new(broken) },
        ];
        let suite = suite("test-transform", &events, &[]);
        let details = "record 2: it is missing\nFirehose retries\ntry again: provision invoke\nlogged";
        let failed = Outcome::Failed { message: "record 2: it is missing".into(), details: details.into() };
        assert_eq!((&suite.cases[0].result, suite.cases[0].took_ms), (&failed, Some(2)));
        let skipped = "Firehose does not send this: record 2: it is missing".to_owned();
        assert_eq!(suite.cases[1].result, Outcome::Skipped { message: skipped });
    }
}
