//! The findings of `doctor`, each with its remedy; it changes nothing.

use std::process::Command;

use provision::cloud::{Caller, Cx};
use provision::doctor::{Check, State, permitted, room};
use provision::permissions::format::statements;
use provision::permissions::{Need, Purpose, needs, of_stack};
use provision::resource::role::Statement;
use provision::spec::stack::Stack;

use super::company::{ACCOUNT, allowed, bench, names};
use crate::common::{Bench, stack, stacks};

fn spec(bucket: &str) -> Stack {
    stack(&format!(
        "version: 1\nstack: ill\nstreams: {{ events: {{ name: ill-events, shards: 2 }}, more: {{ name: ill-more, mode: on-demand }} }}\n\
         buckets: {{ lake: {bucket} }}\ndeliveries: {{ raw: {{ name: ill-raw, from: events, bucket: lake, good: a/, bad: b/ }} }}\n"
    ))
}

fn lake() -> Stack {
    spec("{ name: ill-lake }")
}

/// Signs, and what was found.
fn told(checks: &[Check]) -> Vec<(State, &str)> {
    checks.iter().map(|check| (check.state, check.found.as_str())).collect()
}

/// Everything but a good finding says what to do.
fn has_remedies(checks: &[Check]) {
    for check in checks {
        assert_eq!(check.remedy.is_none(), check.state == State::Good, "{check:?}");
    }
}

fn only_reads(cx: &Cx) {
    let made = cx.calls.made();
    assert!(!made.is_empty() && made.iter().all(|call| call.reads()), "{made:#?}");
}

fn caller(name: &str) -> Caller {
    Caller { account: ACCOUNT.into(), arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ci") }
}

/// The doctor's own: what it asks of IAM.
fn asking() -> Statement {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/ci");
    Statement::allow(&["iam:GetRole", "iam:SimulatePrincipalPolicy"], vec![role])
}

async fn permissions(given: &[Need], more: &[Statement]) -> Vec<Check> {
    let (stack, wanted) = (lake(), needs(&of_stack(&lake(), &names(&lake())), &names(&lake()), Purpose::All));
    let bench = bench(&stack).await;
    let cx = allowed(&bench, &[&statements(given), more].concat()).await;
    cx.calls.refuse_changes();
    let checks = permitted::checks(&cx, &caller("ci"), &wanted).await;
    only_reads(&cx);
    has_remedies(&checks);
    checks
}

#[tokio::test(start_paused = true)]
async fn every_permission_is_asked_for_and_what_is_missing_is_named_with_its_resource() {
    let stack = lake();
    let all = needs(&of_stack(&stack, &names(&stack)), &names(&stack), Purpose::All);
    let checks = permissions(&all, &[asking()]).await;
    assert!(checks.len() == 1 && checks[0].state == State::Good, "{checks:?}");
    for action in ["kinesis:CreateStream", "iam:PassRole", "s3:PutObject", "logs:TagResource"] {
        let rest: Vec<Need> = all.iter().filter(|need| need.action != action).cloned().collect();
        let checks = permissions(&rest, &[asking()]).await;
        let missing = |check: &Check| check.state == State::Failed && check.found.contains(action);
        assert!(!checks.is_empty() && checks.iter().all(missing), "{action}: {checks:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_iam_may_not_be_asked_that_is_said_and_nothing_fails() {
    let checks = permissions(&[], &[]).await;
    assert!(checks.len() == 1 && checks[0].state == State::Unchecked, "{checks:?}");
    assert!(checks[0].found.contains("iam:SimulatePrincipalPolicy"), "{checks:?}");
    let root = Caller { account: ACCOUNT.into(), arn: format!("arn:aws:iam::{ACCOUNT}:root") };
    let checks = permitted::checks(&bench(&lake()).await.cx, &root, &[]).await;
    assert_eq!(told(&checks), [(State::Good, "the root user is allowed everything")]);
}

async fn buckets(bench: &Bench, bucket: &str) -> Vec<Check> {
    bench.cx.calls.forget();
    let checks = room::buckets(&bench.cx, &spec(bucket)).await;
    only_reads(&bench.cx);
    has_remedies(&checks);
    checks
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_looked_at_with_its_owner_region_and_policy() {
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let bench = bench(&lake()).await;
    let s3 = bench.cx.s3();
    let state = |checks: &[Check]| checks.iter().map(|check| check.state).collect::<Vec<_>>();
    assert_eq!(state(&buckets(&bench, "{ name: ill-lake }").await), [State::Good], "it will be created");
    assert_eq!(state(&buckets(&bench, "{ name: ill-lake, create: never }").await), [State::Failed]);
    assert_eq!(state(&buckets(&bench, "{ existing: ill-lake }").await), [State::Failed]);
    s3.create_bucket().bucket("ill-lake").send().await.unwrap();
    assert_eq!(state(&buckets(&bench, "{ existing: ill-lake }").await), [State::Good]);
    let elsewhere = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("ill-elsewhere").create_bucket_configuration(elsewhere).send().await.unwrap();
    let checks = buckets(&bench, "{ name: ill-elsewhere }").await;
    assert_eq!(told(&checks), [(State::Failed, "ill-elsewhere is in eu-west-1, not in us-east-1")]);
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::ill-lake/*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}}"#;
    s3.put_bucket_policy().bucket("ill-lake").policy(deny).send().await.unwrap();
    let checks = buckets(&bench, "{ name: ill-lake }").await;
    let found = "the policy of ill-lake denies s3:PutObject depending on s3:x-amz-server-side-encryption";
    assert_eq!(told(&checks)[1], (State::Care, found));
    bench.engine.inject("s3:GetBucketPolicy=AccessDenied,count=1".parse().unwrap());
    assert_eq!(state(&buckets(&bench, "{ name: ill-lake }").await), [State::Good, State::Unchecked]);
    bench.engine.inject("s3:HeadBucket=AccessDenied,count=1".parse().unwrap());
    let checks = buckets(&bench, "{ name: ill-lake }").await;
    assert!(checks[0].state == State::Failed && checks[0].found.contains("another account"), "{checks:?}");
}

#[tokio::test(start_paused = true)]
async fn quotas_are_compared_with_what_is_there_and_what_is_to_come() {
    let bench = bench(&lake()).await;
    let streams = async || room::streams(&bench.cx, &lake()).await;
    let checks = streams().await;
    has_remedies(&checks);
    assert!(checks.iter().all(|check| check.state == State::Good), "{checks:?}");
    assert!(checks[0].found.starts_with("0 of ") && checks[0].found.ends_with("and 2 will be created"), "{checks:?}");
    let check = room::delivery_streams(&bench.cx, &lake()).await.expect("there is one");
    assert_eq!(check.found, "0 of 5000 delivery streams are in use and 1 will be created");
    only_reads(&bench.cx);
    for (rule, action) in [("kinesis:ListStreams", "ListStreams"), ("kinesis:DescribeLimits", "DescribeLimits")] {
        bench.engine.inject(format!("{rule}=AccessDenied,count=1").parse().unwrap());
        let checks = streams().await;
        has_remedies(&checks);
        let last = checks.last().expect("there is one");
        assert!(last.state == State::Unchecked && last.remedy.as_ref().unwrap().contains(action), "{checks:?}");
    }
    bench.engine.inject("kinesis:CreateStream=slow:3600s".parse().unwrap());
    for n in 0..4 {
        bench.cx.kinesis().create_stream().stream_name(format!("s{n}")).shard_count(1).send().await.unwrap();
    }
    let checks = streams().await;
    assert_eq!(checks[0].state, State::Care, "{checks:?}");
    assert!(checks[0].found.starts_with("4 streams are being created or deleted and 2 will be created"), "{checks:?}");
    let none = stack("version: 1\nstack: ill\nbuckets: { lake: { name: ill-lake } }\n");
    assert!(room::streams(&bench.cx, &none).await.is_empty());
    assert_eq!(room::delivery_streams(&bench.cx, &none).await, None);
}

/// As a program sees it: nobody answers at the endpoint.
#[test]
fn each_line_is_an_event_and_a_failure_is_an_exit_code() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command
        .args(["doctor", "--output", "json", "--endpoint", "http://127.0.0.1:1"])
        .arg(stacks().join("kinesis-test.yaml"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("AWS_ACCESS_KEY_ID", "AKID").env("AWS_SECRET_ACCESS_KEY", "a secret");
    command.env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2");
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("JSON");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect();
    let check = |about: &str, state: &str| {
        let is_it = |line: &&serde_json::Value| line["check"]["about"] == about && line["check"]["state"] == state;
        lines.iter().find(is_it).unwrap_or_else(|| panic!("no {about} {state} in {text}"))["check"].clone()
    };
    assert!(check("credentials", "failed")["remedy"].as_str().unwrap().contains("network"));
    assert!(check("credentials", "failed")["found"].as_str().unwrap().contains("(from the environment)"));
    assert!(check("endpoint", "care")["found"].as_str().unwrap().contains("AWS_ENDPOINT_URL_S3"));
    assert!(!text.contains("a secret"));
}
