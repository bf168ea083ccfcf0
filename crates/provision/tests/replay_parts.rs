//! A replay of delivery streams that take records apart: each part that failed is delivered once, and no other part again.

use std::io::Write;
use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob;
use provision::command::flush;
use provision::command::replay::{ReplayArgs, replay};
use provision::event::Event;
use provision::exit::Exit;
use provision::replay::Replayed;
use serde_json::{Value, json};

use crate::verify::Trial;

/// Fails what is marked, but not in the events of a replay, in which the partition keys are others.
const FAILS_AT_FIRST: &str = "result = 'ProcessingFailed' if 'bad' in text and not \
                              given['kinesisRecordMetadata']['partitionKey'].startswith('key-') else 'Ok'";

fn delivery(processors: &str) -> String {
    format!(
        "  parts: {{ name: v-parts, from: events, transform: change, bucket: lake, {processors}, good: parts/, bad: parts-bad/ }}\n"
    )
}

/// Documents are split only where there are partitions.
const SPLIT: &str = "good: \"parts/!{partitionKeyFromQuery:k}/\", bad: \"parts-bad/!{firehose:error-output-type}/\", \
                     partitioning: true, buffer: { size: 64MiB, interval: 60s }, metadata: \"{k: .k}\", deaggregate: json";

fn split(processors: &str) -> String {
    format!("  parts: {{ name: v-parts, from: events, transform: change, bucket: lake, {SPLIT}{processors} }}\n")
}

/// Documents of these names in one record; `bad` ones fail.
fn documents(names: &[&str]) -> String {
    names.iter().map(|name| json!({ "k": "k", "name": name }).to_string()).collect()
}

/// A document as CloudWatch Logs sends it, with a message for each text.
fn logs(messages: &[String]) -> Vec<u8> {
    let events: Vec<Value> = messages.iter().map(|message| json!({ "message": message })).collect();
    let document = json!({ "messageType": "DATA_MESSAGE", "logEvents": events }).to_string();
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(document.as_bytes()).and_then(|()| gzip.finish()).expect("a vector is written")
}

/// A stack whose delivery stream was given these records, one after another.
async fn given(deliveries: &str, records: Vec<Vec<u8>>) -> Trial {
    let trial = Trial::new(deliveries, Some(FAILS_AT_FIRST)).await;
    for record in records {
        let put = trial.bench.cx.kinesis().put_record().stream_name("v-events").partition_key("a");
        put.data(Blob::new(record)).send().await.expect("it is put");
        trial.bench.engine.advance(Duration::from_secs(1)).await;
    }
    flushed(&trial).await;
    trial
}

/// Waits for retries, too.
async fn flushed(trial: &Trial) {
    while flush::deliver(&trial.session, "v-parts").await.expect("it is delivered") > 0 {
        trial.bench.engine.advance(Duration::from_secs(60)).await;
    }
}

/// The names of the documents under a prefix, sorted.
async fn names(trial: &Trial) -> Vec<String> {
    let client = trial.bench.cx.s3();
    let listed = client.list_objects_v2().bucket("v-lake").prefix("parts/").send().await.expect("it is listed");
    let mut names = vec![];
    for object in listed.contents.unwrap_or_default() {
        let key = object.key.expect("it has a key");
        let read = client.get_object().bucket("v-lake").key(key).send().await.expect("it is read");
        let bytes = read.body.collect().await.expect("all of it").to_vec();
        for document in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let document = document.expect("JSON");
            let messages = document["logEvents"].as_array().cloned().unwrap_or_else(|| vec![document]);
            let name = |one: &Value| one["name"].as_str().or(one["message"].as_str()).expect("a name").to_owned();
            names.extend(messages.iter().map(name));
        }
    }
    names.sort_unstable();
    names
}

fn args(through_source: bool) -> ReplayArgs {
    ReplayArgs { delivery: Some("parts".into()), through_source, ..ReplayArgs::default() }
}

fn result(event: Event) -> Option<Replayed> {
    if let Event::Replayed { result } = event { Some(*result) } else { None }
}

async fn replayed(trial: &Trial, through_source: bool) -> (Exit, Replayed) {
    let exit = replay(&trial.session, &args(through_source), &trial.bench.events())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    (exit, trial.bench.told().into_iter().filter_map(result).next_back().expect("a result"))
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_logs_are_replayed_as_the_function_gets_them() {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let large = "x".repeat(5 << 20);
    let messages: [&[&str]; 4] = [&["a", "b"], &["bad c", "d"], &["e"], &[&large]];
    let mut records: Vec<Vec<u8>> = messages.iter().map(|messages| logs(&texts(messages))).collect();
    records.push(b"no gzip".to_vec());
    let trial = given(&delivery("decompress: true"), records).await;
    assert_eq!(names(&trial).await, ["a", "b", "e"]);
    let (exit, result) = replayed(&trial, false).await;
    assert_eq!((exit, result.delivered, result.failed, result.unclear), (Exit::FailedHalfWay, 1, 2, 0));
    let mut now: Vec<&str> = result.examples.iter().map(|example| example.now.as_str()).collect();
    now.sort_unstable();
    let too_large = "it has 5242939 bytes, too many for an event of Lambda's";
    assert_eq!(now, ["Decompression failed.: The record is not what CloudWatch Logs sends.", too_large]);
    assert_eq!(names(&trial).await, ["a", "b", "bad c", "d", "e"]);
    assert_eq!(replayed(&trial, false).await.1.before, 1);
    assert_eq!(names(&trial).await.len(), 5);

    let document = |name: &str| json!({ "name": name }).to_string();
    let records = vec![logs(&[document("a")]), logs(&[document("bad b")])];
    let trial = given(&delivery("decompress: { extract_messages: true }"), records).await;
    assert_eq!(replayed(&trial, false).await.0, Exit::Done);
    assert_eq!(names(&trial).await, ["a", "bad b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_record_with_several_documents_only_those_are_replayed_that_failed() {
    let records = vec![documents(&["a", "bad b", "c", "bad d"]).into(), documents(&["bad e"]).into()];
    let trial = given(&split(""), records).await;
    assert_eq!(names(&trial).await, ["a", "c"]);
    let (exit, result) = replayed(&trial, false).await;
    assert_eq!((exit, result.delivered, result.unclear), (Exit::Done, 3, 0));
    assert_eq!(names(&trial).await, ["a", "bad b", "bad d", "bad e", "c"]);
    assert_eq!(replayed(&trial, false).await.1.before, 3);
}

/// An error record holds the whole compressed record.
#[tokio::test(flavor = "multi_thread")]
async fn of_compressed_logs_with_several_documents_those_are_replayed_of_which_all_failed() {
    let of = |names: &[&str]| logs(&names.iter().map(|name| documents(&[name])).collect::<Vec<_>>());
    let records = vec![of(&["bad a", "bad b", "bad c"]), of(&["d", "bad e", "f"]), of(&["bad g"])];
    let trial = given(&split(", decompress: { extract_messages: true }"), records).await;
    assert_eq!(names(&trial).await, ["d", "f"]);
    let dry = ReplayArgs { dry_run: true, ..args(false) };
    assert_eq!(replay(&trial.session, &dry, &trial.bench.events()).await.expect("it is read"), Exit::Done);
    let told = trial.bench.told().into_iter();
    assert!(told.filter_map(result).any(|result| (result.unclear, result.delivered) == (1, 0)));
    let (exit, result) = replayed(&trial, false).await;
    assert_eq!((exit, result.delivered, result.failed, result.unclear), (Exit::FailedHalfWay, 4, 0, 1));
    let why = "not replayed: 1 error record cannot say which of the 3 parts of this record failed: --through-source puts the \
               whole record again";
    assert_eq!(result.examples[0].now, why);
    assert_eq!(names(&trial).await, ["bad a", "bad b", "bad c", "bad g", "d", "f"]);
    let (exit, result) = replayed(&trial, false).await;
    assert_eq!((exit, result.delivered, result.unclear, result.before), (Exit::Failed, 0, 1, 4));

    // The record is put once, and its parts fail or are delivered again.
    let (exit, result) = replayed(&trial, true).await;
    assert_eq!((exit, result.delivered), (Exit::Done, 1));
    flushed(&trial).await;
    assert_eq!(names(&trial).await, ["bad a", "bad b", "bad c", "bad g", "d", "d", "f", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_parts_all_failed_is_put_into_the_stream_once() {
    let of = |names: &[&str]| logs(&names.iter().map(|name| documents(&[name])).collect::<Vec<_>>());
    let trial = given(&split(", decompress: { extract_messages: true }"), vec![of(&["bad a", "bad b"])]).await;
    assert_eq!(names(&trial).await, [""; 0]);
    let (exit, result) = replayed(&trial, true).await;
    assert_eq!((exit, result.delivered), (Exit::Done, 2));
    flushed(&trial).await;
    // They fail again, each once.
    let (_, result) = replayed(&trial, false).await;
    assert_eq!((result.before, result.errors.values().sum::<u64>()), (2, 2));
}
