//! A batch's records, one after the other.

use std::sync::PoisonError;

use super::Query;
use super::bounds::on_a_deep_stack;
use super::process::{self, Evaluator};
use crate::flow::failure::Failure;
use crate::flow::partition::Found;

/// Evaluators that are kept for the next batch: one for what comes in, one for what a function answers meanwhile.
const MOST_IDLE: usize = 2;
/// So many records of a batch may cost an evaluator. Those after them fail unseen, so that a batch takes seconds at most.
const MOST_LOST: u32 = 5;

/// Finds partition keys in the records of a batch.
pub struct Extraction<'a> {
    query: &'a Query,
    evaluator: Option<Evaluator>,
    lost: u32,
}

impl<'a> Extraction<'a> {
    pub fn of(query: &'a Query) -> Extraction<'a> {
        Extraction { query, evaluator: None, lost: 0 }
    }

    /// The keys and values that the query finds in a record.
    ///
    /// # Panics
    /// When the system gives no process: that is not the record's fault, and the batch is tried again.
    pub fn keys(&mut self, record: &[u8]) -> Result<Found, Failure> {
        let found = if process::offered() { self.beside(record) } else { self.here(record) };
        found.map_err(|message| Failure::new("DynamicPartitioning.MetadataExtractionFailed", message))
    }

    fn beside(&mut self, record: &[u8]) -> Result<Found, String> {
        if self.lost == MOST_LOST {
            return Err(format!(
                "Evaluating the query failed for {MOST_LOST} records of this batch; this one was not tried"
            ));
        }
        let mut evaluator = self.evaluator.take().or_else(|| self.idle()).unwrap_or_else(|| {
            Evaluator::start(&self.query.text).unwrap_or_else(|error| panic!("starting a process for a query: {error}"))
        });
        match evaluator.ask(record) {
            Ok(found) => {
                self.evaluator = Some(evaluator);
                found
            }
            Err(_) => {
                self.lost += 1;
                Err(evaluator.obituary())
            }
        }
    }

    fn here(&self, record: &[u8]) -> Result<Found, String> {
        on_a_deep_stack(|| self.query.evaluate(record)).unwrap_or_else(|| Err("Evaluating the query failed".into()))
    }

    fn idle(&self) -> Option<Evaluator> {
        self.query.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().and_then(Evaluator::if_alive)
    }
}

impl Drop for Extraction<'_> {
    fn drop(&mut self) {
        let mut idle = self.query.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.extend(self.evaluator.take());
        }
    }
}
