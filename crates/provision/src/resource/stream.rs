//! A Kinesis data stream. Everything but its name changes in place.

use std::collections::BTreeSet;

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub mode: Mode,
    /// 24 to 8760.
    pub retention_hours: u32,
    /// 1024 to 10240.
    pub max_record_kib: u32,
    /// A KMS key id, ARN or alias, for example `alias/aws/kinesis`.
    pub encryption: Option<String>,
    /// Shard-level metrics, as AWS names them: `IncomingBytes`, ... (`ALL` is written out.)
    pub metrics: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 1 to 10000 shards.
    Provisioned {
        shards: u32,
    },
    OnDemand,
}
