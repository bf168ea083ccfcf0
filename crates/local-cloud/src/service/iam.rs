//! IAM: roles and their policies, and whether a role may be assumed and allows an action.

use crate::request::{Answer, AwsError, Request};
use crate::settings::Millis;
use crate::table::Change;
use crate::world::{Turn, World};

#[derive(Debug, Default)]
pub struct State {}

pub fn call(_world: &mut World, _turn: &mut Turn, _request: &Request) -> Result<Answer, AwsError> {
    Err(AwsError::new("NotImplemented", "").with_status(501))
}

/// Why a service cannot act as a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAssumable {
    /// No such role.
    Absent,
    /// It exists, but not for long enough ([`crate::Delays::role`]), or its trust policy does not name the service.
    Refused,
}

/// May `service` (for example `firehose.amazonaws.com`) assume the role now?
pub fn assumable(_world: &World, _role_arn: &str, _service: &str, _now: Millis) -> Result<(), NotAssumable> {
    Ok(())
}

/// Do the role's own policies allow `action` (for example `kinesis:GetRecords`) on `resource` (an ARN)?
pub fn allows(_world: &World, _role_arn: &str, _action: &str, _resource: &str, _now: Millis) -> bool {
    true
}

impl State {
    pub fn take_changes(&mut self, _out: &mut Vec<Change>) {}
    pub fn restore(&mut self, _table: &str, _key: &str, _value: &[u8]) -> Result<bool, serde_json::Error> {
        Ok(false)
    }
}
