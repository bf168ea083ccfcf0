//! Lambda: functions, versions, aliases, and invocations under way.

use crate::request::{Answer, AwsError, Request};
use crate::settings::Millis;
use crate::table::Change;
use crate::world::{Turn, World};

#[derive(Debug, Default)]
pub struct State {}

pub fn call(_world: &mut World, _turn: &mut Turn, _request: &Request) -> Result<Answer, AwsError> {
    Err(AwsError::new("NotImplemented", "").with_status(501))
}

pub fn tick(_world: &mut World, _turn: &mut Turn) {}

pub fn due(_world: &World) -> Option<Millis> {
    None
}

impl State {
    pub fn take_changes(&mut self, _out: &mut Vec<Change>) {}
    pub fn restore(&mut self, _table: &str, _key: &str, _value: &[u8]) -> Result<bool, serde_json::Error> {
        Ok(false)
    }
}

/// Why an invocation cannot start. The codes are those of Firehose's error records, without `Lambda.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotInvoke {
    /// `ResourceNotFound`, `InvokeLimitExceeded`, ...
    pub code: &'static str,
    pub message: String,
}

/// Starts an invocation on behalf of another service: pushes the effect, gives its token. `arn` may carry a version or
/// alias. The outcome comes to [`crate::flow`] through [`resolve`].
pub fn invoke(
    _world: &mut World,
    _turn: &mut Turn,
    _arn: &str,
    _payload: bytes::Bytes,
) -> Result<crate::request::Token, CannotInvoke> {
    Err(CannotInvoke { code: "ResourceNotFound", message: String::new() })
}

/// The result of an invocation: logs it, then either gives the waiting caller's reply, or hands it to Firehose
/// ([`crate::flow::transformed`]).
pub fn resolve(
    _world: &mut World,
    _turn: &mut Turn,
    _token: crate::request::Token,
    _outcome: crate::request::InvokeOutcome,
) -> Option<Result<Answer, AwsError>> {
    None
}
