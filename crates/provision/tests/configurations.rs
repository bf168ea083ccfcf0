//! Shapes of real configurations: each comes up, has a plan without changes, delivers where it should, and goes without a trace.

use std::time::Duration;

use crate::common::{Bench, left, stack};
use local_cloud::Delays;
use provision::cloud::Purge;
use provision::names::Name;
use provision::resource::Resource;
use provision::resource::role::Role;
use serde_json::json;

/// A spec of one delivery stream that reads `events` and writes to `lake`, with this in it.
fn one(delivery: &str) -> String {
    format!(
        "version: 1\nstack: kinesis-test\nstreams:\n  events: {{ shards: 1 }}\nbuckets:\n  lake: {{}}\ndeliveries:\n  raw:\n    \
         from: events\n    bucket: lake\n{delivery}"
    )
}

/// Up, nothing to change, and down again without a trace.
async fn lives(spec: &str) -> Bench {
    let bench = Bench::new(Delays::FAST).await;
    let stack = stack(spec);
    let summary = bench.up(&stack).await;
    assert_eq!(summary.failed, 0, "{spec}");
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty(), "{spec}\n{plan:#?}");
    bench
}

async fn goes(bench: &Bench) {
    bench.down(None).await;
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(left(bench), json!({}));
}

async fn put(bench: &Bench, stream: &str, text: &str) {
    let data = aws_sdk_kinesis::primitives::Blob::new(text);
    let call = bench.cx.kinesis().put_record().stream_name(stream).partition_key("k").data(data);
    call.send().await.expect("the stream takes it");
}

/// Delivers what is buffered, and gives the events in a log stream.
async fn logged(bench: &Bench, group: &str, stream: &str) -> Vec<String> {
    bench.engine.advance(Duration::from_secs(120)).await;
    let call = bench.cx.logs().get_log_events().log_group_name(group).log_stream_name(stream);
    let events = call.send().await.expect("the log stream exists").events.unwrap_or_default();
    events.into_iter().filter_map(|event| event.message).collect()
}

async fn keys(bench: &Bench, bucket: &str) -> Vec<String> {
    let listed = bench.cx.s3().list_objects_v2().bucket(bucket).send().await.expect("the bucket exists");
    let keys = listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
    keys.filter(|key| !key.starts_with(".provision/")).collect()
}

#[tokio::test(start_paused = true)]
async fn without_a_prefix_objects_lie_at_the_top_of_the_bucket_and_a_purge_finds_them() {
    let bench = lives(&one("    buffer: { interval: 60s }\n")).await;
    let bucket = "kinesis-test-lake-000000000000-us-east-1";
    put(&bench, "kinesis-test-events", "a").await;
    bench.engine.advance(Duration::from_secs(120)).await;
    let keys = keys(&bench, bucket).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with("20") && keys[0].contains("/kinesis-test-raw-1-"), "{keys:?}");
    let mut bench = bench;
    bench.cx.options.purge_data = Purge::Ours;
    goes(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn errors_are_logged_in_a_group_of_others_and_the_log_stream_goes_with_the_delivery_stream() {
    let bench = Bench::new(Delays::FAST).await;
    bench.cx.logs().create_log_group().log_group_name("/company/firehose").send().await.unwrap();
    let spec = one("    good: raw/\n    buffer: { interval: 60s }\n    logs: { existing: /company/firehose }\n");
    let stack = stack(&spec);
    bench.up(&stack).await;
    assert!(bench.plan(&stack).await.is_empty());
    let bucket = "kinesis-test-lake-000000000000-us-east-1";
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{bucket}/raw/*")}]});
    bench.cx.s3().put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.unwrap();
    put(&bench, "kinesis-test-events", "a").await;
    let messages = logged(&bench, "/company/firehose", "kinesis-test-raw/DestinationDelivery").await;
    assert!(messages.iter().any(|message| message.contains("S3.AccessDenied")), "{messages:?}");
    bench.cx.s3().delete_bucket_policy().bucket(bucket).send().await.unwrap();

    // A log stream that somebody deletes is created again.
    let delete = bench.cx.logs().delete_log_stream().log_group_name("/company/firehose");
    delete.log_stream_name("kinesis-test-raw/DestinationDelivery").send().await.unwrap();
    let plan = bench.plan(&stack).await;
    let told: Vec<_> = plan.steps.iter().map(|step| step.name.address.to_string()).collect();
    assert_eq!(told, ["delivery.raw"], "{plan:#?}");
    bench.up(&stack).await;
    assert!(bench.plan(&stack).await.is_empty());

    let mut bench = bench;
    bench.cx.options.purge_data = Purge::Ours;
    bench.down(None).await;
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({ "logs": { "us-east-1": ["/company/firehose"] } }));
    let streams = bench.cx.logs().describe_log_streams().log_group_name("/company/firehose").send().await.unwrap();
    assert_eq!(streams.log_streams.unwrap_or_default(), []);
}

#[tokio::test(start_paused = true)]
async fn log_groups_have_the_names_that_the_spec_gives_them_and_are_shared_by_name() {
    let spec = one("    good: raw/\n    logs: { name: /company/firehose, retention: 7d, stream: S3Delivery }\n  \
                    second:\n    from: events\n    bucket: lake\n    good: second/\n    \
                    logs: { name: /company/firehose, retention: 7d }\n");
    let bench = lives(&spec).await;
    let streams = bench.cx.logs().describe_log_streams().log_group_name("/company/firehose").send().await.unwrap();
    let names = streams.log_streams.unwrap_or_default().into_iter().filter_map(|stream| stream.log_stream_name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "S3Delivery",
            "kinesis-test-raw/BackupDelivery",
            "kinesis-test-second/BackupDelivery",
            "kinesis-test-second/DestinationDelivery"
        ]
    );
    assert!(bench.members().await.contains(&"log_group.company-firehose".to_owned()));
    goes(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn several_deliveries_share_a_role_and_read_with_another() {
    let own = "role: { name: writer }, source_role: { name: reader, conditions: { StringEquals: { \"aws:SourceAccount\": \"${account}\" } } }";
    let bench = lives(&format!(
        "version: 1\nstack: kinesis-test\nstreams: {{ events: {{ shards: 1 }} }}\nbuckets: {{ lake: {{}} }}\ndefaults:\n  \
         deliveries: {{ from: events, bucket: lake, buffer: {{ interval: 60s }}, {own} }}\ndeliveries:\n  \
         raw: {{ good: raw/ }}\n  second: {{ good: second/ }}\n"
    ))
    .await;
    let mut roles: Vec<String> =
        bench.members().await.into_iter().filter(|member| member.starts_with("role.")).collect();
    roles.sort();
    assert_eq!(roles, ["role.reader", "role.writer"]);
    let observed =
        async |role: &str| Role::observe(&bench.cx, &Name::new("role", role, role)).await.unwrap().expect("it exists");
    let (reader, writer) = (observed("reader").await, observed("writer").await.policy.unwrap().to_string());
    assert!(reader.policy.unwrap().to_string().contains("kinesis:GetRecords"));
    assert_eq!(writer.matches("s3:PutObject").count(), 1, "{writer}");
    assert!(!writer.contains("kinesis:") && writer.contains("/raw/*") && writer.contains("/second/*"), "{writer}");
    assert_eq!(
        reader.trust["Statement"]["Condition"]["StringEquals"],
        json!({ "sts:ExternalId": "000000000000", "aws:SourceAccount": "000000000000" })
    );
    put(&bench, "kinesis-test-events", "a").await;
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(keys(&bench, "kinesis-test-lake-000000000000-us-east-1").await.len(), 2 + 2, "two objects, two markers");
}

#[tokio::test(start_paused = true)]
async fn records_that_are_put_directly_are_encrypted_with_the_key_that_the_spec_names() {
    let key = "arn:aws:kms:us-east-1:000000000000:key/k";
    let spec = |encryption: &str| {
        stack(&format!(
            "version: 1\nstack: kinesis-test\nbuckets: {{ lake: {{}} }}\ndeliveries: {{ raw: {{ bucket: lake, good: raw/{encryption} }} }}\n"
        ))
    };
    let bench = Bench::new(Delays::FAST).await;
    let shown = async || {
        let call = bench.cx.firehose().describe_delivery_stream().delivery_stream_name("kinesis-test-raw");
        let described = call.send().await.unwrap().delivery_stream_description.unwrap();
        let encryption = described.delivery_stream_encryption_configuration.unwrap();
        let key_type = encryption.key_type.map(|key| key.as_str().to_owned());
        (encryption.status.unwrap().as_str().to_owned(), key_type, encryption.key_arn)
    };
    for (encryption, expected) in [
        (", source_encryption: aws", ("ENABLED", Some("AWS_OWNED_CMK"), None)),
        (&*format!(", source_encryption: \"{key}\""), ("ENABLED", Some("CUSTOMER_MANAGED_CMK"), Some(key))),
        ("", ("DISABLED", None, None)),
        (", source_encryption: aws", ("ENABLED", Some("AWS_OWNED_CMK"), None)),
    ] {
        let stack = spec(encryption);
        assert_eq!(bench.up(&stack).await.failed, 0, "{encryption}");
        let (status, key_type, arn) = shown().await;
        assert_eq!((status.as_str(), key_type.as_deref(), arn.as_deref()), expected, "{encryption}");
        assert!(bench.plan(&stack).await.is_empty(), "{encryption}");
    }
    goes(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_function_logs_in_json_from_the_levels_that_the_spec_names() {
    let spec = |log: &str| {
        stack(&format!(
            "version: 1\nstack: kinesis-test\nfunctions:\n  f:\n    code: {{ dir: python-transform }}\n    \
             runtime: python3.13\n    handler: transform.lambda_handler\n    log: {{ {log} }}\n"
        ))
    };
    let bench = Bench::new(Delays::FAST).await;
    for (log, expected) in [
        ("name: /company/transforms", ("Text", None, None)),
        ("name: /company/transforms, format: json", ("JSON", Some("INFO"), Some("INFO"))),
        (
            "name: /company/transforms, format: json, application_level: debug, system_level: warn",
            ("JSON", Some("DEBUG"), Some("WARN")),
        ),
        ("name: /company/transforms", ("Text", None, None)),
    ] {
        let stack = spec(log);
        assert_eq!(bench.up(&stack).await.failed, 0, "{log}");
        let call = bench.cx.lambda().get_function_configuration().function_name("kinesis-test-f");
        let logging = call.send().await.unwrap().logging_config.unwrap();
        let (application, system) = (logging.application_log_level.as_ref(), logging.system_log_level.as_ref());
        let format = logging.log_format.as_ref().unwrap().as_str();
        assert_eq!((format, application.map(|l| l.as_str()), system.map(|l| l.as_str())), expected, "{log}");
        assert_eq!(logging.log_group.as_deref(), Some("/company/transforms"));
        assert!(bench.plan(&stack).await.is_empty(), "{log}");
    }
    goes(&bench).await;
}
