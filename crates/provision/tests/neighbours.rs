//! Whatever deletes, and whatever stands in a record: nothing of others goes, and nothing of ours stays.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::common::line::{Act, At};
use crate::common::{Bench, environment, experiment, left, stack};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use local_cloud::Delays;
use provision::cloud::Purge;
use provision::names::Names;
use provision::plan::Permits;
use provision::record::environments;
use provision::spec::stack::Stack;

const BUCKET: &str = "eq-sanhe-for-everything";
const GOOD: &str = "data/kinesis-test/raw/good/";
const HOUR: &str = "2026/07/13/14/";

/// Another stack in the same bucket: inside our prefix, and at the very same one.
const OTHER: &str = "version: 1
stack: other
buckets: { lake: { name: eq-sanhe-for-everything } }
deliveries:
  inside: { name: inside, bucket: lake, good: data/kinesis-test/raw/good/b/, bad: inside-bad/ }
  twin: { name: twin, bucket: lake, good: data/kinesis-test/raw/good/, bad: twin-bad/ }
";

/// The environment that runs a command.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    We,
    Other,
    PullRequest,
}

async fn be(bench: &mut Bench, who: Who) {
    let (stack, env) = match who {
        Who::We => ("kinesis-test", None),
        Who::Other => ("other", None),
        Who::PullRequest => ("kinesis-test", Some("pr-1".to_owned())),
    };
    bench.cx.names = Arc::new(Names { stack: stack.into(), env, ..(*bench.cx.names).clone() });
}

/// The experiment as `--env pr-1` has it.
fn pull_request() -> Stack {
    let text = experiment().replace("name: kinesis-test,", "name: kinesis-test-pr-1,");
    let text =
        text.replace("name: test-delivery", "name: pr-1-test-delivery").replace("data/kinesis", "pr-1/data/kinesis");
    stack(&text)
}

/// Keys of the bucket, each as often as it has versions, without claims.
async fn keys(bench: &Bench) -> Vec<String> {
    let listed = bench.cx.s3().list_object_versions().bucket(BUCKET).send().await;
    let Ok(listed) = listed else { return vec![] };
    let keys = listed.versions().iter().filter_map(|version| version.key.clone());
    let mut keys: Vec<String> = keys.filter(|key| !key.starts_with(".provision/")).collect();
    keys.sort();
    keys
}

/// A bucket in which everybody has something; gives what is ours and what is others'.
async fn neighbourhood(bench: &mut Bench, versioned: bool) -> (Vec<String>, Vec<String>) {
    be(bench, Who::We).await;
    bench.cx.s3().create_bucket().bucket(BUCKET).send().await.unwrap();
    if versioned {
        let status = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        bench.cx.s3().put_bucket_versioning().bucket(BUCKET).versioning_configuration(status).send().await.unwrap();
    }
    let before = |under: &str, name: &str| format!("{under}{name}{}", crate::common::NAME_END);
    let mut others = vec![
        before(&format!("{GOOD}2020/01/01/00/"), "test-delivery1"),
        format!("{GOOD}precious"),
        format!("{GOOD}{HOUR}test-delivery1-notes.txt"),
        "elsewhere/precious".to_owned(),
        before(&format!("elsewhere/{HOUR}"), "test-delivery1"),
    ];
    for key in &others {
        bench.put_key(key).await;
    }
    bench.engine.advance(Duration::from_secs(10)).await;
    bench.up(&stack(&experiment())).await;
    be(bench, Who::Other).await;
    bench.up(&stack(OTHER)).await;
    be(bench, Who::PullRequest).await;
    bench.up(&pull_request()).await;
    be(bench, Who::We).await;
    let theirs = [
        before(&format!("{GOOD}b/{HOUR}"), "inside"),
        before(&format!("{GOOD}{HOUR}"), "twin"),
        before(&format!("pr-1/{GOOD}{HOUR}"), "pr-1-test-delivery1"),
        before(&format!("{GOOD}{HOUR}"), "unheard-of"),
    ];
    let ours = [
        before(&format!("{GOOD}{HOUR}"), "test-delivery1"),
        before(&format!("data/kinesis-test/raw/bad/processing-failed/{HOUR}"), "test-delivery1"),
        before(&format!("data/kinesis-test/processed/good/{HOUR}"), "test-delivery2") + ".gz",
    ];
    for key in theirs.iter().chain(&ours) {
        bench.put_key(key).await;
    }
    others.extend(theirs);
    let upload = |key: String| bench.cx.s3().create_multipart_upload().bucket(BUCKET).key(key).send();
    upload(before(&format!("{GOOD}{HOUR}"), "test-delivery1")).await.unwrap();
    upload(before(&format!("{GOOD}{HOUR}"), "twin")).await.unwrap();
    if versioned {
        // An object that others deleted is still theirs, and an old version of ours is ours.
        bench.cx.s3().delete_object().bucket(BUCKET).key(&others[1]).send().await.unwrap();
        bench.put_key(&ours[0]).await;
    }
    others.sort();
    (ours.to_vec(), others)
}

#[tokio::test(start_paused = true)]
async fn each_way_to_delete_takes_exactly_what_is_ours() {
    let mut looked = 0;
    for versioned in [false, true] {
        for way in ["spec", "record"] {
            for purge in [Purge::Nothing, Purge::Ours, Purge::EverythingUnderPrefix] {
                let what = format!("versioned: {versioned}, {way}, {purge:?}");
                let mut bench = Bench::new(Delays::FAST).await;
                let (ours, others) = neighbourhood(&mut bench, versioned).await;
                bench.cx.options.purge_data = purge;
                let spec = stack(&experiment());
                bench.down(Some(&spec).filter(|_| way == "spec")).await;
                let (left, markers): (Vec<String>, Vec<String>) =
                    keys(&bench).await.into_iter().partition(|key| !key.ends_with('/'));
                let stays: BTreeSet<&String> = left.iter().collect();
                for key in &others {
                    assert!(stays.contains(key), "{what}: {key} is gone");
                    looked += 1;
                }
                for key in &ours {
                    assert_eq!(stays.contains(key), purge == Purge::Nothing, "{what}: {key}");
                    looked += 1;
                }
                // The twin's prefix has the same marker as ours.
                assert!(markers.contains(&GOOD.to_owned()), "{what}: {markers:?}");
                let uploads = bench.cx.s3().list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
                let uploads = uploads.uploads().len();
                assert_eq!(uploads, if purge == Purge::Nothing { 2 } else { 1 }, "{what}");
                let members = bench.members().await;
                assert_eq!(members.is_empty(), purge != Purge::Nothing, "{what}: {members:?}");
                // The neighbours do not notice.
                bench.cx.options.purge_data = Purge::Nothing;
                be(&mut bench, Who::Other).await;
                assert!(bench.plan(&stack(OTHER)).await.is_empty(), "{what}");
                be(&mut bench, Who::PullRequest).await;
                assert!(bench.plan(&pull_request()).await.is_empty(), "{what}");
            }
        }
    }
    println!("{looked} objects looked at");
}

#[tokio::test(start_paused = true)]
async fn a_purge_takes_what_lies_under_prefixes_of_every_shape() {
    for (good, under) in [
        ("year=!{timestamp:yyyy}/", "year=2026/"),
        ("raw-", "raw-2026/07/13/14/"),
        ("data/year=!{timestamp:yyyy}/month=!{timestamp:MM}/", "data/year=2026/month=07/"),
        ("!{timestamp:yyyy}/", "2026/"),
        ("data/!{firehose:random-string}/", "data/046b6c7f-0b/"),
    ] {
        let text = experiment()
            .replace(GOOD, &format!("{good:?}"))
            .replace("bad: data/kinesis-test/raw/bad/", "bad: \"bad-!{firehose:error-output-type}/\"");
        let stack = stack(&text);
        for markers in [true, false] {
            let mut bench = Bench::new(Delays::FAST).await;
            bench.cx.s3().create_bucket().bucket(BUCKET).send().await.unwrap();
            let stack = if markers { &stack } else { &without_markers(&text) };
            bench.up(stack).await;
            assert!(bench.plan(stack).await.is_empty(), "{good}");
            bench.put(under, "test-delivery1").await;
            bench.put("bad-processing-failed/", "test-delivery1").await;
            bench.put(under, "other").await;
            bench.put_key(&format!("{under}by-hand")).await;
            bench.cx.options.purge_data = Purge::Ours;
            bench.down(Some(stack)).await;
            let other = format!("{under}other{}", crate::common::NAME_END);
            let mut stays = vec![format!("{under}by-hand"), other];
            stays.sort();
            assert_eq!(keys(&bench).await, stays, "{good}, markers: {markers}");
            assert_eq!(bench.members().await, Vec::<String>::new(), "{good}");
        }
    }
}

fn without_markers(text: &str) -> Stack {
    stack(&text.replace("    from: events\n", "    from: events\n    markers: false\n"))
}

#[tokio::test(start_paused = true)]
async fn data_that_nothing_proves_to_be_ours_is_told_and_left_alone() {
    let mut bench = Bench::new(Delays::FAST).await;
    let stack = without_markers(&experiment());
    bench.up(&stack).await;
    bench.put(&format!("{GOOD}{HOUR}"), "test-delivery1").await;
    bench.down(Some(&stack)).await;
    bench.engine.advance(Duration::from_secs(120)).await;
    bench.cx.options.purge_data = Purge::Ours;
    let plan = bench.plan_down(None).await;
    assert_eq!(plan.foreign.len(), 1, "{plan:#?}");
    assert!(plan.foreign[0].why.contains("nothing proves whose data it is"), "{plan:#?}");
    assert_eq!(bench.down(None).await.kept, 1, "the bucket that it lies in");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_left_the_spec_goes_with_prune_and_its_data_stays_provably_ours() {
    let mut bench = Bench::new(Delays::FAST).await;
    let (ours, others) = neighbourhood(&mut bench, false).await;
    let moved = stack(&experiment().replace(GOOD, "data/kinesis-test/crude/"));
    let prune = Permits { prune: true, ..Permits::default() };
    bench.up_with(&moved, prune).await;
    assert_eq!(keys(&bench).await.iter().filter(|key| !key.ends_with('/')).count(), ours.len() + others.len());
    bench.cx.options.purge_data = Purge::Ours;
    bench.down(Some(&moved)).await;
    let left: Vec<String> = keys(&bench).await.into_iter().filter(|key| !key.ends_with('/')).collect();
    assert_eq!(left, others, "what it wrote before the prefix was changed is ours too");
}

#[tokio::test(start_paused = true)]
async fn what_anybody_writes_into_a_record_deletes_nothing() {
    for purge in [Purge::Ours, Purge::EverythingUnderPrefix] {
        let mut bench = Bench::new(Delays::FAST).await;
        let (_, others) = neighbourhood(&mut bench, false).await;
        let before = keys(&bench).await;
        let tag = |key: &str, value: &str| (format!("provision/{key}"), value.to_owned());
        let names = [
            ("member/prefix.a", format!("{BUCKET}/{GOOD} by twin")),
            ("member/prefix.b", format!("{BUCKET}/elsewhere/ by test-delivery1")),
            ("member/prefix.c", format!("{BUCKET}/{GOOD} by test-delivery1")),
            ("member/prefix.d", format!("{BUCKET}/{GOOD}")),
            ("member/bucket.a", BUCKET.to_owned()),
            ("member/stream.a", "kinesis-test".to_owned()),
            ("member/stream.b", "../../kinesis".to_owned()),
            ("member/delivery.a", "test-delivery1".to_owned()),
            ("member/function.a", "test-delivery2".to_owned()),
            ("member/topic.a", "news".to_owned()),
            ("member/role.a", "firehose-raw-us-east-1".to_owned()),
        ];
        let escaped = |text: &str| text.replace(' ', "=20=");
        let hostile = [tag("stack", "evil"), tag("env", "-"), tag("expires", "1"), tag("pages", "99999")];
        let all = hostile.into_iter().chain(names.iter().map(|(key, value)| tag(key, &escaped(value))));
        let create = bench.cx.logs().create_log_group().log_group_name("/provision/evil/-");
        create.set_tags(Some(all.collect())).send().await.unwrap();
        let expired = environments::all(&bench.cx).await.unwrap();
        let evil = expired.iter().find(|environment| environment.stack == "evil").expect("it is listed");
        assert!(evil.expired(bench.cx.calls.now()));

        bench.cx.options.purge_data = purge;
        bench.cx.names = Arc::new(Names { stack: "evil".into(), ..(*bench.cx.names).clone() });
        bench.count_anew();
        bench.down(None).await;
        assert_eq!(keys(&bench).await, before, "{purge:?}");
        assert!(bench.cx.calls.made().len() < 100, "{} calls", bench.cx.calls.made().len());
        bench.cx.options.purge_data = Purge::Nothing;
        be(&mut bench, Who::We).await;
        assert!(bench.plan(&stack(&experiment())).await.is_empty());

        // One tag more in a real record.
        let arn = bench.cx.names.log_group_arn("/provision/kinesis-test/-");
        for (key, physical) in [
            ("member/prefix.x", format!("{BUCKET}/elsewhere/ by test-delivery1")),
            ("member/prefix.y", format!("{BUCKET}/{GOOD} by twin")),
        ] {
            let (key, value) = tag(key, &escaped(&physical));
            bench.cx.logs().tag_resource().resource_arn(&arn).tags(key, value).send().await.unwrap();
        }
        let prune = Permits { prune: true, ..Permits::default() };
        bench.up_with(&stack(&experiment()), prune).await;
        assert_eq!(keys(&bench).await, before, "{purge:?}: a pruning `up`");
        bench.cx.options.purge_data = purge;
        bench.down(None).await;
        let left = keys(&bench).await;
        for key in &others {
            assert!(left.contains(key), "{purge:?}: {key} is gone");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_group_with_the_records_name_stops_an_up_and_no_down() {
    let bench = Bench::new(Delays::FAST).await;
    bench.cx.logs().create_log_group().log_group_name("/provision/kinesis-test/-").tags("a", "b").send().await.unwrap();
    let stack = stack(&experiment());
    let refused = provision::run::decide_up(&bench.cx, &stack, Permits::default(), &bench.events()).await;
    assert!(refused.is_err_and(|errors| errors[0].to_string().contains("exists and was not created by provision")));
    assert!(!bench.down(Some(&stack)).await.changed());
    let groups = bench.cx.logs().describe_log_groups().send().await.unwrap();
    assert_eq!(groups.log_groups().len(), 1, "it is still there");
}

#[tokio::test(start_paused = true)]
async fn a_shared_bucket_goes_with_the_last_environment_that_leaves() {
    for markers in [true, false] {
        let spec = |text: &str| if markers { stack(text) } else { without_markers(text) };
        let mut bench = Bench::new(Delays::FAST).await;
        let ((one, first), (two, second)) = (environment(&bench, "pr-1"), environment(&bench, "pr-2"));
        let (first, second) = (spec(&first), spec(&second));
        // Two that come at once.
        futures::join!(bench.up_as(&one, &first), bench.up_as(&two, &second));
        bench.cx = one.clone();
        assert!(bench.plan(&first).await.is_empty(), "markers: {markers}");
        let summary = bench.down(Some(&first)).await;
        assert_eq!((summary.left, summary.kept), (1, 0), "markers: {markers}");
        assert_eq!(bench.members().await, Vec::<String>::new());
        bench.cx = two.clone();
        assert!(bench.plan(&second).await.is_empty(), "pr-2 does not notice, markers: {markers}");
        // One that comes while the last one leaves: whoever is first, it has a bucket.
        futures::join!(bench.up_as(&one, &first), bench.down(Some(&second)));
        bench.cx = one.clone();
        let plan = bench.plan(&first).await;
        assert!(plan.is_empty(), "markers: {markers}: {plan:#?}");
        // Two that leave at once.
        bench.engine.advance(Duration::from_secs(120)).await;
        bench.up_as(&two, &second).await;
        let (a, b) = futures::join!(bench.down_as(&one, Some(&first)), bench.down_as(&two, Some(&second)));
        assert_eq!((a.kept, b.kept), (0, 0), "markers: {markers}");
        bench.engine.advance(Duration::from_secs(120)).await;
        let gone = bench.cx.s3().head_bucket().bucket(BUCKET).send().await;
        assert!(gone.is_err(), "markers: {markers}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_leaves_while_another_is_asked_about_leaves_no_bucket() {
    let bench = Bench::new(Delays::FAST).await;
    let ((one, first), (two, second)) = (environment(&bench, "pr-1"), environment(&bench, "pr-2"));
    let (first, second) = (stack(&first), stack(&second));
    futures::join!(bench.up_as(&one, &first), bench.up_as(&two, &second));
    // S3 has refused to delete the bucket, because of the other's claim, and is about to be asked who uses it.
    bench.line.begin(vec![(At::Named("?versions"), Act::StopBefore)]);
    let mut leaving = pin!(bench.down_as(&one, Some(&first)));
    assert!(bench.line.or_stopped(&mut leaving).await.is_none());
    bench.line.begin(vec![(At::Named("list-type=2"), Act::StopBefore)]);
    bench.line.go_on();
    assert!(bench.line.or_stopped(&mut leaving).await.is_none());
    bench.down_as(&two, Some(&second)).await;
    bench.line.go_on();
    assert_eq!(leaving.await.kept, 0);
    bench.engine.advance(Duration::from_secs(120)).await;
    assert_eq!(left(&bench), serde_json::json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_another_stack_uses_stays_in_the_record_until_it_can_go() {
    let mut bench = Bench::new(Delays::FAST).await;
    let ours = stack(&experiment());
    bench.up(&ours).await;
    be(&mut bench, Who::Other).await;
    bench.up(&stack(OTHER)).await;
    be(&mut bench, Who::We).await;
    assert_eq!(bench.down(Some(&ours)).await.kept, 1);
    assert_eq!(bench.members().await, ["bucket.lake"]);
    be(&mut bench, Who::Other).await;
    bench.down(None).await;
    be(&mut bench, Who::We).await;
    let summary = bench.down(None).await;
    assert_eq!((summary.deleted, summary.kept), (1, 0));
    assert_eq!(bench.members().await, Vec::<String>::new());
}
