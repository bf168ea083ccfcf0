//! `delete_data: with-stack`: consent to delete data, given in the spec at `up`.

use std::time::Duration;

use crate::common::{Bench, environment, experiment, left, stack};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use local_cloud::Delays;
use provision::cloud::Purge;
use provision::event::Event;
use provision::plan::{Op, Permits};
use provision::resource::Gone;
use provision::spec::stack::Stack;

const BUCKET: &str = "eq-sanhe-for-everything";
const GOOD: &str = "data/kinesis-test/raw/good/2026/07/13/14/";

/// The experiment, with the consent.
fn consenting(text: &str) -> Stack {
    let without = format!("name: {BUCKET}");
    assert!(text.contains(&without), "{text}");
    stack(&text.replace(&without, &format!("name: {BUCKET}, delete_data: with-stack")))
}

/// The notes on data of the deletions that ended.
fn purged(bench: &Bench) -> Vec<String> {
    let told = |event: &Event| match event {
        Event::Finished { gone: Some(Gone::DeletedWith(what)), .. } => Some(what.clone()),
        _ => None,
    };
    bench.told().iter().filter_map(told).collect()
}

async fn keys(bench: &Bench) -> Vec<String> {
    let Ok(listed) = bench.cx.s3().list_objects_v2().bucket(BUCKET).send().await else { return vec![] };
    listed.contents().iter().filter_map(|object| object.key.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn data_goes_with_the_environment_where_an_up_was_told_so() {
    for with_spec in [true, false] {
        let bench = Bench::new(Delays::FAST).await;
        let spec = consenting(&experiment());
        let plan = bench.plan(&spec).await;
        let prefix = plan.steps.iter().find(|step| step.name.address.kind == "prefix").expect("a prefix is made");
        let data = prefix.summary.iter().find(|field| field.name == "data").expect("the plan says it");
        assert_eq!(data.value, "deleted with the environment");
        bench.up(&spec).await;
        assert!(bench.plan(&spec).await.is_empty());
        bench.put(GOOD, "test-delivery1").await;
        let given = with_spec.then_some(&spec);
        let plan = bench.plan_down(given).await;
        let told = "1 object deleted with it, as `delete_data: with-stack` says";
        assert!(plan.notes.iter().any(|note| note.why == told), "{plan:#?}");
        bench.down(given).await;
        assert_eq!(purged(&bench), ["1 object deleted"]);
        bench.engine.advance(Duration::from_secs(120)).await;
        assert_eq!(left(&bench), serde_json::json!({}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_comes_and_goes_with_its_line() {
    let bench = Bench::new(Delays::FAST).await;
    let (with, without) = (consenting(&experiment()), stack(&experiment()));
    bench.up(&without).await;
    bench.put(GOOD, "test-delivery1").await;
    for (spec, to) in [(&with, "deleted with the environment"), (&without, "kept")] {
        let plan = bench.plan(spec).await;
        assert!(!plan.steps.is_empty());
        for step in &plan.steps {
            assert_eq!((step.op, step.name.address.kind), (Op::Update, "prefix"), "{step:#?}");
            assert_eq!(step.diff.changes[0].to, to);
        }
        bench.up(spec).await;
        assert!(bench.plan(spec).await.is_empty());
    }
    let plan = bench.plan_down(None).await;
    assert!(plan.kept.iter().any(|kept| kept.why.contains("1 object; data is deleted only by")), "{plan:#?}");
    bench.down(None).await;
    assert_eq!(keys(&bench).await.iter().filter(|key| key.contains("test-delivery1-")).count(), 1);
}

/// In one step: the prefix has nothing of its own any more, and the consent goes all the same.
#[tokio::test(start_paused = true)]
async fn a_consent_goes_where_markers_are_given_up_too() {
    let bench = Bench::new(Delays::FAST).await;
    let text = experiment();
    bench.up(&consenting(&text)).await;
    bench.put(GOOD, "test-delivery1").await;
    let unmarked = stack(&text.replace("    from: events\n", "    from: events\n    markers: false\n"));
    let plan = bench.plan(&unmarked).await;
    assert_eq!(plan.steps.len(), 4);
    for step in &plan.steps {
        assert_eq!((step.op, step.name.address.kind), (Op::Update, "prefix"), "{step:#?}");
        assert_eq!(step.diff.changes[0].to, "kept");
    }
    bench.up(&unmarked).await;
    assert!(bench.plan(&unmarked).await.is_empty());
    assert!(!keys(&bench).await.iter().any(|key| key.contains("/delete-data/")), "{:#?}", keys(&bench).await);
    bench.down(None).await;
    assert_eq!(keys(&bench).await.iter().filter(|key| key.contains("test-delivery1-")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_consent_is_about_ones_own_data_and_not_about_a_prune() {
    let mut bench = Bench::new(Delays::FAST).await;
    let ((one, first), (two, second)) = (environment(&bench, "pr-1"), environment(&bench, "pr-2"));
    bench.up_as(&one, &consenting(&first)).await;
    bench.up_as(&two, &stack(&second)).await;
    let theirs = [
        format!("pr-2/{GOOD}pr-2-test-delivery1{}", crate::common::NAME_END),
        format!("pr-1/{GOOD}precious"),
        "elsewhere/precious".to_owned(),
    ];
    for key in &theirs {
        bench.put_key(key).await;
    }
    bench.put(&format!("pr-1/{GOOD}"), "pr-1-test-delivery1").await;
    // Data of an entry that leaves the spec goes only with the environment.
    bench.cx = one.clone();
    let moved = consenting(&first.replace("raw/good/", "crude/good/"));
    bench.up_with(&moved, Permits { prune: true, ..Permits::default() }).await;
    assert_eq!(keys(&bench).await.iter().filter(|key| key.contains("pr-1-test-delivery1-")).count(), 1);
    let summary = bench.down(None).await;
    assert_eq!(summary.left, 1, "pr-2 uses the bucket");
    let mut left: Vec<String> = keys(&bench).await;
    left.retain(|key| !key.starts_with(".provision/") && !key.ends_with('/'));
    assert_eq!(left, [theirs[2].as_str(), &theirs[1], &theirs[0]].map(str::to_owned));
    assert!(!keys(&bench).await.iter().any(|key| key.contains("/pr-1/")), "no claim of pr-1 is left");
    bench.cx = two;
    bench.cx.options.purge_data = Purge::Ours;
    assert_eq!(bench.down(None).await.kept, 1, "others' data keeps the bucket");
}

#[tokio::test(start_paused = true)]
async fn a_consent_holds_in_a_bucket_of_others_and_for_every_version() {
    let bench = Bench::new(Delays::FAST).await;
    bench.cx.s3().create_bucket().bucket(BUCKET).send().await.unwrap();
    let status = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    bench.cx.s3().put_bucket_versioning().bucket(BUCKET).versioning_configuration(status).send().await.unwrap();
    bench.put_key("precious").await;
    let spec = consenting(&experiment().replace(BUCKET, &format!("{BUCKET}, create: never")));
    bench.up(&spec).await;
    for _ in 0..2 {
        bench.put(GOOD, "test-delivery1").await;
    }
    let ours = format!("{GOOD}test-delivery1{}", crate::common::NAME_END);
    bench.cx.s3().delete_object().bucket(BUCKET).key(&ours).send().await.unwrap();
    bench.down(None).await;
    assert_eq!(purged(&bench), ["3 objects deleted"], "two versions and a delete marker");
    let versions = bench.cx.s3().list_object_versions().bucket(BUCKET).send().await.unwrap();
    let mut data: Vec<_> = versions.versions().iter().filter_map(|version| version.key()).collect();
    data.retain(|key| !key.starts_with(".provision/") && !key.ends_with('/'));
    assert_eq!(data, ["precious"]);
}
