//! The usual way in Rust: the event types of `aws_lambda_events`, and serde_json. Prints the median CPU time of one event, in ms.

#[path = "../timing.rs"]
mod timing;

use std::env;
use std::fs;

use aws_lambda_events::event::firehose::{
    KinesisFirehoseEvent, KinesisFirehoseResponse, KinesisFirehoseResponseRecord,
};
use serde_json::{Map, Number, Value};

fn main() {
    let [operation, file, rounds] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        panic!("OPERATION FILE ROUNDS")
    };
    let event = fs::read(file).expect("the event can be read");
    let answer = match operation.as_str() {
        "square" => square,
        "keep" => keep,
        _ => dropped,
    };
    println!("{}", timing::median_ms(rounds.parse().expect("a number"), || drop(answer(&event))));
}

fn square(event: &[u8]) -> Vec<u8> {
    answer(event, |data| {
        let numbers: Map<String, Value> = serde_json::from_slice(data).expect("the event has objects");
        let squares: Map<String, Value> = numbers.into_iter().map(|(key, value)| (key, squared(&value))).collect();
        ("Ok", serde_json::to_vec(&squares).expect("numbers are JSON"))
    })
}

fn keep(event: &[u8]) -> Vec<u8> {
    answer(event, |data| ("Ok", data.to_vec()))
}

fn dropped(event: &[u8]) -> Vec<u8> {
    answer(event, |_| ("Dropped", Vec::new()))
}

fn squared(value: &Value) -> Value {
    match value.as_u64() {
        Some(integer) => Value::from(integer * integer),
        None => value.as_f64().and_then(|float| Number::from_f64(float * float)).map_or(Value::Null, Value::Number),
    }
}

fn answer(event: &[u8], transform: impl Fn(&[u8]) -> (&'static str, Vec<u8>)) -> Vec<u8> {
    let event: KinesisFirehoseEvent = serde_json::from_slice(event).expect("it is an event");
    let mut response = KinesisFirehoseResponse::default();
    for record in event.records {
        let (result, data) = transform(&record.data.0);
        let mut answer = KinesisFirehoseResponseRecord::default();
        answer.record_id = record.record_id;
        answer.result = Some(result.to_owned());
        answer.data.0 = data;
        response.records.push(answer);
    }
    serde_json::to_vec(&response).expect("a response is JSON")
}
