//! Rules for any bytes that come as a payload: `record.json()` reads what serde_json reads, or fails as it fails, and
//! `Outcome::json()` writes what serde_json writes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use firehose_transform::testing::{Answer, transform};
use firehose_transform::{Error, Outcome, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Every kind of type that serde knows, each in a field that may be missing.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct All<'a> {
    a: i64,
    b: f64,
    #[serde(borrow)]
    c: Cow<'a, str>,
    d: Vec<Option<bool>>,
    e: Option<Kind>,
    f: BTreeMap<String, Value>,
    g: Option<Box<All<'a>>>,
    h: (u8, i128, f32),
    i: BTreeMap<u16, Unit>,
    j: Either,
    k: Option<char>,
    #[serde(borrow)]
    l: Option<&'a RawValue>,
    m: Wrapped,
    n: BTreeMap<Plain, ()>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Kind {
    A,
    B(u64),
    C(i8, String),
    D { x: f32 },
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    A,
    B,
}

#[derive(Debug, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Wrapped(u32);

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Text(String),
    Other(Value),
}

impl Default for Either {
    fn default() -> Either {
        Either::Other(Value::Null)
    }
}

macro_rules! alike {
    ($payload:ident, $($type:ty),*) => {
        $({
            let expected = match serde_json::from_slice::<$type>($payload) {
                Ok(value) => match serde_json::to_vec(&value) {
                    Ok(written) => Answer::ok(written),
                    Err(error) => Answer::failed(format!("writing the answer as JSON: {error}")),
                },
                Err(error) => Answer::failed(Error::from(error).to_string()),
            };
            let copy = |record: &Record<'_>| {
                let value: $type = record.json()?;
                Ok::<_, Error>(Outcome::json(&value))
            };
            assert_eq!(transform([$payload], copy), [expected], "{}", $payload.escape_ascii());
        })*
    };
}

/// Read and written by both, as several types.
pub fn json(payload: &[u8]) {
    alike!(payload, Value, All<'_>, Vec<All<'_>>, BTreeMap<Cow<'_, str>, f64>, String, f64, f32, u128, Kind, Either);
}
