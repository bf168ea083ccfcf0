//! What came of a plan: plain data.

use serde::{Deserialize, Serialize};

use crate::change::Gone;

/// What came of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    pub created: usize,
    pub updated: usize,
    pub replaced: usize,
    pub deleted: usize,
    /// Deletions that AWS has accepted and is still at.
    pub deleting: usize,
    /// Not used any more, and not deleted, because others use it.
    pub left: usize,
    /// Not deleted, for a reason that was said.
    pub kept: usize,
    pub unchanged: usize,
    pub failed: usize,
    /// Of the failed, those that may have changed something before.
    pub half_done: usize,
    /// Never begun: what they stand on failed, or an interrupt came.
    pub skipped: usize,
    pub interrupted: bool,
    /// An `up` of the same environment began during this `down`: what it makes stays.
    pub renewed: bool,
    pub took_ms: u64,
}

impl Summary {
    /// Did anything happen to the cloud?
    pub fn changed(&self) -> bool {
        self.created + self.updated + self.replaced + self.deleted + self.deleting + self.left + self.half_done > 0
    }

    pub fn complete(&self) -> bool {
        self.failed == 0 && self.skipped == 0 && !self.interrupted
    }
}

/// How a run came out, step by step.
pub struct Applied {
    pub summary: Summary,
    /// By step: `None` where it failed or never began.
    pub results: Vec<Option<Gone>>,
    /// `creating stream.events: why`
    pub failures: Vec<String>,
}
