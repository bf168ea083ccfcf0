//! JSON on one line: the same text without white space between its tokens.

/// The text of a JSON value without white space outside strings. Numbers, escapes and the order of keys stay as they are.
pub fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        compact.push(c);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_goes() {
        let json = "{\n  \"a \\\" b\\\\\" : [1.50, \"\u{a0}c d\" ],\t\"e\": null\r\n}";
        assert_eq!(compact(json), "{\"a \\\" b\\\\\":[1.50,\"\u{a0}c d\"],\"e\":null}");
    }
}
