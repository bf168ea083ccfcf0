//! A record that was put, and its sequence number.

use std::sync::Arc;

use bytes::Bytes;

use crate::time::Millis;

pub mod sequence;

use sequence::Sequence;

/// A record as it was put. Cloning copies no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub sequence: Sequence,
    pub partition_key: Arc<str>,
    pub data: Bytes,
    pub arrival: Millis,
}
