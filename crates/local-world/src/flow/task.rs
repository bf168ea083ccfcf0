//! Tasks are too much work for a turn of the world. The driver runs them beside it and brings the results back.
//! Each task is a value, and what it does a pure function of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use super::event;
use super::failure::Failure;
use super::item::{Item, Output};
use super::job::Job;
use super::object::{self, Object};
use super::pieces::Pieces;
use super::prepare::{self, Prepared};
use super::settle::{self, Settled};
use super::slot::Slot;
use crate::request::InvokeOutcome;
use crate::time::Millis;

/// Work for a delivery stream that is too much for a turn of the world.
#[derive(Debug, Clone)]
pub struct Task {
    pub(crate) job: Arc<Job>,
    /// The world's time when the work was asked for.
    pub now: Millis,
    pub(crate) work: Work,
}

#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Records as read are taken apart and unpacked.
    Prepare(Vec<Item>),
    /// Prepared records find their objects: there is no function.
    Place(Arc<Pieces<Item>>),
    /// The event that a function is invoked with.
    Write { invocation: String, items: Arc<Pieces<Item>> },
    /// Checks the response of a function.
    Judge { items: Arc<Pieces<Item>>, attempts: u32, outcome: InvokeOutcome },
    /// An object's key and body.
    Pack { slot: Slot, items: Arc<Pieces<Output>> },
}

/// The result of a [`Task`].
#[derive(Debug, Clone)]
pub enum Done {
    /// Records were taken apart and unpacked.
    Prepared(Prepared),
    /// Records found their objects.
    Placed(Settled),
    /// The event for the function was written.
    Written(Bytes),
    /// The function's response was checked, and its records found their objects.
    Judged(Result<Settled, Failure>),
    /// The object's key and body were made.
    Packed(Object),
    /// A fault of this engine.
    Panicked,
}

/// Records that a delivery stream no longer needs.
#[derive(Debug, Clone)]
pub enum Spent {
    /// Records before they were transformed.
    Items(Arc<Pieces<Item>>),
    /// Records that were to be delivered.
    Outputs(Arc<Pieces<Output>>),
}

impl Done {
    /// The body of the object that was made.
    pub fn body(&self) -> Option<Bytes> {
        match self {
            Done::Packed(object) => Some(object.body.clone()),
            _ => None,
        }
    }
}

impl Task {
    /// Does it evaluate a query, which may take a core and hundreds of MiB?
    pub fn evaluates(&self) -> bool {
        matches!(self.work, Work::Place(_) | Work::Judge { .. }) && self.job.config.query.is_some()
    }

    /// Does the work. A panic is a result too.
    pub fn run(self) -> Done {
        catch_unwind(AssertUnwindSafe(|| self.perform())).unwrap_or(Done::Panicked)
    }

    fn perform(self) -> Done {
        let Task { job, now, work } = self;
        match work {
            Work::Prepare(items) => Done::Prepared(prepare::prepare(&job, items, now)),
            Work::Place(items) => Done::Placed(settle::untransformed(&job, &items, now)),
            Work::Write { invocation, items } => Done::Written(event::payload(&job, &invocation, &items)),
            Work::Judge { items, attempts, outcome } => {
                Done::Judged(settle::answered(&job, &items, attempts, &outcome, now))
            }
            Work::Pack { slot, items } => Done::Packed(object::pack(&job, &slot, &items, now)),
        }
    }
}
