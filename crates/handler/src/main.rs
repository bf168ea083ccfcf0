//! The example transform: a JSON object of numbers in, the same keys with each value squared out.
//!
//! Integers stay integers and are exact; a float whose square is not finite fails its record. Keys keep their order. No newline
//! is added: Firehose joins the objects byte to byte, and a JSON reader splits them.

use std::process::ExitCode;

use firehose_transform::json::{Number, ObjectWriter};
use firehose_transform::{Error, Record, run};

fn main() -> ExitCode {
    run(square_values)
}

pub(crate) fn square_values(record: &Record<'_>) -> Result<ObjectWriter, Error> {
    record.fields()?.map_numbers(square)
}

fn square(number: Number) -> Result<Number, Error> {
    number.checked_mul(number).ok_or_else(|| Error::new(format_args!("the square of {number} is too large")))
}

#[cfg(test)]
mod tests {
    use super::square_values;
    use firehose_transform::testing::{Answer, transform};

    #[test]
    fn each_value_is_squared_and_integers_stay_integers() {
        let table = [
            (r#"{"a": 1, "b": 2, "c": 3}"#, r#"{"a":1,"b":4,"c":9}"#),
            (r#"{"i":-7,"f":1.5,"zero":-0.0}"#, r#"{"i":49,"f":2.25,"zero":0.0}"#),
            (r#"{"more than 64 bits":4294967296}"#, r#"{"more than 64 bits":18446744073709551616}"#),
            (r#"{"lowest":-9223372036854775808}"#, r#"{"lowest":85070591730234615865843651857942052864}"#),
            (r#"{"b":2,"a":3,"b":4}"#, r#"{"b":4,"a":9,"b":16}"#),
            (r#"{"\u00e9\"":2}"#, r#"{"\u00e9\"":4}"#),
            ("{}", "{}"),
        ];
        let expected = table.map(|(_, squared)| Answer::ok(squared));
        assert_eq!(transform(table.map(|(payload, _)| payload), square_values), expected);
    }

    #[test]
    fn anything_but_an_object_of_numbers_fails_with_a_reason() {
        let table = [
            ("", "an object was expected at byte 0"),
            ("[1]", "an object was expected at byte 0"),
            (r#"{"a":"1"}"#, r#"the value of "a" is not a number"#),
            (r#"{"a":null}"#, r#"the value of "a" is not a number"#),
            (r#"{"a":{"b":1}}"#, r#"the value of "a" is not a number"#),
            (r#"{"a":1}{"a":2}"#, "nothing after the object was expected at byte 7"),
            (r#"{"a":18446744073709551615}"#, "the square of 18446744073709551615 is too large"),
            (r#"{"a":1e200}"#, "the square of 1e200 is too large"),
        ];
        let answers = transform(table.map(|(payload, _)| payload), square_values);
        for (answer, (payload, expected)) in answers.iter().zip(table) {
            let Answer::Failed { reason } = answer else { panic!("{payload} was answered {answer:?}") };
            assert!(reason.contains(expected), "{payload} failed with: {reason}");
        }
    }
}
