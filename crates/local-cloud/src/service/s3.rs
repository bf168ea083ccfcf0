//! S3's store: buckets and objects, as typed calls. The protocol is [`crate::wire::s3`]'s.

use bytes::Bytes;

use crate::request::AwsError;
use crate::settings::Millis;
use crate::table::Change;
use crate::world::World;

#[derive(Debug, Default)]
pub struct State {}

/// Stores an object on behalf of another service (Firehose). Fails with S3's own code (`NoSuchBucket`, ...).
pub fn store(
    _world: &mut World,
    _now: Millis,
    _bucket: &str,
    _key: &str,
    _body: Bytes,
    _content_encoding: Option<&str>,
) -> Result<(), AwsError> {
    Err(AwsError::new("NoSuchBucket", "The specified bucket does not exist").with_status(404))
}

impl State {
    pub fn take_changes(&mut self, _out: &mut Vec<Change>) {}
    pub fn restore(&mut self, _table: &str, _key: &str, _value: &[u8]) -> Result<bool, serde_json::Error> {
        Ok(false)
    }
}
