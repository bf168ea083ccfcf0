//! Remembers what a run created and when, because AWS may not show it for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::names::Name;

/// The subject of a call: a kind of resource, and its name on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    pub(crate) kind: &'static str,
    name: String,
}

impl About {
    pub fn new(kind: &'static str, name: &str) -> About {
        About { kind, name: name.to_owned() }
    }

    /// On AWS.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<&Name> for About {
    fn from(name: &Name) -> About {
        About::new(name.address.kind, &name.physical)
    }
}

/// The resources that this run created, and when. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<HashMap<About, Instant>>>);

impl Ledger {
    /// The time since it was created.
    pub(crate) fn ago(&self, about: &About) -> Option<Duration> {
        self.with(|ledger| ledger.get(about).map(Instant::elapsed))
    }

    /// Notes that it was just created.
    pub fn created(&self, about: impl Into<About>) {
        self.with(|ledger| ledger.insert(about.into(), Instant::now()));
    }

    /// Notes that it was deleted. From now on "not found" is correct.
    pub(crate) fn forget(&self, about: &About) {
        self.with(|ledger| ledger.remove(about));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<About, Instant>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
