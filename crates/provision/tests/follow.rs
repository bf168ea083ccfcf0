//! Records that are read back from a stream while it is resharded.

use local_cloud::Delays;
use provision::follow::stream::{Read, Span, read};
use provision::producer::target::Target;
use provision::producer::{How, produce};
use provision::source::Record;
use provision::source::key::Keys;

use crate::common::Bench;

async fn put(bench: &Bench, from: u64, to: u64) {
    let records = (from..=to).map(|number| Ok(Record::new(number, number.to_string())));
    let how = How { keys: Keys::Spread(3), ..How::default() };
    let target = Target::Stream { name: "events".into(), max_record_bytes: 1 << 20 };
    produce(&bench.cx, &target, Box::new(records), how, &mut ()).await.expect("they are put");
}

#[tokio::test(start_paused = true)]
async fn each_record_is_read_once_and_those_of_a_key_in_order_through_a_reshard() {
    let bench = Bench::new(Delays::FAST).await;
    let client = bench.cx.kinesis();
    client.create_stream().stream_name("events").shard_count(1).send().await.expect("it is created");
    bench.engine.advance(std::time::Duration::from_secs(60)).await;
    put(&bench, 1, 30).await;
    let resharded = async {
        let reshard = client.update_shard_count().stream_name("events").target_shard_count(2);
        reshard.scaling_type(aws_sdk_kinesis::types::ScalingType::UniformScaling).send().await.expect("it begins");
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        put(&bench, 31, 60).await;
    };
    let mut records: Vec<Read> = vec![];
    let span = Span { since_s: 0, follow: true };
    let mut take = |read: Vec<Read>| {
        records.extend(read);
        records.len() < 60
    };
    let (done, ()) = tokio::join!(read(&bench.cx, "events", span, &mut take), resharded);
    done.expect("it is read");
    assert_eq!(records.len(), 60);
    let shards: std::collections::BTreeSet<&str> = records.iter().map(|read| read.shard.as_str()).collect();
    assert_eq!(shards.len(), 3, "{shards:?}");
    for key in ["key-0", "key-1", "key-2"] {
        let of_key = records.iter().filter(|read| read.partition_key == key);
        let numbers: Vec<u64> =
            of_key.map(|read| String::from_utf8_lossy(&read.data).parse().expect("a number")).collect();
        assert!(numbers.len() == 20 && numbers.is_sorted(), "{key}: {numbers:?}");
    }

    // Without following, it ends at what there is. The second half came a minute after the first.
    let last_s = records[59].arrived_ms / 1_000;
    for (since_s, expected) in [(0, 60), (last_s - 30, 30)] {
        let mut again = 0;
        let span = Span { since_s, follow: false };
        let mut take = |read: Vec<Read>| {
            again += read.len();
            true
        };
        read(&bench.cx, "events", span, &mut take).await.expect("it is read");
        assert_eq!(again, expected, "since {since_s}");
    }
}
