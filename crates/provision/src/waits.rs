//! The record of what was waited for: plain data.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::transient::Transient;

/// Why something is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Why {
    /// A state lasts.
    State,
    /// Each read but the last showed what was there before a change of our own.
    Stale,
    /// A call was refused with an answer that passes.
    Refused(&'static Transient),
}

/// One wait that a first look did not end.
#[derive(Debug, Clone)]
pub struct Waited {
    /// After "waiting for".
    pub on: String,
    pub why: Why,
    /// What was being done, where a call was refused: "creating delivery stream raw".
    pub doing: Option<String>,
    /// How often it was not so.
    pub times: u32,
    /// When it was first not so; for a state, when the wait began.
    pub started: Instant,
    /// When it was last not so.
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
