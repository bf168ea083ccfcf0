//! One step of the world: when it happens, and what it asks of the driver.

use crate::flow::task::{Spent, Task};
use crate::request::{FunctionImage, Input, Token};
use crate::time::Millis;

/// Names for effects, none of them given twice in a run.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Token);

impl Tokens {
    pub fn fresh(&mut self) -> Token {
        self.0 += 1;
        self.0
    }
}

/// One step of the world: when it happens, and what it asks of the driver.
pub struct Turn {
    pub now: Millis,
    pub effects: Vec<Effect>,
}

impl Turn {
    pub fn at(now: Millis) -> Turn {
        Turn { now, effects: vec![] }
    }
}

/// Something only the driver can do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Run a function. The result goes to [`crate::world::World::resolve`].
    Invoke { token: Token, function: Box<FunctionImage>, input: Input },
    /// Do what is too much for a turn. What came of it goes to [`crate::world::World::worked`].
    Work { token: Token, task: Task },
    /// The function's processes are of no more use (deleted, or its code or configuration changed).
    Retire { function_arn: String },
    /// Values that are no longer used. Freeing them in the turn would delay the next one.
    Spent(Spent),
}
