//! Amazon Data Firehose: the control plane. Its data plane is [`crate::flow`].

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

/// Everything buffered by these delivery streams (all, when empty) becomes due now.
pub fn flush(_world: &mut World, _turn: &mut Turn, _region: &str, _names: &[String]) {}
