//! Rules for any bytes that come as a payload: `record.value()` takes what serde_json takes, finds in it what `serde_json::Value` finds,
//! and after the same changes both stand for the same JSON.

use firehose_transform::json::Value;
use firehose_transform::testing::{Answer, transform};
use firehose_transform::{Outcome, Record};
use serde_json::value::RawValue;
use serde_json::{Value as Expected, json};

/// Read, changed in places and written by both.
pub fn value(payload: &[u8]) {
    let shown = payload.escape_ascii();
    let Ok(mut expected) = serde_json::from_slice::<Expected>(payload) else {
        // Numbers and depths that `serde_json::Value` cannot hold are still JSON, which may be copied.
        if !matches!(one(payload, |value| value.into()), Answer::Failed { .. }) {
            assert!(serde_json::from_slice::<&RawValue>(payload).is_ok(), "{shown} is no JSON");
        }
        return;
    };
    assert_eq!(read(&one(payload, |value| value.into())), Some(expected.clone()), "{shown} is copied");
    let seed = payload
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |seed: u64, byte| (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let changed = one(payload, |mut value| {
        change(&mut value, &mut expected.clone(), &mut Choices(seed));
        value.into()
    });
    change(&mut Value::new(&expected).expect("it was JSON"), &mut expected, &mut Choices(seed));
    assert_eq!(read(&changed), Some(expected), "{shown} is changed");
}

/// The answer to one payload.
fn one(payload: &[u8], make: impl Fn(Value<'_>) -> Outcome) -> Answer {
    let make = |record: &Record<'_>| record.value().map(&make);
    transform([payload], make).pop().expect("one answer for one record")
}

fn read(answer: &Answer) -> Option<Expected> {
    match answer {
        Answer::Ok { data, .. } => serde_json::from_slice(data).ok(),
        Answer::Dropped | Answer::Failed { .. } => None,
    }
}

/// Numbers that follow from a seed (xorshift).
struct Choices(u64);

impl Choices {
    fn of(&mut self, count: u64) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }
}

/// Looks at a value and at what is in it, which is as expected, and makes the same changes to both.
fn change(value: &mut Value<'_>, expected: &mut Expected, choices: &mut Choices) {
    assert_eq!(value.json::<Expected>().expect("it is JSON"), *expected);
    assert_eq!(value.text().ok().as_deref(), expected.as_str());
    assert_eq!(value.items().is_ok(), expected.is_array());
    assert_eq!(value.member("").is_ok(), expected.is_object());
    match expected {
        Expected::Object(members) => {
            let keys: Vec<String> = members.keys().cloned().collect();
            for key in keys {
                let inside = value.member(&key).expect("it is an object").expect("the key is there");
                change(inside, &mut members[&key], choices);
                match choices.of(4) {
                    0 => {
                        let removed = value.remove(&key).expect("it is an object").expect("the key is there");
                        assert_eq!(removed.json::<Expected>().ok(), members.remove(&key));
                        assert!(value.member(&key).expect("it is an object").is_none());
                    }
                    1 => {
                        value.set(&key, &[1]).expect("it is an object");
                        members[&key] = json!([1]);
                    }
                    _ => {}
                }
            }
            value.set("\"new\n", "\u{1}").expect("it is an object");
            members.insert("\"new\n".to_owned(), json!("\u{1}"));
        }
        Expected::Array(items) => {
            let found = value.items().expect("it is a list");
            assert_eq!(found.len(), items.len());
            found.iter_mut().zip(items.iter_mut()).for_each(|(found, item)| change(found, item, choices));
            if choices.of(2) == 0 && !items.is_empty() {
                let at = choices.of(items.len() as u64) as usize;
                found.remove(at);
                items.remove(at);
            }
            if choices.of(2) == 0 {
                found.push(Value::new(&json!({"a": 1.5})).expect("it is JSON"));
                items.push(json!({"a": 1.5}));
            }
        }
        Expected::Null | Expected::Bool(_) | Expected::Number(_) | Expected::String(_) => {}
    }
}
