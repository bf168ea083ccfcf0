//! Options of a bucket of ours, from the spec to AWS and back.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Bench, experiment, left, stack};
use aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption};
use local_cloud::Delays;
use provision::cloud::Cx;
use provision::names::Names;
use provision::plan::Op;
use provision::spec::stack::Stack;

const BUCKET: &str = "eq-sanhe-for-everything";
const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-0000-0000-000000000000";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/ffffffff-0000-0000-0000-000000000000";

/// The experiment, with more said of its bucket, and with another bucket for its access logs.
fn with(options: &str) -> Stack {
    let buckets = format!("lake: {{ name: {BUCKET}{options} }}\n  logs: {{ name: logs-of-{BUCKET} }}\n");
    let text = experiment();
    let line = text.lines().find(|line| line.contains(BUCKET)).expect("the example has a bucket");
    stack(&text.replace(&format!("{line}\n"), &format!("  {buckets}")))
}

/// The options of the bucket, as S3 shows them: encryption, versioning, policy, logs.
async fn seen(bench: &Bench, bucket: &str) -> [String; 4] {
    let s3 = bench.cx.s3();
    let encryption = s3.get_bucket_encryption().bucket(bucket).send().await.expect("every bucket has one");
    let configuration = encryption.server_side_encryption_configuration.expect("it is there");
    let rule = configuration.rules.into_iter().next().expect("there is one");
    let keys = if rule.bucket_key_enabled == Some(true) { " with bucket keys" } else { "" };
    let default = rule.apply_server_side_encryption_by_default.expect("it is there");
    let key = match default.sse_algorithm {
        ServerSideEncryption::Aes256 => "sse-s3".to_owned(),
        _ => default.kms_master_key_id.unwrap_or_default() + keys,
    };
    let versioning = s3.get_bucket_versioning().bucket(bucket).send().await.expect("an answer").status;
    let policy = s3.get_bucket_policy().bucket(bucket).send().await.map(|answer| answer.policy.unwrap_or_default());
    let logs = s3.get_bucket_logging().bucket(bucket).send().await.expect("an answer").logging_enabled;
    let versioning = match versioning {
        Some(BucketVersioningStatus::Enabled) => "enabled",
        Some(_) => "suspended",
        None => "never",
    };
    [
        key,
        versioning.to_owned(),
        policy.unwrap_or_default(),
        logs.map(|logs| format!("{}/{}", logs.target_bucket, logs.target_prefix)).unwrap_or_default(),
    ]
}

async fn settings(bench: &Bench) -> Vec<String> {
    let listed = bench.cx.s3().list_objects_v2().bucket(BUCKET).prefix(".provision/").send().await.unwrap();
    let keys = listed.contents().iter().filter_map(|object| object.key.clone());
    keys.filter(|key| key.contains("/setting/")).collect()
}

#[tokio::test(start_paused = true)]
async fn each_option_comes_stays_goes_and_leaves_nothing() {
    let key = format!(", encryption: \"{KEY}\"");
    let logs = ", access_logs: { bucket: logs, prefix: lake/ }".to_owned();
    let versioning = ", versioning: true".to_owned();
    let tls = ", tls_only: true".to_owned();
    let all = [key.as_str(), &versioning, &tls, &logs].concat();
    for (options, index, expected, after) in [
        (&key, 0, format!("{KEY} with bucket keys"), "sse-s3"),
        (&versioning, 1, "enabled".to_owned(), "suspended"),
        (&tls, 2, "aws:SecureTransport".to_owned(), ""),
        (&logs, 3, format!("logs-of-{BUCKET}/lake/"), ""),
        (&all, 2, "ProvisionTlsOnly".to_owned(), ""),
    ] {
        for from_the_beginning in [true, false] {
            let bench = Bench::new(Delays::FAST).await;
            let (set, plain) = (with(options), with(""));
            if !from_the_beginning {
                bench.up(&plain).await;
            }
            let plan = bench.plan(&set).await;
            let step = plan.steps.iter().find(|step| step.name.physical == BUCKET).expect("it changes");
            assert!(step.op == Op::Create || !step.diff.is_empty(), "{options}");
            bench.up(&set).await;
            let there = seen(&bench, BUCKET).await;
            assert!(there[index].contains(&expected), "{options}: {there:?}");
            assert!(bench.plan(&set).await.is_empty(), "{options}: {:#?}", bench.plan(&set).await);
            if !from_the_beginning {
                bench.up(&plain).await;
                let there = seen(&bench, BUCKET).await;
                assert_eq!(there[index], after, "{options}");
                assert_eq!(settings(&bench).await, Vec::<String>::new());
                assert_eq!(seen(&bench, &format!("logs-of-{BUCKET}")).await[2], "");
                assert!(bench.plan(&plain).await.is_empty(), "{options}");
            }
            bench.down(None).await;
            bench.engine.advance(Duration::from_secs(120)).await;
            assert_eq!(left(&bench), serde_json::json!({}), "{options}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_say_in_a_policy_stays_and_what_they_change_of_ours_is_mended() {
    let bench = Bench::new(Delays::FAST).await;
    let (tls, plain) = (with(", tls_only: true"), with(""));
    bench.up(&plain).await;
    let theirs = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject",
            "Resource":"arn:aws:s3:::{BUCKET}/secret"}}}}"#
    );
    bench.cx.s3().put_bucket_policy().bucket(BUCKET).policy(&theirs).send().await.unwrap();
    assert!(bench.plan(&plain).await.is_empty());
    bench.up(&tls).await;
    let both = seen(&bench, BUCKET).await[2].clone();
    assert!(both.contains("Theirs") && both.contains("ProvisionTlsOnly"), "{both}");
    bench.cx.s3().put_bucket_policy().bucket(BUCKET).policy(both.replace("s3:*", "s3:GetObject")).send().await.unwrap();
    let plan = bench.plan(&tls).await;
    assert_eq!(plan.steps[0].diff.changes[0].from, "changed", "{plan:#?}");
    bench.up(&tls).await;
    bench.up(&plain).await;
    let after = seen(&bench, BUCKET).await[2].clone();
    assert!(after.contains("Theirs") && !after.contains("ProvisionTlsOnly"), "{after}");
}

/// The experiment in an environment of this name, with more said of its bucket.
fn environment(bench: &Bench, env: &str, options: &str) -> (Cx, Stack) {
    let text = experiment().replace("name: kinesis-test,", &format!("name: kinesis-test-{env},"));
    let text = text.replace("name: test-", &format!("name: {env}-test-"));
    let mut cx = bench.cx.clone();
    cx.names = Arc::new(Names { env: Some(env.into()), ..(*cx.names).clone() });
    let text = text.replace("data/kinesis", &format!("{env}/data/kinesis"));
    (cx, stack(&text.replace(BUCKET, &format!("{BUCKET}{options}"))))
}

#[tokio::test(start_paused = true)]
async fn of_environments_that_share_a_bucket_the_last_one_takes_an_option_back() {
    let mut bench = Bench::new(Delays::FAST).await;
    let (one, first) = environment(&bench, "pr-1", ", versioning: true");
    let (two, second) = environment(&bench, "pr-2", ", versioning: true");
    let (_, without) = environment(&bench, "pr-1", "");
    let (three, third) = environment(&bench, "pr-3", "");
    bench.up_as(&one, &first).await;
    bench.up_as(&two, &second).await;
    bench.up_as(&three, &third).await;
    for (cx, spec) in [(&one, &first), (&two, &second), (&three, &third)] {
        bench.cx = cx.clone();
        assert!(bench.plan(spec).await.is_empty(), "nobody changes what another wants");
    }
    bench.cx = one.clone();
    let plan = bench.plan(&without).await;
    assert_eq!(plan.steps[0].diff.changes[0].to, "true (for stack kinesis-test, environment pr-2)", "{plan:#?}");
    bench.up(&without).await;
    assert_eq!(seen(&bench, BUCKET).await[1], "enabled");
    assert!(bench.plan(&without).await.is_empty());
    bench.down_as(&two, None).await;
    assert_eq!(seen(&bench, BUCKET).await[1], "suspended", "nobody asks for it any more");
    bench.cx = one.clone();
    assert!(bench.plan(&without).await.is_empty());
    bench.down_as(&one, None).await;
    bench.down_as(&three, None).await;
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(left(&bench), serde_json::json!({}), "claims leave no version behind");
}

#[tokio::test(start_paused = true)]
async fn environments_that_disagree_about_a_bucket_are_told() {
    let mut bench = Bench::new(Delays::FAST).await;
    let (one, first) = environment(&bench, "pr-1", &format!(", encryption: \"{KEY}\""));
    let (two, second) = environment(&bench, "pr-2", &format!(", encryption: \"{OTHER_KEY}\""));
    bench.up_as(&one, &first).await;
    bench.up_as(&two, &second).await;
    assert_eq!(
        bench.warnings(),
        [format!(
            "bucket lake: stack kinesis-test, environment pr-1 sets encryption to {KEY}, this environment to {OTHER_KEY}: each \
             `up` changes it"
        )]
    );
    bench.cx = one;
    let plan = bench.plan(&first).await;
    let change = &plan.steps[0].diff.changes[0];
    assert_eq!((change.from.as_str(), change.to.as_str()), (OTHER_KEY, KEY), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_was_found_is_not_changed_and_the_plan_says_so() {
    let bench = Bench::new(Delays::FAST).await;
    bench.cx.s3().create_bucket().bucket(BUCKET).send().await.unwrap();
    let spec = with(", versioning: true, tls_only: true");
    let plan = bench.plan(&spec).await;
    let told = "this stack did not create it and does not change it; not set: tls_only, versioning";
    assert!(plan.notes.iter().any(|note| note.why == told), "{plan:#?}");
    bench.up(&spec).await;
    assert_eq!(seen(&bench, BUCKET).await, ["sse-s3", "never", "", ""].map(str::to_owned));
}

#[tokio::test(start_paused = true)]
async fn options_cost_a_call_each_and_no_round_and_others_cost_nothing() {
    let mut bench = Bench::new(Delays::NONE).await;
    let reads = ["GetBucketEncryption", "GetBucketVersioning", "GetBucketPolicy", "GetBucketLogging"];
    let asked = |bench: &Bench| -> Vec<String> {
        let calls = bench.cx.calls.made();
        calls.into_iter().map(|call| call.operation).filter(|name| reads.contains(&name.as_str())).collect()
    };
    let plain = with("");
    bench.up(&plain).await;
    bench.count_anew();
    bench.plan(&plain).await;
    assert_eq!(asked(&bench), Vec::<String>::new());
    let one = with(", versioning: true");
    bench.up(&one).await;
    bench.count_anew();
    let began = tokio::time::Instant::now();
    assert!(bench.plan(&one).await.is_empty());
    assert_eq!(asked(&bench), ["GetBucketVersioning"]);
    assert!(began.elapsed() < 2 * crate::common::ROUND_TRIP, "one round: {:?}", began.elapsed());
}
