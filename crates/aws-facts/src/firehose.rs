//! Firehose's rules for what it writes to S3: prefixes with expressions, time stamps and time zones.

pub mod date;
pub mod prefix;
pub mod zones;

/// Characters of a prefix as it is written in the destination.
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
pub const MAX_PREFIX_WRITTEN: usize = 1_024;
/// Characters of a prefix after evaluation, as Java counts them: units of UTF-16.
/// <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
pub const MAX_PREFIX_EVALUATED: usize = 512;
