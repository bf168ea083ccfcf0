//! The example transform: a JSON object of numbers in, the same keys with each value squared out.
//!
//! Integers stay integers and are exact: one whose square does not fit 64 bits fails its record, as does a float whose
//! square is not finite. No newline is added: Firehose joins the objects byte to byte, and a JSON reader splits them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use firehose_transform::{Error, Outcome, Record, run};
use serde_json::Number;

fn main() -> ExitCode {
    run(square_values)
}

fn square_values(record: &Record<'_>) -> Result<Outcome, Error> {
    let numbers: BTreeMap<String, Number> = record.json()?;
    let squares: Result<BTreeMap<_, _>, _> =
        numbers.into_iter().map(|(key, number)| square(&number).map(|squared| (key, squared)).ok_or(number)).collect();
    Ok(match squares {
        Ok(squares) => Outcome::json(&squares),
        Err(number) => Outcome::failed(format_args!("the square of {number} does not fit a 64-bit number")),
    })
}

/// `None` where the square does not fit.
fn square(number: &Number) -> Option<Number> {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match (magnitude, number.as_f64()) {
        (Some(integer), _) => integer.checked_mul(integer).map(Number::from),
        (None, Some(float)) => Number::from_f64(float * float),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::square_values;
    use firehose_transform::testing::{Answer, transform};

    #[test]
    fn each_value_is_squared_and_integers_stay_integers() {
        let table = [
            (r#"{"a": 1, "b": 2, "c": 3}"#, r#"{"a":1,"b":4,"c":9}"#),
            (r#"{"i":-7,"f":1.5,"zero":-0.0}"#, r#"{"f":2.25,"i":49,"zero":0.0}"#),
            (r#"{"largest":4294967295}"#, r#"{"largest":18446744065119617025}"#),
            (r#"{"lowest":-4294967295}"#, r#"{"lowest":18446744065119617025}"#),
            ("{}", "{}"),
        ];
        let expected = table.map(|(_, squared)| Answer::ok(squared));
        assert_eq!(transform(table.map(|(payload, _)| payload), square_values), expected);
    }

    #[test]
    fn anything_but_an_object_of_numbers_fails_with_a_reason() {
        let table = [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("[1]", "invalid type: sequence, expected a map"),
            (r#"{"a":"1"}"#, "invalid type: string \"1\", expected a JSON number"),
            (r#"{"a":null}"#, "invalid type: null, expected a JSON number"),
            (r#"{"a":1}{"a":2}"#, "trailing characters at line 1 column 8"),
            (r#"{"a":4294967296}"#, "the square of 4294967296 does not fit a 64-bit number"),
            (r#"{"a":1e200}"#, "the square of 1e+200 does not fit a 64-bit number"),
        ];
        let answers = transform(table.map(|(payload, _)| payload), square_values);
        for (answer, (payload, expected)) in answers.iter().zip(table) {
            let Answer::Failed { reason } = answer else { panic!("{payload} was answered {answer:?}") };
            assert!(reason.contains(expected), "{payload} failed with: {reason}");
        }
    }
}
