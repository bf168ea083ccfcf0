//! The operations in the usual way in Rust: the event types of `aws_lambda_events`, and serde_json.

use aws_lambda_events::event::firehose::{
    KinesisFirehoseEvent, KinesisFirehoseResponse, KinesisFirehoseResponseRecord, KinesisFirehoseResponseRecordMetadata,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::Answering;
use crate::types::{Change, ChangeKeys, Log, LogKeys};

/// The operation's result for a payload: the data that is kept, and partition keys.
type Made = Option<(Vec<u8>, Vec<(&'static str, String)>)>;
type Operation = fn(Vec<u8>) -> Made;

pub fn answering(operation: &str, shape: &str) -> Answering {
    let operation: Operation = match (operation, shape.starts_with("logs")) {
        ("square", _) => square,
        ("keep" | "copy", _) => kept,
        ("drop", _) => |_| None,
        ("upper", _) => |data| kept(String::from_utf8(data).expect("it is text").to_uppercase().into_bytes()),
        ("filter", true) => |data| filter(data, "level", "DEBUG"),
        ("filter", false) => |data| filter(data, "op", "d"),
        ("enrich", _) => |data| {
            let mut object: Map<String, Value> = serde_json::from_slice(&data).expect("it is an object");
            object.insert("region".to_owned(), Value::from("us-east-1"));
            object.insert("schema".to_owned(), Value::from(2));
            kept(serde_json::to_vec(&object).expect("it is JSON"))
        },
        ("typed", true) => |data| typed::<Log<'_>>(&data),
        ("typed", false) => |data| typed::<Change<'_>>(&data),
        ("value" | "serde_json" | "change", true) => |data| value(&data, "level"),
        ("value" | "serde_json" | "change", false) => |data| value(&data, "op"),
        ("keys", true) => |data| {
            let keys: LogKeys<'_> = serde_json::from_slice(&data).expect("it is a log");
            let keys = vec![("service", keys.service.into_owned()), ("level", keys.level.into_owned())];
            Some((data, keys))
        },
        ("keys", false) => |data| {
            let keys: ChangeKeys<'_> = serde_json::from_slice(&data).expect("it is a change");
            let keys = vec![("table", keys.source.table.into_owned()), ("op", keys.op.into_owned())];
            Some((data, keys))
        },
        _ => panic!("there is no operation {operation}"),
    };
    Box::new(move |event, response| *response = answer(event, operation))
}

fn kept(data: Vec<u8>) -> Made {
    Some((data, Vec::new()))
}

fn square(data: Vec<u8>) -> Made {
    let numbers: Map<String, Value> = serde_json::from_slice(&data).expect("the event has objects");
    let squares: Map<String, Value> = numbers.into_iter().map(|(key, value)| (key, squared(&value))).collect();
    kept(serde_json::to_vec(&squares).expect("numbers are JSON"))
}

fn squared(value: &Value) -> Value {
    match value.as_i64() {
        Some(integer) => Value::from(integer * integer),
        None => value.as_f64().and_then(|float| Number::from_f64(float * float)).map_or(Value::Null, Value::Number),
    }
}

fn filter(data: Vec<u8>, key: &str, dropped: &str) -> Made {
    let value: Value = serde_json::from_slice(&data).expect("it is JSON");
    if value[key] == dropped { None } else { kept(data) }
}

fn typed<'p, T: Serialize + Deserialize<'p>>(data: &'p [u8]) -> Made {
    let value: T = serde_json::from_slice(data).expect("it is of this type");
    kept(serde_json::to_vec(&value).expect("it is JSON"))
}

fn value(data: &[u8], key: &str) -> Made {
    let mut value: Value = serde_json::from_slice(data).expect("it is JSON");
    value[key] = Value::from("changed");
    kept(serde_json::to_vec(&value).expect("it is JSON"))
}

fn answer(event: &[u8], operation: Operation) -> Vec<u8> {
    let event: KinesisFirehoseEvent = serde_json::from_slice(event).expect("it is an event");
    let mut response = KinesisFirehoseResponse::default();
    for record in event.records {
        let made = operation(record.data.0);
        let mut answer = KinesisFirehoseResponseRecord::default();
        answer.record_id = record.record_id;
        answer.result = Some(if made.is_some() { "Ok" } else { "Dropped" }.to_owned());
        let (data, keys) = made.unwrap_or_default();
        answer.data.0 = data;
        let mut metadata = KinesisFirehoseResponseRecordMetadata::default();
        metadata.partition_keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        answer.metadata = metadata;
        response.records.push(answer);
    }
    serde_json::to_vec(&response).expect("a response is JSON")
}
