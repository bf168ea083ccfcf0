//! Calls and rounds of the example stack: they are what a run costs on AWS.

mod common;

use std::collections::BTreeMap;

use common::{Bench, experiment, stack};
use local_cloud::Delays;
use provision::cloud::Call;

#[tokio::test(start_paused = true)]
async fn a_cold_up_takes_seven_rounds_and_makes_each_change_once() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.count_anew();
    bench.up(&stack).await;
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("cold_up", table(&calls));
    assert!(rounds(&calls) <= 7, "{}", timeline(&calls));
}

#[tokio::test(start_paused = true)]
async fn plan_and_a_no_op_up_are_one_round_of_reads() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.count_anew();
    bench.cx.calls.refuse_changes();
    assert!(bench.plan(&stack).await.is_empty());
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("no_op", table(&calls));
    assert_eq!(rounds(&calls), 1);
}

#[tokio::test(start_paused = true)]
async fn down_takes_five_rounds() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.count_anew();
    bench.down(Some(&stack)).await;
    let calls = bench.cx.calls.made();
    insta::assert_snapshot!("down", table(&calls));
    assert!(rounds(&calls) <= 5, "{}", timeline(&calls));
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
/// it has taken effect: polls and the reading back of tags are not counted as rounds of their own. Nor is the journal, which is
/// written beside the steps; its last line is one call more after all of them, and beside that one the record's tags are settled.
fn rounds(calls: &[Call]) -> usize {
    let first_change = calls.iter().filter(|call| !call.reads()).map(|call| call.started).min();
    let counted = calls.iter().filter(|call| !call.reads() || first_change.is_none_or(|first| call.started < first));
    let journal = |call: &&Call| {
        let beside = ["CreateLogStream", "PutLogEvents", "TagResource"];
        call.service == "CloudWatch Logs" && beside.contains(&call.operation.as_str())
    };
    let counted: Vec<&Call> = counted.filter(|call| !journal(call)).collect();
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
