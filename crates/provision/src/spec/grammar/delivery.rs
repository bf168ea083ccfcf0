//! What may stand in a delivery.

use super::{Log, Role};
use crate::resource::delivery_stream::Compression;
use crate::spec::collection::Either;
use crate::spec::scalar::{Int, LambdaBuffer, Mib, Seconds, Text};
use crate::spec::shape::record;
use crate::spec::words::{Extension, JsonWord, Key, KeyArn, Qualifier, ZoneName};

record! {
    /// A Firehose delivery stream that writes to S3.
    Delivery {
        /// Key of the stream it reads. Without: direct put.
        from: Key;
        /// Key of the function that transforms, or more about it.
        transform: Either<Key, Transform>;
        /// Key of the bucket it writes to.
        bucket: Key;
        /// Prefix of the objects, with Firehose's `!{...}` expressions. Without any, Firehose appends `yyyy/MM/dd/HH/`.
        good: Text<1, 1024>;
        /// Prefix of what failed. Needed when `good` has expressions. Default: as AWS does, `good` and the kind of error.
        bad: Text<1, 1024>;
        /// Write zero-byte objects: markers that make the prefixes visible, and claims under .provision/ that say whose they are. Without
        /// claims, data can be purged only while the delivery stream exists.
        markers: bool = "true";
        /// When an object is written: at this size or after this time.
        buffer: Buffer;
        /// Compression of the objects.
        compression: Compression = "none";
        /// Extension of the objects, with its dot. Default: the compression's.
        extension: Extension = "";
        /// IANA time zone of the time stamps in names.
        time_zone: ZoneName = "UTC";
        /// ARN of the KMS key that encrypts the objects. Default: as the bucket does.
        encryption: KeyArn;
        /// Takes records apart: `json`, or `{ delimiter }`. Only with partitioning.
        deaggregate: Either<JsonWord, Deaggregate>;
        /// Written between records; Firehose adds none.
        delimiter: Text<1, 128>;
        /// JQ 1.6 query that yields an object of partition keys.
        metadata: Text<1, 5120>;
        /// Decompress records of CloudWatch Logs.
        decompress: Either<bool, Decompress>;
        /// Dynamic partitioning. Needs 64 MiB and 60 s of buffer, and a partition key in `good`.
        partitioning: Either<bool, Partitioning>;
        /// Writes the source records, too.
        backup: Backup;
        /// Log errors of delivery to CloudWatch Logs.
        logs: Either<bool, Log>;
        /// The role it runs as. Default: one is derived.
        role: Role;
    }
}

record! {
    /// A function that transforms, and how it is invoked.
    Transform {
        /// Key of the function.
        function: Key;
        /// Version or alias. Default: the alias of the function, otherwise $LATEST.
        qualifier: Qualifier;
        /// How often an invocation is tried again.
        retries: Int<0, 300> = "3";
        /// Records of one invocation, at most.
        buffer_size: LambdaBuffer = "1MiB";
        /// How long records are gathered for one invocation.
        buffer_interval: Seconds<0, 900> = "60s";
    }
}

record! {
    /// When an object is written.
    Buffer {
        /// At this size, before compression.
        size: Mib<1, 128> = "5MiB";
        /// After this time. Under 60 s costs more PUT requests.
        interval: Seconds<0, 900> = "300s";
    }
}

record! {
    /// Records with a delimiter between them.
    Deaggregate {
        delimiter: Text<1, 128>;
    }
}

record! {
    /// Decompress records of CloudWatch Logs.
    Decompress {
        /// Only the log messages.
        extract_messages: bool = "false";
    }
}

record! {
    /// Dynamic partitioning.
    Partitioning {
        /// How long a failed delivery is tried again.
        retry: Seconds<0, 7200> = "300s";
    }
}

record! {
    /// A copy of the source records. AWS cannot turn it off again.
    Backup {
        /// Key of the bucket. Default: the delivery's.
        bucket: Key;
        /// Prefix of the objects.
        prefix: Text<1, 1024>;
        /// Prefix of what failed. Needed when `prefix` has expressions.
        bad: Text<1, 1024>;
        /// When an object is written.
        buffer: BackupBuffer;
        /// Compression of the objects.
        compression: Compression = "none";
        /// ARN of the KMS key that encrypts the objects. Default: as the bucket does.
        encryption: KeyArn;
    }
}

record! {
    /// When an object of the backup is written.
    BackupBuffer {
        /// At this size, before compression.
        size: Mib<1, 128> = "5MiB";
        /// After this time.
        interval: Seconds<60, 900> = "300s";
    }
}
