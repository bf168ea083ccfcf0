//! The fields of the section `deliveries`.

use aws_facts::firehose::{
    BUFFER_INTERVAL_S, BUFFER_MIB, DELIVERY_STREAM_NAME, MAX_EXTENSION, MAX_PARAMETER, MAX_PREFIX_WRITTEN,
    MAX_ZONE_NAME, PARTITION_RETRY_S, TRANSFORM_INTERVAL_S, TRANSFORM_RETRIES,
};
use aws_facts::lambda::MAX_ALIAS;

use crate::resource::delivery_stream::Compression;
use crate::resource::log_group::section::{GroupFields, LogGroupId, LogGroupName, Retention};
use crate::resource::role::RoleFields;
use crate::section::words::Key;
use crate::source::samples::SamplesFields;
use crate::yaml::collection::Either;
use crate::yaml::scalar::{Int, LambdaBuffer, Mib, Seconds, Text, choices, patterns};
use crate::yaml::shape::record;

patterns! {
    DeliveryName[usize::MAX] = DELIVERY_STREAM_NAME.pattern(), "letters, digits, `_`, `.` and `-`";
    DeliveryId[2048] = DELIVERY_STREAM_NAME.pattern_with_arn("firehose", "deliverystream/", ""), "a delivery stream's name or ARN";
    Qualifier[MAX_ALIAS] = r"\$LATEST|[a-zA-Z0-9_-]+", "a version, an alias, or $LATEST";
    KeyArn[512] = r"arn:aws[a-z-]*:kms:[a-zA-Z0-9-]+:[0-9]{12}:(key|alias)/[a-zA-Z_0-9+=,.@/-]+",
        "the ARN of a KMS key";
    /// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
    Extension[MAX_EXTENSION] = r"|\.[0-9a-z!\-_.*'()]+", "a `.` and lower-case letters, digits or `!-_.*'()`";
    SourceKey[512] = r"aws|arn:aws[a-z-]*:kms:[a-zA-Z0-9-]+:[0-9]{12}:(key|alias)/[a-zA-Z_0-9+=,.@/-]+",
        "`aws`, or the ARN of a KMS key";
    /// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CloudWatchLoggingOptions.html>
    LogStreamName[512] = "[^:*]+", "a log stream's name, without `:` and `*`";
    ZoneName[MAX_ZONE_NAME] = "[a-zA-Z/_]+", "an IANA time zone of letters, `/` and `_`, such as Europe/Berlin";
}

choices!(Compression {
    "none" => Compression::None,
    "gzip" => Compression::Gzip,
    "zip" => Compression::Zip,
    "snappy" => Compression::Snappy,
    "hadoop-snappy" => Compression::HadoopSnappy,
});

/// The one word for de-aggregation without a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonWord;

choices!(JsonWord {
    "json" => JsonWord,
});

record! {
    /// A Firehose delivery stream that writes to S3.
    DeliveryFields {
        /// Key of the stream it reads. Without: direct put.
        from: Key;
        /// Key of the function that transforms, or more about it.
        transform: Either<Key, TransformFields>;
        /// Key of the bucket it writes to.
        bucket: Key;
        /// Prefix of the objects, with Firehose's `!{...}` expressions. Without any, Firehose appends `yyyy/MM/dd/HH/`.
        good: Text<0, MAX_PREFIX_WRITTEN> = "";
        /// Prefix of what failed. Needed when `good` has expressions. Default: as AWS does, `good` and the kind of error.
        bad: Text<1, MAX_PREFIX_WRITTEN>;
        /// Write zero-byte objects: markers that make the prefixes visible, and claims under .provision/ that say whose they are. Without
        /// claims, data can be purged only while the delivery stream exists.
        markers: bool = "true";
        /// When an object is written: at this size or after this time.
        buffer: BufferFields;
        /// Compression of the objects.
        compression: Compression = "none";
        /// Extension of the objects, with its dot. Default: the compression's.
        extension: Extension = "";
        /// IANA time zone of the time stamps in names.
        time_zone: ZoneName = "UTC";
        /// ARN of the KMS key that encrypts the objects. Default: as the bucket does.
        encryption: KeyArn;
        /// Takes records apart: `json`, or `{ delimiter }`. Only with partitioning.
        deaggregate: Either<JsonWord, DeaggregateFields>;
        /// Written between records; Firehose adds none.
        delimiter: Text<1, 128>;
        /// JQ 1.6 query that yields an object of partition keys.
        metadata: Text<1, MAX_PARAMETER>;
        /// Decompress records of CloudWatch Logs.
        decompress: Either<bool, DecompressFields>;
        /// Dynamic partitioning. Needs 64 MiB and 60 s of buffer, and a partition key in `good`.
        partitioning: Either<bool, PartitioningFields>;
        /// Writes the source records, too.
        backup: BackupFields;
        /// Log errors of delivery to CloudWatch Logs. Default: true.
        logs: Either<bool, DeliveryLogFields>;
        /// The role it runs as. Default: one is derived.
        role: RoleFields;
        /// The role that it reads the stream with. Default: the role it runs as.
        source_role: RoleFields;
        /// Encrypt records that are put directly while Firehose holds them: `aws` for AWS's own key, or the ARN of a KMS key.
        /// Only without `from`. Default: not encrypted.
        source_encryption: SourceKey;
        /// Records that `put` and `verify` send where they are given none. Only without `from`: a stream has its own.
        samples: SamplesFields;
    }
}

record! {
    /// Where errors of delivery are logged.
    DeliveryLogFields {
        /// Name of the log group on AWS. Entries that give the same name share the group. Default: /aws/kinesisfirehose/ and the delivery
        /// stream's name.
        name: LogGroupName;
        /// One of the times that CloudWatch Logs takes. Default: kept for ever.
        retention: Retention;
        /// Name or ARN of somebody else's log group. The log streams are created in it.
        existing: LogGroupId;
        /// Name of the log stream. Default: DestinationDelivery, after the delivery stream's name and a slash in a group of several.
        stream: LogStreamName;
        /// Name of the log stream of the backup. Default: BackupDelivery, in the same way.
        backup_stream: LogStreamName;
    }
}

impl DeliveryLogFields {
    pub(crate) fn group(&self) -> GroupFields {
        GroupFields { name: self.name.clone(), retention: self.retention.clone(), existing: self.existing.clone() }
    }
}

record! {
    /// A function that transforms, and how it is invoked.
    TransformFields {
        /// Key of the function.
        function: Key;
        /// Version or alias. Default: the alias of the function, otherwise $LATEST.
        qualifier: Qualifier;
        /// How often an invocation is tried again.
        retries: Int<{ TRANSFORM_RETRIES.min }, { TRANSFORM_RETRIES.max }> = "3";
        /// Records of one invocation, at most.
        buffer_size: LambdaBuffer = "1MiB";
        /// How long records are gathered for one invocation.
        buffer_interval: Seconds<{ TRANSFORM_INTERVAL_S.min }, { TRANSFORM_INTERVAL_S.max }> = "60s";
    }
}

record! {
    /// When an object is written.
    BufferFields {
        /// At this size, before compression.
        size: Mib<{ BUFFER_MIB.min }, { BUFFER_MIB.max }> = "5MiB";
        /// After this time. Under 60 s costs more PUT requests.
        interval: Seconds<{ BUFFER_INTERVAL_S.min }, { BUFFER_INTERVAL_S.max }> = "300s";
    }
}

record! {
    /// Records with a delimiter between them.
    DeaggregateFields {
        delimiter: Text<1, 128>;
    }
}

record! {
    /// Decompress records of CloudWatch Logs.
    DecompressFields {
        /// Only the log messages.
        extract_messages: bool = "false";
    }
}

record! {
    /// Dynamic partitioning.
    PartitioningFields {
        /// How long a failed delivery is tried again.
        retry: Seconds<{ PARTITION_RETRY_S.min }, { PARTITION_RETRY_S.max }> = "300s";
    }
}

record! {
    /// A copy of the source records. AWS cannot turn it off again.
    BackupFields {
        /// Key of the bucket. Default: the delivery's.
        bucket: Key;
        /// Prefix of the objects.
        prefix: Text<1, MAX_PREFIX_WRITTEN>;
        /// Prefix of what failed. Needed when `prefix` has expressions.
        bad: Text<1, MAX_PREFIX_WRITTEN>;
        /// When an object is written.
        buffer: BackupBufferFields;
        /// Compression of the objects.
        compression: Compression = "none";
        /// ARN of the KMS key that encrypts the objects. Default: as the bucket does.
        encryption: KeyArn;
    }
}

record! {
    /// When an object of the backup is written.
    BackupBufferFields {
        /// At this size, before compression.
        size: Mib<{ BUFFER_MIB.min }, { BUFFER_MIB.max }> = "5MiB";
        /// After this time.
        interval: Seconds<60, { BUFFER_INTERVAL_S.max }> = "300s";
    }
}
