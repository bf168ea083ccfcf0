//! Every field that can be changed, on a whole stack: each change is the steps it must be and no others, is applied, leaves
//! nothing to change, and can be taken back.

mod cases;

use crate::common::{Bench, stack};
use cases::{BUCKETS, Case, DELIVERIES, FUNCTIONS, ONE_WAY, REPLACED, ROLES, STREAMS};
use local_cloud::Delays;
use provision::plan::{self, Op, Permits, Plan};

/// With `--prune`, so that what a change adds goes away again when it is taken back.
const PRUNE: Permits = Permits { prune: true, adopt: false, data_loss: false };

fn text() -> &'static str {
    include_str!("changes/stack.yaml")
}

fn changed(what: &str, before: &str, after: &str) -> String {
    assert_eq!(text().matches(before).count(), 1, "{what}: {before:?} stands once in the spec");
    text().replace(before, after)
}

#[tokio::test(start_paused = true)]
async fn each_field_of_a_stream_changes_the_stream_alone() {
    there_and_back(STREAMS).await;
}

#[tokio::test(start_paused = true)]
async fn each_field_of_a_bucket_changes_the_bucket_alone() {
    there_and_back(BUCKETS).await;
}

#[tokio::test(start_paused = true)]
async fn each_field_of_a_function_changes_what_it_is_about_alone() {
    there_and_back(FUNCTIONS).await;
}

#[tokio::test(start_paused = true)]
async fn each_field_of_a_delivery_changes_what_it_is_about_alone() {
    there_and_back(DELIVERIES).await;
}

#[tokio::test(start_paused = true)]
async fn what_all_roles_have_in_common_changes_the_roles_alone() {
    there_and_back(ROLES).await;
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_change_is_replaced_and_the_reason_is_told() {
    let bench = with_boundaries().await;
    bench.up(&stack(text())).await;
    let mut wrong = vec![];
    let both_ways =
        REPLACED.iter().map(|(what, before, after, steps, why)| (*what, *before, *after, [*steps, *steps], *why));
    for (what, before, after, expected, reason) in both_ways.chain(ONE_WAY.iter().copied()) {
        for (spec, expected) in [changed(what, before, after), text().to_owned()].iter().zip(expected) {
            let spec = stack(spec);
            let (survey, plan) = bench.decide(&spec, PRUNE).await;
            let reasons: Vec<_> =
                plan.steps.iter().map(|step| plan::reasons(&step.diff)).filter(|r| !r.is_empty()).collect();
            let replaces = expected.iter().any(|step| step.starts_with("-/+"));
            let told: &[&str] = if replaces { &[reason] } else { &[] };
            if steps(&plan) != *expected || reasons != told {
                wrong.push(format!("{what}: {:?} {reasons:?}", steps(&plan)));
            }
            bench.apply(&survey, &plan).await;
            let again = bench.plan_with(&spec, PRUNE).await;
            if !again.is_empty() {
                wrong.push(format!("{what}, once more: {:?}", steps(&again)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With the policies that the roles' boundaries are: a boundary that does not exist allows nothing.
async fn with_boundaries() -> Bench {
    let bench = Bench::new(Delays::NONE).await;
    for name in ["developer-boundary", "other-boundary"] {
        let all = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        bench.cx.iam().create_policy().policy_name(name).policy_document(all).send().await.unwrap();
    }
    bench
}

/// Makes each change, and takes it back.
async fn there_and_back(cases: &[Case]) {
    let bench = with_boundaries().await;
    let before = stack(text());
    bench.up(&before).await;
    let mut wrong = vec![];
    for (what, old, new, expected) in cases {
        let after = stack(&changed(what, old, new));
        let forth: Vec<String> = expected.iter().map(|step| step.to_string()).collect();
        let mut back: Vec<String> = forth.iter().map(|step| taken_back(step)).collect();
        back.sort();
        for (way, spec, expected) in [("there", &after, forth), ("back", &before, back)] {
            let (survey, plan) = bench.decide(spec, PRUNE).await;
            if steps(&plan) != expected {
                wrong.push(format!("{what}, {way}: {:?} instead of {expected:?}", steps(&plan)));
            }
            bench.apply(&survey, &plan).await;
            let again = bench.plan_with(spec, PRUNE).await;
            if !again.is_empty() {
                wrong.push(format!("{what}, {way}, once more: {:#?}", again.steps));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn taken_back(step: &str) -> String {
    match step.split_at(2) {
        ("+ ", address) => format!("- {address}"),
        ("- ", address) => format!("+ {address}"),
        _ => step.to_owned(),
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    let sign = |op| match op {
        Op::Create => "+",
        Op::Update => "~",
        Op::Replace => "-/+",
        Op::Delete => "-",
    };
    let mut steps: Vec<String> =
        plan.steps.iter().map(|step| format!("{} {}", sign(step.op), step.name.address)).collect();
    steps.sort();
    steps
}

#[tokio::test(start_paused = true)]
async fn people_see_everything_that_is_made_with_what_is_set() {
    let bench = with_boundaries().await;
    insta::assert_snapshot!("cold", shown(&bench.plan(&stack(text())).await));
}

#[tokio::test(start_paused = true)]
async fn people_see_old_and_new_of_each_field_a_policy_by_lines_and_why_something_is_replaced() {
    let bench = with_boundaries().await;
    bench.up(&stack(text())).await;
    let edits = [
        ("shards: 2", "shards: 4"),
        ("tags: { tier: gold }", "tags: { tier: silver, owner: me }"),
        ("expire: 7d", "expire: 30d"),
        ("[dynamodb:GetItem]", "[dynamodb:GetItem, dynamodb:Query]"),
        ("LOG_LEVEL: debug", "LOG_LEVEL: info"),
        ("good: changes/processed/", "good: changes/done/"),
        ("name: changes-direct\n", "name: changes-direct\n    from: clicks\n"),
    ];
    let spec = edits.iter().fold(text().to_owned(), |spec, (before, after)| spec.replace(before, after));
    insta::assert_snapshot!("changes", shown(&bench.plan(&stack(&spec)).await));
}

#[tokio::test(start_paused = true)]
async fn people_see_what_left_the_spec_and_how_to_remove_it() {
    let bench = with_boundaries().await;
    bench.up(&stack(text())).await;
    let (before, after) = text().split_once("  direct:\n").expect("it is there");
    let (_, after) = after.split_once("  partitioned:\n").expect("it comes next");
    let smaller = format!("{before}  partitioned:\n{after}");
    insta::assert_snapshot!("orphans", shown(&bench.plan(&stack(&smaller)).await));
    insta::assert_snapshot!("pruned", shown(&bench.plan_with(&stack(&smaller), PRUNE).await));
}

#[tokio::test(start_paused = true)]
async fn people_see_why_nothing_is_done_and_what_would_help() {
    let bench = with_boundaries().await;
    bench.cx.kinesis().create_stream().stream_name("changes-events").shard_count(2).send().await.unwrap();
    insta::assert_snapshot!("refused", refusals(&bench.plan(&stack(text())).await));
    let protected = changed("protection", "name: changes-direct\n", "name: changes-direct\n    protect: true\n");
    let adopt = Permits { adopt: true, ..Permits::default() };
    bench.up_with(&stack(&protected), adopt).await;
    let replaced = protected.replace("name: changes-direct\n", "name: changes-direct\n    from: clicks\n");
    insta::assert_snapshot!("protected", refusals(&bench.plan(&stack(&replaced)).await));
}

/// Losing what a stream holds wants a flag of its own. No field of a stream replaces it today: the facts are made up.
#[tokio::test(start_paused = true)]
async fn a_stream_is_replaced_only_where_its_data_may_be_lost() {
    let bench = with_boundaries().await;
    bench.up(&stack(text())).await;
    let (mut survey, _) = bench.decide(&stack(text()), PRUNE).await;
    let fact = survey.facts.iter_mut().find(|fact| fact.name.address.to_string() == "stream.events");
    let fact = fact.expect("the stream was surveyed");
    fact.diff.push("kind", "a".into(), "b".into(), Some("a stream stays what it is"));
    let decide = |permits| plan::plan(&survey.facts, &survey.members, &bench.cx.names, permits);
    let refused = decide(PRUNE);
    assert_eq!((refused.steps.len(), refused.refusals.len()), (0, 1));
    assert!(refused.refusals[0].consent && refused.refusals[0].hint.contains("--allow-data-loss"), "{refused:?}");
    assert_eq!(steps(&decide(Permits { data_loss: true, ..PRUNE })), ["-/+ stream.events"]);
}

/// As on a terminal, without its colours, and without what depends on the machine and the code.
fn shown(plan: &Plan) -> String {
    let text = provision::report::plan::text(plan, "up", false);
    let plain = anstream::adapter::strip_str(&text).to_string();
    let code = regex_lite::Regex::new(r"code( +)\S+ \(folder \S+/").expect("the pattern is one");
    code.replace_all(&plain, "code${1}HASH (folder .../").into_owned()
}

/// The lines of a refused plan that are about the refusal.
fn refusals(plan: &Plan) -> String {
    let text = shown(plan);
    let from = text.find("  ✗").expect("it is refused");
    text[from..].to_owned()
}
