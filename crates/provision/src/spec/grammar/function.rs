//! What may stand in a function.

use crate::resource::function::Architecture;
use crate::spec::collection::{Anything, Map};
use crate::spec::scalar::{Days, Mib, Seconds, Text};
use crate::spec::shape::{At, record};
use crate::spec::words::{
    Alias, BucketName, Effect, Handler, LayerArn, LogGroupId, RoleId, Runtime, SecurityGroupId, SubnetId,
};

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
