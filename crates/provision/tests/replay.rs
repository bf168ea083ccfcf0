//! A replay that is killed at any call, and run again, leaves each record once.

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
