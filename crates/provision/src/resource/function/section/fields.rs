//! The fields of the section `functions`.

use aws_facts::lambda::{
    EPHEMERAL_STORAGE_MIB, FUNCTION_NAME, MAX_ALIAS, MAX_DESCRIPTION, MAX_ENVIRONMENT_BYTES, MAX_HANDLER, MEMORY_MIB,
    SECURITY_GROUP_ID, SUBNET_ID, TIMEOUT_S,
};
use aws_facts::s3::MAX_KEY_BYTES;

use crate::resource::bucket::BucketName;
use crate::resource::function::Architecture;
use crate::resource::function::Level;
use crate::resource::log_group::section::{GroupFields, LogGroupId, LogGroupName, Retention};
use crate::resource::role::RoleFields;
use crate::yaml::collection::{Anything, Map};
use crate::yaml::scalar::{Mib, Seconds, Text, choices, patterns};
use crate::yaml::shape::{At, record};

patterns! {
    FunctionName[usize::MAX] = FUNCTION_NAME.pattern(), "letters, digits, `_` and `-`";
    FunctionId[140] = FUNCTION_NAME.pattern_with_arn("lambda", "function:", ""),
        "a function's name or ARN, without a version";
    Runtime[64] = "(provided|python|nodejs|java|dotnet|dotnetcore|ruby|go)[a-z0-9.-]*",
        "a runtime, such as provided.al2023 or python3.13";
    Handler[MAX_HANDLER] = r"\S+", "a handler, such as app.handler";
    Alias[MAX_ALIAS] = "[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*", "letters, digits, `_` and `-`, not only digits";
    LayerArn[140] = "arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[0-9]+",
        "the ARN of a layer's version";
    SubnetId[64] = SUBNET_ID, "a subnet's id: subnet-…";
    SecurityGroupId[64] = SECURITY_GROUP_ID, "a security group's id: sg-…";
}

choices!(Architecture {
    "x86_64" => Architecture::X86_64,
    "arm64" => Architecture::Arm64,
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

choices!(Effect {
    "allow" => Effect::Allow,
    "deny" => Effect::Deny,
});

/// The format as it is written: the levels stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

choices!(Format {
    "text" => Format::Text,
    "json" => Format::Json,
});

// <https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html>
choices!(Level {
    "trace" => Level::Trace,
    "debug" => Level::Debug,
    "info" => Level::Info,
    "warn" => Level::Warn,
    "error" => Level::Error,
    "fatal" => Level::Fatal,
});

/// The levels of Lambda's own lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemLevel(pub Level);

choices!(SystemLevel {
    "debug" => SystemLevel(Level::Debug),
    "info" => SystemLevel(Level::Info),
    "warn" => SystemLevel(Level::Warn),
});

record! {
    /// A Lambda function.
    FunctionFields {
        /// Where the code comes from.
        code: CodeFields;
        /// AWS's name of the runtime.
        runtime: Runtime = "provided.al2023";
        /// The entry point that the runtime calls. Default for provided runtimes: bootstrap. Others need one.
        handler: Handler;
        /// Memory.
        memory: Mib<{ MEMORY_MIB.min }, { MEMORY_MIB.max }> = "128MiB";
        /// Firehose uses at most 300 s.
        timeout: Seconds<{ TIMEOUT_S.min }, { TIMEOUT_S.max }> = "3s";
        /// Size of /tmp.
        ephemeral_storage: Mib<{ EPHEMERAL_STORAGE_MIB.min }, { EPHEMERAL_STORAGE_MIB.max }> = "512MiB";
        /// Default: this machine's for `crate:`, otherwise x86_64.
        architecture: Architecture;
        /// Environment variables, together at most 4 KB.
        environment: Map<Text<0, MAX_ENVIRONMENT_BYTES>>;
        /// ARNs of layer versions, at most 5.
        layers: Vec<At<LayerArn>>;
        /// Run inside a VPC.
        vpc: VpcFields;
        /// For those who read it on AWS.
        description: Text<0, MAX_DESCRIPTION> = "";
        /// Publish a version after each change.
        publish: bool = "false";
        /// Publish a version after each change and point this alias at it; deliveries invoke the function through it.
        alias: Alias;
        /// Statements of its role, besides writing to its log group.
        allow: Vec<At<Allow>>;
        /// The role it runs as. Default: one is derived.
        role: RoleFields;
        /// Where it logs, and how.
        log: LogFields;
    }
}

record! {
    /// Where a function logs, and how.
    LogFields {
        /// Name of the log group on AWS. Entries that give the same name share the group. Default: /aws/lambda/ and the function's name.
        name: LogGroupName;
        /// One of the times that CloudWatch Logs takes. Default: kept for ever.
        retention: Retention;
        /// Name or ARN of somebody else's log group.
        existing: LogGroupId;
        /// Format of the lines.
        format: Format = "text";
        /// The lowest level of the function's own lines that is kept. Only with `format: json`.
        application_level: Level = "info";
        /// The lowest level of Lambda's lines that is kept. Only with `format: json`.
        system_level: SystemLevel = "info";
    }
}

impl LogFields {
    pub(crate) fn group(&self) -> GroupFields {
        GroupFields { name: self.name.clone(), retention: self.retention.clone(), existing: self.existing.clone() }
    }
}

record! {
    /// Where the code comes from: one of crate, zip, dir, s3. Paths are relative to the spec.
    CodeFields {
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
        key: Text<1, MAX_KEY_BYTES>;
        /// Version of the object. Default: the newest.
        version: Text<1, 1024>;
    }
}

record! {
    /// Run inside a VPC.
    VpcFields {
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
