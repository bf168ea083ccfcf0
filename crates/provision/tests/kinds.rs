//! Each kind against the engine in this process: created, nothing to change, each field changed and converged, deleted,
//! deleted again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use local_cloud::{Engine, Settings};
use provision::cloud::Purge;
use provision::cloud::{Cx, within};
use provision::names::{Name, Names, Tags};
use provision::prefix::Place;
use provision::resource::Gone;
use provision::resource::Resource;
use provision::resource::bucket::Bucket;
use provision::resource::bucket_prefix::BucketPrefix;
use provision::resource::delivery_stream::{Buffer, Compression, DeliveryStream, ErrorLog, Processors, Ref, Transform};
use provision::resource::function::{Architecture, Code, Function, LogFormat};
use provision::resource::log_group::LogGroup;
use provision::resource::log_group::LogRef;
use provision::resource::role::{Role, RoleRef, Statement, Trust};
use provision::resource::stream::{Mode, Stream};
use provision::seen::Seen;

async fn cloud() -> Cx {
    let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
    let names = Names {
        stack: "demo".into(),
        env: None,
        account: Settings::default().account,
        region: "eu-west-1".into(),
        tag_prefix: "provision".into(),
        iam_path: "/".into(),
    };
    let mut cx = Cx::new(within(engine.http_client(), "eu-west-1"), names);
    cx.options.runs_here = true;
    cx
}

/// Makes what another resource needs.
async fn make<R: Resource>(cx: &Cx, name: &Name, desired: R) {
    desired.create(cx, name, &cx.names.ownership(&name.address)).await.unwrap();
}

/// The view of a command that begins now.
async fn observe<R: Resource>(cx: &Cx, name: &Name) -> Option<R::Live> {
    R::observe(&Cx { seen: Seen::default(), ..cx.clone() }, name).await.unwrap()
}

/// The life of one resource: made, seen, changed step by step, gone.
async fn lives<R: Resource>(cx: &Cx, name: &Name, versions: Vec<R>) {
    assert!(observe::<R>(cx, name).await.is_none(), "{name} is not there at first");
    let mut versions = versions.into_iter();
    let mut first = versions.next().expect("there is a first");
    first.prepare(cx, name).await.unwrap();
    let tags = cx.names.ownership(&name.address);
    first.create(cx, name, &tags).await.unwrap();
    let live = observe::<R>(cx, name).await.expect("it was made");
    if let Some(carried) = R::tags(cx, name, Some(&live)).await.unwrap() {
        assert_eq!(carried, tags, "{name}");
        retags::<R>(cx, name, &live).await;
    }
    assert_eq!(first.diff(&live, name, &cx.names).changes, [], "{name} as made");
    first.create(cx, name, &tags).await.expect("made again after a lost answer");
    for mut version in versions {
        let live = observe::<R>(cx, name).await.expect("it is there");
        version.prepare(cx, name).await.unwrap();
        let diff = version.diff(&live, name, &cx.names);
        assert!(!diff.is_empty() && !diff.replaces(), "{name}: {diff:?}");
        version.update(cx, name, &live, &diff).await.unwrap();
        let live = observe::<R>(cx, name).await.expect("it is still there");
        assert_eq!(version.diff(&live, name, &cx.names).changes, [], "{name} after {diff:?}");
    }
    let live = observe::<R>(cx, name).await.expect("it is there until it is deleted");
    R::delete(cx, name, &live).await.unwrap();
    assert!(observe::<R>(cx, name).await.is_none(), "{name} is gone");
    R::delete(cx, name, &live).await.expect("deleting what is gone is no error");
}

async fn retags<R: Resource>(cx: &Cx, name: &Name, live: &R::Live) {
    let set = Tags::from([("team".to_owned(), "data".to_owned())]);
    R::retag(cx, name, live, &set, &[]).await.unwrap();
    let live = observe::<R>(cx, name).await.expect("tags do not delete");
    assert_eq!(R::tags(cx, name, Some(&live)).await.unwrap().unwrap().get("team").map(String::as_str), Some("data"));
    R::retag(cx, name, &live, &Tags::new(), &["team".to_owned()]).await.unwrap();
    let live = observe::<R>(cx, name).await.expect("nor does their absence");
    assert_eq!(R::tags(cx, name, Some(&live)).await.unwrap().unwrap(), cx.names.ownership(&name.address));
}

fn stream() -> Stream {
    Stream {
        mode: Mode::Provisioned { shards: 1 },
        retention_hours: 24,
        max_record_kib: 1024,
        encryption: None,
        metrics: BTreeSet::new(),
        samples: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_changes_everything_in_place() {
    let cx = cloud().await;
    let versions = vec![
        Stream { retention_hours: 48, ..stream() },
        Stream { mode: Mode::Provisioned { shards: 5 }, ..stream() },
        Stream { max_record_kib: 2048, ..stream() },
        Stream { encryption: Some("alias/aws/kinesis".into()), ..stream() },
        Stream { metrics: BTreeSet::from(["IncomingBytes".to_owned()]), ..stream() },
        stream(),
        Stream { mode: Mode::OnDemand, ..stream() },
    ];
    lives(&cx, &Name::new("stream", "events", "events"), versions).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_group_changes_its_retention_and_gains_streams() {
    let cx = cloud().await;
    let group = |retention_days, streams: &[&str]| LogGroup {
        retention_days,
        streams: streams.iter().map(|s| s.to_string()).collect(),
    };
    let versions =
        vec![group(Some(7), &["DestinationDelivery"]), group(None, &["DestinationDelivery", "BackupDelivery"])];
    lives(&cx, &Name::new("log_group", "delivery-raw", "/aws/kinesisfirehose/raw"), versions).await;
}

fn role(path: String, action: &str) -> Role {
    let statements = vec![Statement::allow(&[action], vec!["*".into()])];
    Role { path, trust: Trust::of("lambda.amazonaws.com"), statements, keys: vec![], boundary: None }
}

#[tokio::test(start_paused = true)]
async fn a_role_changes_its_policy_trust_and_boundary() {
    let cx = cloud().await;
    let path = cx.names.role_path();
    let versions = vec![
        role(path.clone(), "s3:GetObject"),
        role(path.clone(), "s3:PutObject"),
        Role { trust: Trust::of("firehose.amazonaws.com"), ..role(path.clone(), "s3:PutObject") },
        Role { boundary: Some("arn:aws:iam::000000000000:policy/edge".into()), ..role(path.clone(), "s3:PutObject") },
        Role { statements: vec![], ..role(path.clone(), "s3:PutObject") },
    ];
    lives(&cx, &Name::new("role", "function-square", "demo-function-square"), versions).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_changes_its_expiry_and_a_prefix_is_a_marker() {
    let cx = cloud().await;
    let bucket =
        |expire_days| Bucket { create: true, expire_days, prefixes: vec!["data/raw/".into()], ..Bucket::default() };
    let name = Name::new("bucket", "lake", "lake");
    lives(&cx, &name, vec![bucket(Some(3)), bucket(Some(7)), bucket(None)]).await;

    make(&cx, &name, bucket(None)).await;
    lives(&cx, &Name::new("prefix", "raw-good", raw().to_string()), vec![prefix(&raw())]).await;
    let hive = Place { prefix: "year=!{timestamp:yyyy}/".into(), ..raw() };
    lives(&cx, &Name::new("prefix", "raw-good", hive.to_string()), vec![prefix(&hive)]).await;
}

fn raw() -> Place {
    Place { bucket: "lake".into(), prefix: "data/raw/".into(), delivery: "raw".into() }
}

fn prefix(place: &Place) -> BucketPrefix {
    BucketPrefix { place: place.clone(), marker: true, delete_data: false, bucket_logical: Some("lake".into()) }
}

/// As a `down --purge-data` looks at it.
fn purging(cx: &Cx) -> Cx {
    let mut cx = Cx { seen: Seen::default(), ..cx.clone() };
    (cx.options.purge_data, cx.options.deletes) = (Purge::Ours, true);
    cx
}

/// An object's name, as the delivery stream `raw` gives it.
fn written(under: &str) -> String {
    format!("{under}raw-1-2026-07-13-14-05-09-046b6c7f-0b7c-4a5e-9e3a-0123456789ab")
}

#[tokio::test(start_paused = true)]
async fn a_purge_deletes_what_its_delivery_stream_wrote_and_a_bucket_with_the_rest_is_kept() {
    let cx = cloud().await;
    let (bucket, name) = (Name::new("bucket", "lake", "lake"), Name::new("prefix", "raw-good", raw().to_string()));
    let lake = Bucket { create: true, ..Bucket::default() };
    make(&cx, &bucket, lake).await;
    make(&cx, &name, prefix(&raw())).await;
    let ours = written("data/raw/2026/07/13/14/");
    for key in [ours.as_str(), "data/raw/precious", "data/other"] {
        cx.s3().put_object().bucket("lake").key(key).send().await.unwrap();
    }
    cx.s3().create_multipart_upload().bucket("lake").key(&ours).send().await.unwrap();
    cx.s3().create_multipart_upload().bucket("lake").key("data/raw/theirs").send().await.unwrap();
    let cx = purging(&cx);
    let live = BucketPrefix::observe(&cx, &name).await.unwrap().expect("the claim is there");
    let gone = BucketPrefix::delete(&cx, &name, &live).await.unwrap();
    let told = "1 object deleted; 1 unfinished upload aborted; not deleted: 1 object under data/raw/: 1 not written \
                by a delivery stream (data/raw/precious)";
    assert_eq!(gone, Gone::DeletedWith(told.into()));
    let uploads = cx.s3().list_multipart_uploads().bucket("lake").send().await.unwrap();
    assert_eq!(uploads.uploads().iter().map(|upload| upload.key()).collect::<Vec<_>>(), [Some("data/raw/theirs")]);
    assert_eq!(keys(&cx).await, [".provision/000000000000/eu-west-1/demo/-/bucket", "data/other", "data/raw/precious"]);
    let live = Bucket::observe(&cx, &bucket).await.unwrap().expect("the bucket is there");
    let kept = Bucket::delete(&cx, &bucket, &live).await.unwrap();
    assert_eq!(
        kept,
        Gone::Kept(
            "it holds objects, or versions of objects, that this environment did not write, such as data/other".into()
        )
    );
    assert_eq!(keys(&cx).await, ["data/other", "data/raw/precious"]);
}

async fn keys(cx: &Cx) -> Vec<String> {
    let left = cx.s3().list_objects_v2().bucket("lake").send().await.unwrap();
    left.contents().iter().filter_map(|object| object.key.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_purge_of_a_versioned_bucket_leaves_no_version_and_the_bucket_goes() {
    let cx = cloud().await;
    let (bucket, name) = (Name::new("bucket", "lake", "lake"), Name::new("prefix", "raw-good", raw().to_string()));
    make(&cx, &bucket, Bucket { create: true, ..Bucket::default() }).await;
    let status = aws_sdk_s3::types::BucketVersioningStatus::Enabled;
    let versioning = aws_sdk_s3::types::VersioningConfiguration::builder().status(status).build();
    cx.s3().put_bucket_versioning().bucket("lake").versioning_configuration(versioning).send().await.unwrap();
    make(&cx, &name, prefix(&raw())).await;
    let ours = written("data/raw/2026/07/13/14/");
    for _ in 0..2 {
        cx.s3().put_object().bucket("lake").key(&ours).send().await.unwrap();
    }
    cx.s3().delete_object().bucket("lake").key(&ours).send().await.unwrap();

    let cx = purging(&cx);
    let live = BucketPrefix::observe(&cx, &name).await.unwrap().expect("the claim is there");
    assert_eq!(live.tally.ours, 3, "two versions and a delete marker");
    BucketPrefix::delete(&cx, &name, &live).await.unwrap();
    let live = Bucket::observe(&cx, &bucket).await.unwrap().expect("the bucket is there");
    assert_eq!(Bucket::delete(&cx, &bucket, &live).await.unwrap(), Gone::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_marker_without_a_claim_is_deleted_and_proves_nothing_about_data() {
    let cx = cloud().await;
    let (bucket, name) = (Name::new("bucket", "lake", "lake"), Name::new("prefix", "raw-good", raw().to_string()));
    make(&cx, &bucket, Bucket { create: true, ..Bucket::default() }).await;
    make(&cx, &name, prefix(&raw())).await;
    // As an interrupted deletion leaves it.
    let claim = ".provision/000000000000/eu-west-1/demo/-/delivery/raw/data/raw/";
    cx.s3().delete_object().bucket("lake").key(claim).send().await.unwrap();
    let written = written("data/raw/2026/07/13/14/");
    for key in [written.as_str(), "data/raw/precious"] {
        cx.s3().put_object().bucket("lake").key(key).send().await.unwrap();
    }
    let mut cx = purging(&cx);
    cx.options.purge_data = Purge::EverythingUnderPrefix;
    let live = BucketPrefix::observe(&cx, &name).await.unwrap().expect("the marker is there");
    assert_eq!(BucketPrefix::delete(&cx, &name, &live).await.unwrap(), Gone::Deleted);
    let bucket_claim = ".provision/000000000000/eu-west-1/demo/-/bucket";
    assert_eq!(keys(&cx).await, [bucket_claim, written.as_str(), "data/raw/precious"]);
}

#[tokio::test(start_paused = true)]
async fn versions_of_a_folder_that_others_deleted_keep_a_bucket() {
    let cx = cloud().await;
    let bucket = Name::new("bucket", "lake", "lake");
    make(&cx, &bucket, Bucket { create: true, ..Bucket::default() }).await;
    let status = aws_sdk_s3::types::BucketVersioningStatus::Enabled;
    let versioning = aws_sdk_s3::types::VersioningConfiguration::builder().status(status).build();
    cx.s3().put_bucket_versioning().bucket("lake").versioning_configuration(versioning).send().await.unwrap();
    cx.s3().put_object().bucket("lake").key("theirs/").send().await.unwrap();
    cx.s3().delete_object().bucket("lake").key("theirs/").send().await.unwrap();
    let live = observe::<Bucket>(&cx, &bucket).await.expect("the bucket is there");
    assert!(matches!(Bucket::delete(&cx, &bucket, &live).await.unwrap(), Gone::Kept(_)));
    let left = cx.s3().list_object_versions().bucket("lake").prefix("theirs/").send().await.unwrap();
    assert_eq!((left.versions().len(), left.delete_markers().len()), (1, 1));
}

fn function(folder: &std::path::Path) -> Function {
    Function {
        code: Code::Dir { path: folder.to_owned() },
        runtime: "python3.13".into(),
        handler: "transform.lambda_handler".into(),
        architecture: Architecture::X86_64,
        memory_mib: 128,
        timeout_s: 3,
        ephemeral_storage_mib: 512,
        description: String::new(),
        environment: BTreeMap::new(),
        layers: vec![],
        vpc: None,
        alias: None,
        publish: false,
        allow: vec![],
        role: RoleRef::of_function("square", "test-delivery2"),
        log: LogRef::DEFAULT,
        log_format: LogFormat::Text,
    }
}

async fn make_role(cx: &Cx, role: &RoleRef, service: &'static str) {
    let (address, arn) = (role.address().expect("it is ours"), role.arn(&cx.names));
    let physical = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let statements = vec![Statement::allow(&["*"], vec!["*".into()])];
    let role = Role { path: cx.names.role_path(), trust: Trust::of(service), statements, keys: vec![], boundary: None };
    make(cx, &Name { address, physical }, role).await;
}

#[tokio::test(start_paused = true)]
async fn a_function_changes_configuration_and_code_and_its_alias_follows() {
    let cx = cloud().await;
    let folder = |code: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("transform.py"), code).unwrap();
        folder
    };
    let (one, two) = (folder("lambda_handler = 1"), folder("lambda_handler = 2"));
    let was = function(one.path());
    make_role(&cx, &was.role, "lambda.amazonaws.com").await;
    let live = || Some("live".to_owned());
    let environment = BTreeMap::from([("MODE".to_owned(), "square".to_owned())]);
    let versions = vec![
        was.clone(),
        Function { memory_mib: 256, timeout_s: 60, ..was.clone() },
        Function { environment: environment.clone(), description: "squares".into(), ..was.clone() },
        Function { ephemeral_storage_mib: 1024, log: LogRef::Existing("/shared".into()), ..was.clone() },
        Function { alias: live(), ..was.clone() },
        Function { alias: live(), code: Code::Dir { path: two.path().to_owned() }, ..was.clone() },
        Function { alias: live(), environment, ..was.clone() },
        was,
    ];
    lives(&cx, &Name::new("function", "square", "square"), versions).await;
}

fn of<K>(logical: &str) -> Ref<K> {
    Ref::new(logical, logical, true)
}

fn delivery() -> DeliveryStream {
    DeliveryStream {
        source: Some(of("events")),
        bucket: of("lake"),
        good: "data/raw/good/".into(),
        bad: Some("data/raw/bad/".into()),
        markers: true,
        buffer: Buffer { size_mib: 5, interval_s: 60 },
        compression: Compression::None,
        file_extension: String::new(),
        time_zone: "UTC".into(),
        encryption: None,
        transform: None,
        processors: Processors::default(),
        partitioning: None,
        backup: None,
        log: None,
        role: RoleRef::of_delivery("raw", "test-delivery1"),
        source_role: None,
        source_encryption: None,
        samples: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_stream_changes_and_takes_back_everything_but_its_source() {
    let cx = cloud().await;
    make_role(&cx, &delivery().role, "firehose.amazonaws.com").await;
    make(&cx, &Name::new("stream", "events", "events"), stream()).await;
    let transform = |retries| Transform {
        function: of("square"),
        qualifier: None,
        retries,
        buffer_size_mib_100: 50,
        buffer_interval_s: 10,
    };
    let lines = Processors { delimiter: Some("\n".into()), ..Processors::default() };
    let versions = vec![
        delivery(),
        DeliveryStream { good: "data/new/".into(), bad: None, ..delivery() },
        DeliveryStream { buffer: Buffer { size_mib: 1, interval_s: 0 }, ..delivery() },
        DeliveryStream { compression: Compression::Gzip, file_extension: ".json.gz".into(), ..delivery() },
        DeliveryStream { time_zone: "Europe/Berlin".into(), ..delivery() },
        DeliveryStream { encryption: Some("arn:aws:kms:eu-west-1:000000000000:key/k".into()), ..delivery() },
        DeliveryStream { log: Some(ErrorLog::of(LogRef::DEFAULT, "test-delivery1")), ..delivery() },
        DeliveryStream { transform: Some(transform(3)), ..delivery() },
        DeliveryStream { transform: Some(transform(0)), ..delivery() },
        DeliveryStream { transform: Some(transform(0)), processors: lines, ..delivery() },
        delivery(),
    ];
    lives(&cx, &Name::new("delivery", "raw", "raw"), versions).await;
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_change_is_a_replacement_with_its_reason() {
    let cx = cloud().await;
    make_role(&cx, &delivery().role, "firehose.amazonaws.com").await;
    let name = Name::new("delivery", "raw", "raw");
    let put = DeliveryStream { source: None, ..delivery() };
    make(&cx, &name, put).await;
    let live = DeliveryStream::observe(&cx, &name).await.unwrap().expect("it was made");
    let diff = delivery().diff(&live, &name, &cx.names);
    assert_eq!(diff.changes[0].replaces, Some("the source of a delivery stream cannot be changed"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_bucket_that_is_not_to_be_made_is_refused_before_anything_changes() {
    let cx = cloud().await;
    let mut bucket = Bucket { create: false, ..Bucket::default() };
    let error = bucket.prepare(&cx, &Name::new("bucket", "lake", "nowhere")).await.unwrap_err();
    assert_eq!(error.to_string(), "reading bucket lake: bucket nowhere does not exist");
    assert!(cx.calls.made().iter().all(|call| call.reads()));
}

#[tokio::test(start_paused = true)]
async fn a_function_without_an_archive_is_refused() {
    let cx = cloud().await;
    let mut lost = Function { code: Code::Zip { path: PathBuf::from("/no/such.zip") }, ..function("/".as_ref()) };
    let error = lost.prepare(&cx, &Name::new("function", "square", "square")).await.unwrap_err();
    assert!(error.to_string().contains("/no/such.zip"), "{error}");
}
