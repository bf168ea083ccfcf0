use std::path::PathBuf;

use super::*;
use crate::cloud::tests::names;
use crate::names::Tags;
use crate::resource::bucket::Bucket;
use crate::resource::delivery_stream::{Backup, Buffer, Compression, ErrorLog, Processors, Transform};
use crate::resource::function::{Architecture, Code, LogFormat};
use crate::resource::stream::{Mode, Stream};
use crate::section::Ref;
use crate::spec::stack::{Iam, Target};

fn managed<T>(physical: &str, desired: T) -> Entry<T> {
    let physical = physical.to_owned();
    Entry::Managed(Managed { physical, tags: Tags::new(), protect: false, moved_from: None, desired })
}

fn of<K>(logical: &str, id: &str) -> Ref<K> {
    Ref::new(logical, id, true)
}

fn delivery(key: &str, transform: Option<Transform>) -> DeliveryStream {
    DeliveryStream {
        source: Some(of("events", "kinesis-test")),
        bucket: of("lake", "eq-sanhe-for-everything"),
        good: format!("data/kinesis-test/{key}/good/"),
        bad: Some(format!("data/kinesis-test/{key}/bad/")),
        markers: true,
        buffer: Buffer { size_mib: 5, interval_s: 60 },
        compression: Compression::None,
        file_extension: String::new(),
        time_zone: "UTC".into(),
        encryption: None,
        transform,
        processors: Processors::default(),
        partitioning: None,
        backup: None,
        log: None,
        role: RoleRef::of_delivery(key, key),
        source_role: None,
        source_encryption: None,
        samples: None,
    }
}

fn square() -> Function {
    Function {
        code: Code::Zip { path: PathBuf::from("/square.zip") },
        runtime: "provided.al2023".into(),
        handler: "bootstrap".into(),
        architecture: Architecture::X86_64,
        memory_mib: 256,
        timeout_s: 60,
        ephemeral_storage_mib: 512,
        description: String::new(),
        environment: BTreeMap::new(),
        layers: vec![],
        vpc: None,
        alias: None,
        publish: false,
        allow: vec![],
        role: RoleRef::of_function("square", "test-delivery2"),
        log: LogRef::DEFAULT,
        log_format: LogFormat::Text,
    }
}

fn transform() -> Transform {
    let function = of("square", "test-delivery2");
    Transform { function, qualifier: None, retries: 3, buffer_size_mib_100: 100, buffer_interval_s: 60 }
}

/// The stack this project was born from.
fn experiment() -> Stack {
    let stream = Stream {
        mode: Mode::Provisioned { shards: 1 },
        retention_hours: 24,
        max_record_kib: 1024,
        encryption: None,
        metrics: Default::default(),
        samples: None,
    };
    let bucket = Bucket { create: true, ..Bucket::default() };
    Stack {
        file: PathBuf::from("stacks/kinesis-test.yaml"),
        name: "kinesis-test".into(),
        env: None,
        target: Target::default(),
        tags: Tags::new(),
        tag_prefix: "provision".into(),
        iam: Iam { path: "/".into(), boundary: None },
        unplaced: None,
        streams: BTreeMap::from([("events".into(), managed("kinesis-test", stream))]),
        buckets: BTreeMap::from([("lake".into(), managed("eq-sanhe-for-everything", bucket))]),
        functions: BTreeMap::from([("square".into(), managed("test-delivery2", square()))]),
        deliveries: BTreeMap::from([
            ("raw".into(), managed("test-delivery1", delivery("raw", None))),
            ("processed".into(), managed("test-delivery2", delivery("processed", Some(transform())))),
        ]),
    }
}

fn told(stack: &Stack) -> Vec<String> {
    let tell = |node: Box<dyn Node>| {
        let facts = node.facts(&names(), false);
        let mut refs: Vec<String> = facts.refs.iter().map(Address::to_string).collect();
        refs.sort();
        format!("{} {} <- {}", node.name().address, node.name().physical, refs.join(" "))
    };
    nodes(stack, &names()).into_iter().map(tell).collect()
}

#[test]
fn the_experiments_stack_is_two_deliveries_on_one_stream_and_all_they_need() {
    assert_eq!(
        told(&experiment()),
        [
            "stream.events kinesis-test <- ",
            "bucket.lake eq-sanhe-for-everything <- ",
            "function.square test-delivery2 <- role.function-square",
            "delivery.processed test-delivery2 <- bucket.lake function.square prefix.processed-bad prefix.processed-good role.delivery-processed stream.events",
            "delivery.raw test-delivery1 <- bucket.lake prefix.raw-bad prefix.raw-good role.delivery-raw stream.events",
            "role.delivery-processed firehose-processed-us-east-1 <- ",
            "role.delivery-raw firehose-raw-us-east-1 <- ",
            "role.function-square lambda-test-delivery2-us-east-1 <- ",
            "log_group.function-square /aws/lambda/test-delivery2 <- ",
            "prefix.processed-bad eq-sanhe-for-everything/data/kinesis-test/processed/bad/ by test-delivery2 <- bucket.lake",
            "prefix.processed-good eq-sanhe-for-everything/data/kinesis-test/processed/good/ by test-delivery2 <- bucket.lake",
            "prefix.raw-bad eq-sanhe-for-everything/data/kinesis-test/raw/bad/ by test-delivery1 <- bucket.lake",
            "prefix.raw-good eq-sanhe-for-everything/data/kinesis-test/raw/good/ by test-delivery1 <- bucket.lake",
        ]
    );
}

#[test]
fn what_is_somebody_elses_is_read_or_left_alone() {
    let mut stack = experiment();
    stack.streams.insert("events".into(), Entry::Existing("theirs".into()));
    let mut raw = delivery("raw", None);
    raw.role = RoleRef::Existing("their-role".into());
    raw.source = Some(Ref::new("events", "theirs", false));
    raw.bucket.managed = false;
    raw.log = Some(ErrorLog::of(LogRef::Existing("their-group".into()), "raw"));
    stack.deliveries = BTreeMap::from([("raw".into(), managed("test-delivery1", raw))]);
    stack.functions.clear();
    assert_eq!(
        told(&stack),
        [
            "stream.events theirs <- ",
            "bucket.lake eq-sanhe-for-everything <- ",
            "delivery.raw test-delivery1 <- ",
            "log_group.delivery-raw their-group <- ",
        ]
    );
}

#[test]
fn a_delivery_may_do_what_it_needs_and_only_there() {
    let mut stack = experiment();
    if let Some(Entry::Managed(stream)) = stack.streams.get_mut("events") {
        stream.desired.encryption = Some("alias/mine".into());
    }
    let mut processed = delivery("processed", Some(transform()));
    processed.good = "data/year=!{timestamp:yyyy}/".into();
    processed.encryption = Some("arn:aws:kms:us-east-1:111122223333:key/k".into());
    processed.log = Some(ErrorLog::of(LogRef::DEFAULT, "test-delivery2"));
    processed.backup = Some(Backup {
        bucket: of("lake", "eq-sanhe-for-everything"),
        prefix: "backup/".into(),
        bad: None,
        buffer: Buffer { size_mib: 5, interval_s: 300 },
        compression: Compression::None,
        encryption: None,
    });
    let name = Name::new("delivery", "processed", "test-delivery2");
    let reads = statements::of_reader(&name, &processed, &stack, &names()).0;
    let writes = statements::of_delivery(&name, &processed, &stack, &names()).0;
    let told: Vec<String> = reads
        .iter()
        .chain(&writes)
        .map(|s| {
            let condition = s.condition.as_ref().map(|c| format!(" if {c}")).unwrap_or_default();
            format!("{} on {}{condition}", s.action.join(" "), s.resource.join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "kinesis:DescribeStream kinesis:GetRecords kinesis:GetShardIterator kinesis:ListShards on \
             arn:aws:kinesis:us-east-1:111122223333:stream/kinesis-test",
            "kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/* if \
             {\"ForAnyValue:StringEquals\":{\"kms:ResourceAliases\":\"alias/mine\"},\
             \"StringEquals\":{\"kms:ViaService\":\"kinesis.us-east-1.amazonaws.com\"}}",
            "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads on arn:aws:s3:::eq-sanhe-for-everything",
            "s3:AbortMultipartUpload s3:GetObject s3:PutObject on \
             arn:aws:s3:::eq-sanhe-for-everything/backup/* \
             arn:aws:s3:::eq-sanhe-for-everything/data/kinesis-test/processed/bad/* \
             arn:aws:s3:::eq-sanhe-for-everything/data/year=*",
            "lambda:GetFunctionConfiguration lambda:InvokeFunction on \
             arn:aws:lambda:us-east-1:111122223333:function:test-delivery2:$LATEST",
            "logs:PutLogEvents on \
             arn:aws:logs:us-east-1:111122223333:log-group:/aws/kinesisfirehose/test-delivery2:log-stream:BackupDelivery \
             arn:aws:logs:us-east-1:111122223333:log-group:/aws/kinesisfirehose/test-delivery2:log-stream:DestinationDelivery",
            "kms:Decrypt kms:GenerateDataKey on arn:aws:kms:us-east-1:111122223333:key/k if \
             {\"StringEquals\":{\"kms:ViaService\":\"s3.us-east-1.amazonaws.com\"}}",
        ]
    );
}

#[test]
fn a_function_writes_to_its_own_log_group_and_creates_none() {
    let statements = statements::of_function(&Name::new("function", "square", "test-delivery2"), &square(), &names());
    assert_eq!(
        statements,
        [Statement::allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            vec!["arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/test-delivery2:*".into()]
        )]
    );
}
