//! `--scan`: what is ours is found although its record is lost or wrong, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Bench, experiment, left, stack};
use local_cloud::Delays;
use provision::cloud::Cx;
use provision::names::Names;
use provision::plan::{Op, Plan, Step};
use provision::record::environments;
use provision::run::{self, Ended, How, What};
use provision::scan;
use provision::spec::stack::Stack;
use serde_json::json;

/// The experiment as another environment of the stack, in the same bucket.
fn pull_request() -> Stack {
    let text = experiment().replace("name: kinesis-test,", "name: kinesis-test-pr-1,");
    stack(&text.replace("name: test-delivery", "name: pr-1-test-delivery").replace("data/kinesis", "pr-1/data/kinesis"))
}

fn as_env(bench: &Bench, env: Option<&str>) -> Cx {
    let mut cx = bench.cx.clone();
    cx.names = Arc::new(Names { env: env.map(str::to_owned), ..(*cx.names).clone() });
    cx
}

/// Two environments of the stack and somebody's stream; the records of both are lost.
async fn without_records(bench: &mut Bench) {
    bench.up(&stack(&experiment())).await;
    let other = as_env(bench, Some("pr-1"));
    bench.up_as(&other, &pull_request()).await;
    bench.cx.kinesis().create_stream().stream_name("others").shard_count(1).send().await.unwrap();
    for record in ["/provision/kinesis-test/-", "/provision/kinesis-test/pr-1"] {
        bench.cx.logs().delete_log_group().log_group_name(record).send().await.unwrap();
    }
    bench.cx.options.scan = true;
}

#[tokio::test(start_paused = true)]
async fn a_down_finds_everything_without_a_record_and_nothing_of_others() {
    let mut bench = Bench::new(Delays::FAST).await;
    without_records(&mut bench).await;
    bench.cx.options.scan = false;
    assert!(!bench.down(None).await.changed(), "without a scan nothing is known");
    bench.cx.options.scan = true;
    bench.down(None).await;
    let other = as_env(&bench, Some("pr-1"));
    let (_, plan) = run::decide_up(&other, &pull_request(), Default::default(), &bench.events()).await.unwrap();
    // But for the tags of its roles, which are written again where no record names them.
    let updates_a_role = |step: &Step| step.name.address.kind == "role" && step.op == Op::Update;
    assert!(plan.steps.iter().all(updates_a_role), "the other environment does not notice: {plan:#?}");
    bench.down_as(&other, None).await;
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({ "kinesis": { "us-east-1": ["others"] } }));
}

#[tokio::test(start_paused = true)]
async fn a_list_tells_what_no_record_names() {
    let mut bench = Bench::new(Delays::FAST).await;
    without_records(&mut bench).await;
    bench.up(&stack(&experiment())).await;
    // One member less in the record.
    let untag =
        bench.cx.logs().untag_resource().resource_arn(bench.cx.names.log_group_arn("/provision/kinesis-test/-"));
    untag.tag_keys("provision/member/stream.events").send().await.unwrap();
    let scanned = run::scan(&bench.cx, &bench.events()).await.unwrap();
    let listed = environments::all(&bench.cx).await.unwrap();
    let all = environments::with_unrecorded(&bench.cx, listed, scanned.as_ref()).await.unwrap();
    let told: Vec<_> = all.iter().map(|found| (found.to_string(), found.recorded, found.unrecorded.len())).collect();
    let ours = ("stack kinesis-test".to_owned(), true, 1);
    assert_eq!(told, [ours, ("stack kinesis-test, environment pr-1".to_owned(), false, 15)]);
    assert_eq!(all[0].unrecorded, ["stream.events (kinesis-test)"]);
}

#[tokio::test(start_paused = true)]
async fn a_gc_removes_of_an_expired_environment_what_its_record_does_not_name() {
    let mut bench = Bench::new(Delays::FAST).await;
    bench.cx.options.ttl_s = Some(3600);
    bench.up(&stack(&experiment())).await;
    let untag =
        bench.cx.logs().untag_resource().resource_arn(bench.cx.names.log_group_arn("/provision/kinesis-test/-"));
    untag.tag_keys("provision/member/stream.events").send().await.unwrap();
    bench.engine.advance(Duration::from_secs(3600)).await;
    bench.cx.options.scan = true;
    let scanned = run::scan(&bench.cx, &bench.events()).await.unwrap();
    let expired = What::Expired { scanned: scanned.as_ref(), never_expires: false };
    let agree = async |plan: &Plan| {
        assert!(plan.steps.iter().any(|step| step.name.physical == "kinesis-test"), "{plan:#?}");
        assert_eq!(plan.steps.len(), 15);
        false
    };
    let ended = run::down(&bench.cx, expired, &How::new("gc"), agree, &bench.events()).await;
    assert!(matches!(ended, Ok(Some(Ended::Disagreed))), "it is over: {ended:?}");
}

/// Convergence A8, as an earlier version left it: a continuation without a first page.
#[tokio::test(start_paused = true)]
async fn a_down_removes_a_continuation_that_has_no_first_page() {
    let mut bench = Bench::new(Delays::FAST).await;
    let tags = bench.cx.names.ownership(&provision::names::Address::new("record", "members"));
    let create = bench.cx.logs().create_log_group().log_group_name("/provision/kinesis-test/-/1");
    create.set_tags(Some(tags.into_iter().collect())).send().await.unwrap();
    bench.cx.options.scan = true;
    bench.down(None).await;
    assert_eq!(left(&bench), json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_refused_is_an_error_and_tags_that_are_refused_are_told() {
    let mut bench = Bench::new(Delays::FAST).await;
    without_records(&mut bench).await;
    bench.engine.inject("kinesis:ListTagsForStream=AccessDenied".parse().unwrap());
    let scanned = scan::scan(&bench.cx).await.unwrap();
    assert_eq!(scanned.unread.len(), 3, "{:#?}", scanned.unread);
    assert!(scanned.unread[0].contains("kinesis:ListTagsForStream"), "{:#?}", scanned.unread);
    bench.engine.inject("lambda:ListFunctions=AccessDenied".parse().unwrap());
    let refused = scan::scan(&bench.cx).await.unwrap_err();
    assert!(refused.to_string().starts_with("listing the functions: "), "{refused}");
}
