//! Skips values of JSON and checks that they are valid.

use super::text::{escape, short_string, until_special};
use crate::scan::every;

/// Values may be nested this deep: a bit for each level says whether it is an object.
const DEEPEST: u32 = u64::BITS;

/// The end of the value that starts at `at`. `None` if it is not valid JSON, or if it is nested very deep or contains half of a
/// surrogate pair, about which serde_json has to decide.
pub(crate) fn value_end(json: &[u8], mut at: usize) -> Option<usize> {
    let (mut depth, mut objects) = (0, 0_u64);
    loop {
        let opened = match *json.get(at)? {
            b'"' => {
                at = string_end(json, at + 1)?;
                false
            }
            b'-' | b'0'..=b'9' => {
                at += number_length(&json[at..])?;
                false
            }
            open @ (b'{' | b'[') => {
                at = after_space(json, at + 1);
                // An opening bracket and its closing one differ by two in ASCII.
                if *json.get(at)? == open + 2 {
                    at += 1;
                    false
                } else if depth == DEEPEST {
                    return None;
                } else {
                    depth += 1;
                    objects = objects << 1 | u64::from(open == b'{');
                    true
                }
            }
            _ => {
                at += literal_length(&json[at..])?;
                false
            }
        };
        if !opened {
            loop {
                if depth == 0 {
                    return Some(at);
                }
                at = after_space(json, at);
                match (*json.get(at)?, objects & 1 == 1) {
                    (b',', _) => break,
                    (b'}', true) | (b']', false) => (depth, objects) = (depth - 1, objects >> 1),
                    _ => return None,
                }
                at += 1;
            }
            at = after_space(json, at + 1);
        }
        if objects & 1 == 1 && depth > 0 {
            at = key_end(json, at)?;
        }
    }
}

/// The start of the value whose key starts at `at`.
#[inline]
fn key_end(json: &[u8], at: usize) -> Option<usize> {
    if *json.get(at)? != b'"' {
        return None;
    }
    let colon = after_space(json, string_end(json, at + 1)?);
    (*json.get(colon)? == b':').then(|| after_space(json, colon + 1))
}

/// The position after the closing quote of a string whose inside starts at `at`.
#[inline(always)]
fn string_end(json: &[u8], at: usize) -> Option<usize> {
    match short_string(json.get(at..)?) {
        Some(length) => Some(at + length + 1),
        None => long_string_end(json, at),
    }
}

#[inline(never)]
fn long_string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += until_special(json.get(at..)?)?;
        match json[at] {
            b'"' => return Some(at + 1),
            b'\\' => (_, at) = escape(json, at)?,
            _ => return None,
        }
    }
}

#[inline]
pub(super) fn after_space(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = json.get(at) {
        at += 1;
    }
    at
}

/// The length of `true`, `false` or `null` at the start of the bytes.
#[inline]
fn literal_length(bytes: &[u8]) -> Option<usize> {
    let literal: &[u8] = match bytes.first()? {
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
        _ => return None,
    };
    bytes.starts_with(literal).then_some(literal.len())
}

/// The length of the number at the start of the bytes. `None` if that is not a number in JSON.
#[inline]
pub(crate) fn number_length(bytes: &[u8]) -> Option<usize> {
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut end = digits_end(bytes, start)?;
    if bytes[start] == b'0' && end > start + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits_end(bytes, end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits_end(bytes, end + 1 + sign)?;
    }
    Some(end)
}

/// The end of the digits from `start` on. `None` if there is no digit.
#[inline]
fn digits_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while let Some(word) = bytes.get(end..)?.first_chunk() {
        let digits = leading_digits(u64::from_le_bytes(*word));
        end += digits;
        if digits < word.len() {
            return (end > start).then_some(end);
        }
    }
    end += bytes[end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (end > start).then_some(end)
}

/// The number of digits at the start of the word in memory, which is its low end.
#[inline]
pub(crate) fn leading_digits(word: u64) -> usize {
    let from_zero = word ^ every(b'0');
    let others = (from_zero.wrapping_add(every(0x7f - 9)) | from_zero) & every(0x80);
    others.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn nesting_and_half_surrogates_are_left_to_serde_json() {
        let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(value_end(&nested(64), 0), Some(128));
        assert_eq!(value_end(&nested(65), 0), Some(130), "the innermost is empty and needs no level");
        assert_eq!(value_end(&nested(66), 0), None);
        assert_eq!(value_end(br#""\ud83d\ude00""#, 0), Some(14));
        assert_eq!(value_end(br#""\ud83d""#, 0), None);
    }

    proptest! {
        #[test]
        fn what_is_skipped_is_what_serde_json_skips(
            text in r#"[\[{]?(("[a\\u0é\n]{0,4}"|[0-9.eE+-]{1,5}|true|false|null|nul|[\[\]{}:, ]){0,10}|("[a]?": ?("[a\\/n]{0,3}"|-?[0-9]{1,2}(\.[0-9])?|\[(1,)?2\]|\{\}),?){0,3})[\]}]?"#
        ) {
            let skipped = value_end(text.as_bytes(), 0) == Some(text.len());
            let valid = serde_json::from_str::<IgnoredAny>(&text).is_ok() && !text.starts_with(' ') && !text.ends_with(' ');
            prop_assert_eq!(skipped, valid, "{}", text);
        }
    }
}
