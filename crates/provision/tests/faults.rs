//! The experiment's stack on an AWS that throttles, fails, is slow and loses its answers.

mod common;

use std::time::Duration;

use common::{Bench, experiment, stack};
use local_cloud::Delays;
use serde_json::Value;

/// What goes wrong, each time on a new world: a name, and the rules.
const TABLE: &[(&str, &[&str])] = &[
    ("throttled now and then", &["*=throttle,rate=0.2,seed=1"]),
    ("failing now and then", &["*=500,rate=0.1,seed=2", "*=503,rate=0.1,seed=3"]),
    ("slow to answer", &["*=latency:700ms"]),
    ("slow to settle", &["iam:*=slow:15s", "kinesis:*=slow:30s", "firehose:*=slow:40s", "lambda:*=slow:20s"]),
    ("losing answers now and then", &["*=lost-reply,rate=0.15,seed=4"]),
    ("losing every first answer of a change", LOST_CHANGES),
    (
        "everything at once",
        &["*=throttle,rate=0.1,seed=5", "*=500,rate=0.05,seed=6", "*=lost-reply,rate=0.1,seed=7", "iam:*=slow:10s"],
    ),
];

const LOST_CHANGES: &[&str] = &[
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

#[tokio::test(start_paused = true)]
async fn up_and_down_get_there_whatever_goes_wrong_on_the_way() {
    let stack = stack(&experiment());
    for (name, rules) in TABLE {
        eprintln!("{name}");
        let bench = Bench::new(Delays::FAST).await;
        for rule in *rules {
            bench.engine.inject(rule.parse().expect(rule));
        }
        let summary = bench.up(&stack).await;
        assert_eq!((summary.created, summary.failed), (13, 0), "{name}");
        let plan = bench.plan(&stack).await;
        assert!(plan.is_empty(), "{name}: {plan:#?}");
        assert_eq!(plan.same.len(), 13, "{name}");
        // It deletes only what is ours by its tags: nothing may be left.
        bench.down(Some(&stack)).await;
        bench.engine.advance(Duration::from_secs(600)).await;
        for (service, left) in bench.engine.dump().as_object().expect("by service") {
            assert!(is_empty(left), "{name}: {service} {left}");
        }
        let struck: u64 = bench.engine.faults().iter().map(|(_, _, struck)| struck).sum();
        assert!(struck > 3, "{name}: the rules struck {struck} times");
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(members) => members.is_empty(),
        _ => false,
    }
}
