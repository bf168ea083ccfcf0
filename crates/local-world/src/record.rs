//! A record that was put, and its sequence number.

use std::sync::Arc;

use bytes::Bytes;

use crate::time::Millis;

pub mod sequence;

use sequence::Sequence;

/// A record as it was put. Cloning copies no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The sequence number, which says the shard too.
    pub sequence: Sequence,
    /// The partition key that the producer gave.
    pub partition_key: Arc<str>,
    /// The data, decoded from base64.
    pub data: Bytes,
    /// When the record was put, in the world's time.
    pub arrival: Millis,
}
