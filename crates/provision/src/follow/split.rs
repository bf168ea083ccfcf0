//! Takes the records of an object apart. Firehose joins records byte to byte: where each is a line, or JSON, the ends can be seen. Pure.

use serde_json::value::RawValue;

/// The records in the text of an object: its lines, and in a line the JSON values if it is nothing but several of them.
pub fn records(object: &[u8]) -> Vec<&[u8]> {
    let lines = object.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.flat_map(|line| values(line).unwrap_or_else(|| vec![line])).collect()
}

/// `None`: the line is not JSON objects or lists joined to each other.
fn values(line: &[u8]) -> Option<Vec<&[u8]>> {
    if !matches!(line.first(), Some(b'{' | b'[')) {
        return None;
    }
    let values = serde_json::Deserializer::from_slice(line).into_iter::<&RawValue>();
    let values: Vec<&[u8]> =
        values.map(|value| value.map(|value| value.get().as_bytes())).collect::<Result<_, _>>().ok()?;
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_joined_json_are_taken_apart_and_other_text_is_not() {
        let told = |object: &str| {
            let object = object.as_bytes();
            records(object).into_iter().map(|record| String::from_utf8_lossy(record).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("a b\nc\n\n"), ["a b", "c"]);
        assert_eq!(told(r#"{"a":"}{"}{"b":[1]}[2]"#), [r#"{"a":"}{"}"#, r#"{"b":[1]}"#, "[2]"]);
        assert_eq!(told("{\"a\":1}{\"b\":\n{\"c\":3}"), ["{\"a\":1}{\"b\":", "{\"c\":3}"]);
        assert_eq!(told("12"), ["12"]);
    }
}
