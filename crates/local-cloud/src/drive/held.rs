//! How long the world was held, and by what: no other call has its turn meanwhile.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::store::Store;

/// A turn that is longer is counted as slow.
const SLOW: Duration = Duration::from_micros(200);

/// So many names are told apart: callers choose the names of operations.
const MOST_NAMES: usize = 500;
const MOST_BYTES: usize = 64;

/// For each name, how often the world was held, for how long at most, and how often for more than [`SLOW`].
#[derive(Debug, Default)]
pub struct Figures(Mutex<BTreeMap<String, Figure>>);

#[derive(Debug, Default, Clone, Copy)]
struct Figure {
    turns: u64,
    longest: Duration,
    slow: u64,
}

impl Figures {
    fn add(&self, by: &str, held: Duration) {
        let mut all = self.all();
        let known = by.len() <= MOST_BYTES && (all.len() < MOST_NAMES || all.contains_key(by));
        let by = if known { by } else { "other" };
        let figure = match all.get_mut(by) {
            Some(figure) => figure,
            None => all.entry(by.to_owned()).or_default(),
        };
        figure.turns += 1;
        figure.longest = figure.longest.max(held);
        figure.slow += u64::from(held > SLOW);
    }

    /// The longest first.
    pub fn told(&self) -> Value {
        let mut all: Vec<(String, Figure)> = self.all().iter().map(|(by, figure)| (by.clone(), *figure)).collect();
        all.sort_by_key(|(_, figure)| std::cmp::Reverse(figure.longest));
        let figure = |(by, Figure { turns, longest, slow }): (String, Figure)| json!({ "by": by, "turns": turns, "longest_us": longest.as_micros() as u64, "slow": slow });
        json!({ "slow_us": SLOW.as_micros() as u64, "held": all.into_iter().map(figure).collect::<Vec<_>>() })
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Figure>> {
        // Counting does not panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lock on the store, which counts how long it was held.
pub struct Held<'a> {
    store: MutexGuard<'a, Store>,
    figures: &'a Figures,
    by: &'a str,
    since: Instant,
}

impl<'a> Held<'a> {
    pub fn new(store: MutexGuard<'a, Store>, figures: &'a Figures, by: &'a str) -> Held<'a> {
        Held { store, figures, by, since: Instant::now() }
    }
}

impl Deref for Held<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.figures.add(self.by, self.since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_up_to_a_bound_and_the_longest_comes_first() {
        let figures = Figures::default();
        for (by, held) in [("a", 100), ("b", 900), ("a", 700), ("a", 200)] {
            figures.add(by, Duration::from_micros(held));
        }
        let told = figures.told();
        assert_eq!(told["held"][0], json!({ "by": "b", "turns": 1, "longest_us": 900, "slow": 1 }));
        assert_eq!(told["held"][1], json!({ "by": "a", "turns": 3, "longest_us": 700, "slow": 1 }));
        (0..2 * MOST_NAMES).for_each(|n| figures.add(&format!("kinesis:{n}"), SLOW));
        figures.add(&"long".repeat(MOST_BYTES), SLOW);
        let told = figures.told();
        let all = told["held"].as_array().expect("a list");
        assert_eq!(all.len(), MOST_NAMES + 1);
        let other = all.iter().find(|figure| figure["by"] == "other").expect("the rest is one");
        assert_eq!(other["turns"], 2 * MOST_NAMES as u64 - (MOST_NAMES as u64 - 2) + 1);
    }
}
