//! The experiment's stack from nothing to nothing.

use crate::common::{Bench, experiment, left, stack};
use local_cloud::Delays;
use provision::cloud::Purge;
use provision::names::Names;
use provision::plan::{Op, Permits};
use provision::record::lease::Who;
use provision::record::{environments, journal};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn up_makes_everything_and_up_again_changes_nothing() {
    let bench = Bench::new(Delays::FAST).await;
    let stack = stack(&experiment());
    let summary = bench.up(&stack).await;
    assert_eq!((summary.created, summary.failed), (15, 0));
    let plan = bench.plan(&stack).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(plan.same.len(), 15);
}

#[tokio::test(start_paused = true)]
async fn down_leaves_nothing_and_is_done_when_run_twice() {
    let bench = Bench::new(Delays::FAST).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.down(Some(&stack)).await;
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({}));
    let again = bench.down(Some(&stack)).await;
    assert!(!again.changed());
}

#[tokio::test(start_paused = true)]
async fn down_finds_everything_by_the_record_alone() {
    let bench = Bench::new(Delays::FAST).await;
    bench.up(&stack(&experiment())).await;
    bench.down(None).await;
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({}));
}

#[tokio::test(start_paused = true)]
async fn what_disappeared_behind_our_back_is_made_again_and_nothing_else() {
    let bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.cx.firehose().delete_delivery_stream().delivery_stream_name("test-delivery1").send().await.unwrap();
    let plan = bench.plan(&stack).await;
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.name.address.to_string(), step.op)).collect();
    assert_eq!(steps, [("delivery.raw".to_owned(), Op::Create)]);
    assert_eq!(bench.up(&stack).await.created, 1);
    assert!(bench.plan(&stack).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_left_the_spec_is_reported_and_removed_only_when_asked() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let text = experiment();
    let (before, _) = text.split_once("  processed:").expect("the example has it");
    let smaller = stack(
        &before
            .replace("functions:", "functions: {}\nignored_functions:")
            .replace("ignored_functions:\n", "")
            .lines()
            .filter(|line| !line.trim_start().starts_with("square:"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    let plan = bench.plan(&smaller).await;
    assert!(plan.is_empty(), "{plan:#?}");
    let orphans: Vec<_> = plan.orphans.iter().map(|name| name.address.to_string()).collect();
    assert!(orphans.contains(&"delivery.processed".to_owned()), "{orphans:?}");
    assert!(orphans.contains(&"function.square".to_owned()), "{orphans:?}");

    let prune = Permits { prune: true, ..Permits::default() };
    let summary = bench.up_with(&smaller, prune).await;
    assert_eq!(summary.deleted + summary.deleting, orphans.len());
    assert!(bench.plan_with(&smaller, prune).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_has_our_name_and_is_not_ours_is_refused_and_left_alone() {
    let bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.cx.kinesis().create_stream().stream_name("kinesis-test").shard_count(3).send().await.unwrap();
    let plan = bench.plan(&stack).await;
    assert_eq!(plan.refusals.len(), 1, "{plan:#?}");
    assert!(plan.refusals[0].why.contains("does not belong to this stack"), "{:?}", plan.refusals[0]);
    let adopt = Permits { adopt: true, ..Permits::default() };
    let summary = bench.up_with(&stack, adopt).await;
    assert_eq!(summary.updated, 1);
    assert!(bench.plan(&stack).await.is_empty());

    let strangers = Bench::new(Delays::NONE).await;
    strangers.cx.kinesis().create_stream().stream_name("kinesis-test").shard_count(3).send().await.unwrap();
    strangers.down(Some(&stack)).await;
    assert_eq!(left(&strangers), json!({ "kinesis": { "us-east-1": ["kinesis-test"] } }));
}

#[tokio::test(start_paused = true)]
async fn a_changed_tag_is_one_change_everywhere_and_then_settled() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let changed = stack(&experiment().replace("team: data", "team: platform"));
    let plan = bench.plan(&changed).await;
    assert!(plan.steps.iter().all(|step| step.op == Op::Update && step.diff.is_empty()), "{plan:#?}");
    assert!(plan.steps.len() >= 8, "{plan:#?}");
    bench.up(&changed).await;
    assert!(bench.plan(&changed).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_made_under_another_name_is_remembered_until_it_is_removed() {
    let bench = Bench::new(Delays::NONE).await;
    let named = |name: &str| stack(&experiment().replace("{ name: kinesis-test,", &format!("{{ name: {name},")));
    let old_names = |plan: &provision::plan::Plan| -> Vec<String> {
        plan.orphans.iter().filter(|name| name.address.kind == "stream").map(|name| name.physical.clone()).collect()
    };
    for name in ["first", "second", "third"] {
        bench.up_with(&named(name), Permits { data_loss: true, ..Permits::default() }).await;
    }
    assert_eq!(old_names(&bench.plan(&named("third")).await), ["first", "second"]);
    let prune = Permits { prune: true, ..Permits::default() };
    assert_eq!(bench.up_with(&named("first"), Permits::default()).await.failed, 0);
    assert_eq!(old_names(&bench.plan(&named("first")).await), ["second", "third"]);
    bench.up_with(&named("first"), prune).await;
    assert_eq!(old_names(&bench.plan(&named("first")).await), Vec::<String>::new());
    bench.up_with(&named("fourth"), Permits::default()).await;
    bench.down(Some(&named("fourth"))).await;
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({}));
}

/// The stream of the old name has the same address, and must not hide the new one from what reads it.
#[tokio::test(start_paused = true)]
async fn a_renamed_stream_is_made_before_the_delivery_stream_that_reads_it() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    bench.engine.inject("kinesis:CreateStream=latency:9s".parse().unwrap());
    let renamed = stack(&experiment().replace("{ name: kinesis-test,", "{ name: other,"));
    let all = Permits { prune: true, data_loss: true, ..Permits::default() };
    assert_eq!(bench.up_with(&renamed, all).await.replaced, 2);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_key_stands_in_the_record_once() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let renamed = experiment().replace("  events: {", "  sent: { moved: { from: events },");
    let renamed = stack(&renamed.replace("from: events\n", "from: sent\n"));
    let summary = bench.up(&renamed).await;
    assert_eq!((summary.updated, summary.replaced, summary.created), (1, 0, 0));
    let plan = bench.plan(&renamed).await;
    assert!(plan.is_empty() && plan.foreign.is_empty(), "{plan:#?}");
    assert_eq!(bench.members().await.iter().filter(|member| member.starts_with("stream.")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_and_its_function_move_to_other_keys_in_place() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let renamed = experiment().replace("  processed:\n", "  cooked:\n    moved: { from: processed }\n");
    let renamed = renamed.replace("  square: {", "  cube: { moved: { from: square },");
    let renamed = stack(&renamed.replace("transform: square", "transform: cube"));
    let summary = bench.up(&renamed).await;
    // Delivery stream, function, and the role and the log group of each. (A prefix has no tags.)
    assert_eq!((summary.updated, summary.replaced, summary.created), (6, 0, 0));
    let plan = bench.plan(&renamed).await;
    assert!(plan.is_empty() && plan.foreign.is_empty() && plan.orphans.is_empty(), "{plan:#?}");
    bench.down(None).await;
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({}));
}

#[tokio::test(start_paused = true)]
async fn data_stays_and_is_remembered_until_it_is_asked_to_go() {
    let mut bench = Bench::new(Delays::NONE).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.put("data/kinesis-test/raw/good/2026/07/13/14/", "test-delivery1").await;
    bench.down(Some(&stack)).await;
    let again = bench.plan_down(None).await;
    let kept: Vec<String> = again.kept.iter().map(|kept| kept.name.address.to_string()).collect();
    assert_eq!(kept, ["bucket.lake", "prefix.raw-good"]);
    assert!(again.is_empty(), "{again:#?}");
    bench.cx.options.purge_data = Purge::Ours;
    bench.down(None).await;
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(left(&bench), json!({}));
}

#[tokio::test(start_paused = true)]
async fn an_environment_expires_when_its_time_is_over_and_not_before() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.cx.options.ttl_s = Some(3600);
    bench.cx.options.owner = Some("ana, of the data team".into());
    bench.up(&stack(&experiment())).await;
    let found = environments::all(&bench.cx).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].stack.as_str(), found[0].env.as_deref(), found[0].members), ("kinesis-test", None, 15));
    assert_eq!(found[0].owner.as_deref(), Some("ana, of the data team"));
    assert!(!found[0].expired(bench.cx.calls.now()));
    bench.engine.advance(std::time::Duration::from_secs(3600)).await;
    let found = environments::all(&bench.cx).await.unwrap();
    assert!(found[0].expired(bench.cx.calls.now()), "now is what the other side says");
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_each_run_and_how_it_came_out() {
    let bench = Bench::new(Delays::NONE).await;
    assert_eq!(journal::read(&bench.cx).await.unwrap(), []);
    bench.up(&stack(&experiment())).await;
    bench.up(&stack(&experiment().replace("24h", "48h"))).await;
    let runs = journal::read(&bench.cx).await.unwrap();
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(runs[1].began.steps, ["update stream.events"]);
    assert_eq!(runs[1].ended.as_ref().map(|end| end.summary.updated), Some(1));
    // A run that was killed has a beginning only.
    let plan = bench.plan(&stack(&experiment().replace("24h", "72h"))).await;
    journal::write_beginning(&bench.cx, &journal::begin(&bench.cx, &Who::here(&bench.cx, "up", false), &plan), false)
        .await
        .unwrap();
    let runs = journal::read(&bench.cx).await.unwrap();
    assert_eq!(runs[2].ended, None);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_key_without_a_word_is_refused_with_the_word_to_write() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let renamed = experiment().replace("  events: {", "  sent: {").replace("from: events\n", "from: sent\n");
    let plan = bench.plan(&stack(&renamed)).await;
    assert_eq!(plan.refusals.len(), 1, "{plan:#?}");
    assert!(plan.refusals[0].hint.contains("moved: { from: events }"), "{:?}", plan.refusals[0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_protected_is_so_for_a_down_without_the_spec_too() {
    let bench = Bench::new(Delays::NONE).await;
    let protected = stack(&experiment().replace("  events: {", "  events: { protect: true,"));
    bench.up(&protected).await;
    for spec in [None, Some(&protected)] {
        let plan = bench.plan_down(spec).await;
        assert_eq!(plan.refusals.len(), 1, "{plan:#?}");
        assert_eq!(plan.refusals[0].name.address.to_string(), "stream.events");
    }
    let free = stack(&experiment());
    assert!(bench.plan_down(Some(&free)).await.refusals.is_empty(), "the spec's word is newer than the tag's");
    assert_eq!(bench.up(&free).await.updated, 1);
    assert!(bench.plan_down(None).await.refusals.is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_ups_that_both_wait_for_a_deletion_both_end() {
    let bench = Bench::new(Delays::AWS).await;
    let stack = stack(&experiment());
    bench.up(&stack).await;
    bench.cx.firehose().delete_delivery_stream().delivery_stream_name("test-delivery1").send().await.unwrap();
    let start = tokio::time::Instant::now();
    let (one, other) = futures::join!(bench.up(&stack), bench.up(&stack));
    assert_eq!((one.failed, other.failed), (0, 0));
    assert!(start.elapsed() < std::time::Duration::from_secs(300), "one waited for what never went");
    assert!(bench.plan(&stack).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_others_read_is_not_deleted_without_a_word() {
    let mut bench = Bench::new(Delays::FAST).await;
    let ours = stack(&experiment());
    bench.up(&ours).await;
    let arn = bench.cx.names.stream_arn("kinesis-test");
    bench.cx.kinesis().register_stream_consumer().stream_arn(&arn).consumer_name("dashboard").send().await.unwrap();
    let notes = |plan: &provision::plan::Plan| -> Vec<String> {
        plan.notes.iter().map(|note| format!("{} {}", note.name.address, note.why)).collect()
    };
    let registered = "stream.events registered consumer dashboard reads it and is deleted with it";
    assert_eq!(notes(&bench.plan_down(Some(&ours)).await), [registered]);

    let us = bench.cx.names.clone();
    bench.cx.names = Names { stack: "other".into(), ..(*us).clone() }.into();
    let delivery = "theirs: { name: theirs, from: events, bucket: lake, good: theirs/, bad: theirs-bad/ }";
    bench
        .up(&stack(&format!(
            "version: 1\nstack: other\nstreams: {{ events: {{ existing: kinesis-test }} }}\n\
         buckets: {{ lake: {{ name: eq-sanhe-for-everything }} }}\ndeliveries: {{ {delivery} }}\n"
        )))
        .await;
    bench.cx.names = us;
    let theirs = "stream.events delivery stream theirs also reads it and will lose its source";
    for spec in [Some(&ours), None] {
        assert_eq!(notes(&bench.plan_down(spec).await), [registered, theirs]);
    }
    // A caller that may not look is told so, and goes on.
    bench.engine.inject("firehose:ListDeliveryStreams=AccessDenied".parse().expect("a rule"));
    let told = notes(&bench.plan_down(Some(&ours)).await);
    assert!(told[1].contains("delivery streams that read it could not be listed"), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn looking_for_readers_ends_after_seconds_and_leaves_the_rate_to_others() {
    let mut bench = Bench::new(Delays::NONE).await;
    let ours = stack("version: 1\nstack: kinesis-test\nstreams: { events: { name: kinesis-test, shards: 1 } }\n");
    bench.up(&ours).await;
    let us = bench.cx.names.clone();
    bench.cx.names = Names { stack: "other".into(), ..(*us).clone() }.into();
    let theirs = experiment().replace("stack: kinesis-test", "stack: other");
    let theirs = theirs.replace("{ name: kinesis-test, shards: 1, retention: 24h }", "{ existing: kinesis-test }");
    bench.up(&stack(&theirs)).await;
    bench.cx.names = us;
    for rule in ["latency:60s", "throttle"] {
        bench.engine.inject(format!("firehose:DescribeDeliveryStream={rule}").parse().expect("a rule"));
        bench.count_anew();
        let start = tokio::time::Instant::now();
        let plan = bench.plan_down(Some(&ours)).await;
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{rule}: {:?}", start.elapsed());
        let told: Vec<&str> = plan.notes.iter().map(|note| note.why.as_str()).collect();
        assert_eq!(told, ["2 delivery streams could not be read; they may read it too"], "{rule}");
        let made = bench.cx.calls.made();
        let looks = made.iter().filter(|call| call.operation == "DescribeDeliveryStream");
        assert!(looks.map(|call| call.answers.len()).eq([1, 1]), "{rule}: {made:#?}");
        bench.engine.heal();
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_replacement_loses_data_that_nobody_asked_to_lose() {
    let bench = Bench::new(Delays::NONE).await;
    let before = stack(&experiment());
    bench.up(&before).await;
    // `down` and `--prune` name what they delete, and that is what was asked for.
    assert!(bench.plan_down(Some(&before)).await.refusals.is_empty());
    let renamed = stack(&experiment().replace("{ name: kinesis-test,", "{ name: other,"));
    let prune = Permits { prune: true, ..Permits::default() };
    let plan = bench.plan_with(&renamed, prune).await;
    assert!(plan.refusals.is_empty(), "{plan:#?}");
    assert!(plan.steps.iter().any(|step| step.op == Op::Delete && step.name.physical == "kinesis-test"), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn prefixes_that_lie_in_those_of_others_are_told_by_an_up() {
    let mut bench = Bench::new(Delays::NONE).await;
    let us = bench.cx.names.clone();
    bench.cx.names = Names { stack: "aa".into(), ..(*us).clone() }.into();
    let bucket = "buckets: { lake: { name: eq-sanhe-for-everything } }";
    let around = "d: { name: around, bucket: lake, good: data/, bad: bad/ }";
    bench.up(&stack(&format!("version: 1\nstack: aa\n{bucket}\ndeliveries: {{ {around} }}\n"))).await;
    bench.cx.names = us;
    bench.up(&stack(&experiment())).await;
    let warned = bench.warnings();
    let one = "data/kinesis-test/raw/good/ overlaps data/ of delivery stream around (stack aa)";
    assert!(warned.iter().any(|text| text == one), "{warned:#?}");
    assert_eq!(warned.len(), 4, "{warned:#?}");
}
