//! Records that are put: each arrives once, whatever the stream refuses meanwhile.

use std::collections::BTreeMap;

use aws_sdk_kinesis::types::ShardIteratorType;
use local_cloud::{Delays, Settings};
use provision::cloud::Cx;
use provision::producer::queue::Entry;
use provision::producer::target::{Position, Target};
use provision::producer::{How, Produced, Watch, produce};
use provision::source::key::{self, Keys};
use provision::source::{Record, Records, Unread};

use crate::common::Bench;

async fn bench(shards: i32) -> Bench {
    let bench = Bench::with(Settings { delays: Delays::NONE, limits: true, ..Settings::default() }).await;
    bench.cx.kinesis().create_stream().stream_name("events").shard_count(shards).send().await.expect("it is created");
    bench
}

fn target() -> Target {
    Target::Stream { name: "events".into(), max_record_bytes: 1 << 20 }
}

fn numbered(count: u64) -> Records {
    Box::new((1..=count).map(|number| Ok(Record::new(number, format!(r#"{{"n":{number},"who":"w{}"}}"#, number % 5)))))
}

/// All records of the stream, in the order of their shards.
pub async fn read(cx: &Cx, stream: &str) -> Vec<String> {
    let client = cx.kinesis();
    let shards = client.list_shards().stream_name(stream).send().await.expect("they are listed").shards;
    let mut read = vec![];
    for shard in shards.unwrap_or_default() {
        let from = client.get_shard_iterator().stream_name(stream).shard_id(shard.shard_id());
        let from = from.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.expect("an iterator");
        let mut iterator = from.shard_iterator;
        while let Some(from) = iterator.take() {
            let records = client.get_records().shard_iterator(from).send().await.expect("records");
            iterator = records.next_shard_iterator.filter(|_| records.millis_behind_latest != Some(0));
            read.extend(records.records.iter().map(|one| String::from_utf8_lossy(one.data.as_ref()).into_owned()));
        }
    }
    read
}

/// Counts what is accepted.
#[derive(Default)]
struct Counted {
    accepted: BTreeMap<u64, usize>,
    told: usize,
}

impl Watch for Counted {
    fn accepted(&mut self, entry: &Entry, position: Option<&Position>) {
        assert!(position.is_some());
        *self.accepted.entry(entry.record.number).or_default() += 1;
    }

    fn progress(&mut self, _: &Produced) {
        self.told += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_refuses_most_records_gets_each_of_them_once() {
    let bench = bench(1).await;
    for rule in ["kinesis:PutRecords=throttle,rate=0.3,seed=5", "kinesis:PutRecords=500,rate=0.1,seed=6"] {
        bench.engine.inject(rule.parse().expect(rule));
    }
    let mut counted = Counted::default();
    // One shard takes a thousand records a second.
    let produced =
        produce(&bench.cx, &target(), numbered(5_000), How::default(), &mut counted).await.expect("it is put");
    assert_eq!((produced.records, produced.failed, produced.shards.values().sum::<u64>()), (5_000, 0, 5_000));
    // One shard takes a thousand records a second.
    assert!(produced.retried > 0 && counted.told > 0, "{produced:?}, told {} times", counted.told);
    assert!(counted.accepted.len() == 5_000 && counted.accepted.values().all(|times| *times == 1));
    bench.engine.heal();
    let mut read = read(&bench.cx, "events").await;
    read.sort();
    read.dedup();
    assert_eq!(read.len(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn records_of_a_key_stay_in_order_though_some_are_refused() {
    let bench = bench(2).await;
    let keys = Keys::Query(Box::new(key::query("--key", ".who").expect("a query")));
    let how = How { keys, ordered: true, ..How::default() };
    // Small requests fill the shards' rate.
    let produced = produce(&bench.cx, &target(), numbered(3_000), how, &mut ()).await.expect("it is put");
    assert_eq!(produced.records, 3_000);
    let read = read(&bench.cx, "events").await;
    assert_eq!(read.len(), 3_000);
    for who in 0..5 {
        let of_key = |text: &&String| text.contains(&format!("\"w{who}\""));
        let number = |text: &String| text[5..text.find(',').expect("a comma")].parse::<u64>().expect("a number");
        assert!(read.iter().filter(of_key).map(number).is_sorted(), "w{who}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_put_are_told_and_the_others_go_on_or_not() {
    let bench = bench(1).await;
    let records = || -> Records {
        let unread = Unread { place: "line 2".into(), why: "it is not UTF-8".into() };
        let large = Record { line: Some(3), ..Record::new(3, vec![b'x'; 1 << 20]) };
        Box::new([Ok(Record::new(1, "a")), Err(unread), Ok(large), Ok(Record::new(4, "d"))].into_iter())
    };
    let produced = produce(&bench.cx, &target(), records(), How::default(), &mut ()).await.expect("it is put");
    assert_eq!((produced.records, produced.failed), (2, 2));
    let too_large = "it has 1048577 bytes; this stream takes at most 1048576";
    let told: Vec<(&str, &str)> = produced.failures.iter().map(|(place, why)| (place.as_str(), why.as_str())).collect();
    assert_eq!(told, [("line 2", "it is not UTF-8"), ("line 3", too_large)]);

    let how = How { fail_fast: true, ..How::default() };
    let produced = produce(&bench.cx, &target(), records(), how, &mut ()).await.expect("it is put");
    assert_eq!((produced.records, produced.failed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_to_and_a_stream_that_accepts_nothing_is_given_up() {
    let bench = bench(4).await;
    let how = How { rate: Some(100), ..How::default() };
    let began = tokio::time::Instant::now();
    produce(&bench.cx, &target(), numbered(1_000), how, &mut ()).await.expect("it is put");
    let took = began.elapsed().as_secs_f64();
    assert!((9.5..12.0).contains(&took), "{took} s for a thousand records at a hundred a second");

    let absent = Target::Stream { name: "absent".into(), max_record_bytes: 1 << 20 };
    let error = produce(&bench.cx, &absent, numbered(1), How::default(), &mut ()).await.expect_err("there is none");
    assert_eq!(error.code(), Some("ResourceNotFoundException"), "{error}");
}

/// Eight requests of a second each. The first four may be small, because a request does not wait for the reader.
#[tokio::test(start_paused = true)]
async fn four_requests_are_in_flight() {
    let bench = bench(8).await;
    bench.engine.inject("kinesis:PutRecords=latency:1s".parse().expect("a rule"));
    let produced = produce(&bench.cx, &target(), numbered(4_000), How::default(), &mut ()).await.expect("they are put");
    assert_eq!(produced.records, 4_000);
    assert!(produced.took_ms < 5_000, "{produced:?}");
}
