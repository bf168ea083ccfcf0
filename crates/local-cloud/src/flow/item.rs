//! A record on its way through a delivery stream.

use crate::service::kinesis::log::Record;
use crate::settings::Millis;

/// Which record of the source it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Index of the shard; 0 where records are put directly.
    pub shard: u32,
    pub ordinal: u64,
}

/// A record as read. Cloning copies no data.
#[derive(Debug, Clone)]
pub struct Item {
    pub origin: Origin,
    pub record: Record,
}

impl Item {
    /// By which a function's answer names it. Opaque to the function.
    pub fn id(&self) -> String {
        format!("{}000000", self.record.sequence)
    }
}

/// What is written to the destination.
#[derive(Debug, Clone)]
pub struct Output {
    pub origin: Origin,
    pub arrival: Millis,
    pub data: bytes::Bytes,
}
