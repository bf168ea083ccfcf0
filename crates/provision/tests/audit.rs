//! The findings of an audit of the path to AWS (A and B with its numbers) and of runs beside each other (C), each as a test.
//! Late answers and refusals that pass (A5 to A9, A11, B7) are in `unkind.rs`, refused reads (A1, A4, A20) in `denied.rs`.

use std::time::Duration;

use crate::common::{Bench, experiment, stack};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kinesis::types::EncryptionType;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use local_cloud::{Delays, Settings};
use provision::cloud::Clients;
use provision::error::Error;
use provision::plan::Op;

const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A2: where S3 refuses tags in CreateBucket, they are set after it.
#[tokio::test(start_paused = true)]
async fn a2_a_bucket_is_created_without_tags_where_these_are_refused() {
    let mut bench = Bench::with(Settings { delays: Delays::FAST, enforce_iam: true, ..Settings::default() }).await;
    let iam = bench.cx.iam();
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}"#;
    let role = iam.create_role().role_name("ci").assume_role_policy_document(trust).send().await.unwrap();
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:TagResource", "Resource": "*"}]}"#;
    iam.put_role_policy().role_name("ci").policy_name("p").policy_document(policy).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sts = aws_sdk_sts::Client::new(&bench.cx.sdk);
    let role = role.role().unwrap().arn().to_owned();
    let session = sts.assume_role().role_arn(role).role_session_name("ci").send().await.unwrap().credentials.unwrap();
    let session = Credentials::new(
        session.access_key_id,
        session.secret_access_key,
        Some(session.session_token),
        None,
        "the role of CI",
    );
    let provider = SharedCredentialsProvider::new(session);
    bench.cx.sdk = bench.cx.sdk.into_builder().credentials_provider(provider).build();
    bench.cx.clients = Clients::default();
    let stack = stack("version: 1\nstack: s\nbuckets: {lake: {name: our-lake}}\n");
    bench.up(&stack).await;
    let tags = bench.cx.s3().get_bucket_tagging().bucket("our-lake").send().await.unwrap();
    assert!(tags.tag_set().iter().any(|tag| tag.key() == "provision/stack"), "{tags:?}");
    assert!(bench.plan(&stack).await.is_empty());
    bench.down(None).await;
}

/// A13: Lambda makes the log group of a function after `down`, and other tools' functions have had one of that name. It is nobody's:
/// it is used, and it stays.
#[tokio::test(start_paused = true)]
async fn a13_a_log_group_that_lambda_made_is_used_and_stays() {
    let stack = stack(&experiment());
    let bench = Bench::new(Delays::FAST).await;
    let group = "/aws/lambda/test-delivery2";
    bench.cx.logs().create_log_group().log_group_name(group).send().await.unwrap();
    bench.up(&stack).await;
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty() && plan.refusals.is_empty(), "{plan:#?}");
    bench.down(Some(&stack)).await;
    let left = bench.cx.logs().describe_log_groups().send().await.unwrap();
    let left: Vec<_> = left.log_groups().iter().filter_map(|group| group.log_group_name()).collect();
    assert_eq!(left, [group]);
}

/// A15: a customer's key of an existing stream, and of a bucket's default encryption, is known to AWS only.
#[tokio::test(start_paused = true)]
async fn a15_the_role_may_use_keys_that_only_aws_knows() {
    let bench = Bench::new(Delays::FAST).await;
    let (kinesis, s3) = (bench.cx.kinesis(), bench.cx.s3());
    kinesis.create_stream().stream_name("company").shard_count(1).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let encrypt = kinesis.start_stream_encryption().stream_name("company").key_id(KEY);
    encrypt.encryption_type(EncryptionType::Kms).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    s3.create_bucket().bucket("company-lake").send().await.unwrap();
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let default = default.kms_master_key_id(KEY).build().unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    s3.put_bucket_encryption().bucket("company-lake").server_side_encryption_configuration(rules).send().await.unwrap();
    let stack = stack(
        "version: 1\nstack: keys\nstreams: {events: {existing: company}}\nbuckets: {lake: {existing: company-lake}}\n\
         deliveries: {raw: {name: raw, from: events, bucket: lake, good: good/, bad: bad/}}\n",
    );
    bench.up(&stack).await;
    let role =
        bench.cx.iam().get_role_policy().role_name("firehose-raw-us-east-1").policy_name("provision").send().await;
    let policy = role.unwrap().policy_document;
    for service in ["kinesis", "s3"] {
        assert!(policy.contains(&format!("{service}.us-east-1.amazonaws.com")), "{service}: {policy}");
    }
    assert!(bench.plan(&stack).await.is_empty());
}

/// B6: a function keeps a grant for the id of its role: a new role under the same name has another.
#[tokio::test(start_paused = true)]
async fn b6_a_role_created_anew_updates_its_function() {
    let stack = stack(&experiment());
    let bench = Bench::new(Delays::FAST).await;
    bench.up(&stack).await;
    let (iam, role) = (bench.cx.iam(), "lambda-test-delivery2-us-east-1");
    iam.delete_role_policy().role_name(role).policy_name("provision").send().await.unwrap();
    iam.delete_role().role_name(role).send().await.unwrap();
    let plan = bench.plan(&stack).await;
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.op, step.name.address.to_string())).collect();
    assert_eq!(steps, [(Op::Create, "role.function-square".into()), (Op::Update, "function.square".into())]);
    bench.cx.calls.forget();
    bench.up(&stack).await;
    assert!(bench.cx.calls.made().iter().any(|call| call.operation == "UpdateFunctionConfiguration"));
    assert!(bench.plan(&stack).await.is_empty());
}

/// B10: AWS's support asks for the request's name.
#[tokio::test(start_paused = true)]
async fn b10_an_error_of_aws_carries_the_name_of_its_request() {
    let bench = Bench::new(Delays::FAST).await;
    let refused = bench.cx.kinesis().delete_stream().stream_name("nothing").send().await.unwrap_err();
    let error = Error::aws("deleting", refused);
    assert!(error.request_id().is_some_and(|id| id.len() >= 16), "{error:?}");
    let refused = bench.cx.s3().delete_bucket().bucket("nothing").send().await.unwrap_err();
    assert!(Error::aws("deleting", refused).request_id().is_some());
}

/// C7: the answer to a change of a stream is lost, and the SDK's second attempt meets a stream that is being changed.
#[tokio::test(start_paused = true)]
async fn c7_a_lost_reply_to_a_change_of_a_stream_is_no_failure() {
    let changes = [
        ("UpdateShardCount", "shards: 2"),
        ("IncreaseStreamRetentionPeriod", "shards: 1, retention: 48h"),
        ("StartStreamEncryption", "shards: 1, encryption: alias/aws/kinesis"),
        ("EnableEnhancedMonitoring", "shards: 1, metrics: [IncomingBytes]"),
        ("UpdateMaxRecordSize", "shards: 1, max_record_size: 2MiB"),
        ("UpdateStreamMode", "mode: on-demand"),
    ];
    let spec = |fields: &str| stack(&format!("version: 1\nstack: s\nstreams: {{events: {{name: e, {fields}}}}}\n"));
    for (operation, fields) in changes {
        let bench = Bench::new(Delays::AWS).await;
        bench.up(&spec("shards: 1")).await;
        bench.engine.inject(format!("kinesis:{operation}=lost-reply,count=1").parse().expect(operation));
        bench.up(&spec(fields)).await;
        assert!(bench.plan(&spec(fields)).await.is_empty(), "{operation}");
        let made = bench.cx.calls.made();
        let sent = made.iter().filter(|call| call.operation == operation).count();
        assert!((1..=2).contains(&sent), "{operation}: {sent} times");
    }
}
