//! The closed sets of the spec, and its names and ARNs with their patterns. Patterns and bounds are those of AWS's service
//! models.

use super::scalar::{choices, patterns};
use crate::resource::delivery_stream::Compression;
use crate::resource::function::Architecture;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamMode {
    Provisioned,
    OnDemand,
}

choices!(StreamMode {
    "provisioned" => StreamMode::Provisioned,
    "on-demand" => StreamMode::OnDemand,
});

/// What to do about a bucket that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    IfMissing,
    Never,
}

choices!(Create {
    "if-missing" => Create::IfMissing,
    "never" => Create::Never,
});

choices!(Compression {
    "none" => Compression::None,
    "gzip" => Compression::Gzip,
    "zip" => Compression::Zip,
    "snappy" => Compression::Snappy,
    "hadoop-snappy" => Compression::HadoopSnappy,
});

choices!(Architecture {
    "x86_64" => Architecture::X86_64,
    "arm64" => Architecture::Arm64,
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

choices!(Effect {
    "allow" => Effect::Allow,
    "deny" => Effect::Deny,
});

/// The one word for de-aggregation without a delimiter.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonWord;

choices!(JsonWord {
    "json" => JsonWord,
});

/// A shard-level metric, as AWS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    One(&'static str),
    All,
}

choices!(Metric {
    "IncomingBytes" => Metric::One("IncomingBytes"),
    "IncomingRecords" => Metric::One("IncomingRecords"),
    "OutgoingBytes" => Metric::One("OutgoingBytes"),
    "OutgoingRecords" => Metric::One("OutgoingRecords"),
    "WriteProvisionedThroughputExceeded" => Metric::One("WriteProvisionedThroughputExceeded"),
    "ReadProvisionedThroughputExceeded" => Metric::One("ReadProvisionedThroughputExceeded"),
    "IteratorAgeMilliseconds" => Metric::One("IteratorAgeMilliseconds"),
    "ALL" => Metric::All,
});

/// The longest names of the kinds: past them, an environment's name is shortened.
pub(super) const STREAM_NAME_MAX: usize = 128;
pub(super) const DELIVERY_NAME_MAX: usize = 64;
pub(super) const FUNCTION_NAME_MAX: usize = 64;
pub(super) const BUCKET_NAME_MAX: usize = 63;

patterns! {
    StackName[63] = "[a-z0-9][a-z0-9-]*", "lower-case letters, digits and `-`";
    EnvName[31] = "[a-z0-9][a-z0-9-]*", "lower-case letters, digits and `-`";
    /// A key of a section, as others refer to it.
    Key[63] = "[a-zA-Z][a-zA-Z0-9_-]*", "the key of an entry: letters, digits, `_` and `-`, a letter first";
    Region[usize::MAX] = "[a-z]{2,4}(-[a-z]+)+-[0-9]+", "a region, such as us-east-1";
    Account[usize::MAX] = "[0-9]{12}", "an account: 12 digits";
    TagPrefix[64] = "[a-zA-Z0-9][a-zA-Z0-9_.=+@-]*", "letters, digits and `_.=+@-`";
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
    IamPath[256] = "/|/[!-~]+/", "`/`, or a path that begins and ends with `/`";
    PolicyArn[2048] = "arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[!-~]+", "the ARN of a policy";
    RoleId[512] = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z_0-9+=,.@/-]+|[a-zA-Z_0-9+=,.@-]{1,64}",
        "a role's name or ARN";

    StreamName[usize::MAX] = "[a-zA-Z0-9_.-]+", "letters, digits, `_`, `.` and `-`";
    StreamId[2048] = "arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[a-zA-Z0-9_.-]{1,128}|[a-zA-Z0-9_.-]{1,128}",
        "a stream's name or ARN";
    VariableName[256] = "[a-zA-Z_][a-zA-Z0-9_]*", "the name of a variable: letters, digits and `_`";
    StreamKey[2048] = "none|alias/[a-zA-Z0-9/_-]+|(mrk-)?[0-9a-f-]{32,36}|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+",
        "`none`, or the alias, id or ARN of a KMS key";

    BucketId[usize::MAX] = "arn:aws[a-z-]*:s3:::[a-z0-9.-]+|[a-z0-9.-]+", "a bucket's name or ARN";
    BucketName[usize::MAX] = "[a-z0-9.-]+", "a bucket's name: lower-case letters, digits, `.` and `-`";

    FunctionName[usize::MAX] = "[a-zA-Z0-9_-]+", "letters, digits, `_` and `-`";
    FunctionId[140] = "arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9_-]{1,64}|[a-zA-Z0-9_-]{1,64}",
        "a function's name or ARN, without a version";
    Runtime[64] = "(provided|python|nodejs|java|dotnet|dotnetcore|ruby|go)[a-z0-9.-]*",
        "a runtime, such as provided.al2023 or python3.13";
    Handler[128] = r"\S+", "a handler, such as app.handler";
    Alias[128] = "[0-9]*[a-zA-Z_-][a-zA-Z0-9_-]*", "letters, digits, `_` and `-`, not only digits";
    Qualifier[128] = r"\$LATEST|[a-zA-Z0-9_-]+", "a version, an alias, or $LATEST";
    LayerArn[140] = "arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[0-9]+",
        "the ARN of a layer's version";
    SubnetId[64] = "subnet-[0-9a-zA-Z]+", "a subnet's id: subnet-…";
    SecurityGroupId[64] = "sg-[0-9a-zA-Z]+", "a security group's id: sg-…";
    LogGroupId[2048] = "arn:aws[a-z-]*:logs:[a-z0-9-]+:[0-9]{12}:log-group:[-./_#A-Za-z0-9]{1,512}(:\\*)?|[-./_#A-Za-z0-9]{1,512}",
        "a log group's name or ARN";

    DeliveryName[usize::MAX] = "[a-zA-Z0-9_.-]+", "letters, digits, `_`, `.` and `-`";
    DeliveryId[2048] = "arn:aws[a-z-]*:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/[a-zA-Z0-9_.-]{1,64}|[a-zA-Z0-9_.-]{1,64}",
        "a delivery stream's name or ARN";
    KeyArn[512] = r"arn:aws[a-z-]*:kms:[a-zA-Z0-9-]+:[0-9]{12}:(key|alias)/[a-zA-Z_0-9+=,.@/-]+",
        "the ARN of a KMS key";
    /// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
    Extension[128] = r"|\.[0-9a-z!\-_.*'()]+", "a `.` and lower-case letters, digits or `!-_.*'()`";
    ZoneName[50] = "[a-zA-Z/_]+", "an IANA time zone of letters, `/` and `_`, such as Europe/Berlin";
}
