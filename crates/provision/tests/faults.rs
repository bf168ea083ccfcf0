//! The experiment's stack on an AWS that throttles, fails, is slow and loses its answers.

use std::time::Duration;

use crate::common::{Bench, experiment, stack};
use local_cloud::Delays;
use serde_json::Value;

/// Each on a new world: what goes wrong, by rules.
macro_rules! up_and_down_get_there {
    ($($name:ident: $rules:expr,)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            get_there(&$rules).await;
        })*
    };
}

up_and_down_get_there! {
    when_calls_are_throttled: ["*=throttle,rate=0.2,seed=1"],
    when_calls_fail: ["*=500,rate=0.1,seed=2", "*=503,rate=0.1,seed=3"],
    when_answers_take_long: ["*=latency:700ms"],
    when_everything_settles_late: ["iam:*=slow:15s", "kinesis:*=slow:30s", "firehose:*=slow:40s", "lambda:*=slow:20s"],
    when_answers_are_lost: ["*=lost-reply,rate=0.15,seed=4"],
    when_the_first_answer_of_every_change_is_lost: LOST_CHANGES,
    when_everything_goes_wrong_at_once: [
        "*=throttle,rate=0.1,seed=5", "*=500,rate=0.05,seed=6", "*=lost-reply,rate=0.1,seed=7", "iam:*=slow:10s",
    ],
}

const LOST_CHANGES: [&str; 18] = [
    "logs:CreateLogGroup=lost-reply,count=1",
    "logs:PutRetentionPolicy=lost-reply,count=1",
    "logs:TagResource=lost-reply,count=1",
    "iam:CreateRole=lost-reply,count=1",
    "iam:PutRolePolicy=lost-reply,count=1",
    "kinesis:CreateStream=lost-reply,count=1",
    "lambda:CreateFunction=lost-reply,count=1",
    "firehose:CreateDeliveryStream=lost-reply,count=1",
    "s3:CreateBucket=lost-reply,count=1",
    "s3:PutObject=lost-reply,count=1",
    "firehose:DeleteDeliveryStream=lost-reply,count=1",
    "lambda:DeleteFunction=lost-reply,count=1",
    "kinesis:DeleteStream=lost-reply,count=1",
    "iam:DeleteRolePolicy=lost-reply,count=1",
    "iam:DeleteRole=lost-reply,count=1",
    "logs:DeleteLogGroup=lost-reply,count=1",
    "s3:DeleteObject=lost-reply,count=1",
    "s3:DeleteBucket=lost-reply,count=1",
];

async fn get_there(rules: &[&str]) {
    let stack = stack(&experiment());
    let bench = Bench::new(Delays::FAST).await;
    for rule in rules {
        bench.engine.inject(rule.parse().expect(rule));
    }
    let summary = bench.up(&stack).await;
    assert_eq!((summary.created, summary.failed), (15, 0));
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(plan.same.len(), 15);
    // It deletes only what is ours by its tags: nothing may be left.
    bench.down(Some(&stack)).await;
    bench.engine.advance(Duration::from_secs(600)).await;
    for (service, left) in bench.engine.dump().as_object().expect("by service") {
        assert!(is_empty(left), "{service}: {left}");
    }
    let injected: u64 = bench.engine.faults().iter().map(|(_, _, injected)| injected).sum();
    assert!(injected > 3, "the rules injected {injected} times");
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(members) => members.is_empty(),
        _ => false,
    }
}
