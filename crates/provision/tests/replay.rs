//! A replay that is killed at any call, and run again, leaves each record once.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use local_cloud::Delays;
use provision::command::replay::{ReplayArgs, replay, replay_until};
use provision::event::Event;
use provision::exit::Exit;
use provision::replay::Replayed;
use provision::session::{Place, Session};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::common::line::{Act, At};
use crate::common::{Bench, NAME_END, stack};
use crate::put::read;
use crate::verify::{CHANGED, RAW, Trial, count};

/// Fails every tenth record of the stream. In the events of a replay the partition keys are others.
const FAILS_AT_FIRST: &str = "result = 'ProcessingFailed' if n % 10 == 0 and not \
                              given['kinesisRecordMetadata']['partitionKey'].startswith('key-') else 'Ok'";

fn args() -> ReplayArgs {
    ReplayArgs { delivery: Some("changed".into()), ..ReplayArgs::default() }
}

/// The numbers of the records under `changed/`, sorted.
async fn delivered(trial: &Trial) -> Vec<u64> {
    let client = trial.bench.cx.s3();
    let listed = client.list_objects_v2().bucket("v-lake").prefix("changed/").send().await.expect("it is listed");
    let mut numbers = vec![];
    for object in listed.contents.unwrap_or_default() {
        let key = object.key.expect("it has a key");
        let read = client.get_object().bucket("v-lake").key(key).send().await.expect("it is read");
        let bytes = read.body.collect().await.expect("all of it").to_vec();
        let records = serde_json::Deserializer::from_slice(&bytes).into_iter::<serde_json::Value>();
        numbers.extend(records.map(|record| record.expect("JSON")["n"].as_u64().expect("a number")));
    }
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_and_run_again_leaves_each_record_once() {
    let mut killed = 0;
    for call in 4..20 {
        let trial = Trial::new(&format!("{CHANGED}{RAW}"), Some(FAILS_AT_FIRST)).await;
        trial.verify(&count(20)).await;
        assert_eq!(delivered(&trial).await.len(), 18);
        trial.bench.line.begin(vec![(At::Number(call), Act::StopAfter)]);
        let (args, events) = (args(), trial.bench.events());
        let first = trial.bench.line.or_stopped(replay(&trial.session, &args, &events)).await;
        trial.bench.line.begin(vec![]);
        let again = replay(&trial.session, &args, &events).await.expect("it is replayed");
        assert_eq!(again, Exit::Done);
        assert_eq!(delivered(&trial).await, (0..20).collect::<Vec<_>>(), "killed at call {call}");
        if let Some(first) = first {
            assert_eq!(first.expect("it was not killed"), Exit::Done);
            break;
        }
        killed += 1;
    }
    assert!(killed >= 4, "{killed}");
}

/// Fails one record, and does not answer another, so that two replays may choose different ones.
const FAILS_IN_TWO_WAYS: &str = "first = not given['kinesisRecordMetadata']['partitionKey'].startswith('key-')\n        \
                                 if first and n == 10: continue\n        result = 'ProcessingFailed' if first and n == 0 else 'Ok'";

/// The first may write its objects as late as it likes, or be killed while its request is on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_replay_adds_nothing_to_what_another_has_finished_meanwhile() {
    let other = |code: &str| ReplayArgs { error_type: Some(code.into()), ..args() };
    for second in [args(), other("Lambda.ProcessingFailedStatus"), other("S3")] {
        let trial = Trial::new(&format!("{CHANGED}{RAW}"), Some(FAILS_IN_TWO_WAYS)).await;
        trial.verify(&count(20)).await;
        assert_eq!(delivered(&trial).await.len(), 18);
        let (all, events) = (args(), trial.bench.events());
        trial.bench.line.begin(vec![(At::Named("/changed/"), Act::StopBefore)]);
        let mut slow = pin!(replay(&trial.session, &all, &events));
        assert!(trial.bench.line.or_stopped(&mut slow).await.is_none(), "{:?}", trial.bench.line.sent());
        assert_eq!(replay(&trial.session, &second, &events).await.expect("it is replayed"), Exit::Done);
        trial.bench.line.go_on();
        let error = slow.await.expect_err("another has finished it");
        assert!(error.what_next().is_some_and(|hint| hint.starts_with("another replay")), "{error}");
        assert_eq!(replay(&trial.session, &all, &events).await.expect("it is replayed"), Exit::Done);
        assert_eq!(delivered(&trial).await, (0..20).collect::<Vec<_>>(), "{second:?}");
    }
}

/// A conditional write whose answer is lost is sent again, and refused then.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_no_other_replay() {
    // The function is invoked, the manifest is written, the object, and the manifest again.
    for lost in 0..4 {
        let trial = Trial::new(&format!("{CHANGED}{RAW}"), Some(FAILS_AT_FIRST)).await;
        trial.verify(&count(20)).await;
        let events = trial.bench.events();
        trial.bench.line.begin(vec![]);
        replay(&trial.session, &ReplayArgs { dry_run: true, ..args() }, &events).await.expect("it is read");
        let reads = trial.bench.line.sent().iter().position(|sent| !sent.reads).expect("the function is invoked");
        trial.bench.line.begin(vec![(At::Number(reads + lost), Act::ResetAfter)]);
        assert_eq!(replay(&trial.session, &args(), &events).await.expect("it is replayed"), Exit::Done, "{lost}");
        assert!(
            trial.bench.line.sent().iter().filter(|sent| !sent.reads).count() == 5,
            "{:?}",
            trial.bench.line.sent()
        );
        assert_eq!(delivered(&trial).await, (0..20).collect::<Vec<_>>(), "{lost}");
    }
}

const IN_ONE_OBJECT: usize = 12_000;

/// A stack without functions, with so many records that failed.
async fn with_failed() -> (Bench, Session) {
    let bench = Bench::new(Delays::FAST).await;
    let stack = stack(
        "version: 1\nstack: v\nstreams: { events: { name: v-events, shards: 8 } }\nbuckets: { lake: { name: v-lake } }\n\
         deliveries:\n  raw: { name: v-raw, from: events, bucket: lake, good: raw/, bad: raw-bad/ }\n",
    );
    bench.up(&stack).await;
    let line = |n: usize| {
        let raw = base64_simd::STANDARD.encode_to_string(n.to_string());
        json!({ "rawData": raw, "errorCode": "Lambda.FunctionError", "errorMessage": "it crashed" }).to_string()
    };
    let lines: Vec<String> = (0..IN_ONE_OBJECT).map(line).collect();
    let put = bench.cx.s3().put_object().bucket("v-lake").key(format!("raw-bad/v-raw{NAME_END}"));
    put.body(lines.join("\n").into_bytes().into()).send().await.expect("it is stored");
    let session = Session { cx: bench.cx.clone(), place: Place::Within(bench.engine.clone()), stack: Some(stack) };
    (bench, session)
}

/// Puts them into the stream, and stops after some time.
async fn stopped(bench: &Bench, session: &Session, after: Option<Duration>) -> (Exit, Replayed) {
    let (sender, stop) = watch::channel(false);
    let (args, events) = (ReplayArgs { through_source: true, ..ReplayArgs::default() }, bench.events());
    let run = replay_until(session, &args, &events, &stop);
    let signal = async {
        if let Some(after) = after {
            sleep(after).await;
            sender.send_replace(true);
        }
    };
    let (exit, ()) = tokio::join!(run, signal);
    let result = |event| if let Event::Replayed { result } = event { Some(*result) } else { None };
    let result = bench.told().into_iter().filter_map(result).next_back();
    (exit.unwrap_or_else(|error| panic!("{error}")), result.expect("a result"))
}

/// Counts how often each record is in the stream.
async fn in_the_stream(bench: &Bench) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    read(&bench.cx, "v-events").await.into_iter().for_each(|text| *all.entry(text).or_default() += 1);
    all
}

#[tokio::test(start_paused = true)]
async fn a_replay_into_the_stream_that_is_interrupted_repeats_nothing() {
    let (bench, session) = with_failed().await;
    bench.engine.inject("kinesis:PutRecords=latency:1s".parse().expect("a rule"));
    let (exit, first) = stopped(&bench, &session, Some(Duration::from_millis(1_500))).await;
    assert_eq!((exit, first.interrupted, first.unsure), (Exit::Interrupted, true, 0));
    assert!(first.delivered > 0 && first.delivered < IN_ONE_OBJECT as u64, "{first:?}");
    let words = format!(
        "put {} records into the stream before the signal; another replay puts the rest, and none of these again",
        first.delivered
    );
    assert!(bench.warnings().contains(&words), "{:?}", bench.warnings());
    let (exit, second) = stopped(&bench, &session, None).await;
    assert_eq!((exit, second.before, second.unsure), (Exit::Done, first.delivered, 0));
    let found = in_the_stream(&bench).await;
    assert!(found.len() == IN_ONE_OBJECT && found.values().all(|times| *times == 1));
}

#[tokio::test(start_paused = true)]
async fn records_on_their_way_into_the_stream_at_a_signal_are_told() {
    let (bench, session) = with_failed().await;
    bench.engine.inject("kinesis:PutRecords=latency:20s".parse().expect("a rule"));
    let (exit, first) = stopped(&bench, &session, Some(Duration::from_secs(1))).await;
    assert_eq!((exit, first.interrupted, first.delivered), (Exit::Interrupted, true, 0));
    assert!(first.unsure > 0, "{first:?}");
    let words = format!("{} others may have been put too, and will then be there twice", first.unsure);
    assert!(bench.warnings().iter().any(|text| text.ends_with(&words)), "{:?}", bench.warnings());
    bench.engine.heal();
    let (exit, second) = stopped(&bench, &session, None).await;
    assert_eq!((exit, second.delivered, second.unsure), (Exit::Done, IN_ONE_OBJECT as u64, first.unsure));
}

/// The second of two at once, or the one after one that was killed.
#[tokio::test(start_paused = true)]
async fn what_another_replay_is_putting_into_the_stream_is_not_put_at_the_same_time() {
    let (bench, session) = with_failed().await;
    let (args, events) = (ReplayArgs { through_source: true, ..ReplayArgs::default() }, bench.events());
    bench.engine.inject("kinesis:PutRecords=latency:1s".parse().expect("a rule"));
    let killed = tokio::time::timeout(Duration::from_millis(3_500), replay(&session, &args, &events)).await;
    assert!(killed.is_err());
    for way in [true, false] {
        let args = ReplayArgs { through_source: way, ..ReplayArgs::default() };
        let error = replay(&session, &args, &events).await.expect_err("another may be putting them");
        assert!(error.to_string().starts_with("another replay is putting records of s3://v-lake/raw-bad/"), "{error}");
    }
    sleep(Duration::from_secs(60)).await;
    bench.engine.heal();
    let (exit, second) = stopped(&bench, &session, None).await;
    assert_eq!((exit, second.unsure), (Exit::Done, IN_ONE_OBJECT as u64));
    assert_eq!(in_the_stream(&bench).await.len(), IN_ONE_OBJECT);
}
