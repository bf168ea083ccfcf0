//! The resources of others in the account that the example stacks are written for, and the role that CI runs as.

use std::io::Write;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_firehose::types::ExtendedS3DestinationConfiguration;
use aws_sdk_lambda::types::FunctionCode;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use local_cloud::{Delays, Settings};
use provision::cloud::Cx;
use provision::names::Names;
use provision::permissions::format::policies;
use provision::resource::role::{Statement, document};
use provision::spec::stack::Stack;
use serde_json::json;

use crate::common::Bench;

pub const ACCOUNT: &str = "111122223333";

/// A world in which policies are asked, with what the examples refer to. Its own calls are root's.
pub async fn bench(stack: &Stack) -> Bench {
    let settings = Settings { account: ACCOUNT.into(), enforce_iam: true, delays: Delays::NONE, ..Settings::default() };
    let mut bench = Bench::with(settings).await;
    bench.cx.names = names(stack).into();
    bench
}

pub fn names(stack: &Stack) -> Names {
    Names {
        stack: stack.name.clone(),
        env: stack.env.clone(),
        account: ACCOUNT.into(),
        region: "us-east-1".into(),
        tag_prefix: stack.tag_prefix.clone(),
        iam_path: stack.iam.path.clone(),
    }
}

fn anything() -> String {
    document(&[Statement::allow(&["*"], vec!["*".into()])]).to_string()
}

/// The boundary of the roles: one that does not exist allows nothing.
pub async fn boundary(cx: &Cx) {
    let made = cx.iam().create_policy().policy_name("developer-boundary").policy_document(anything()).send();
    made.await.expect("a policy");
}

/// Everything else. Gives the version of the stored code, which the examples call 3.
pub async fn company(cx: &Cx) -> String {
    for (role, service) in [("transform", "lambda"), ("firehose-writer", "firehose")] {
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Service": format!("{service}.amazonaws.com") }, "Action": "sts:AssumeRole" }] });
        let role_made = cx.iam().create_role().role_name(role).assume_role_policy_document(trust.to_string()).send();
        role_made.await.expect(role);
        let put = cx.iam().put_role_policy().role_name(role).policy_name("all").policy_document(anything()).send();
        put.await.expect(role);
    }
    cx.kinesis().create_stream().stream_name("company-events").shard_count(1).send().await.expect("a stream");
    for bucket in ["company-data-lake", "company-artifacts", "everything-archive-eu"] {
        cx.s3().create_bucket().bucket(bucket).send().await.expect(bucket);
    }
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let versioning = cx.s3().put_bucket_versioning().bucket("company-artifacts").versioning_configuration(enabled);
    versioning.send().await.expect("versions");
    let put = cx.s3().put_object().bucket("company-artifacts").key("transforms/stored.zip").body(zip().into());
    let version = put.send().await.expect("the code").version_id.expect("the bucket has versions");
    for group in ["/company/transforms", "/company/firehose"] {
        cx.logs().create_log_group().log_group_name(group).send().await.expect(group);
    }
    let function = cx.lambda().create_function().function_name("company-clean").role(role("transform"));
    let code = FunctionCode::builder().zip_file(zip().into()).build();
    let function = function.runtime("python3.13".into()).handler("transform.lambda_handler").code(code);
    function.publish(true).send().await.expect("a function");
    let alias = cx.lambda().create_alias().function_name("company-clean").name("live").function_version("1");
    alias.send().await.expect("an alias");
    let destination = ExtendedS3DestinationConfiguration::builder().role_arn(role("firehose-writer"));
    let destination = destination.bucket_arn("arn:aws:s3:::company-data-lake").build().expect("both are set");
    let delivery = cx.firehose().create_delivery_stream().delivery_stream_name("company-delivery");
    delivery.extended_s3_destination_configuration(destination).send().await.expect("a delivery stream");
    version
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    zip.start_file("transform.py", zip::write::SimpleFileOptions::default()).expect("a new archive");
    zip.write_all(b"def lambda_handler(event, context):\n    return event\n").expect("in memory");
    zip.finish().expect("in memory").into_inner()
}

/// The same cloud, called by a session that may do what the statements say.
pub async fn allowed(bench: &Bench, statements: &[Statement]) -> Cx {
    allowed_as(bench, "ci", statements).await
}

/// The same, called by a session of this new role.
pub async fn allowed_as(bench: &Bench, role: &str, statements: &[Statement]) -> Cx {
    let documents = policies(statements).into_iter().map(|policy| policy.to_string());
    // This bench has no delays: a new role is known everywhere at once.
    let provider = session_of(bench, role, Duration::ZERO, documents).await;
    let sdk = bench.cx.sdk.to_builder().credentials_provider(provider).build();
    Cx { options: bench.cx.options.clone(), ..Cx::new(sdk, (*bench.cx.names).clone()) }
}

/// A session of a role that has these managed policies.
pub async fn session(bench: &Bench, documents: impl IntoIterator<Item = String>) -> SharedCredentialsProvider {
    session_of(bench, "ci", Duration::from_secs(60), documents).await
}

/// `settles`: how long IAM takes until a new role is known everywhere.
async fn session_of(
    bench: &Bench,
    name: &str,
    settles: Duration,
    documents: impl IntoIterator<Item = String>,
) -> SharedCredentialsProvider {
    let iam = bench.cx.iam();
    let trust = json!({ "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }] });
    let made = iam.create_role().role_name(name).assume_role_policy_document(trust.to_string()).send();
    made.await.expect("a role");
    for (number, document) in documents.into_iter().enumerate() {
        let made = iam
            .create_policy()
            .policy_name(format!("{name}-{number}"))
            .policy_document(document)
            .send()
            .await
            .expect("a policy");
        let arn = made.policy.and_then(|policy| policy.arn).expect("it has an ARN");
        iam.attach_role_policy().role_name(name).policy_arn(arn).send().await.expect("a managed policy");
    }
    if !settles.is_zero() {
        bench.engine.advance(settles).await;
    }
    let sts = aws_sdk_sts::Client::new(&bench.cx.sdk);
    let assumed = sts.assume_role().role_arn(role(name)).role_session_name("ci").send().await.expect("a session");
    let keys = assumed.credentials.expect("a session has credentials");
    SharedCredentialsProvider::new(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        None,
        "a session",
    ))
}
