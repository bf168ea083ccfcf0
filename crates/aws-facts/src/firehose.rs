//! Firehose's rules for what it writes to S3 (prefixes with expressions, time stamps, time zones) and for what a transform answers.

pub mod answer;
pub mod date;
pub mod prefix;
pub mod zones;

use crate::bounds::{Bounds, NameRule};

/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html>
pub const DELIVERY_STREAM_NAME: NameRule = NameRule { max: 64, marks: "_.-" };

/// The size of the data at which an object is written, in MiB.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>
pub const BUFFER_MIB: Bounds = Bounds { min: 1, max: 128 };
/// The size of a delivery stream that was not told any.
pub const DEFAULT_BUFFER_MIB: u32 = 5;
/// The time after which an object is written, in seconds.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>
pub const BUFFER_INTERVAL_S: Bounds = Bounds { min: 0, max: 900 };
/// The time of a delivery stream that was not told any.
pub const DEFAULT_BUFFER_INTERVAL_S: u32 = 300;

/// The size of the records that a transform is invoked with, in hundredths of a MiB.
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
pub const TRANSFORM_BUFFER_MIB_100: Bounds = Bounds { min: 20, max: 300 };
/// The time for which records are gathered before a transform is invoked with them, in seconds.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>
pub const TRANSFORM_INTERVAL_S: Bounds = Bounds { min: 0, max: 900 };
/// How often an invocation of a transform that failed is tried again.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>
pub const TRANSFORM_RETRIES: Bounds = Bounds { min: 0, max: 300 };
/// Firehose waits for a transform no longer, in seconds.
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
pub const MAX_TRANSFORM_S: u32 = 300;

/// How long a delivery with dynamic partitioning that failed is tried again, in seconds.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_RetryOptions.html>
pub const PARTITION_RETRY_S: Bounds = Bounds { min: 0, max: 7_200 };

/// Characters of the extension of objects.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub const MAX_EXTENSION: usize = 128;
/// Characters of a time zone's name.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub const MAX_ZONE_NAME: usize = 50;

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
