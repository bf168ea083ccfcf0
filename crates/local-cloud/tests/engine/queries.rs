//! Many delivery streams whose queries are evaluated beside the engine, in a process that has few descriptors.

use local_cloud::delivery::query::process;
use serde_json::json;

use super::support::*;

/// With an evaluator each they need more descriptors than the process has.
const STREAMS: usize = 60;

#[test]
#[ignore = "an evaluator: others start it as a process of its own"]
fn be_an_evaluator() {
    process::serve();
}

#[test]
fn evaluators_leave_descriptors_to_the_engine() {
    with_few_descriptors("queries::deliver_from_many_streams");
}

#[tokio::test]
#[ignore = "wants few descriptors: another starts it as a process of its own"]
async fn deliver_from_many_streams() {
    process::offer(&["queries::be_an_evaluator", "--exact", "--ignored", "--test-threads=1"]);
    let engine = engine().await;
    let role = role(&engine, "firehose.amazonaws.com").await;
    s3(&engine, "PUT", "/lake", &[], "").await;
    for n in 0..STREAMS {
        let query = format!("{{k: (.k + {n})}}");
        let parameters = [("MetadataExtractionQuery", query.as_str()), ("JsonParsingEngine", "JQ-1.6")];
        let parameters = parameters.map(|(name, value)| json!({ "ParameterName": name, "ParameterValue": value }));
        let destination = json!({
            "RoleARN": role, "BucketARN": "arn:aws:s3:::lake",
            "Prefix": "good/!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": "bad/",
            "BufferingHints": { "SizeInMBs": 64, "IntervalInSeconds": 60 },
            "DynamicPartitioningConfiguration": { "Enabled": true },
            "ProcessingConfiguration": { "Enabled": true,
                "Processors": [{ "Type": "MetadataExtraction", "Parameters": parameters }] },
        });
        let name = format!("d{n}");
        let input = json!({ "DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": destination });
        json(&engine, "Firehose_20150804.CreateDeliveryStream", input).await;
    }
    engine.advance(std::time::Duration::from_secs(1)).await;
    for n in 0..STREAMS {
        let record = json!({ "DeliveryStreamName": format!("d{n}"), "Record": { "Data": "eyJrIjowfQ==" } });
        json(&engine, "Firehose_20150804.PutRecord", record).await;
    }
    // A delivery stream that panicked for want of a descriptor pauses, and has not delivered then.
    let flush = http::Request::post("/_local/flush").body(bytes::Bytes::new()).expect("valid parts");
    assert_eq!(engine.call(flush).await.status(), 200);
    let listing = s3(&engine, "GET", "/lake?list-type=2", &[], "").await;
    let found = (0..STREAMS).filter(|n| text(&listing).contains(&format!("<Key>good/{n}/"))).count();
    assert_eq!(found, STREAMS, "{}", text(&listing));
}
