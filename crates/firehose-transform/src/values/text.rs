//! Text of JSON, many bytes at a time: where the plain part of a string ends, escapes, and whether a text is ASCII or UTF-8.

use crate::scan::{LANES, every};

/// The position of the first quote, backslash or control character, none of which a JSON string may contain as it is.
///
/// The first word is checked inline, because most strings are short.
#[inline(always)]
pub(crate) fn until_special(bytes: &[u8]) -> Option<usize> {
    match bytes.first_chunk() {
        Some(word) => first_special(word).or_else(|| after_first_word(bytes)),
        None => in_few(bytes),
    }
}

/// The end of the string whose inside these bytes start with, if it is plain and shorter than eight bytes.
#[inline(always)]
pub(super) fn short_string(bytes: &[u8]) -> Option<usize> {
    let length = first_special(bytes.first_chunk()?)?;
    (bytes[length] == b'"').then_some(length)
}

#[inline(always)]
fn first_special(word: &[u8; 8]) -> Option<usize> {
    let hits = special(u64::from_le_bytes(*word));
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
}

/// Searches after the first eight bytes: one more word, then vectors without a hit, and then words again.
#[inline]
fn after_first_word(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    while let Some(word) = bytes.get(at..)?.first_chunk() {
        if let Some(found) = first_special(word) {
            return Some(at + found);
        }
        at += word.len();
        while let Some(lanes) = bytes[at..].first_chunk()
            && !has_special(lanes)
        {
            at += LANES;
        }
    }
    // The last word overlaps with bytes that were checked.
    let last = bytes.last_chunk()?;
    first_special(last).map(|found| bytes.len() - last.len() + found)
}

/// Searches less than eight bytes: the first four and the last four, which may overlap.
#[inline]
fn in_few(bytes: &[u8]) -> Option<usize> {
    let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) else {
        return bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    };
    let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
    let hits = special(first | last << 32);
    (hits != 0).then(|| match hits.trailing_zeros() as usize / 8 {
        at @ 0..4 => at,
        at => bytes.len() + at - 8,
    })
}

/// The high bit of the first byte in the word that ends the plain part of a string. Bits of later bytes mean nothing.
#[inline]
pub(crate) fn special(word: u64) -> u64 {
    // Flipping bit 1 moves the quote next to the control characters.
    let quote_or_control = (word ^ every(2)).wrapping_sub(every(0x21));
    let backslash = (word ^ every(b'\\')).wrapping_sub(every(1));
    (quote_or_control | backslash) & !word & every(0x80)
}

#[inline]
fn has_special(lanes: &[u8; LANES]) -> bool {
    let mut hits = [0_u8; LANES];
    for lane in 0..LANES {
        hits[lane] = u8::from(lanes[lane] == b'"') | u8::from(lanes[lane] == b'\\') | u8::from(lanes[lane] < 0x20);
    }
    hits != [0; LANES]
}

/// The character of the escape whose backslash is at `at`, and the position after it. `None` if that is not a valid escape, or half
/// of a surrogate pair.
pub(super) fn escape(json: &[u8], at: usize) -> Option<(char, usize)> {
    let plain = |character| Some((character, at + 2));
    match json.get(at + 1)? {
        b'"' => plain('"'),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' => match hex_unit(json, at)? {
            high @ 0xd800..0xdc00 => {
                let low = hex_unit(json, at + 6).filter(|low| (0xdc00..0xe000).contains(low))?;
                Some((char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, at + 12))
            }
            unit => Some((char::from_u32(unit)?, at + 6)),
        },
        _ => None,
    }
}

/// The UTF-16 unit of the escape `\u1234` at `at`.
fn hex_unit(json: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = json.get(at..at + 6)? else { return None };
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends the text as a JSON string.
#[inline]
pub(super) fn append_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    append_escaped(out, text);
    out.push(b'"');
}

/// Appends the inside of a JSON string, with the escapes of serde_json.
#[inline]
pub(super) fn append_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = until_special(rest) {
        out.extend_from_slice(&rest[..at]);
        append_escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn append_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        b'"' | b'\\' => byte,
        _ => return out.extend([b'\\', b'u', b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
    };
    out.extend([b'\\', short]);
}

/// `None` if the bytes are not UTF-8.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

/// Like `<[u8]>::is_ascii`, without its loop over the last bytes.
#[cfg(any(feature = "fields", test))]
#[inline]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else { return bytes.iter().all(u8::is_ascii) };
    // The last eight bytes overlap with words that were checked. Words, because the compiler makes vectors of them.
    let (words, _) = bytes.as_chunks();
    let all = words.iter().chain([last]).fold(0, |all, word| all | u64::from_le_bytes(*word));
    all & every(0x80) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_find_what_bytes_find(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>(), 0x20..0xff_u8, 0x20..0xff_u8, 0x30..0x50_u8, 0x23..0x5b_u8, 0x80..0xff_u8], 0..90)) {
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            prop_assert_eq!(until_special(&bytes), bytes.iter().position(special));
            prop_assert_eq!(is_ascii(&bytes), bytes.is_ascii());
        }

        #[test]
        fn text_is_escaped_as_serde_json_escapes_it(text in "[\\x00-\\x7f]{0,20}|\\PC*") {
            let mut out = Vec::new();
            append_string(&mut out, &text);
            prop_assert_eq!(String::from_utf8(out), Ok(serde_json::to_string(&text).expect("text is JSON")));
        }

        #[test]
        fn escapes_are_read_as_serde_json_reads_them(inside in "\\\\(u[dD][89abcdefCDEF0][0-9a-f]{2}|u[0-9a-gA-G]{4}|[\"\\\\/bfnrtx])(\\\\u[dD][cd8][0-9]{2})?") {
            let json = format!("\"{inside}\"");
            let mut read = String::new();
            let mut at = 1;
            let valid = loop {
                match escape(json.as_bytes(), at) {
                    Some((character, end)) => (at, _) = (end, read.push(character)),
                    None => break false,
                }
                if at == json.len() - 1 {
                    break true;
                }
            };
            let expected = serde_json::from_str::<String>(&json).ok();
            prop_assert_eq!(valid.then_some(read), expected, "{}", json);
        }
    }
}
