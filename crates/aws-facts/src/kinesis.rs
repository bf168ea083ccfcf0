//! Kinesis's limits of an account.

/// Streams that may be CREATING or DELETING at the same time in a region.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>
pub const STREAMS_CREATING_OR_DELETING: usize = 5;
