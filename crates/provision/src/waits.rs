//! Waits, as the user is told of them, and the record of them: plain data.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transient::Transient;

/// A wait.
#[derive(Debug, Clone, Copy)]
pub enum Doing<'a> {
    /// A wait for this.
    Waiting(&'a str),
    /// Work on this machine.
    Task(Task<'a>),
}

/// How far some work on this machine is.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// `building square`
    pub name: &'a str,
    /// Its progress, or its result if it is done.
    pub text: &'a str,
    pub elapsed: Duration,
    pub is_done: bool,
}

/// The reason for a wait.
#[derive(Debug, Clone, Copy)]
pub enum Why {
    /// A state lasts.
    State,
    /// Reads did not show our own change yet.
    Stale,
    /// A call failed with a transient error.
    Refused(&'static Transient),
}

/// One wait that the first poll did not end.
#[derive(Debug, Clone)]
pub struct Waited {
    /// After "waiting for".
    pub on: String,
    pub why: Why,
    /// The operation in progress when a call was refused: "creating delivery stream raw".
    pub doing: Option<String>,
    /// The number of polls or attempts without success.
    pub times: u32,
    /// The first poll without success. For a state, the start of the wait.
    pub started: Instant,
    /// The last poll without success.
    pub until: Instant,
}

/// The record of all waits. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Waits(Arc<Mutex<Vec<Waited>>>);

impl Waits {
    /// The waits so far, in the order in which they began.
    pub fn so_far(&self) -> Vec<Waited> {
        self.with(|waits| waits.clone())
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Vec<Waited>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
