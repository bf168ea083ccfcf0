//! Evaluators that wait for their next batch: a few in the whole process, however many delivery streams there are, because each is a
//! process and a file descriptor.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::process::Evaluator;

/// The greatest number of idle evaluators. The longest idle ones end first.
const MOST: usize = 4;

static SHELF: Shelf<Evaluator> = Shelf(Mutex::new(VecDeque::new()));

/// One of this query that waits, or a new one.
pub fn evaluator(query: &str) -> io::Result<Evaluator> {
    match SHELF.take(query).and_then(Evaluator::if_alive) {
        Some(evaluator) => Ok(evaluator),
        None => SHELF.begin(|| Evaluator::start(query)),
    }
}

pub fn keep(evaluator: Evaluator) {
    SHELF.put(evaluator.query().to_owned(), evaluator);
}

struct Shelf<E>(Mutex<VecDeque<(String, E)>>);

impl<E> Shelf<E> {
    fn take(&self, query: &str) -> Option<E> {
        let mut waiting = self.waiting();
        let at = waiting.iter().position(|(of, _)| of == query)?;
        waiting.remove(at).map(|(_, evaluator)| evaluator)
    }

    fn put(&self, query: String, evaluator: E) {
        let mut waiting = self.waiting();
        waiting.push_back((query, evaluator));
        let given_up = if waiting.len() > MOST { waiting.pop_front() } else { None };
        drop(waiting);
        // Its process is waited for: nobody else waits meanwhile.
        drop(given_up);
    }

    /// Where the system has no process or descriptor left, those that wait here are given up for the new one.
    fn begin(&self, start: impl Fn() -> io::Result<E>) -> io::Result<E> {
        start().or_else(|_| {
            let given_up = std::mem::take(&mut *self.waiting());
            drop(given_up);
            start()
        })
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(String, E)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn few_evaluators_wait_and_the_oldest_go() {
        let shelf = Shelf(Mutex::default());
        (0..6).for_each(|n| shelf.put(format!("q{}", n % 5), n));
        assert_eq!(shelf.waiting().iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert_eq!((shelf.take("q0"), shelf.take("q0"), shelf.take("q4")), (Some(5), None, Some(4)));
    }

    #[test]
    fn what_waits_is_given_up_where_nothing_more_can_be_started() {
        let shelf = Shelf(Mutex::default());
        shelf.put("q".into(), 1);
        let tries = Cell::new(0);
        let start = || {
            tries.set(tries.get() + 1);
            // One descriptor, which the waiting one has.
            if shelf.waiting().is_empty() { Ok(2) } else { Err(io::Error::other("too many open files")) }
        };
        assert_eq!((shelf.begin(start).ok(), tries.get()), (Some(2), 2));
        assert!(shelf.begin(|| Err(io::Error::other("no process"))).is_err());
    }
}
