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
}

impl Turn {
    /// A turn at a time of the world, without effects.
    pub fn at(now: Millis) -> Turn {
        Turn { now, effects: vec![] }
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
