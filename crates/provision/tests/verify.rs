//! `verify` on the engine in this process, whose clock stands still but for what verify advances: the account is right for each shape
//! of delivery, and balances whatever goes wrong.

use std::path::Path;
use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob;
use local_cloud::{Delays, Pace, Settings};
use provision::command::drain;
use provision::command::ready::{self, Ready};
use provision::command::verify::{self, Given, VerifyArgs};
use provision::event::Event;
use provision::exit::Exit;
use provision::session::{Place, Session};
use provision::verify::Verified;
use tempfile::TempDir;

use crate::common::{Bench, left, stack};

/// A function in Python. `EACH` makes `result` and `data` of `record`, a dict, and `n`, its number.
const HANDLER: &str = r#"
import base64, json, os, time, urllib.request, uuid

def call(service, target, body, method='POST', path='/'):
    key, token = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SESSION_TOKEN']
    credential = f'Credential={key}/20260101/{os.environ["AWS_REGION"]}/{service}/aws4_request'
    headers = {'Authorization': f'AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0',
               'X-Amz-Security-Token': token, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', 'X-Amz-Date': '20260101T000000Z'}
    if target:
        headers.update({'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.1'})
    asked = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + path, body, headers, method=method)
    return urllib.request.urlopen(asked).read().decode()

def handle(event, context):
    answers = []
    for given in event['records']:
        text = base64.b64decode(given['data']).decode()
        record = json.loads(text)
        n, result, data = record.get('n'), 'Ok', record
        EACH
        encoded = base64.b64encode((data if isinstance(data, str) else json.dumps(data)).encode()).decode()
        answers.append({'recordId': given['recordId'], 'result': result, 'data': encoded})
    return {'records': answers}
"#;

const HEAD: &str =
    "version: 1\nstack: v\nstreams: { events: { name: v-events, shards: 2 } }\nbuckets: { lake: { name: v-lake } }\n";
pub const RAW: &str = "  raw: { name: v-raw, from: events, bucket: lake, good: raw/, bad: raw-bad/ }\n";

/// A stack that is up, with a clock that stands still.
pub struct Trial {
    pub bench: Bench,
    pub session: Session,
    folder: TempDir,
}

impl Trial {
    /// `each` is the inside of the function `change`. Without it there is no function.
    pub async fn new(deliveries: &str, each: Option<&str>) -> Trial {
        Trial::of(HEAD, deliveries, each).await
    }

    async fn of(head: &str, deliveries: &str, each: Option<&str>) -> Trial {
        let (bench, folder) = (Bench::new(Delays::FAST).await, tempfile::tempdir().unwrap());
        let mut spec = head.to_owned();
        if let Some(each) = each {
            std::fs::create_dir(folder.path().join("code")).unwrap();
            std::fs::write(folder.path().join("code/handler.py"), HANDLER.replace("EACH", each)).unwrap();
            spec.push_str(&format!(
                "functions:\n  change:\n    name: v-change\n    code: {{ dir: {} }}\n    runtime: python3.13\n    handler: handler.handle\n    \
                 timeout: 60s\n    allow:\n      - {{ actions: [\"s3:GetObject\"], resources: [\"arn:aws:s3:::v-lake/*\"] }}\n      \
                 - {{ actions: [\"kinesis:PutRecord\"], resources: [\"*\"] }}\n",
                folder.path().join("code").display()
            ));
        }
        spec.push_str(&format!("deliveries:\n{deliveries}"));
        let stack = stack(&spec);
        bench.up(&stack).await;
        bench.engine.set_pace(Pace { speed: 1, paused: true });
        let session = Session { cx: bench.cx.clone(), place: Place::Within(bench.engine.clone()), stack: Some(stack) };
        Trial { bench, session, folder }
    }

    /// A file with these records.
    fn records(&self, lines: &str) -> Given {
        let path = self.folder.path().join("records");
        std::fs::write(&path, lines).unwrap();
        Given::File(path)
    }

    /// The exit code, and the results by delivery.
    pub async fn verify(&self, args: &VerifyArgs) -> (Exit, Vec<Verified>) {
        let exit = verify::verify(&self.session, args, &self.bench.events()).await;
        let exit = exit.unwrap_or_else(|error| panic!("{error:?}"));
        let verified = |event| if let Event::Verified { result } = event { Some(*result) } else { None };
        (exit, self.bench.told().into_iter().filter_map(verified).collect())
    }
}

pub fn count(records: u32) -> VerifyArgs {
    VerifyArgs { records: Given::Count(records), ..VerifyArgs::default() }
}

/// `raw: delivered 9, dropped 1, failed 0, missing 0, duplicated 0`
fn counts(result: &Verified) -> String {
    let Verified { delivery, delivered, dropped, failed, missing, duplicated, .. } = result;
    format!(
        "{delivery}: delivered {delivered}, dropped {dropped}, failed {failed}, missing {missing}, duplicated {duplicated}"
    )
}

fn all(delivery: &str, delivered: usize) -> String {
    format!("{delivery}: delivered {delivered}, dropped 0, failed 0, missing 0, duplicated 0")
}

/// Every record is in exactly one count, also shard by shard.
fn balances(result: &Verified) {
    let Verified { sent, delivered, dropped, failed, missing, shards, .. } = result;
    assert_eq!(*sent, delivered + dropped + failed + missing, "{result:#?}");
    for shard in shards {
        assert_eq!(shard.sent, shard.delivered + shard.dropped + shard.failed + shard.missing, "{shard:?}");
    }
    assert!(result.objects.is_empty() || result.latency.is_some());
}

async fn right(deliveries: &str, each: Option<&str>, args: VerifyArgs, expected: &[String]) -> Vec<Verified> {
    let trial = Trial::new(deliveries, each).await;
    verified_right(&trial, &args, expected).await
}

async fn verified_right(trial: &Trial, args: &VerifyArgs, expected: &[String]) -> Vec<Verified> {
    let (exit, results) = trial.verify(args).await;
    assert_eq!(results.iter().map(counts).collect::<Vec<_>>(), expected, "{:#?}", trial.bench.told());
    assert_eq!(exit, Exit::Done);
    results.iter().for_each(balances);
    results
}

const LOGS: &str =
    "  logs: { name: v-logs, from: events, bucket: lake, good: logs/, bad: logs-bad/, decompress: true }\n";
const PARTITIONED: &str = "  parts:\n    name: v-parts\n    from: events\n    bucket: lake\n    good: \"parts/!{partitionKeyFromQuery:customer}/!{partitionKeyFromQuery:month}/\"\n    \
                           bad: \"parts-bad/!{firehose:error-output-type}/\"\n    buffer: { size: 64MiB, interval: 60s }\n    partitioning: true\n    \
                           metadata: \"{customer: .order.customer, month: (.at | strftime(\\\"%Y-%m\\\"))}\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn made_up_records_have_the_fields_that_a_query_reads() {
    let both = [all("parts", 200), all("raw", 200)];
    let results = right(&format!("{PARTITIONED}{RAW}"), None, count(200), &both).await;
    assert!(results[0].objects.len() > 1 && results[0].objects.iter().all(|key| key.starts_with("parts/")));
    assert_eq!(results[0].shards.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_with_samples_needs_no_records() {
    let templates = r#"templates: ['{"order":{"customer":"{{choice a|b}}"},"at":{{number 1700000000..1700009999}},"id":{{counter}}}']"#;
    for (envelope, deliveries, parts) in [
        ("none", PARTITIONED, all("parts", 100)),
        ("kpl", PARTITIONED, all("parts", 100)),
        ("cloudwatch-logs", LOGS, all("logs", 10)),
    ] {
        let head =
            HEAD.replace("shards: 2 }", &format!("shards: 2, samples: {{ {templates}, envelope: {envelope} }} }}"));
        let trial = Trial::of(&head, deliveries, None).await;
        verified_right(&trial, &count(100), &[parts]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_a_partition_key_are_expected_under_the_error_prefix() {
    let trial = Trial::new(PARTITIONED, None).await;
    let records =
        trial.records("{\"order\":{\"customer\":\"a\"},\"at\":1700000000}\n{\"order\":{},\"at\":1}\nno JSON\n");
    let args = VerifyArgs { records, ..VerifyArgs::default() };
    let expected = ["parts: delivered 1, dropped 0, failed 2, missing 0, duplicated 0".to_owned()];
    let results = verified_right(&trial, &args, &expected).await;
    let codes: Vec<_> = results[0].errors.iter().map(|error| (error.code.as_str(), error.records)).collect();
    assert_eq!(codes, [("DynamicPartitioning.MetadataExtractionFailed", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_logs_are_made_up_for_a_delivery_that_decompresses() {
    let logs = |rest: &str| {
        format!(
            "  logs: {{ name: v-logs, from: events, bucket: lake, good: logs/, bad: logs-bad/, decompress: {rest} }}\n{RAW}"
        )
    };
    for how in ["true", "{ extract_messages: true }"] {
        right(&logs(how), None, count(120), &[all("logs", 120), all("raw", 120)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_compressed_log_is_expected_under_the_error_prefix() {
    let trial = Trial::new(LOGS, None).await;
    let args = VerifyArgs { records: trial.records("a\nb\n"), ..VerifyArgs::default() };
    let expected = ["logs: delivered 0, dropped 0, failed 2, missing 0, duplicated 0".to_owned()];
    let results = verified_right(&trial, &args, &expected).await;
    assert!(results[0].errors[0].cause.is_some_and(|cause| cause.contains("CloudWatch Logs")), "{results:?}");
}

pub const CHANGED: &str = "  changed: { name: v-changed, from: events, transform: change, bucket: lake, good: changed/, bad: changed-bad/ }\n";

/// The ways in which a function treats records, and the expected counts of 40 records.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("fails every tenth", "result = 'ProcessingFailed' if n % 10 == 0 else 'Ok'", "delivered 36, dropped 0, failed 4"),
    ("drops every other", "result = 'Dropped' if n % 2 else 'Ok'", "delivered 20, dropped 20, failed 0"),
    ("needs a field that is not there", "data = record['customer']", "delivered 0, dropped 0, failed 40"),
    ("answers lines", "data = json.dumps(record) + chr(10)", "delivered 40, dropped 0, failed 0"),
    ("answers with a random id", "data['id'] = str(uuid.uuid4())", "delivered 40, dropped 0, failed 0"),
    ("answers with the second", "data['at'] = int(time.time())", "delivered 40, dropped 0, failed 0"),
    ("answers alike", "data = 'x'", "delivered 40, dropped 0, failed 0"),
    (
        "reads an object",
        "data['marker'] = len(call('s3', None, None, 'GET', '/v-lake/changed/')); assert os.environ['AWS_ENDPOINT_URL']",
        "delivered 40, dropped 0, failed 0",
    ),
    (
        "puts back",
        "call('kinesis', 'Kinesis_20131202.PutRecord', json.dumps({'StreamName': 'v-events', 'PartitionKey': 'k', 'Data': \
         base64.b64encode(json.dumps({'n': n, 'again': True}).encode()).decode()}).encode()) if not record.get('again') else None; \
         result = 'Ok' if record.get('again') else 'Dropped'",
        "delivered 0, dropped 40, failed 0",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn records_are_recognized_whatever_a_function_makes_of_them() {
    for (what, each, expected) in FUNCTIONS {
        let expected = [format!("changed: {expected}, missing 0, duplicated 0"), all("raw", 40)];
        let results = right(&format!("{CHANGED}{RAW}"), Some(each), count(40), &expected).await;
        // Answers with the second are equal if all of them come within one.
        if !what.ends_with("the second") {
            assert_eq!(results[0].compared_by.is_some(), what.ends_with("a random id"), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_whose_answers_do_not_tell_records_apart_needs_an_identity() {
    let trial = Trial::new(CHANGED, Some("data = {'k': {'n': n, 'at': time.time_ns()}}")).await;
    let refused = verify::verify(&trial.session, &count(9), &trial.bench.events()).await;
    let told = format!("{refused:?}");
    assert!(told.contains("(k)") && told.contains("pass --identity"), "{told}");
    let args = VerifyArgs { identity: Some(".k.n".into()), ..count(9) };
    let results = verified_right(&trial, &args, &[all("changed", 9)]).await;
    assert_eq!(results[0].compared_by.as_deref(), Some("the expression .k.n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_balances_while_shards_split_and_calls_are_refused() {
    let tenth = "result = 'ProcessingFailed' if n % 10 == 0 else 'Ok'";
    let trial = Trial::new(&format!("{CHANGED}{RAW}"), Some(tenth)).await;
    for rule in [
        "kinesis:PutRecords=throttle,rate=0.3,seed=7",
        "firehose>s3:PutObject=503,count=4",
        "firehose>lambda:Invoke=500,count=2",
    ] {
        trial.bench.engine.inject(rule.parse().unwrap());
    }
    let args = VerifyArgs { rate: Some(2_000), ..count(2_000) };
    let split = async {
        while !trial.bench.line.sent().iter().any(|sent| sent.what.contains("PutRecords")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let call = trial.bench.cx.kinesis().update_shard_count().stream_name("v-events").target_shard_count(4);
        call.scaling_type(aws_sdk_kinesis::types::ScalingType::UniformScaling).send().await.unwrap();
        trial.bench.engine.advance(Duration::from_secs(1)).await;
    };
    let ((exit, results), ()) = tokio::join!(trial.verify(&args), split);
    let expected =
        ["changed: delivered 1800, dropped 0, failed 200, missing 0, duplicated 0".to_owned(), all("raw", 2_000)];
    assert_eq!(results.iter().map(counts).collect::<Vec<_>>(), expected);
    assert_eq!(exit, Exit::Done);
    results.iter().for_each(balances);
    assert!(results[0].shards.len() > 2, "{:?}", results[0].shards);
}

/// Lets the bucket refuse what is written under a prefix.
async fn refuse_writes(trial: &Trial, under: &str) {
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::v-lake/{under}/*") }] });
    trial.bench.cx.s3().put_bucket_policy().bucket("v-lake").policy(policy.to_string()).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_must_hold_every_record_as_it_was_put() {
    let backed_up = |how: &str| CHANGED.replace("good:", &format!("backup: {{ prefix: kept/{how} }}, good:"));
    let some = "result = ['Ok', 'Dropped', 'ProcessingFailed'][n % 3]";
    let trial = Trial::new(&backed_up(", compression: gzip"), Some(some)).await;
    let expected = [
        "changed: delivered 14, dropped 13, failed 13, missing 0, duplicated 0".to_owned(),
        all("changed (backup)", 40),
    ];
    let results = verified_right(&trial, &count(40), &expected).await;
    assert!(results[1].objects.iter().all(|key| key.starts_with("kept/")), "{results:?}");
    assert_eq!((&results[1].function, results[1].shards.len()), (&None, 2));

    refuse_writes(&trial, "kept").await;
    let (exit, results) = trial.verify(&VerifyArgs { timeout: Some(900), ..count(9) }).await;
    // Behind those of the first run.
    let missing: Vec<_> = results[2..].iter().map(|result| (result.delivery.as_str(), result.missing)).collect();
    assert_eq!((exit, missing), (Exit::Failed, vec![("changed", 0), ("changed (backup)", 9)]));

    let trial = Trial::new(&backed_up(", compression: snappy"), Some(some)).await;
    verified_right(&trial, &count(40), &expected[..1]).await;
    let warned = trial.bench.warnings();
    assert!(warned.iter().any(|text| text.starts_with("the backup of delivery changed is not verified")), "{warned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses_writes_is_named_as_the_cause() {
    let spec = "  raw: { name: v-raw, from: events, bucket: lake, good: raw/, bad: raw-bad/, logs: true }\n";
    let trial = Trial::new(spec, None).await;
    refuse_writes(&trial, "raw").await;
    let args = VerifyArgs { timeout: Some(700), ..count(30) };
    let (exit, results) = trial.verify(&args).await;
    assert_eq!(
        (exit, results[0].missing, results[0].missing_numbers.as_slice()),
        (Exit::Failed, 30, &["0-29".to_owned()][..])
    );
    balances(&results[0]);
    let hint = results[0].hint.as_deref().unwrap_or_default();
    assert!(hint.starts_with("S3.AccessDenied: the delivery stream's role may not write"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_ready_when_a_record_came_out_of_each_delivery_stream() {
    let direct = "  direct: { name: v-direct, bucket: lake, good: direct/, bad: direct-bad/ }\n";
    let trial = Trial::new(&format!("{CHANGED}{RAW}{direct}"), Some("data = record['customer']")).await;
    let stack = trial.session.stack.as_ref().unwrap();
    ready::data(&trial.session, stack, &trial.bench.events()).await.expect("each has stored something");
    trial.bench.engine.advance(Duration::from_secs(5)).await;
    trial.bench.engine.inject("firehose>s3:PutObject=503".parse().unwrap());
    let error = ready::data(&trial.session, stack, &trial.bench.events()).await.expect_err("nothing can be stored");
    assert_eq!(error.to_string(), "nothing came out of delivery changed, raw, direct in 660 s");
}

#[tokio::test(start_paused = true)]
async fn a_new_delivery_stream_that_does_not_read_yet_is_waited_for() {
    let consistency = "firehose-late-reading=200s".parse().expect("a row");
    let bench = Bench::with(Settings { delays: Delays::AWS, consistency, ..Settings::default() }).await;
    let stack = stack(&format!("{HEAD}deliveries:\n{}", RAW.replace("good:", "buffer: { interval: 60s }, good:")));
    bench.up(&stack).await;
    let place = Place::Endpoint("http://localhost".into());
    let session = Session { cx: bench.cx.clone(), place, stack: Some(stack) };
    let verified = async |ready| {
        let args = VerifyArgs { ready, timeout: Some(120), ..count(30) };
        let began = tokio::time::Instant::now();
        let exit = verify::verify(&session, &args, &bench.events()).await.expect("nothing is refused");
        let found = bench.told().into_iter().rev().find_map(|event| match event {
            Event::Verified { result } => Some((result.delivered, result.missing)),
            _ => None,
        });
        (exit, found, began.elapsed().as_secs())
    };
    let at_once = verified(Some(Ready::Active)).await;
    assert_eq!((at_once.0, at_once.1), (Exit::Failed, Some((0, 30))));
    let waited = verified(None).await;
    assert_eq!((waited.0, waited.1), (Exit::Done, Some((30, 0))));
    let again = verified(None).await;
    assert_eq!((again.0, again.1), (Exit::Done, Some((30, 0))));
    assert!(again.2 < 90 && waited.2 > again.2 + 60, "{} s, then {} s", waited.2, again.2);
}

#[tokio::test(start_paused = true)]
async fn a_drain_outside_the_emulator_waits_for_the_buffers_and_for_a_quiet_minute() {
    let bench = Bench::new(Delays::AWS).await;
    let buffers = "buffer: { interval: 60s }, backup: { prefix: kept/, buffer: { interval: 90s } }, good:";
    let stack = stack(&format!("{HEAD}deliveries:\n{}", RAW.replace("good:", buffers)));
    bench.up(&stack).await;
    let place = Place::Endpoint("http://localhost".into());
    let session = Session { cx: bench.cx.clone(), place, stack: None };
    let began = tokio::time::Instant::now();
    drain::drain(&session, &stack, &bench.events()).await.expect("nothing is refused");
    assert!((150..=160).contains(&began.elapsed().as_secs()), "nothing came: {:?}", began.elapsed());
    let put = bench.cx.kinesis().put_record().stream_name("v-events").partition_key("a").data(Blob::new("{}"));
    put.send().await.expect("it is put");
    let (before, began) = (left(&bench), tokio::time::Instant::now());
    drain::drain(&session, &stack, &bench.events()).await.expect("nothing is refused");
    assert!((150..=230).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_ne!(left(&bench)["s3"], before["s3"], "the record was delivered meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_objects_are_neither_counted_nor_deleted() {
    let trial = Trial::new(RAW, None).await;
    let name = "v-raw-1-2026-07-13-14-05-09-046b6c7f-0b7c-4a5e-9e3a-0123456789ab";
    for (key, body) in
        [(format!("raw/{name}"), "{\"run\":1,\"n\":0}"), ("raw/notes.txt".to_owned(), "{\"run\":1,\"n\":1}")]
    {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(body.as_bytes());
        trial.bench.cx.s3().put_object().bucket("v-lake").key(key).body(body).send().await.unwrap();
    }
    let args = VerifyArgs { clean: true, partition_keys: Some(1), size: Some(200), ..count(10) };
    let results = verified_right(&trial, &args, &[all("raw", 10)]).await;
    assert!(results[0].objects.iter().all(|key| !key.contains(name) && Path::new(key).extension().is_none()));
    assert_eq!(results[0].shards.iter().filter(|shard| shard.sent > 0).count(), 1, "one key is in one shard");
    assert!(results[0].object_details[0].bytes >= 2_000);
    let left = trial.bench.cx.s3().list_objects_v2().bucket("v-lake").prefix("raw/").send().await.unwrap();
    let left: Vec<_> = left.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
    assert_eq!(left.iter().filter(|key| key.as_str() != "raw/").count(), 2, "{left:?}");
}
