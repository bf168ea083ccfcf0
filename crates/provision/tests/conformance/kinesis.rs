//! Streams, shards and records.

use std::collections::BTreeMap;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    ConsumerStatus, PutRecordsRequestEntry, Record, ScalingType, ShardFilter, ShardFilterType, ShardIteratorType,
    StartingPosition, StreamStatus, SubscribeToShardEventStream,
};

use super::target::{Aws, Clock, on_aws, until};

/// Its ARN.
pub async fn active(aws: &Aws, name: &str) -> String {
    until("the stream is ACTIVE", async || {
        let described = aws.cx.kinesis().describe_stream_summary().stream_name(name).send().await;
        let summary = described.expect("it is there").stream_description_summary.expect("it is described");
        (summary.stream_status == StreamStatus::Active).then_some(summary.stream_arn)
    })
    .await
}

async fn stream(aws: &Aws, shards: i32) -> String {
    let create = aws.cx.kinesis().create_stream().stream_name(&aws.run).shard_count(shards).tags("run", &aws.run);
    create.send().await.expect("a stream is made");
    active(aws, &aws.run).await
}

async fn remove(aws: &Aws) {
    let _ = aws.cx.kinesis().delete_stream().stream_name(&aws.run).enforce_consumer_deletion(true).send().await;
}

/// Sequence numbers by shard.
async fn put(aws: &Aws, count: usize) -> BTreeMap<String, Vec<String>> {
    let records = (0..count).map(|n| {
        let record =
            PutRecordsRequestEntry::builder().data(Blob::new(format!("record {n}"))).partition_key(format!("key {n}"));
        record.build().expect("nothing is missing")
    });
    let put = aws.cx.kinesis().put_records().stream_name(&aws.run).set_records(Some(records.collect())).send().await;
    let put = put.expect("they are taken");
    assert_eq!(put.failed_record_count, Some(0));
    let mut placed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in put.records {
        placed
            .entry(record.shard_id.expect("it has a shard"))
            .or_default()
            .push(record.sequence_number.expect("and a place"));
    }
    placed
}

async fn read(aws: &Aws, shard: &str, count: usize) -> Vec<Record> {
    let kinesis = aws.cx.kinesis();
    let first = kinesis
        .get_shard_iterator()
        .stream_name(&aws.run)
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::TrimHorizon);
    let mut iterator = first.send().await.expect("the shard is there").shard_iterator;
    let mut found = vec![];
    until("the records are read", async || {
        let got = kinesis.get_records().set_shard_iterator(iterator.clone()).send().await.expect("it may be read");
        iterator = got.next_shard_iterator;
        found.extend(got.records);
        (found.len() >= count).then_some(())
    })
    .await;
    found
}

#[test]
fn every_record_is_read_in_its_order() {
    on_aws(
        Clock::Paused,
        async |aws| {
            stream(aws, 2).await;
            let placed = put(aws, 500).await;
            let mut data = vec![];
            for (shard, sequence_numbers) in &placed {
                let found = read(aws, shard, sequence_numbers.len()).await;
                assert_eq!(
                    &found.iter().map(|record| record.sequence_number.clone()).collect::<Vec<_>>(),
                    sequence_numbers
                );
                data.extend(
                    found.into_iter().map(|record| String::from_utf8(record.data.into_inner()).expect("it is text")),
                );
            }
            data.sort_unstable();
            let mut expected: Vec<String> = (0..500).map(|n| format!("record {n}")).collect();
            expected.sort_unstable();
            assert_eq!(data, expected);

            let (kinesis, (shard, sequence_numbers)) =
                (aws.cx.kinesis(), placed.first_key_value().expect("one got some"));
            let after = kinesis.get_shard_iterator().stream_name(&aws.run).shard_id(shard);
            let after = after
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(&sequence_numbers[0]);
            let after = after.send().await.expect("it is a place").shard_iterator;
            let got = kinesis.get_records().set_shard_iterator(after).limit(1).send().await.expect("it may be read");
            assert_eq!(got.records[0].sequence_number, sequence_numbers[1]);
        },
        remove,
    );
}

#[test]
fn what_cannot_be_is_a_modelled_error() {
    on_aws(
        Clock::Paused,
        async |aws| {
            stream(aws, 1).await;
            let kinesis = aws.cx.kinesis();
            let again = kinesis
                .create_stream()
                .stream_name(&aws.run)
                .shard_count(1)
                .send()
                .await
                .unwrap_err()
                .into_service_error();
            assert!(again.is_resource_in_use_exception(), "{again:?}");
            let absent =
                kinesis.describe_stream().stream_name(aws.absent()).send().await.unwrap_err().into_service_error();
            assert!(absent.is_resource_not_found_exception(), "{absent:?}");
            let expected = format!("Stream {} under account {} not found.", aws.absent(), aws.cx.names.account);
            assert_eq!(absent.meta().message(), Some(expected.as_str()));
            let none = kinesis.get_records().shard_iterator("AAAA").send().await.unwrap_err().into_service_error();
            assert!(none.is_invalid_argument_exception(), "{none:?}");
            let unnamed = kinesis.create_stream().stream_name("not a name").shard_count(1).send().await;
            assert_eq!(unnamed.unwrap_err().into_service_error().meta().code(), Some("ValidationException"));
            let shorter = kinesis
                .decrease_stream_retention_period()
                .stream_name(&aws.run)
                .retention_period_hours(23)
                .send()
                .await;
            assert!(shorter.unwrap_err().into_service_error().is_invalid_argument_exception());
        },
        remove,
    );
}

#[test]
fn shards_are_split_merged_and_counted() {
    on_aws(
        Clock::Paused,
        async |aws| {
            stream(aws, 1).await;
            put(aws, 10).await;
            let (kinesis, name) = (aws.cx.kinesis(), aws.run.as_str());
            let middle = (1_u128 << 127).to_string();
            let split = kinesis
                .split_shard()
                .stream_name(name)
                .shard_to_split("shardId-000000000000")
                .new_starting_hash_key(middle);
            split.send().await.expect("it is split");
            assert_eq!(open(aws, 2).await, ["shardId-000000000001", "shardId-000000000002"]);
            let all = kinesis.list_shards().stream_name(name).send().await.expect("they are listed");
            let child = &all.shards()[1];
            assert_eq!(child.parent_shard_id.as_deref(), Some("shardId-000000000000"));
            assert!(
                all.shards()[0]
                    .sequence_number_range
                    .as_ref()
                    .is_some_and(|range| range.ending_sequence_number.is_some())
            );
            assert_eq!(read(aws, "shardId-000000000000", 10).await.len(), 10);

            let merge = kinesis.merge_shards().stream_name(name).shard_to_merge("shardId-000000000001");
            merge.adjacent_shard_to_merge("shardId-000000000002").send().await.expect("they are merged");
            assert_eq!(open(aws, 1).await, ["shardId-000000000003"]);
            let update = kinesis
                .update_shard_count()
                .stream_name(name)
                .target_shard_count(2)
                .scaling_type(ScalingType::UniformScaling);
            let updated = update.send().await.expect("their number changes");
            assert_eq!((updated.current_shard_count, updated.target_shard_count), (Some(1), Some(2)));
            open(aws, 2).await;
        },
        remove,
    );
}

/// The open shards, once there are so many and the stream is ACTIVE.
async fn open(aws: &Aws, count: usize) -> Vec<String> {
    let latest = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build().expect("nothing is missing");
    until("the shards are open", async || {
        active(aws, &aws.run).await;
        let listed = aws.cx.kinesis().list_shards().stream_name(&aws.run).shard_filter(latest.clone()).send().await;
        let shards = listed.expect("they are listed").shards.unwrap_or_default();
        (shards.len() == count).then(|| shards.into_iter().map(|shard| shard.shard_id).collect())
    })
    .await
}

#[test]
fn a_consumer_is_told_what_is_put() {
    on_aws(
        Clock::Paused,
        async |aws| {
            let arn = stream(aws, 1).await;
            let placed = put(aws, 3).await;
            let kinesis = aws.cx.kinesis();
            let consumer = kinesis.register_stream_consumer().stream_arn(&arn).consumer_name("one").send().await;
            let consumer = consumer.expect("it is registered").consumer.expect("the answer has it").consumer_arn;
            until("the consumer is ACTIVE", async || {
                let described =
                    kinesis.describe_stream_consumer().consumer_arn(&consumer).send().await.expect("it is there");
                let status = described.consumer_description.expect("it is described").consumer_status;
                (status == ConsumerStatus::Active).then_some(())
            })
            .await;
            let horizon =
                StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build().expect("it has a type");
            let subscribe = kinesis.subscribe_to_shard().consumer_arn(&consumer).shard_id("shardId-000000000000");
            let mut events = subscribe.starting_position(horizon).send().await.expect("it subscribes").event_stream;
            let mut found = vec![];
            while found.len() < 3 {
                let event = events.recv().await.expect("it is an event").expect("it is not over");
                let SubscribeToShardEventStream::SubscribeToShardEvent(event) = event else { panic!("{event:?}") };
                found.extend(event.records.into_iter().map(|record| record.sequence_number));
            }
            assert_eq!(found, placed["shardId-000000000000"]);
        },
        remove,
    );
}
