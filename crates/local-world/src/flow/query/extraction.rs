//! A batch's records, one after the other.

use std::time::Duration;

use super::bounds::{Undone, on_a_deep_stack};
use super::process::{self, Evaluator};
use super::{Evaluated, Query, shelf};
use crate::flow::failure::Failure;
use crate::flow::partition::Found;

/// Processor time for all records of a batch: whatever waits for a batch waits at most this long. A batch of 10,000 records whose
/// query takes a millisecond each stays within a third of it.
const BATCH: Duration = Duration::from_secs(30);

/// Finds partition keys in the records of a batch.
pub struct Extraction<'a> {
    query: &'a Query,
    evaluator: Option<Evaluator>,
    /// The time left for the batch.
    left: Duration,
}

impl<'a> Extraction<'a> {
    /// Evaluates a query for a batch of records, within the time that a batch has.
    pub fn of(query: &'a Query) -> Extraction<'a> {
        Extraction::within(query, BATCH)
    }

    fn within(query: &'a Query, left: Duration) -> Extraction<'a> {
        Extraction { query, evaluator: None, left }
    }

    /// The keys and values that the query finds in a record. Records for which no time is left fail unseen.
    ///
    /// # Panics
    /// When the system gives no process or ends it: that is not the record's fault, and the batch is tried again.
    pub fn keys(&mut self, record: &[u8]) -> Result<Found, Failure> {
        let found = match self.left {
            Duration::ZERO => Err(format!(
                "The query took {} seconds of processor time for records of this batch; this one was not tried",
                BATCH.as_secs()
            )),
            _ => self.evaluated(record),
        };
        found.map_err(|message| Failure::new("DynamicPartitioning.MetadataExtractionFailed", message))
    }

    fn evaluated(&mut self, record: &[u8]) -> Result<Found, String> {
        let Evaluated { found, took } = if process::offered() { self.beside(record) } else { self.here(record) };
        self.left = self.left.saturating_sub(took);
        found
    }

    fn beside(&mut self, record: &[u8]) -> Evaluated {
        self.tried(record)
            .or_else(|_| self.tried(record))
            .unwrap_or_else(|why| panic!("evaluating a query in a process of its own, twice: {why}"))
    }

    /// `Err` when there is no evaluator, or it ended for a reason that is not the record's.
    fn tried(&mut self, record: &[u8]) -> Result<Evaluated, String> {
        let mut evaluator = match self.evaluator.take() {
            Some(evaluator) => evaluator,
            None => shelf::evaluator(&self.query.text).map_err(|error| error.to_string())?,
        };
        match evaluator.ask(record) {
            Ok(evaluated) => {
                self.evaluator = Some(evaluator);
                Ok(evaluated)
            }
            Err(_) => {
                evaluator.cause_of_death().map(|cause| Evaluated { found: Err(cause.into()), took: process::MOST })
            }
        }
    }

    fn here(&self, record: &[u8]) -> Evaluated {
        match on_a_deep_stack(|| self.query.timed(record)) {
            Ok(evaluated) => evaluated,
            Err(Undone::NoThread(error)) => panic!("starting a thread for a query: {error}"),
            Err(Undone::Panicked) => unreachable!("a panic of the evaluation is caught"),
        }
    }
}

impl Drop for Extraction<'_> {
    fn drop(&mut self) {
        self.evaluator.take().into_iter().for_each(shelf::keep);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::beside;
    use super::*;

    fn told(found: Result<Found, Failure>) -> String {
        found.map_or_else(|failure| failure.message, |keys| format!("{keys:?}"))
    }

    #[test]
    fn records_fail_unseen_when_the_time_of_their_batch_is_up() {
        let query = Query::parse("{k: .k}").unwrap();
        for evaluated_beside in [false, true] {
            if evaluated_beside {
                beside();
            }
            let mut extraction = Extraction::within(&query, Duration::from_nanos(1));
            assert_eq!(told(extraction.keys(br#"{"k":1}"#)), r#"{"k": "1"}"#);
            assert!(told(extraction.keys(br#"{"k":2}"#)).ends_with("this one was not tried"));
        }
    }

    #[test]
    fn an_evaluator_that_somebody_kills_costs_no_record() {
        beside();
        let query = Query::parse("{k: .k}").unwrap();
        let mut extraction = Extraction::of(&query);
        for _ in 0..2 {
            assert_eq!(told(extraction.keys(br#"{"k":1}"#)), r#"{"k": "1"}"#);
            extraction.evaluator.as_mut().unwrap().kill();
        }
    }

    #[test]
    fn an_evaluator_that_dies_of_its_record_costs_that_one() {
        beside();
        let query = Query::parse(r#"{k: (if .n then ("a" * 1000000000 * .n | length) else 1 end)}"#).unwrap();
        let mut extraction = Extraction::of(&query);
        assert!(told(extraction.keys(br#"{"n":5}"#)).contains("more than 512 MiB of memory"));
        assert_eq!(extraction.left, BATCH - process::MOST);
        assert_eq!(told(extraction.keys(b"{}")), r#"{"k": "1"}"#);
    }
}
