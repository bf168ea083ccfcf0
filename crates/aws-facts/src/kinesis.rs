//! Rules of Kinesis Data Streams.

use crate::bounds::{Bounds, NameRule};

/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>
pub const STREAM_NAME: NameRule = NameRule { max: 128, marks: "_.-" };

/// Streams that may be CREATING or DELETING at the same time in a region.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>
pub const STREAMS_CREATING_OR_DELETING: usize = 5;

/// Shards of one stream. The quota of an account may be lower.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html>
pub const SHARDS: Bounds = Bounds { min: 1, max: 10_000 };

/// How long a record can be read, in hours. A new stream has the least.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_IncreaseStreamRetentionPeriod.html>
pub const RETENTION_HOURS: Bounds = Bounds { min: 24, max: 8_760 };

/// The largest record that a stream can be told to take, in KiB. A new stream has the least.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateMaxRecordSize.html>
pub const MAX_RECORD_KIB: Bounds = Bounds { min: 1_024, max: 10_240 };

/// The metrics that can be had for each shard.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_EnableEnhancedMonitoring.html>
pub const SHARD_METRICS: [&str; 7] = [
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
];
