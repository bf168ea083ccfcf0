//! Delivery streams.

use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::{
    BufferingHints, CompressionFormat, DeliveryStreamStatus, DeliveryStreamType, ExtendedS3DestinationConfiguration,
    ExtendedS3DestinationUpdate, KinesisStreamSourceConfiguration, Record,
};
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use super::target::{Aws, Clock, on_aws, settled, until};

fn destination(aws: &Aws, role: &str, prefix: &str) -> ExtendedS3DestinationConfiguration {
    let hints = BufferingHints::builder().size_in_mbs(1).interval_in_seconds(0).build();
    let to =
        ExtendedS3DestinationConfiguration::builder().role_arn(role).bucket_arn(format!("arn:aws:s3:::{}", aws.run));
    let to = to.prefix(format!("{prefix}/good/")).error_output_prefix(format!("{prefix}/bad/"));
    to.buffering_hints(hints).build().expect("nothing is missing")
}

async fn active(aws: &Aws, name: &str) {
    until("the delivery stream is ACTIVE", async || {
        let described = aws.cx.firehose().describe_delivery_stream().delivery_stream_name(name).send().await;
        let described = described.expect("it is there").delivery_stream_description.expect("it is described");
        (described.delivery_stream_status == DeliveryStreamStatus::Active).then_some(())
    })
    .await;
}

/// All that is delivered under a prefix, once it is as long as expected.
async fn delivered(aws: &Aws, prefix: &str, length: usize) -> String {
    let s3 = aws.cx.s3();
    until("the records are delivered", async || {
        let listed = s3.list_objects_v2().bucket(&aws.run).prefix(prefix).send().await.expect("it is listed");
        let mut all = vec![];
        for object in listed.contents() {
            let read = s3.get_object().bucket(&aws.run).set_key(object.key.clone()).send().await.expect("it is there");
            all.extend(read.body.collect().await.expect("it comes").to_vec());
        }
        (all.len() >= length).then(|| String::from_utf8(all).expect("it is text"))
    })
    .await
}

async fn remove(aws: &Aws) {
    for name in [&aws.run, &format!("{}-2", aws.run)] {
        let _ = aws.cx.firehose().delete_delivery_stream().delivery_stream_name(name).send().await;
    }
    let _ = aws.cx.kinesis().delete_stream().stream_name(&aws.run).enforce_consumer_deletion(true).send().await;
    aws.remove_bucket().await;
    aws.remove_role().await;
}

#[test]
fn records_that_are_put_directly_are_joined_byte_to_byte() {
    on_aws(
        Clock::Paused,
        async |aws| {
            aws.bucket().await;
            let (firehose, role, name) = (aws.cx.firehose(), aws.role().await, aws.run.as_str());
            let create = firehose.create_delivery_stream().delivery_stream_name(name);
            let create = create.extended_s3_destination_configuration(destination(aws, &role, "direct"));
            until("Firehose may assume the role", async || settled(create.clone().send().await)).await;
            let again = create.send().await.unwrap_err().into_service_error();
            assert!(again.is_resource_in_use_exception(), "{again:?}");
            active(aws, name).await;

            let records =
                ["a", "bc", "def"].map(|data| Record::builder().data(Blob::new(data)).build().expect("it has data"));
            let put =
                firehose.put_record_batch().delivery_stream_name(name).set_records(Some(records.to_vec())).send().await;
            assert_eq!(put.expect("they are taken").failed_put_count, 0);
            let found = delivered(aws, "direct/good/", 6).await;
            assert_eq!(
                {
                    let mut sorted: Vec<char> = found.chars().collect();
                    sorted.sort();
                    sorted
                },
                ['a', 'b', 'c', 'd', 'e', 'f']
            );

            let update =
                firehose.update_destination().delivery_stream_name(name).destination_id("destinationId-000000000001");
            let gzip = ExtendedS3DestinationUpdate::builder().compression_format(CompressionFormat::Gzip).build();
            let update = update.extended_s3_destination_update(gzip);
            let stale =
                update.clone().current_delivery_stream_version_id("9").send().await.unwrap_err().into_service_error();
            assert!(stale.is_concurrent_modification_exception(), "{stale:?}");
            update.current_delivery_stream_version_id("1").send().await.expect("it changes");
            let described = until("the update shows", async || {
                let described = firehose.describe_delivery_stream().delivery_stream_name(name).send().await;
                let described = described.expect("it is there").delivery_stream_description.expect("it is described");
                (described.version_id != "1").then_some(described)
            })
            .await;
            let now =
                described.destinations()[0].extended_s3_destination_description().expect("it is of that kind").clone();
            assert_eq!(
                (described.version_id.as_str(), now.compression_format, now.prefix.as_deref()),
                ("2", CompressionFormat::Gzip, Some("direct/good/"))
            );
            let absent = firehose.describe_delivery_stream().delivery_stream_name(aws.absent()).send().await;
            assert!(absent.unwrap_err().into_service_error().is_resource_not_found_exception());
        },
        remove,
    );
}

#[test]
fn two_delivery_streams_on_one_stream_get_every_record_each() {
    on_aws(
        Clock::Paused,
        async |aws| {
            aws.bucket().await;
            let (firehose, kinesis, role, name) =
                (aws.cx.firehose(), aws.cx.kinesis(), aws.role().await, aws.run.as_str());
            kinesis.create_stream().stream_name(name).shard_count(1).send().await.expect("a stream is made");
            let stream = super::kinesis::active(aws, name).await;
            for (delivery, prefix) in [(name.to_owned(), "one"), (format!("{name}-2"), "two")] {
                let source = KinesisStreamSourceConfiguration::builder().kinesis_stream_arn(&stream).role_arn(&role);
                let create = firehose.create_delivery_stream().delivery_stream_name(&delivery);
                let create = create.delivery_stream_type(DeliveryStreamType::KinesisStreamAsSource);
                let create = create.kinesis_stream_source_configuration(source.build().expect("nothing is missing"));
                let create = create.extended_s3_destination_configuration(destination(aws, &role, prefix));
                until("Firehose may assume the role", async || settled(create.clone().send().await)).await;
                active(aws, &delivery).await;
                let direct = firehose.put_record().delivery_stream_name(&delivery);
                let direct =
                    direct.record(Record::builder().data(Blob::new("x")).build().expect("it has data")).send().await;
                assert!(direct.unwrap_err().into_service_error().is_invalid_argument_exception());
            }
            let lines: Vec<String> = (0..100).map(|n| format!("{n}\n")).collect();
            let records = lines.iter().map(|line| {
                let record =
                    PutRecordsRequestEntry::builder().data(aws_sdk_kinesis::primitives::Blob::new(line.as_str()));
                record.partition_key("k").build().expect("nothing is missing")
            });
            let put = kinesis.put_records().stream_name(name).set_records(Some(records.collect())).send().await;
            assert_eq!(put.expect("they are taken").failed_record_count, Some(0));
            let all = lines.concat();
            for prefix in ["one/good/", "two/good/"] {
                let found = delivered(aws, prefix, all.len()).await;
                let mut found: Vec<u32> = found.lines().map(|line| line.parse().expect("it is a number")).collect();
                found.sort_unstable();
                assert_eq!(found, (0..100).collect::<Vec<_>>(), "{prefix}");
            }
        },
        remove,
    );
}
