//! Puts the original of a record that failed into its source once more. Every delivery stream on that source gets it again.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use crate::drive::Engine;
use crate::request::Request;
use crate::world::services::SERVICES;
use crate::world::watch::journey;
use crate::world::watch::shown::Source;

/// The partition key of a record whose own is not known any more.
const UNKNOWN_KEY: &str = "replay";

pub async fn replay(engine: &Engine, request: &Request) -> (u16, Value) {
    let number = |name| request.query(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let lane = request.query("delivery").unwrap_or_default();
    let (shard, part) = (number("shard") as u32, number("part") as u32);
    let found = engine.look("replay", |world| journey::failure(world, lane, shard, number("ordinal"), part));
    let Some(failure) = found else {
        return (404, json!({ "error": "that record is not among the failed records that are remembered" }));
    };
    let key = failure.key.as_deref().unwrap_or(UNKNOWN_KEY);
    let (service, target, source, body) = match &failure.source {
        Source::Stream(source) => {
            let body = json!({ "StreamName": name(source), "Data": failure.data, "PartitionKey": key });
            ("kinesis", "Kinesis_20131202.PutRecord", source, body)
        }
        Source::Delivery(source) => {
            let body = json!({ "DeliveryStreamName": name(source), "Record": { "Data": failure.data } });
            ("firehose", "Firehose_20150804.PutRecord", source, body)
        }
    };
    let region = source.split('/').next().unwrap_or_default();
    let asked = Request {
        method: Method::POST,
        path: "/".into(),
        query: vec![],
        headers: HeaderMap::from_iter([(
            http::HeaderName::from_static("x-amz-target"),
            HeaderValue::from_static(target),
        )]),
        body: Bytes::from(body.to_string()),
        region: region.to_owned(),
        signed_for: None,
        access_key: None,
        id: request.id.clone(),
    };
    let index = SERVICES.iter().position(|row| row.name == service).expect("both services have a row");
    match engine.ask(index, &format!("{service}:PutRecord"), &asked, Duration::ZERO).await {
        Ok(_) => (200, json!(failure.source)),
        Err(error) => (error.status, json!({ "error": error.to_string() })),
    }
}

fn name(source: &str) -> &str {
    source.split_once('/').map_or(source, |(_, name)| name)
}
