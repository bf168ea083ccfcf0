//! Values go through `record.json()` and `Outcome::json()` exactly as they are.

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

#[derive(Debug, PartialEq, Serialize, Deserialize)]
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
