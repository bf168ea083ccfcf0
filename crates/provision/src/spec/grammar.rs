//! What may stand in a spec: each key once, with its type, bounds, default and description. The reader and the JSON Schema
//! are made of this.

use super::entry::{BucketEntry, DeliveryEntry, FunctionEntry, StreamEntry};
use super::scalar::{Days, Hours, Int, Kib, LambdaBuffer, Mib, Seconds, Text};
use super::shape::{Anything, At, Either, Map, record};
use super::words::*;
use crate::resource::delivery_stream::Compression;
use crate::resource::function::Architecture;

record! {
    /// A stack: streams, the deliveries that read them, the functions that transform and the buckets that receive.
    Spec {
        /// Of this format: 1.
        version: Int<1, 1>;
        /// Name of the stack. With the environment it says whose a resource is.
        stack: StackName;
        /// Where the stack must be.
        target: Target;
        /// Tags of every resource.
        tags: Map<Text<0, 256>>;
        /// What the keys of our own tags begin with, before a slash.
        tag_prefix: TagPrefix = "provision";
        /// What all derived roles have in common.
        iam: Iam;
        /// How names and prefixes differ by environment: a pattern (`*` stands for anything) and its rule. A pattern
        /// without `*` goes first, then the first that fits, then `"*": { names: "${name}-${env}", prefixes: "${env}/${prefix}" }`.
        environments: Map<Rule>;
        /// What entries of a section have when they do not say otherwise.
        defaults: Defaults;
        /// Kinesis data streams.
        streams: Map<StreamEntry>;
        /// S3 buckets.
        buckets: Map<BucketEntry>;
        /// Lambda functions.
        functions: Map<FunctionEntry>;
        /// Firehose delivery streams.
        deliveries: Map<DeliveryEntry>;
    }
}

record! {
    /// Where the stack must be.
    Target {
        /// AWS region; otherwise that of --region or of the AWS environment.
        region: Region;
        /// The only account that is not refused.
        account: Account;
    }
}

record! {
    /// What all derived roles have in common.
    Iam {
        /// Outer path of the roles; `provision/STACK/REGION/ENV/` follows it.
        path: IamPath = "/";
        /// ARN of the policy that is their permissions boundary.
        boundary: PolicyArn;
    }
}

record! {
    /// How names and prefixes differ by environment.
    Rule {
        /// Of streams, functions and delivery streams. Bucket names stay as written.
        names: Text<1, 256> = "${name}-${env}";
        /// Of what deliveries write.
        prefixes: Text<1, 1024> = "${env}/${prefix}";
    }
}

record! {
    /// What entries of a section have when they do not say otherwise.
    Defaults {
        streams: Stream;
        buckets: Bucket;
        functions: Function;
        deliveries: Delivery;
    }
}

record! {
    /// What every entry can have.
    Common {
        /// Tags of this resource, over those of the stack.
        tags: Map<Text<0, 256>>;
        /// Never replace or delete it.
        protect: bool = "false";
        /// It had another key in this spec before.
        moved: Moved;
    }
}

record! {
    /// It had another key in this spec before.
    Moved {
        /// The key it had.
        from: Key;
    }
}

record! {
    /// A Kinesis data stream.
    Stream {
        /// A fixed number of shards, or as many as AWS finds necessary.
        mode: StreamMode = "provisioned";
        /// Number of shards: needed when provisioned, not allowed on demand.
        shards: Int<1, 10000>;
        /// How long records can be read.
        retention: Hours<24, 8760> = "24h";
        /// The largest record.
        max_record_size: Kib<1024, 10240> = "1MiB";
        /// Alias, id or ARN of a KMS key (`alias/aws/kinesis`), or `none`.
        encryption: StreamKey = "none";
        /// Shard-level metrics. They cost.
        metrics: Vec<At<Metric>>;
    }
}

record! {
    /// An S3 bucket.
    Bucket {
        /// What to do when it is not there.
        create: Create = "if-missing";
        /// Objects under this stack's prefixes expire after this time. Only in a bucket that this stack made. Default: never.
        expire: Days<1, 36500>;
    }
}

record! {
    /// A Lambda function.
    Function {
        /// Where the code comes from.
        code: Code;
        /// AWS's name of the runtime.
        runtime: Runtime = "provided.al2023";
        /// What the runtime calls. Default for provided runtimes: bootstrap. Others need one.
        handler: Handler;
        /// Memory.
        memory: Mib<128, 10240> = "128MiB";
        /// Firehose uses at most 300 s.
        timeout: Seconds<1, 900> = "3s";
        /// Size of /tmp.
        ephemeral_storage: Mib<512, 10240> = "512MiB";
        /// Default: this machine's for `crate:`, otherwise x86_64.
        architecture: Architecture;
        /// Environment variables, together at most 4 KB.
        environment: Map<Text<0, 4096>>;
        /// ARNs of layer versions, at most 5.
        layers: Vec<At<LayerArn>>;
        /// Run inside a VPC.
        vpc: Vpc;
        /// For those who read it on AWS.
        description: Text<0, 256> = "";
        /// Publish a version after each change.
        publish: bool = "false";
        /// Publish a version after each change and point this alias at it; deliveries invoke the function through it.
        alias: Alias;
        /// Statements of its role, besides writing to its log group.
        allow: Vec<At<Allow>>;
        /// The role it runs as. Default: one is derived.
        role: Role;
        /// Its log group. Default: one is derived.
        log: Log;
    }
}

record! {
    /// Where the code comes from: one of crate, zip, dir, s3. Paths are relative to the spec.
    Code {
        /// Folder of a cargo package, built here.
        crate_: Text<1, 4096>;
        /// Binary of the crate, where it has several.
        bin: Text<1, 256>;
        /// A zip file.
        zip: Text<1, 4096>;
        /// A folder, zipped as it is.
        dir: Text<1, 4096>;
        /// An object that is there already.
        s3: CodeObject;
    }
}

record! {
    /// A zip file in S3.
    CodeObject {
        bucket: BucketName;
        key: Text<1, 1024>;
        /// Version of the object. Default: the newest.
        version: Text<1, 1024>;
    }
}

record! {
    /// Run inside a VPC.
    Vpc {
        /// 1 to 16.
        subnets: Vec<At<SubnetId>>;
        /// 1 to 5.
        security_groups: Vec<At<SecurityGroupId>>;
    }
}

record! {
    /// A statement of a policy.
    Allow {
        /// Such as `s3:GetObject`.
        actions: Vec<At<Text<1, 256>>>;
        /// ARNs.
        resources: Vec<At<Text<1, 2048>>>;
        effect: Effect = "allow";
        /// As in a policy: operator, key, value.
        conditions: Anything;
    }
}

record! {
    /// Somebody else's role: no IAM call is made for it.
    Role {
        /// Name or ARN.
        existing: RoleId;
    }
}

record! {
    /// A log group: derived, or somebody else's.
    Log {
        /// One of the times that CloudWatch Logs takes. Default: kept for ever.
        retention: Days<1, 3653>;
        /// Name or ARN of somebody else's log group.
        existing: LogGroupId;
    }
}

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
        /// Write zero-byte objects that make the prefixes visible.
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
