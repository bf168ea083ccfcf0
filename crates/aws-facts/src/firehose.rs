//! Firehose's rules for what it writes to S3 (prefixes with expressions, time stamps, time zones) and for what a transform answers.

pub mod answer;
pub mod date;
pub mod prefix;
pub mod zones;

/// Characters of a prefix as it is written in the destination.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub const MAX_PREFIX_WRITTEN: usize = 1_024;
/// Characters of a prefix after evaluation, as Java counts them: units of UTF-16.
/// <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
pub const MAX_PREFIX_EVALUATED: usize = 512;

/// Processors of a delivery stream. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessingConfiguration.html>
pub const MAX_PROCESSORS: usize = 5;
/// Characters of a processor's parameter, a query for partition keys among them.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>
pub const MAX_PARAMETER: usize = 5_120;
/// The least buffer with dynamic partitioning, in MiB.
/// <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html>
pub const MIN_PARTITION_BUFFER_MIB: u32 = 64;
/// The least buffer with dynamic partitioning, in seconds.
pub const MIN_PARTITION_INTERVAL_S: u32 = 60;
