//! Firehose's data plane: reading a source, buffering, transforming, naming objects, storing them.

use crate::request::{InvokeOutcome, Token};
use crate::service::lambda::CannotInvoke;
use crate::world::{Turn, World};

/// The transform that [`crate::service::lambda::invoke`] started has ended.
pub fn transformed(_world: &mut World, _turn: &mut Turn, _token: Token, _outcome: Result<InvokeOutcome, CannotInvoke>) {
}
