//! A desired delivery stream. References are to physical names; their logical names stand beside them where they
//! are the spec's own.

use crate::resource::bucket::Bucket;
use crate::resource::function::Function;
use crate::resource::log_group::LogRef;
use crate::resource::role::RoleRef;
use crate::resource::stream::Stream;
use crate::section::Ref;
use crate::source::samples::Samples;

#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryStream {
    /// `None`: direct put.
    pub source: Option<Ref<Stream>>,
    pub bucket: Ref<Bucket>,
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
    pub log: Option<ErrorLog>,
    pub role: RoleRef,
    /// The role that reads the source. `None`: `role`.
    pub source_role: Option<RoleRef>,
    /// Encryption of records that are put directly.
    pub source_encryption: Option<SourceEncryption>,
    /// Firehose does not know them.
    pub samples: Option<Samples>,
}

/// The key that encrypts records that are put directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEncryption {
    /// AWS's own.
    Aws,
    /// A KMS key by its ARN.
    Key(String),
}

/// The log streams of delivery errors. Firehose creates none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLog {
    pub group: LogRef,
    pub stream: String,
    pub backup_stream: String,
}

impl ErrorLog {
    /// The log streams in this group, with AWS's names where the group belongs to the delivery stream, and named after it in a
    /// group that several may share.
    pub fn of(group: LogRef, delivery_stream: &str) -> ErrorLog {
        let named = |stream: &str| match group {
            LogRef::Derived { name: None, .. } => stream.to_owned(),
            LogRef::Derived { .. } | LogRef::Existing(_) => format!("{delivery_stream}/{stream}"),
        };
        ErrorLog { stream: named("DestinationDelivery"), backup_stream: named("BackupDelivery"), group }
    }
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
    pub function: Ref<Function>,
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
    pub bucket: Ref<Bucket>,
    pub prefix: String,
    pub bad: Option<String>,
    pub buffer: Buffer,
    pub compression: Compression,
    pub encryption: Option<String>,
}

impl DeliveryStream {
    /// The places that it writes to: purpose, bucket and prefix.
    pub fn places(&self) -> Vec<(&'static str, &Ref<Bucket>, &str)> {
        let mut places = vec![("good", &self.bucket, self.good.as_str())];
        places.extend(self.bad.as_deref().map(|bad| ("bad", &self.bucket, bad)));
        if let Some(backup) = &self.backup {
            places.push(("backup", &backup.bucket, &backup.prefix));
            places.extend(backup.bad.as_deref().map(|bad| ("backup-bad", &backup.bucket, bad)));
        }
        places
    }
}
