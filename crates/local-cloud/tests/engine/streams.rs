//! Kinesis in its protocols: event streams and CBOR.

use std::time::Duration;

use aws_smithy_eventstream::frame::read_message_from;
use bytes::Bytes;
use ciborium::Value as Cbor;
use http::{Request, Response};
use local_cloud::Engine;
use serde_json::{Value, json};

use super::support::*;

const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

async fn with_stream() -> Engine {
    let engine = engine().await;
    json(&engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    engine.advance(Duration::from_secs(1)).await;
    engine
}

async fn put(engine: &Engine, data: &str) {
    let record = json!({ "StreamName": "s", "PartitionKey": "k", "Data": data });
    json(engine, "Kinesis_20131202.PutRecord", record).await;
}

fn subscribe(consumer: &str) -> Request<Bytes> {
    let input =
        json!({ "ConsumerARN": consumer, "ShardId": "shardId-000000000000", "StartingPosition": { "Type": "LATEST" } });
    let request = Request::post("/").header("authorization", SIGNED);
    let request = request.header("x-amz-target", "Kinesis_20131202.SubscribeToShard");
    request.body(Bytes::from(input.to_string())).expect("valid parts")
}

async fn consumer(engine: &Engine) -> String {
    let input = json!({ "StreamARN": STREAM, "ConsumerName": "c" });
    let consumer = json(engine, "Kinesis_20131202.RegisterStreamConsumer", input).await;
    engine.advance(Duration::from_secs(1)).await;
    consumer["Consumer"]["ConsumerARN"].as_str().expect("it has one").to_owned()
}

/// The type of each message and its JSON.
fn messages(mut body: Bytes) -> Vec<(String, Value)> {
    let mut messages = vec![];
    while !body.is_empty() {
        let message = read_message_from(&mut body).expect("whole messages with the right checksums");
        let header = |name| message.headers().iter().find(|header| header.name().as_str() == name);
        let kind = header(":event-type").or(header(":exception-type")).expect("each has one of them");
        let kind = kind.value().as_string().expect("it is a text").as_str().to_owned();
        messages.push((kind, serde_json::from_slice(message.payload()).expect("it is JSON")));
    }
    messages
}

#[tokio::test(start_paused = true)]
async fn a_subscription_tells_what_is_put_for_five_minutes() {
    let engine = with_stream().await;
    let consumer = consumer(&engine).await;
    let (subscription, ()) = tokio::join!(engine.call(subscribe(&consumer)), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        put(&engine, "YQ==").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        put(&engine, "Yg==").await;
    });
    assert_eq!(header(&subscription, "content-type"), "application/vnd.amazon.eventstream");
    assert_eq!(subscription.status(), 200);
    let messages = messages(subscription.into_body());
    assert_eq!(messages[0], ("initial-response".into(), json!({})));
    assert!(messages[1..].iter().all(|(kind, _)| kind == "SubscribeToShardEvent"));
    let data = messages[1..].iter().flat_map(|(_, event)| event["Records"].as_array().expect("it has some").iter());
    assert_eq!(data.map(|record| &record["Data"]).collect::<Vec<_>>(), ["YQ==", "Yg=="]);
    // One for each record, and one for every five seconds in which nothing was put.
    assert!((60..64).contains(&messages.len()), "{}", messages.len());
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_an_answer_and_no_stream() {
    let engine = with_stream().await;
    let refused = engine.call(subscribe(&format!("{STREAM}/consumer/c:1"))).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-amzn-errortype")), (400, "ResourceNotFoundException"));
}

async fn cbor(engine: &Engine, operation: &str, input: Cbor) -> (Response<Bytes>, Cbor) {
    let mut body = vec![];
    ciborium::into_writer(&input, &mut body).expect("it is written to memory");
    let request =
        Request::post("/").header("authorization", SIGNED).header("content-type", "application/x-amz-cbor-1.1");
    let request = request.header("x-amz-target", format!("Kinesis_20131202.{operation}")).body(body.into());
    let answer = engine.call(request.expect("valid parts")).await;
    assert_eq!(header(&answer, "content-type"), "application/x-amz-cbor-1.1");
    let value = ciborium::from_reader(answer.body().as_ref()).expect("it is CBOR");
    (answer, value)
}

fn map(entries: &[(&str, Cbor)]) -> Cbor {
    Cbor::Map(entries.iter().map(|(name, value)| (Cbor::from(*name), value.clone())).collect())
}

fn member<'a>(value: &'a Cbor, name: &str) -> &'a Cbor {
    let entries = value.as_map().expect("it is a map");
    entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value).expect("it is there")
}

#[tokio::test]
async fn what_speaks_cbor_is_answered_in_cbor_errors_too() {
    let engine = with_stream().await;
    let record = map(&[("Data", Cbor::Bytes(vec![0, 255])), ("PartitionKey", "k".into())]);
    let records = map(&[("StreamName", "s".into()), ("Records", Cbor::Array(vec![record]))]);
    let (_, put) = cbor(&engine, "PutRecords", records).await;
    assert_eq!(member(&put, "FailedRecordCount"), &Cbor::from(0));

    let since = Cbor::Tag(1, Box::new(Cbor::from(engine.now() - 1000)));
    let begin = [
        ("StreamName", "s".into()),
        ("ShardId", "shardId-000000000000".into()),
        ("ShardIteratorType", "AT_TIMESTAMP".into()),
        ("Timestamp", since),
    ];
    let (_, iterator) = cbor(&engine, "GetShardIterator", map(&begin)).await;
    let from = map(&[("ShardIterator", member(&iterator, "ShardIterator").clone())]);
    let (_, read) = cbor(&engine, "GetRecords", from).await;
    let record = &member(&read, "Records").as_array().expect("a list")[0];
    assert_eq!(member(record, "Data"), &Cbor::Bytes(vec![0, 255]));
    assert!(matches!(member(record, "ApproximateArrivalTimestamp"), Cbor::Tag(1, _)));

    let (answer, error) = cbor(&engine, "DescribeStream", map(&[("StreamName", "t".into())])).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-amzn-errortype")), (400, "ResourceNotFoundException"));
    assert_eq!(member(&error, "__type"), &Cbor::from("ResourceNotFoundException"));
    assert_eq!(member(&error, "message"), &Cbor::from("Stream t under account 000000000000 not found."));
}
