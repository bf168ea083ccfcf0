//! One step of the world: when it happens, and what it asks of the driver.

use crate::flow::task::{Spent, Task};
use crate::request::{FunctionImage, Input, Token};
use crate::time::Millis;

/// Names for effects, none of them given twice in a run.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Token);

impl Tokens {
    pub(crate) fn fresh(&mut self) -> Token {
        self.0 += 1;
        self.0
    }
}

/// One step of the world: when it happens, and what it asks of the driver.
pub struct Turn {
    /// The world's time.
    pub now: Millis,
    /// Work for the driver, in the order in which it was asked for.
    pub effects: Vec<Effect>,
    /// The limit of records that each delivery stream reads in this turn.
    pub(crate) most_records: usize,
}

/// Read in a turn at most; the rest in turns of their own, so that no caller waits for it.
const MOST_RECORDS: usize = 250;
/// Where many delivery streams have something to read, each reads as many at least.
const LEAST_RECORDS: usize = 25;

impl Turn {
    /// A turn at a time of the world, without effects.
    pub fn at(now: Millis) -> Turn {
        Turn { now, effects: vec![], most_records: MOST_RECORDS }
    }

    /// Shares the turn among the delivery streams that have something to read.
    pub(crate) fn share(&mut self, readers: usize) {
        self.most_records = (MOST_RECORDS / readers.max(1)).max(LEAST_RECORDS);
    }
}

/// Something only the driver can do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Run a function. The result goes to [`crate::world::World::resolve`].
    Invoke {
        /// The name under which the result comes back.
        token: Token,
        /// The function as it is now.
        function: Box<FunctionImage>,
        /// The event for it.
        input: Input,
    },
    /// Do what is too much for a turn. What came of it goes to [`crate::world::World::worked`].
    Work {
        /// The name under which the result comes back.
        token: Token,
        /// The work.
        task: Task,
    },
    /// The function's processes are of no more use (deleted, or its code or configuration changed).
    Retire {
        /// The ARN of the function, or of one of its versions.
        function_arn: String,
    },
    /// Values that are no longer used. Freeing them in the turn would delay the next one.
    Spent(Spent),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_reads_as_much_however_many_read_until_they_are_very_many() {
        for (readers, each) in [(0, 250), (1, 250), (2, 125), (10, 25), (1_000, 25)] {
            let mut turn = Turn::at(0);
            turn.share(readers);
            assert_eq!(turn.most_records, each, "{readers}");
        }
    }
}
