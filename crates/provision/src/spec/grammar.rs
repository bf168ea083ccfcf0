//! What may stand in a spec: each key once, with its type, bounds, default and description. The reader and the JSON Schema
//! are made of this.

use super::collection::Map;
use super::entry::{BucketEntry, DeliveryEntry, FunctionEntry, StreamEntry};
use super::scalar::{Days, Hours, Int, Kib, Text};
use super::shape::{At, record};
use super::words::{
    Account, Create, IamPath, Key, Metric, PolicyArn, Region, StackName, StreamKey, StreamMode, TagPrefix, VariableName,
};

mod delivery;
mod function;

pub(super) use delivery::{Backup, Delivery, Partitioning, Transform};
pub(super) use function::{Allow, Code, Function, Log, Role, Vpc};

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
        tag_prefix: TagPrefix = crate::spec::TAG_PREFIX;
        /// What all derived roles have in common.
        iam: Iam;
        /// Variables whose values are not shown, besides those that are known by their names (`API_KEY`, `DB_PASSWORD`).
        secrets: Vec<At<VariableName>>;
        /// How names and prefixes differ by environment: a pattern (`*` stands for anything) and its rule. A pattern
        /// without `*` goes first, then the first that fits, then `"*": { names: "${name}-${env}", prefixes: "${env}/${prefix}" }`.
        /// What has `${env}` in it by itself is taken as written.
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
