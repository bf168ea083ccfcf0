//! Changes of a spec, and the steps that must follow.

/// The subject, the text before and after, and the steps: `~` changes, `+` makes, `-` deletes, `-/+` replaces.
pub type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

pub const STREAMS: &[Case] = &[
    ("more shards", "shards: 2", "shards: 4", &["~ stream.events"]),
    ("more than doubled, in steps", "shards: 2", "shards: 9", &["~ stream.events"]),
    ("fewer shards", "shards: 2", "shards: 1", &["~ stream.events"]),
    ("a longer retention", "retention: 48h", "retention: 7d", &["~ stream.events"]),
    ("the least retention", "retention: 48h", "retention: 24h", &["~ stream.events"]),
    ("larger records", "max_record_size: 2MiB", "max_record_size: 4MiB", &["~ stream.events"]),
    ("no encryption", "encryption: alias/aws/kinesis", "encryption: none", &["~ stream.events"]),
    ("another metric", "metrics: [IncomingBytes]", "metrics: [OutgoingBytes]", &["~ stream.events"]),
    ("all metrics", "metrics: [IncomingBytes]", "metrics: [ALL]", &["~ stream.events"]),
    ("a tag of its own", "tags: { tier: gold }", "tags: { tier: silver }", &["~ stream.events"]),
    ("a tag less", "tags: { tier: gold }", "tags: {}", &["~ stream.events"]),
    ("provisioned", "changes-clicks, mode: on-demand", "changes-clicks, shards: 4", &["~ stream.clicks"]),
];

pub const BUCKETS: &[Case] = &[
    ("a longer expiry", "expire: 7d", "expire: 30d", &["~ bucket.lake"]),
    ("no expiry", "changes-lake-eu, expire: 7d", "changes-lake-eu", &["~ bucket.lake"]),
    ("an expiry", "name: changes-plain-eu", "name: changes-plain-eu, expire: 3d", &["~ bucket.plain"]),
    ("versions", "name: changes-plain-eu", "name: changes-plain-eu, versioning: true", &["~ bucket.plain"]),
    ("only TLS", "name: changes-plain-eu", "name: changes-plain-eu, tls_only: true", &["~ bucket.plain"]),
    (
        "access logs",
        "name: changes-plain-eu",
        "name: changes-plain-eu, access_logs: { bucket: lake, prefix: plain/ }",
        &["~ bucket.lake", "~ bucket.plain"],
    ),
    ("a tag", "name: changes-plain-eu", "name: changes-plain-eu, tags: { a: b }", &["~ bucket.plain"]),
];

pub const FUNCTIONS: &[Case] = &[
    ("memory", "memory: 512MiB", "memory: 1GiB", &["~ function.square"]),
    ("timeout", "timeout: 2m", "timeout: 30s", &["~ function.square"]),
    ("room in /tmp", "ephemeral_storage: 1GiB", "ephemeral_storage: 2GiB", &["~ function.square"]),
    ("a variable", "{ LOG_LEVEL: debug }", "{ LOG_LEVEL: info }", &["~ function.square"]),
    ("one variable more", "{ LOG_LEVEL: debug }", "{ LOG_LEVEL: debug, MORE: yes }", &["~ function.square"]),
    ("no variables", "environment: { LOG_LEVEL: debug }", "environment: {}", &["~ function.square"]),
    ("the next version of a layer", "layer:tools:3", "layer:tools:4", &["~ function.square"]),
    (
        "no layers",
        "layers: [\"arn:aws:lambda:us-east-1:000000000000:layer:tools:3\"]",
        "layers: []",
        &["~ function.square"],
    ),
    ("description", "Squares the numbers of a record", "Squares", &["~ function.square"]),
    (
        "handler",
        "transform.lambda_handler\n    memory: 512",
        "transform.answer\n    memory: 512",
        &["~ function.square"],
    ),
    (
        "runtime",
        "python3.13\n    handler: transform.lambda_handler\n    memory: 512",
        "python3.12\n    handler: transform.lambda_handler\n    memory: 512",
        &["~ function.square"],
    ),
    ("architecture", "timeout: 2m", "timeout: 2m\n    architecture: arm64", &["~ function.square"]),
    (
        "code",
        "{ dir: python-transform }\n    runtime: python3.13\n    handler: transform.lambda_handler\n    memory: 512",
        "{ dir: ../crates/handler }\n    runtime: python3.13\n    handler: transform.lambda_handler\n    memory: 512",
        &["~ function.square"],
    ),
    ("what its role allows", "[dynamodb:GetItem]", "[dynamodb:GetItem, dynamodb:Query]", &["~ role.function-square"]),
    ("how long its log is kept", "retention: 14d", "retention: 30d", &["~ log_group.function-square"]),
    ("its log kept for ever", "log: { retention: 14d }", "log: {}", &["~ log_group.function-square"]),
    ("a new version behind the alias", "memory: 192MiB", "memory: 256MiB", &["~ function.aliased"]),
    (
        "inside a VPC",
        "timeout: 2m",
        "timeout: 2m\n    vpc: { subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d] }",
        &["~ function.square", "~ role.function-square"],
    ),
];

pub const DELIVERIES: &[Case] = &[
    ("buffer size", "size: 8MiB", "size: 16MiB", &["~ delivery.raw"]),
    ("buffer interval", "size: 8MiB, interval: 60s", "size: 8MiB, interval: 0s", &["~ delivery.raw"]),
    ("compression", "compression: gzip", "compression: zip", &["~ delivery.raw"]),
    ("no compression", "compression: gzip", "compression: none", &["~ delivery.raw"]),
    ("extension", "extension: .json.gz", "extension: .jsonl", &["~ delivery.raw"]),
    ("the compression's extension", "    extension: .json.gz\n", "", &["~ delivery.raw"]),
    ("time zone", "time_zone: Europe/Berlin", "time_zone: Asia/Tokyo", &["~ delivery.raw"]),
    ("UTC", "    time_zone: Europe/Berlin\n", "", &["~ delivery.raw"]),
    ("no delimiter", "    delimiter: \"\\n\"\n", "", &["~ delivery.raw"]),
    ("a prefix after its fixed beginning", "raw/!{timestamp:yyyy}", "raw/!{timestamp:yyyy/MM}", &["~ delivery.raw"]),
    (
        "an error prefix after its fixed beginning",
        "raw-failed/!{firehose:error-output-type}/",
        "raw-failed/!{firehose:error-output-type}/!{timestamp:yyyy}/",
        &["~ delivery.raw"],
    ),
    ("a prefix elsewhere", "good: changes/raw/", "good: changes/crude/", &["~ delivery.raw", "~ role.delivery-raw"]),
    (
        "encryption",
        "    compression: gzip\n",
        "    compression: gzip\n    encryption: arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-0000-0000-000000000000\n",
        &["~ delivery.raw", "~ role.delivery-raw"],
    ),
    ("how long its log is kept", "logs: { retention: 7d }", "logs: { retention: 14d }", &["~ log_group.delivery-raw"]),
    (
        "no log",
        "logs: { retention: 7d }",
        "logs: false",
        &["- log_group.delivery-raw", "~ delivery.raw", "~ role.delivery-raw"],
    ),
    (
        "another bucket",
        "from: events\n    bucket: plain",
        "from: events\n    bucket: lake",
        &["~ bucket.lake", "~ delivery.raw", "~ role.delivery-raw"],
    ),
    (
        "a marked prefix elsewhere",
        "good: changes/processed/",
        "good: changes/done/",
        &[
            "+ prefix.processed-good",
            "- prefix.processed-good",
            "~ bucket.lake",
            "~ delivery.processed",
            "~ role.delivery-processed",
        ],
    ),
    ("retries", "retries: 1", "retries: 0", &["~ delivery.processed"]),
    ("what one invocation gets", "buffer_size: 0.5MiB", "buffer_size: 1MiB", &["~ delivery.processed"]),
    ("how long an invocation waits", "buffer_interval: 30s", "buffer_interval: 60s", &["~ delivery.processed"]),
    ("a version", "{ function: square, ", "{ function: square, qualifier: \"$LATEST\", ", &[]),
    (
        "another function",
        "{ function: square, ",
        "{ function: aliased, ",
        &["~ delivery.processed", "~ role.delivery-processed"],
    ),
    (
        "no transform",
        "    transform: { function: square, retries: 1, buffer_size: 0.5MiB, buffer_interval: 30s }\n",
        "",
        &["~ delivery.processed", "~ role.delivery-processed"],
    ),
    ("the backup's buffer size", "size: 16MiB", "size: 32MiB", &["~ delivery.processed"]),
    ("the backup's buffer interval", "interval: 120s", "interval: 90s", &["~ delivery.processed"]),
    ("the backup's compression", "compression: zip", "compression: snappy", &["~ delivery.processed"]),
    (
        "the backup's prefix after its fixed beginning",
        "source/!{timestamp:yyyy}",
        "source/!{timestamp:yyyy/MM}",
        &["+ prefix.processed-backup", "- prefix.processed-backup", "~ delivery.processed"],
    ),
    (
        "the backup elsewhere",
        "prefix: changes/source/",
        "prefix: changes/origin/",
        &[
            "+ prefix.processed-backup",
            "- prefix.processed-backup",
            "~ delivery.processed",
            "~ role.delivery-processed",
        ],
    ),
    (
        "the backup's errors elsewhere",
        "changes/source-failed/",
        "changes/origin-failed/",
        &[
            "+ prefix.processed-backup-bad",
            "- prefix.processed-backup-bad",
            "~ delivery.processed",
            "~ role.delivery-processed",
        ],
    ),
    (
        "the backup's bucket",
        "bucket: plain\n      prefix",
        "bucket: lake\n      prefix",
        &[
            "+ prefix.processed-backup",
            "+ prefix.processed-backup-bad",
            "- prefix.processed-backup",
            "- prefix.processed-backup-bad",
            "~ bucket.lake",
            "~ delivery.processed",
            "~ role.delivery-processed",
        ],
    ),
    (
        "the backup's encryption",
        "      compression: zip\n",
        "      compression: zip\n      encryption: arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-0000-0000-000000000000\n",
        &["~ delivery.processed", "~ role.delivery-processed"],
    ),
    ("what is between documents", "{ delimiter: \"###\" }", "{ delimiter: \"#\" }", &["~ delivery.queried"]),
    ("documents of JSON", "deaggregate: { delimiter: \"###\" }", "deaggregate: json", &["~ delivery.queried"]),
    ("records as they are", "    deaggregate: { delimiter: \"###\" }\n", "", &["~ delivery.queried"]),
    ("the query of the keys", "{customer:\n        .customer}", "{customer: .buyer.name}", &["~ delivery.queried"]),
    (
        "another key",
        "!{partitionKeyFromQuery:customer}/\n",
        "!{partitionKeyFromQuery:customer}/!{timestamp:yyyy}/\n",
        &["~ delivery.queried"],
    ),
    ("messages in their envelope", "extract_messages: true", "extract_messages: false", &["~ delivery.unpacked"]),
    ("how long partitions are retried", "retry: 10m", "retry: 5m", &["~ delivery.partitioned"]),
    (
        "a tag",
        "name: changes-direct",
        "name: changes-direct\n    tags: { a: b }",
        &["~ delivery.direct", "~ log_group.delivery-direct", "~ role.delivery-direct"],
    ),
];

pub const ROLES: &[Case] = &[(
    "the boundary of every role",
    "developer-boundary",
    "other-boundary",
    &[
        "~ role.delivery-direct",
        "~ role.delivery-partitioned",
        "~ role.delivery-processed",
        "~ role.delivery-queried",
        "~ role.delivery-raw",
        "~ role.delivery-unpacked",
        "~ role.function-aliased",
        "~ role.function-square",
    ],
)];

/// As [`Case`], with the steps there and back, and why what replaces does so.
pub type OneWay = (&'static str, &'static str, &'static str, [&'static [&'static str]; 2], &'static str);

/// Changes that AWS makes in place one way and not the other.
pub const ONE_WAY: &[OneWay] = &[
    (
        "no backup",
        "    backup:
      bucket: plain
      prefix: changes/source/!{timestamp:yyyy}/
      bad: changes/source-failed/!{firehose:error-output-type}/
      buffer: { size: 16MiB, interval: 120s }
      compression: zip
",
        "",
        [
            &[
                "- prefix.processed-backup",
                "- prefix.processed-backup-bad",
                "-/+ delivery.processed",
                "~ role.delivery-processed",
            ],
            &[
                "+ prefix.processed-backup",
                "+ prefix.processed-backup-bad",
                "~ delivery.processed",
                "~ role.delivery-processed",
            ],
        ],
        "backup: AWS cannot turn a backup off",
    ),
    (
        "records as they come",
        "    decompress: { extract_messages: true }\n",
        "",
        [&["~ delivery.unpacked"], &["-/+ delivery.unpacked"]],
        "decompress: AWS can turn decompression on later only if a function transforms",
    ),
];

/// Changes that AWS does not make in place, and why.
pub const REPLACED: &[(&str, &str, &str, &[&str], &str)] = &[
    (
        "the source",
        "from: events\n    transform",
        "from: clicks\n    transform",
        &["-/+ delivery.processed", "~ role.delivery-processed"],
        "from: the source of a delivery stream cannot be changed",
    ),
    (
        "from direct put to a stream",
        "name: changes-direct",
        "name: changes-direct\n    from: clicks",
        &["-/+ delivery.direct", "~ role.delivery-direct"],
        "from: the source of a delivery stream cannot be changed",
    ),
    (
        "partitioning",
        "!{partitionKeyFromLambda:kind}/\n    bad: changes/by-kind-failed/!{firehose:error-output-type}/\n    markers: false\n    \
         buffer: { size: 64MiB, interval: 60s }\n    partitioning: { retry: 10m }\n",
        "\n    bad: changes/by-kind-failed/!{firehose:error-output-type}/\n    markers: false\n",
        &["-/+ delivery.partitioned"],
        "partitioning: dynamic partitioning can only be chosen when the delivery stream is created",
    ),
];
