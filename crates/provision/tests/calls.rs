//! Calls and rounds of the example stack: they are what a run costs on AWS.

use std::collections::BTreeMap;

use crate::common::{Bench, experiment, stack};
use local_cloud::{Delays, Settings};
use provision::cloud::Call;
use provision::cloud::identity::Identity;
use provision::event::{Event, tell_calls};
use provision::plan::Permits;
use provision::run;
use serde_json::Value;

#[tokio::test(start_paused = true)]
async fn a_cold_up_takes_eight_rounds_and_makes_each_change_once() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    ask_who(&mut bench);
    bench.up(&stack).await;
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("cold_up", table(&calls));
    assert!(rounds(&calls) <= 8, "{}", timeline(&calls));
}

#[tokio::test(start_paused = true)]
async fn plan_and_a_no_op_up_are_one_round_of_reads() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    ask_who(&mut bench);
    bench.cx.calls.refuse_changes();
    assert!(bench.plan(&stack).await.is_empty());
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("no_op", table(&calls));
    assert_eq!(rounds(&calls), 1);
}

#[tokio::test(start_paused = true)]
async fn down_takes_six_rounds() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    ask_who(&mut bench);
    bench.down(Some(&stack)).await;
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("down", table(&calls));
    assert!(rounds(&calls) <= 6, "{}", timeline(&calls));
}

#[tokio::test(start_paused = true)]
async fn what_each_attempt_was_answered_and_what_was_waited_for_is_told() {
    let consistency = "iam-absent,lambda-stale".parse().expect("rows");
    let bench = Bench::with(Settings { consistency, delays: Delays::AWS, ..Settings::default() }).await;
    for rule in ["kinesis:CreateStream=throttle,count=1", "s3:CreateBucket=lost-reply,count=1"] {
        bench.engine.inject(rule.parse().expect(rule));
    }
    bench.up(&stack(&experiment())).await;
    bench.up(&stack(&experiment().replace("memory: 256MiB", "memory: 512MiB"))).await;
    let (calls, waits) = told(&bench);

    let create = calls.iter().find(|call| call["operation"] == "CreateStream").expect("a stream is created");
    let [refused, made] = create["answers"].as_array().expect("a list").as_slice() else { panic!("{create}") };
    let code = "LimitExceededException";
    assert_eq!((&refused["status"], &refused["code"]), (&Value::from(400), &Value::from(code)), "{create}");
    assert!(refused["message"].as_str().is_some_and(|message| !message.is_empty()), "{create}");
    assert_eq!((&made["status"], &made["code"]), (&Value::from(200), &Value::Null), "{create}");
    assert!([refused, made].iter().all(|answer| answer["request_id"].is_string()), "{create}");
    let bucket = calls.iter().find(|call| call["operation"] == "CreateBucket").expect("a bucket is created");
    let lost = &bucket["answers"][0];
    assert!(lost["status"].is_null() && lost["message"].is_string() && lost["took_ms"].is_u64(), "{bucket}");

    let refusal = waits.iter().find(|wait| wait["why"] == "refused").expect("a new role is not seen");
    assert_eq!(refusal["transient"]["code"], "NoSuchEntity", "{refusal}");
    assert!(refusal["doing"].as_str().is_some_and(|doing| doing.contains("role")), "{refusal}");
    let stale = waits.iter().find(|wait| wait["why"] == "stale").expect("the old memory shows for a while");
    assert_eq!(stale["on"], "the update of function square to show");
    assert!(stale["times"].as_u64() > Some(0) && stale["took_ms"].as_u64() > Some(0), "{stale}");
}

/// Calls and waits, as they stand in the output.
fn told(bench: &Bench) -> (Vec<Value>, Vec<Value>) {
    tell_calls(&bench.cx, &bench.events());
    let told = bench.told();
    let list = |event: &Event, name: &str| match serde_json::to_value(event).expect("events serialise")[name].take() {
        Value::Array(list) => Some(list),
        _ => None,
    };
    let found = |name| told.iter().rev().find_map(|event| list(event, name)).expect(name);
    (found("calls"), found("waits"))
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_account_change_nothing() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.cx.identity = Identity::assumed("111122223333", &bench.cx.sdk, &bench.cx.calls);
    let stack = stack(&experiment());
    for _ in 0..2 {
        let Err(errors) = run::decide_up(&bench.cx, &stack, Permits::default(), &bench.events()).await else {
            panic!("the caller is of another account")
        };
        let said = "the spec is for account 111122223333, but these credentials belong to account 000000000000";
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [said]);
    }
    assert!(bench.cx.calls.made().iter().all(Call::reads));
}

/// From now on calls are counted, and the first survey has STS confirm the account.
fn ask_who(bench: &mut Bench) {
    bench.count_anew();
    bench.cx.identity = Identity::assumed("000000000000", &bench.cx.sdk, &bench.cx.calls);
}

/// Calls by service and operation, how often each was made, and the rounds.
fn table(calls: &[Call]) -> String {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for call in calls {
        *counts.entry((call.service.clone(), call.operation.clone())).or_default() += 1;
    }
    let lines: String =
        counts.iter().map(|((service, operation), n)| format!("{n:>3}  {service:<16} {operation}\n")).collect();
    let changing = calls.iter().filter(|call| !call.reads()).count();
    format!("{lines}{} calls, {changing} of them changing, {} rounds", calls.len(), rounds(calls))
}

/// The longest chain in which each call begins after the one before it ended. A read that follows a change is a look whether
/// it has taken effect: polls and the reading back of tags are not counted as rounds of their own.
fn rounds(calls: &[Call]) -> usize {
    let first_change = calls.iter().filter(|call| !call.reads()).map(|call| call.started).min();
    let counted = calls.iter().filter(|call| !call.reads() || first_change.is_none_or(|first| call.started < first));
    let counted: Vec<&Call> = counted.collect();
    let mut longest: Vec<usize> = vec![];
    for (index, call) in counted.iter().enumerate() {
        let before = counted[..index].iter().zip(&longest);
        let chain = before.filter(|(other, _)| other.ended.is_some_and(|ended| ended <= call.started)).map(|(_, n)| *n);
        longest.push(1 + chain.max().unwrap_or(0));
    }
    longest.into_iter().max().unwrap_or(0)
}

/// Every call with when it began and ended, in milliseconds.
fn timeline(calls: &[Call]) -> String {
    let first = calls.iter().map(|call| call.started).min();
    let since = |at: tokio::time::Instant| first.map_or(0, |first| (at - first).as_millis());
    let line =
        |call: &Call| format!("{:>6} {:>6} {}\n", since(call.started), call.ended.map_or(0, since), call.operation);
    format!("{} rounds:\n{}", rounds(calls), calls.iter().map(line).collect::<String>())
}
