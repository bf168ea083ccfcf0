//! STS: who is calling.

use crate::request::{Answer, AwsError, Request};
use crate::world::{Turn, World};

pub fn call(_world: &mut World, _turn: &mut Turn, _request: &Request) -> Result<Answer, AwsError> {
    Err(AwsError::new("NotImplemented", "").with_status(501))
}
