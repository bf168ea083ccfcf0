//! A replay that is killed at any call, and run again, leaves each record once.

use std::pin::pin;

use provision::command::replay::{ReplayArgs, replay};
use provision::exit::Exit;

use crate::common::line::{Act, At};
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
