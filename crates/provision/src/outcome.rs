//! The result of applying a plan: plain data.

use serde::{Deserialize, Serialize};

use crate::change::Gone;

/// The result of applying a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Summary {
    pub created: usize,
    pub updated: usize,
    pub replaced: usize,
    pub deleted: usize,
    /// Deletions that AWS has accepted but not finished.
    pub deleting: usize,
    /// No longer used here, but kept because others use it.
    pub left: usize,
    /// Not deleted, for a reason that was reported.
    pub kept: usize,
    pub unchanged: usize,
    pub failed: usize,
    /// Failed or interrupted steps that may have changed something first. They are counted in `failed` or `skipped` too.
    pub half_done: usize,
    /// Steps that were not started, because a dependency failed or the command was interrupted.
    pub skipped: usize,
    pub interrupted: bool,
    /// Another run asked this one to stop, or took over its environment. It counts as interrupted.
    pub stopped: bool,
    /// An `up` of the same environment started during this `down`. What it creates is kept.
    pub renewed: bool,
    pub took_ms: u64,
}

impl Summary {
    /// Whether anything was changed on AWS.
    pub fn changed(&self) -> bool {
        self.created + self.updated + self.replaced + self.deleted + self.deleting + self.left + self.half_done > 0
    }

    pub fn complete(&self) -> bool {
        self.failed == 0 && self.skipped == 0 && !self.interrupted
    }
}

/// The result of a run, step by step.
pub struct Applied {
    pub summary: Summary,
    /// For each step. `None` if it failed or was not started.
    pub results: Vec<Option<Gone>>,
    /// `creating stream.events: why`
    pub failures: Vec<String>,
}
