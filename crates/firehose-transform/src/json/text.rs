//! Text of JSON, many bytes at a time: where the plain part of a string ends, and whether a text is ASCII.

use crate::scan::{every, until, zero_bytes};

/// The position of the first quote, backslash or control character, none of which a JSON string may contain as it is.
#[inline]
pub(crate) fn until_special(bytes: &[u8]) -> Option<usize> {
    until(bytes, special, |byte| matches!(byte, b'"' | b'\\' | 0..0x20))
}

/// The high bit of the first byte in the word that ends the plain part of a string. Bits of later bytes mean nothing.
#[inline]
pub(crate) fn special(word: u64) -> u64 {
    let control = word.wrapping_sub(every(0x20)) & !word & every(0x80);
    zero_bytes(word ^ every(b'"')) | zero_bytes(word ^ every(b'\\')) | control
}

/// Like `<[u8]>::is_ascii`, without its loop over the last bytes.
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
        fn words_find_what_bytes_find(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>(), any::<u8>(), any::<u8>()], 0..40)) {
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            prop_assert_eq!(until_special(&bytes), bytes.iter().position(special));
            prop_assert_eq!(is_ascii(&bytes), bytes.is_ascii());
        }
    }
}
