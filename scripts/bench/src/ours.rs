//! The operations with the SDK.

use std::time::{Duration, SystemTime};

use firehose_transform::json::ObjectWriter;
use firehose_transform::{Error, Invocation, Outcome, Record, Reply, Runner};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::{Change, ChangeKeys, Log, LogKeys};
use crate::{Answering, handler};

/// Answers one event at a time, with buffers that are kept, as the loop over the Runtime API does.
pub fn answering(operation: &str, shape: &str) -> Answering {
    let mut invocation = Invocation::default();
    invocation.deadline = Some(SystemTime::now() + Duration::from_secs(3600)); // as in Lambda
    let (runner, mut reply) = (Runner::new().threads(1), Reply::default());
    macro_rules! answering {
        ($transform:expr) => {
            Box::new(move |event: &[u8], response: &mut Vec<u8>| {
                std::mem::swap(&mut reply.response, response);
                runner.answer(event, &invocation, &mut reply, $transform).expect("it is an event");
                std::mem::swap(&mut reply.response, response);
                assert!(reply.failures.is_empty() || response.len() > 6_000_000, "{:?}", reply.failures[0]);
            })
        };
    }
    let logs = shape.starts_with("logs");
    match (operation, logs) {
        ("square", _) => answering!(handler::square_values),
        ("keep", _) => answering!(|_: &Record<'_>| Outcome::unchanged()),
        ("copy", _) => answering!(|record: &Record<'_>| Outcome::write(|out| out.extend_from_slice(record.bytes()))),
        ("drop", _) => answering!(|_: &Record<'_>| Outcome::dropped()),
        ("upper", _) => answering!(|record: &Record<'_>| record.text().map(|text| Outcome::text(text.to_uppercase()))),
        ("filter", true) => answering!(|record: &Record<'_>| filter(record, "level", "DEBUG")),
        ("filter", false) => answering!(|record: &Record<'_>| filter(record, "op", "d")),
        ("enrich", _) => answering!(enrich),
        ("typed", true) => answering!(|record: &Record<'_>| typed::<Log<'_>>(record)),
        ("typed", false) => answering!(|record: &Record<'_>| typed::<Change<'_>>(record)),
        ("value", true) => answering!(|record: &Record<'_>| value(record, "level")),
        ("value", false) => answering!(|record: &Record<'_>| value(record, "op")),
        ("serde_json", true) => answering!(|record: &Record<'_>| serde_json_value(record, "level")),
        ("serde_json", false) => answering!(|record: &Record<'_>| serde_json_value(record, "op")),
        ("change", true) => answering!(|record: &Record<'_>| change(record, "level")),
        ("change", false) => answering!(|record: &Record<'_>| change(record, "op")),
        ("keys", true) => answering!(log_keys),
        ("keys", false) => answering!(change_keys),
        _ => panic!("there is no operation {operation}"),
    }
}

fn filter(record: &Record<'_>, key: &str, dropped: &str) -> Result<Outcome, Error> {
    let field = record.fields()?.find(key)?.ok_or("a field is missing")?;
    Ok(if field.text()? == dropped { Outcome::dropped() } else { Outcome::unchanged() })
}

fn enrich(record: &Record<'_>) -> Result<Outcome, Error> {
    let mut object = record.object()?;
    object.add("region", &record.region());
    object.add("schema", &2);
    Ok(object.into())
}

fn typed<'r, T: Serialize + Deserialize<'r>>(record: &'r Record<'_>) -> Result<Outcome, Error> {
    Ok(Outcome::json(&record.json::<T>()?))
}

/// One field changed in a value.
fn value(record: &Record<'_>, key: &str) -> Result<Outcome, Error> {
    let mut value = record.value()?;
    value.set(key, "changed")?;
    Ok(value.into())
}

/// One field changed in a value of serde_json.
fn serde_json_value(record: &Record<'_>, key: &str) -> Result<Outcome, Error> {
    let mut value: Value = record.json()?;
    value[key] = Value::from("changed");
    Ok(Outcome::json(&value))
}

/// One field changed, without building a value.
fn change(record: &Record<'_>, key: &str) -> Result<Outcome, Error> {
    let mut object = ObjectWriter::new();
    for field in record.fields()? {
        let field = field?;
        if field.key() == key { object.put(&field, &"changed") } else { object.copy(&field) }
    }
    Ok(object.into())
}

fn log_keys(record: &Record<'_>) -> Result<Outcome, Error> {
    let keys: LogKeys<'_> = record.json()?;
    Ok(Outcome::unchanged().with_partition_key("service", keys.service).with_partition_key("level", keys.level))
}

fn change_keys(record: &Record<'_>) -> Result<Outcome, Error> {
    let keys: ChangeKeys<'_> = record.json()?;
    Ok(Outcome::unchanged().with_partition_key("table", keys.source.table).with_partition_key("op", keys.op))
}
