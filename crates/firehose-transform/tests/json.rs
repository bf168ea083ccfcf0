//! Values go through `record.json()` and `Outcome::json()` exactly as they are.

use firehose_transform::json::ObjectWriter;
use firehose_transform::testing::{Answer, transform};
use firehose_transform::{Error, Outcome, Record};
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Reads a payload as a `T`, writes it as JSON, and returns what was written.
fn written<T: DeserializeOwned + Serialize>(payload: &str) -> String {
    let copy = |record: &Record<'_>| Ok::<_, Error>(Outcome::json(&record.json::<T>()?));
    match transform([payload], copy).pop() {
        Some(Answer::Ok { data, .. }) => String::from_utf8(data).expect("JSON is UTF-8"),
        other => panic!("{payload} was answered {other:?}"),
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    float: f64,
    signed: i128,
    unsigned: u128,
    text: String,
    more: Vec<Option<f64>>,
}

#[test]
fn a_float_that_is_hard_to_round_is_not_changed() {
    for float in ["965007.4960886351", "8.41e-21", "5e-324", "1.7976931348623157e+308"] {
        assert_eq!(written::<f64>(float), float);
        assert_eq!(written::<Value>(float), float);
    }
}

/// With serde_json's feature `arbitrary_precision`, which any crate can turn on, its numbers are serialized so.
#[test]
fn a_number_that_keeps_its_text_is_written_as_a_number() {
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::Number")]
    struct Number {
        #[serde(rename = "$serde_json::private::Number")]
        text: &'static str,
    }
    let written = |_: &Record<'_>| Ok::<_, Error>(Outcome::json(&[Number { text: "1.10" }]));
    assert_eq!(transform(["{}"], written), [Answer::ok("[1.10]")]);
}

fn extended(record: &Record<'_>) -> Result<ObjectWriter, Error> {
    let mut object = record.object()?;
    object.add("n", &1);
    Ok(object)
}

#[test]
fn fields_are_added_to_the_object_as_it_is() {
    let table = [
        ("{}", r#"{"n":1}"#),
        (" {\n} ", r#"{"n":1}"#),
        (r#"{"a": [1,  {}], "b":"}" } "#, r#"{"a": [1,  {}], "b":"}","n":1}"#),
        (r#"{"half":["\ud83d"]}"#, r#"{"half":["\ud83d"],"n":1}"#),
    ];
    assert_eq!(transform(table.map(|(payload, _)| payload), extended), table.map(|(_, object)| Answer::ok(object)));
    let read_before = |record: &Record<'_>| record.json::<Value>().and_then(|_| extended(record));
    let (payload, object) = table[2];
    assert_eq!(transform([payload], read_before), [Answer::ok(object)]);
}

#[test]
fn nothing_is_added_to_what_is_no_object() {
    let table: [(&[u8], &str); 5] = [
        (b"[1]", "an object was expected at byte 0"),
        (br#"{"a":1,}"#, "key must be a string"),
        (br#"{"a":1}}"#, "trailing characters"),
        (br#"{"a":tru}"#, "expected ident"),
        (b"{\"a\":\"\xff\"}", "not UTF-8"),
    ];
    let answers = transform(table.map(|(payload, _)| payload), extended);
    // A read that failed says nothing about the payload.
    let failed_before = |record: &Record<'_>| {
        let _ = record.json::<Value>();
        extended(record)
    };
    assert_eq!(transform(table.map(|(payload, _)| payload), failed_before), answers);
    for (answer, (_, expected)) in answers.iter().zip(table) {
        let Answer::Failed { reason } = answer else { panic!("{expected}: {answer:?}") };
        assert!(reason.contains(expected), "{reason}");
    }
}

proptest! {
    #[test]
    fn a_row_comes_back_as_it_was(
        float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        signed: i128,
        unsigned: u128,
        text: String,
        more in prop::collection::vec(prop::option::of(-1e18..1e18), 0..4),
    ) {
        let row = Row { float, signed, unsigned, text, more };
        let payload = serde_json::to_string(&row).expect("rows are JSON");
        prop_assert_eq!(written::<Row>(&payload), payload);
    }

    #[test]
    fn a_long_decimal_is_read_as_the_nearest_float(text in "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,40}([eE][+-]?[0-9]{1,2})?") {
        let nearest: f64 = text.parse().expect("Rust reads it");
        for written in [written::<f64>(&text), written::<Value>(&text)] {
            prop_assert_eq!(written.parse(), Ok(nearest), "{}", text);
        }
    }

    #[test]
    fn escapes_are_read_and_written(units: Vec<char>) {
        let escape = |unit: &char| {
            let mut units = [0; 2];
            unit.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
        };
        let payload = format!("\"{}\"", units.iter().map(escape).collect::<String>());
        let text: String = units.iter().collect();
        prop_assert_eq!(written::<String>(&payload), serde_json::to_string(&text).expect("text is JSON"));
    }
}
