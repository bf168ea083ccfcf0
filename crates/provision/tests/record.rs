//! The record's rules: nothing of ours that is alive is in no record, and nothing that is gone stays in one.

use crate::common::line::{Act, At};
use crate::common::{Bench, experiment, stack};
use clap::Parser;
use local_cloud::Delays;
use provision::cli::Cli;
use provision::cloud::Purge;
use provision::command::down;
use provision::event::Summary;
use provision::exit::Exit;
use provision::interrupt::Interrupt;
use provision::names::Names;
use provision::plan::{Op, Permits};
use provision::record::{environments, journal};
use provision::run::{self, Ended, How, What};
use provision::spec::stack::Stack;
use serde_json::json;
use tokio::sync::watch;

/// One stream, so that little has to happen.
const SMALL: &str =
    "version: 1\nstack: kinesis-test\ntags: { team: data }\nstreams: { events: { name: events, shards: 1 } }\n";

/// More members than one log group has tags for.
fn many(text: &str) -> String {
    let delivery = |n: usize| format!("  d{n}: {{name: d-{n}, from: e, bucket: lake, good: g/{n}/, bad: b/{n}/}}\n");
    let deliveries: String = (0..11).map(delivery).collect();
    format!(
        "version: 1\nstack: kinesis-test\nstreams: {{e: {{name: e, shards: 1}}}}\nbuckets: {{lake: {{name: many-lake}}}}\n{text}deliveries:\n{deliveries}"
    )
}

/// An `up` that is stopped dead.
async fn stopped_up(bench: &Bench, stack: &Stack, at: At, act: Act) {
    let (survey, plan) = bench.decide(stack, Permits { prune: true, ..Permits::default() }).await;
    bench.line.begin(vec![(at, act)]);
    let done = bench.line.or_stopped(bench.apply(&survey, &plan)).await;
    assert_eq!(done, None, "it was not stopped: {:#?}", bench.line.sent());
    bench.line.begin(vec![]);
}

async fn nothing_left(bench: &Bench) {
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    assert_eq!(crate::common::left(bench), json!({}));
}

/// Convergence A1.
#[tokio::test(start_paused = true)]
async fn a_down_removes_what_was_made_under_another_key() {
    for moved in ["", "moved: { from: events }, "] {
        let bench = Bench::new(Delays::NONE).await;
        bench.up(&stack(SMALL)).await;
        bench.down(Some(&stack(&SMALL.replace("events: {", &format!("clicks: {{ {moved}"))))).await;
        nothing_left(&bench).await;
    }
}

/// A job was cancelled, and its last step is a `down`: AWS does not show yet what the killed `up` created.
#[tokio::test(start_paused = true)]
async fn a_down_looks_again_for_what_a_killed_up_created() {
    let text = "version: 1\nstack: kinesis-test\nbuckets: { lake: { name: a-new-lake } }\n";
    let mut bench = Bench::new(Delays::NONE).await;
    bench.engine.set_consistency("s3-absent=9s".parse().expect("a row's name"));
    stopped_up(&bench, &stack(text), At::Named("PUT /a-new-lake"), Act::StopAfter).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    crate::common::story::forget(&mut bench);
    bench.down(Some(&stack(text))).await;
    nothing_left(&bench).await;
    // Nobody waits after an `up` that has ended as it should.
    bench.up(&stack(text)).await;
    let start = tokio::time::Instant::now();
    bench.plan(&stack(text)).await;
    assert!(start.elapsed() < std::time::Duration::from_secs(1), "{:?}", start.elapsed());
}

/// Somebody changed its log group a moment ago, so that CloudWatch Logs refuses to delete it for a while.
#[tokio::test(start_paused = true)]
async fn a_down_whose_record_is_not_deleted_at_once_is_done_all_the_same() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    bench.engine.set_consistency("logs-aborted=9s".parse().expect("a row's name"));
    let (survey, plan) = run::decide_down(&bench.cx, None, &bench.events()).await.unwrap_or_else(|e| panic!("{e:?}"));
    bench.count_anew();
    bench.line.begin(vec![(At::Named("DeleteLogGroup"), Act::StopBefore)]);
    let (never, events) = (watch::channel(false).1, bench.events());
    let mut down = std::pin::pin!(run::apply_down(&bench.cx, &survey, &plan, 10, never, &events));
    assert!(bench.line.or_stopped(&mut down).await.is_none());
    let arn = bench.cx.names.log_group_arn(&bench.cx.names.record());
    let other = aws_sdk_cloudwatchlogs::Client::new(&bench.cx.sdk);
    other.tag_resource().resource_arn(arn).tags("looked", "at").send().await.unwrap();
    bench.line.go_on();
    let applied = down.await;
    let summary = applied.unwrap_or_else(|errors| panic!("{errors:?}"));
    let interrupt = Interrupt::listen("interrupted", || ()).expect("it may listen");
    assert_eq!(down::outcome(&plan, &summary, Purge::Nothing, &interrupt), Exit::Done, "{summary:?}");
    let made = bench.cx.calls.made();
    assert!(made.iter().filter(|call| call.operation == "DeleteLogGroup").count() > 1, "it was refused: {made:#?}");
    nothing_left(&bench).await;
}

/// Convergence A2.
#[tokio::test(start_paused = true)]
async fn a_name_that_was_changed_and_changed_back_stays_in_the_record() {
    let bench = Bench::new(Delays::NONE).await;
    let named = |name: &str| stack(&SMALL.replace("name: events", &format!("name: {name}")));
    bench.up(&named("a")).await;
    bench.up(&named("b")).await;
    bench.up(&stack(&SMALL.replace("name: events, shards: 1", "name: a, shards: 2"))).await;
    assert_eq!(bench.named().await, ["stream.events = a", "stream.events@2 = b"]);
    bench.up_with(&named("a"), Permits { prune: true, ..Permits::default() }).await;
    assert_eq!(bench.named().await, ["stream.events = a"]);
    bench.down(None).await;
    nothing_left(&bench).await;
}

/// Convergence A2, of what has no tags.
#[tokio::test(start_paused = true)]
async fn a_prefix_that_was_changed_and_changed_back_stays_in_the_record() {
    let bench = Bench::new(Delays::NONE).await;
    let before = stack(&experiment());
    bench.up(&before).await;
    let members = bench.named().await;
    bench.up(&stack(&experiment().replace("raw/good/", "crude/good/"))).await;
    bench.up_with(&before, Permits { prune: true, ..Permits::default() }).await;
    assert_eq!(bench.named().await, members);
}

/// Convergence A5.
#[tokio::test(start_paused = true)]
async fn tags_that_were_half_changed_and_taken_back_are_put_right() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let changed = stack(&SMALL.replace("team: data", "team: platform"));
    stopped_up(&bench, &changed, At::Named("AddTagsToStream"), Act::StopAfter).await;
    assert_eq!(bench.up(&stack(SMALL)).await.updated, 1);
    let tags = bench.cx.kinesis().list_tags_for_stream().stream_name("events").send().await.unwrap().tags;
    assert!(tags.iter().any(|tag| tag.key == "team" && tag.value.as_deref() == Some("data")), "{tags:?}");
    assert!(bench.plan(&stack(SMALL)).await.is_empty());
}

/// Convergence A6.
#[tokio::test(start_paused = true)]
async fn a_version_that_was_not_published_is_published_by_the_next_up() {
    for (change, at) in [("memory: 512MiB", "/configuration"), ("description: x, memory: 256MiB", "/configuration")] {
        let bench = Bench::new(Delays::NONE).await;
        let publishes = experiment().replace("square: {", "square: { publish: true,");
        bench.up(&stack(&publishes)).await;
        let changed = stack(&publishes.replace("memory: 256MiB", change));
        stopped_up(&bench, &changed, At::Named(at), Act::StopAfter).await;
        bench.up(&changed).await;
        let listed =
            bench.cx.lambda().list_versions_by_function().function_name("test-delivery2").send().await.unwrap();
        let versions: Vec<_> = listed.versions().iter().filter_map(|version| version.version()).collect();
        assert_eq!(versions, ["$LATEST", "1", "2"]);
        assert!(bench.plan(&changed).await.is_empty());
    }
}

/// Convergence A8.
#[tokio::test(start_paused = true)]
async fn a_record_of_two_pages_is_found_though_it_was_half_made() {
    let (spec, changed) = (stack(&many("")), stack(&many("tags: { team: data }\n")));
    for act in [Act::StopAfter, Act::StopBefore] {
        let bench = Bench::new(Delays::NONE).await;
        stopped_up(&bench, &spec, At::Named("CreateLogGroup"), act.clone()).await;
        bench.down(None).await;
        nothing_left(&bench).await;
        stopped_up(&bench, &spec, At::Named("CreateLogGroup"), act).await;
        bench.up(&changed).await;
        assert!(bench.plan(&changed).await.is_empty());
        assert_eq!(bench.named().await.len(), 11 * 5 + 2);
        bench.down(None).await;
        nothing_left(&bench).await;
    }
}

/// The name of today would stand on the first page already, and the former one not yet on the second.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_written_over_is_in_the_record_before() {
    let (spec, renamed) = (many(""), many("").replace("name: d-0,", "name: x-0,"));
    for act in [Act::StopAfter, Act::StopBefore] {
        let bench = Bench::new(Delays::NONE).await;
        bench.up(&stack(&spec)).await;
        stopped_up(&bench, &stack(&renamed), At::Named("TagResource"), act).await;
        let named = bench.named().await;
        assert!(named.iter().any(|member| member.ends_with(" = d-0")), "{named:#?}");
        bench.down(None).await;
        nothing_left(&bench).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_ups_that_begin_at_once_write_one_record() {
    let bench = Bench::new(Delays::FAST).await;
    let (one, other) =
        (stack(SMALL), stack(&SMALL.replace("streams: {", "streams: { more: { name: more, shards: 1 },")));
    futures::join!(bench.up(&one), bench.up(&other));
    assert_eq!(bench.named().await, ["stream.events = events", "stream.more = more"]);
}

/// The delivery stream still writes where the claim is gone and the marker is not.
#[tokio::test(start_paused = true)]
async fn a_marker_whose_claim_was_just_deleted_goes_with_the_next_up() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    let moved = stack(&experiment().replace("raw/good/", "crude/good/"));
    let claim = At::Named("delivery/test-delivery1/data/kinesis-test/raw/good/");
    stopped_up(&bench, &moved, claim, Act::StopAfter).await;
    bench.up_with(&moved, Permits { prune: true, ..Permits::default() }).await;
    let listed =
        bench.cx.s3().list_objects_v2().bucket("eq-sanhe-for-everything").prefix("data/").send().await.unwrap();
    let markers: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert!(!markers.contains(&"data/kinesis-test/raw/good/"), "{markers:?}");
}

/// Convergence A9: the `down` has read the record before the `up` that it does not see.
#[tokio::test(start_paused = true)]
async fn a_down_does_not_act_on_what_it_read_before_an_up() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let (survey, plan) = run::decide_down(&bench.cx, None, &bench.events()).await.unwrap();
    bench.up(&stack(&SMALL.replace("streams: {", "streams: { more: { name: more, shards: 1 },"))).await;
    let done = run::apply_down(&bench.cx, &survey, &plan, 10, watch::channel(false).1, &bench.events()).await;
    assert!(done.unwrap_err()[0].to_string().starts_with("another run has changed this environment since"));
    assert_eq!(bench.named().await.len(), 2);
    bench.down(None).await;
    nothing_left(&bench).await;
}

/// Convergence A9: the `down` is done before the `up` that decided earlier makes something.
#[tokio::test(start_paused = true)]
async fn an_up_whose_record_was_deleted_meanwhile_writes_it_again() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let (survey, plan) = bench
        .decide(&stack(&SMALL.replace("streams: {", "streams: { more: { name: more, shards: 1 },")), Permits::default())
        .await;
    bench.line.begin(vec![(At::Named("CreateStream"), Act::StopBefore)]);
    let mut up = std::pin::pin!(bench.try_apply(&survey, &plan));
    assert!(bench.line.or_stopped(&mut up).await.is_none());
    bench.line.begin(vec![]);
    bench.down(None).await;
    bench.line.go_on();
    // It was paused for so long that the `down` took over.
    let summary: Summary = up.await.unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(summary.created, 1);
    assert!(bench.named().await.contains(&"stream.more = more".to_owned()), "{:?}", bench.named().await);
    bench.down(None).await;
    nothing_left(&bench).await;
}

/// Convergence A9.
#[tokio::test(start_paused = true)]
async fn a_lost_record_is_written_again_by_the_next_up() {
    let bench = Bench::new(Delays::NONE).await;
    let spec = stack(&experiment());
    bench.up(&spec).await;
    let members = bench.named().await;
    bench.cx.logs().delete_log_group().log_group_name("/provision/kinesis-test/-").send().await.unwrap();
    // Roles may be seen after their deletion: their tags are written once more.
    let plan = bench.plan(&spec).await;
    assert!(plan.steps.iter().all(|step| step.name.address.kind == "role" && step.op == Op::Update), "{plan:#?}");
    bench.up(&spec).await;
    assert_eq!(bench.named().await, members);
    assert!(!bench.up(&spec).await.changed());
}

/// Convergence A12.
#[tokio::test(start_paused = true)]
async fn a_member_that_is_gone_is_struck_by_the_next_up() {
    let bench = Bench::new(Delays::NONE).await;
    let spec = stack(SMALL);
    let two = stack(&SMALL.replace("streams: {", "streams: { more: { name: more, shards: 1 },"));
    bench.up(&two).await;
    stopped_up(&bench, &spec, At::Named("DeleteStream"), Act::StopAfter).await;
    assert_eq!(bench.named().await.len(), 2);
    assert!(!bench.up(&spec).await.changed());
    assert_eq!(bench.named().await, ["stream.events = events"]);
}

/// Convergence A12: a hash that stays old costs every later plan the tags of everything.
#[tokio::test(start_paused = true)]
async fn tags_that_are_all_as_they_should_be_are_read_once() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let changed = stack(&SMALL.replace("team: data", "team: platform"));
    stopped_up(&bench, &changed, At::Named("AddTagsToStream"), Act::StopAfter).await;
    bench.up(&changed).await;
    bench.count_anew();
    assert!(!bench.up(&changed).await.changed());
    assert!(bench.cx.calls.made().iter().all(|call| call.operation != "ListTagsForStream"));
}

#[tokio::test(start_paused = true)]
async fn an_up_that_finds_the_record_true_writes_nothing() {
    let mut bench = Bench::new(Delays::NONE).await;
    let spec = stack(&experiment());
    bench.up(&spec).await;
    bench.count_anew();
    bench.up(&spec).await;
    let changing: Vec<_> = bench.cx.calls.made().into_iter().filter(|call| !call.reads()).collect();
    assert_eq!(changing, []);
}

/// Audit A1: what is recorded and carries no tags of ours may be ours all the same.
#[tokio::test(start_paused = true)]
async fn a_member_that_lost_its_tags_stays_in_the_record() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let ours = ["provision/stack", "provision/env", "provision/name"].map(str::to_owned);
    let untag = bench.cx.kinesis().remove_tags_from_stream().stream_name("events");
    untag.set_tag_keys(Some(ours.to_vec())).send().await.unwrap();
    assert!(!bench.down(None).await.changed());
    assert_eq!(bench.named().await, ["stream.events = events"]);
}

/// A resource of another stack is not ours, whatever the record says.
#[tokio::test(start_paused = true)]
async fn a_member_that_another_stack_took_over_leaves_the_record() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let us = bench.cx.names.clone();
    bench.cx.names = Names { stack: "other".into(), ..(*us).clone() }.into();
    bench.up_with(&stack(&SMALL.replace("kinesis-test", "other")), Permits { adopt: true, ..Permits::default() }).await;
    bench.cx.names = us;
    bench.down(None).await;
    assert_eq!(bench.named().await, Vec::<String>::new());
}

/// Audit A17.
#[tokio::test(start_paused = true)]
async fn a_step_that_changed_something_before_it_failed_counts_as_a_change() {
    let bench = Bench::new(Delays::NONE).await;
    bench.engine.inject("kinesis:IncreaseStreamRetentionPeriod=AccessDenied".parse().unwrap());
    let summary = bench.try_up(&stack(&SMALL.replace("shards: 1", "shards: 1, retention: 48h"))).await;
    assert_eq!((summary.failed, summary.created), (1, 0));
    assert!(summary.changed(), "{summary:?}");
    // A refused call changed nothing.
    let bench = Bench::new(Delays::NONE).await;
    bench.engine.inject("kinesis:CreateStream=AccessDenied".parse().unwrap());
    let summary = bench.try_up(&stack(SMALL)).await;
    assert_eq!(summary.failed, 1);
    assert!(!summary.changed(), "{summary:?}");
}

/// Convergence A10.
#[tokio::test(start_paused = true)]
async fn a_gc_leaves_alone_what_was_renewed_after_it_was_listed() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.cx.options.ttl_s = Some(3600);
    bench.up(&stack(SMALL)).await;
    bench.engine.advance(std::time::Duration::from_secs(3600)).await;
    let listed = environments::all(&bench.cx).await.unwrap();
    assert!(listed[0].expired(bench.cx.calls.now()));
    bench.up(&stack(SMALL)).await;
    let gc = async |agree: bool| {
        let expired = What::Expired { scanned: None, never_expires: false };
        let ended = run::down(&bench.cx, expired, &How::new("gc"), async |_| agree, &bench.events()).await;
        ended.unwrap_or_else(|errors| panic!("{errors:?}"))
    };
    assert!(gc(true).await.is_none());
    bench.engine.advance(std::time::Duration::from_secs(3600)).await;
    environments::all(&bench.cx).await.unwrap();
    assert!(matches!(gc(true).await, Some(Ended::Done(plan, _)) if plan.steps.len() == 1), "its time is over");
}

/// Convergence A14.
#[tokio::test(start_paused = true)]
async fn the_journal_names_who_ran_a_down() {
    let mut bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(&experiment())).await;
    bench.put_key("data/other").await;
    bench.cx.options.owner = Some("ana".into());
    assert_eq!(bench.down(None).await.kept, 1);
    let runs = journal::read(&bench.cx).await.unwrap();
    assert_eq!(runs.last().unwrap().began.owner.as_deref(), Some("ana"));
    let args = ["provision", "down", "--stack", "a", "--owner", "ana"];
    assert!(Cli::try_parse_from(args).is_ok());
}

/// Audit A10: AWS gives the journal by time, with empty pages between.
#[tokio::test(start_paused = true)]
async fn a_journal_that_begins_with_empty_pages_is_read_to_its_end() {
    let bench = Bench::new(Delays::NONE).await;
    bench.up(&stack(SMALL)).await;
    let empty =
        |token: &str| format!(r#"{{"events":[],"nextForwardToken":"f/{token}","nextBackwardToken":"b/{token}"}}"#);
    let full = r#"{"events":[{"timestamp":5,"message":"{\"began\":{\"run\":\"a\",\"command\":\"up\",\"version\":\"1\",\"owner\":null,\"steps\":[]}}"}],"nextForwardToken":"f/2","nextBackwardToken":"b/2"}"#;
    let answers = [empty("1"), full.to_owned(), empty("2")];
    bench.line.begin(answers.into_iter().map(|answer| (At::Named("GetLogEvents"), Act::Answer(answer))).collect());
    let runs = journal::read(&bench.cx).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(bench.line.sent().len(), 3);
}
