//! Limits how much may be done in a second of world time. Kept in memory only.

use crate::time::Millis;

/// A second's allowance that fills again as time passes. It may be overdrawn.
#[derive(Debug, Default)]
pub struct Allowance {
    /// In thousandths, which is what comes in within a millisecond for each one in a second.
    used: u64,
    at: Millis,
}

impl Allowance {
    /// Is there so much left of what a second allows, or all of it?
    pub fn holds(&mut self, now: Millis, per_second: u64, cost: u64) -> bool {
        self.used = self.used.saturating_sub(now.saturating_sub(self.at).saturating_mul(per_second));
        self.at = now;
        self.used + cost.min(per_second) * 1000 <= per_second * 1000
    }

    /// Uses so much of it.
    pub fn take(&mut self, cost: u64) {
        self.used += cost * 1000;
    }
}
