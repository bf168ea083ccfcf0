//! A Firehose delivery stream: Kinesis source or direct put, extended S3 destination.

use super::function::LogRef;
use super::role::RoleRef;

/// Desired. References are to physical names; their logical names stand beside them where they are the spec's own.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryStream {
    /// `None`: direct put.
    pub source: Option<Ref>,
    pub bucket: Ref,
    /// Prefix of what was delivered, as written (expressions and all).
    pub good: String,
    /// ErrorOutputPrefix. `None` only where `good` has no expressions.
    pub bad: Option<String>,
    /// Write marker objects for the two prefixes?
    pub markers: bool,
    pub buffer: Buffer,
    pub compression: Compression,
    /// With its dot; empty: the compression's own.
    pub file_extension: String,
    /// IANA name.
    pub time_zone: String,
    /// ARN of a KMS key.
    pub encryption: Option<String>,
    pub transform: Option<Transform>,
    pub processors: Processors,
    /// Dynamic partitioning, with how long to retry (0 to 7200 s).
    pub partitioning: Option<Partitioning>,
    pub backup: Option<Backup>,
    /// CloudWatch logging of delivery errors.
    pub log: Option<LogRef>,
    pub role: RoleRef,
}

/// A resource used: by its physical name or, of somebody else's, possibly its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// In the spec.
    pub logical: String,
    /// Name on AWS, or an ARN for `existing:` entries written as one.
    pub id: String,
    /// Do we make it (then it is made first)?
    pub managed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// 1 to 128.
    pub size_mib: u32,
    /// 0 to 900.
    pub interval_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zip,
    Snappy,
    HadoopSnappy,
}

/// The Lambda processor, all of whose parameters are always sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    pub function: Ref,
    /// Version or alias; `None` is `$LATEST`.
    pub qualifier: Option<String>,
    /// 0 to 300.
    pub retries: u32,
    /// In hundredths of a MiB, 20 to 300: AWS takes 0.2 to 3 MiB.
    pub buffer_size_mib_100: u32,
    /// 0 to 900.
    pub buffer_interval_s: u32,
}

/// The processors other than Lambda.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processors {
    pub deaggregate: Option<Deaggregate>,
    /// AppendDelimiterToRecord, with this delimiter.
    pub delimiter: Option<String>,
    /// MetadataExtraction: a JQ 1.6 query.
    pub metadata_query: Option<String>,
    pub decompress: Option<Decompress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deaggregate {
    Json,
    /// The delimiter itself (it is sent in base64).
    Delimited(String),
}

/// Decompression of CloudWatch Logs records (GZIP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decompress {
    /// CloudWatchLogProcessing: only the log messages.
    pub extract_messages: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitioning {
    pub retry_s: u32,
}

/// Backup of the source records.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    pub bucket: Ref,
    pub prefix: String,
    pub bad: Option<String>,
    pub buffer: Buffer,
    pub compression: Compression,
    pub encryption: Option<String>,
}
