//! Reads JSON without building it: finds where strings end and skips values.
//!
//! Skipping is lenient on purpose: it counts brackets and respects strings, and checks nothing else.

/// The expected token, and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

pub(crate) struct Cursor<'a> {
    pub(crate) json: &'a [u8],
    pub(crate) at: usize,
}

/// The inside of a string: `json[start..end]`.
#[derive(Clone, Copy)]
pub(crate) struct Inside {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(json: &'a [u8]) -> Cursor<'a> {
        Cursor { json, at: 0 }
    }

    /// The next byte that is not white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.eat(byte) { Ok(()) } else { Err(self.malformed(expected)) }
    }

    pub(crate) fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { at: self.at, expected }
    }

    /// A short string, such as a key or an id.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Inside, Malformed> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let mut at = start;
        loop {
            at += until_quote_or_backslash(&self.json[at..]).ok_or(self.malformed("the end of a string"))?;
            if self.json[at] == b'"' {
                self.at = at + 1;
                return Ok(Inside { start, end: at });
            }
            at += 2; // the escaped byte is not checked
            if at > self.json.len() {
                return Err(self.malformed("the end of a string"));
            }
        }
    }

    /// Skips a string of exactly this length and without escapes, if that comes next.
    #[inline]
    pub(crate) fn plain_string(&mut self, length: usize) -> Option<Inside> {
        let [b'"', inside @ ..] = self.json.get(self.at..)? else { return None };
        if inside.get(length) != Some(&b'"') || !is_plain(&inside[..length]) {
            return None;
        }
        let start = self.at + 1;
        self.at = start + length + 1;
        Some(Inside { start, end: start + length })
    }

    /// Skips exactly these bytes, if they come next.
    #[inline]
    pub(crate) fn literal(&mut self, bytes: &[u8]) -> bool {
        let is = self.json.get(self.at..).is_some_and(|rest| rest.starts_with(bytes));
        self.at += if is { bytes.len() } else { 0 };
        is
    }

    /// A string that is probably long.
    #[inline]
    pub(crate) fn long_string(&mut self) -> Result<Inside, Malformed> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let length = memchr::memchr(b'"', &self.json[start..]).ok_or(self.malformed("the end of a string"))?;
        let end = start + length;
        if self.json[start..end].last() == Some(&b'\\') {
            self.at = start - 1;
            return self.string();
        }
        self.at = end + 1;
        Ok(Inside { start, end })
    }

    /// Skips one value.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<Inside, Malformed> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{' | b'[') => self.skip_nested()?,
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z') => {
                self.at += 1;
                while matches!(self.json.get(self.at), Some(b'0'..=b'9' | b'a'..=b'z' | b'.' | b'-' | b'+' | b'E')) {
                    self.at += 1;
                }
            }
            _ => return Err(self.malformed("a value")),
        }
        Ok(Inside { start, end: self.at })
    }

    /// Skips an object, if a flat one comes next.
    #[inline]
    pub(crate) fn flat_object(&mut self) -> Option<Inside> {
        let start = self.at;
        self.at += flat_object(self.json.get(start..)?)?;
        Some(Inside { start, end: self.at })
    }

    /// Counts brackets instead of recursing, so that depth costs no stack.
    fn skip_nested(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.json.get(self.at) {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
                None => return Err(self.malformed("the end of an object or a list")),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// The length of an object without nested values, backslashes, and braces in strings. Checks many bytes at once, because most of an
/// event beside the payloads consists of such objects. `None` also near the end of the event.
#[inline]
fn flat_object(bytes: &[u8]) -> Option<usize> {
    let [b'{', bytes @ ..] = bytes else { return None };
    let (mut quotes, mut nested) = ([0_u8; LANES], [0_u8; LANES]);
    let mut look = |lanes: &[u8; LANES]| {
        for lane in 0..LANES {
            quotes[lane] ^= u8::from(lanes[lane] == b'"');
            nested[lane] |=
                u8::from(lanes[lane] == b'\\') | u8::from(lanes[lane] == b'{') | u8::from(lanes[lane] == b'[');
        }
    };
    let (lanes, _) = bytes.as_chunks::<LANES>();
    let mut before = 1;
    for lanes in lanes {
        if !has(lanes, b'}') {
            look(lanes);
            before += LANES;
            continue;
        }
        let end = memchr::memchr(b'}', lanes)?;
        let mut last = [b' '; LANES];
        last[..end].copy_from_slice(&lanes[..end]);
        look(&last);
        let is_flat = quotes.iter().fold(0, |all, lane| all ^ lane) == 0 && nested == [0; LANES];
        return is_flat.then_some(before + end + 1);
    }
    None
}

/// As many bytes as fit into one vector. The compiler turns loops over arrays of this length into vector instructions.
pub(crate) const LANES: usize = 32;

/// The position of the first quote or backslash. Checks eight bytes at a time: most strings here have a dozen to sixty bytes, for which
/// a call to memchr costs more.
#[inline]
pub(crate) fn until_quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    until(
        bytes,
        |word| zero_bytes(word ^ every(b'"')) | zero_bytes(word ^ every(b'\\')),
        |byte| matches!(byte, b'"' | b'\\'),
    )
}

#[inline]
fn until(bytes: &[u8], hits: impl Fn(u64) -> u64, hit: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = hits(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| hit(*byte))?;
    Some(words.len() * 8 + at)
}

/// Whether all bytes are printable ASCII without quotes and backslashes.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    !hits(bytes, |byte| u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte.wrapping_sub(0x20) >= 0x60))
}

/// Whether `hit` is not zero for one of the bytes. It must be zero for a space.
#[inline]
fn hits(bytes: &[u8], hit: impl Fn(u8) -> u8) -> bool {
    let mut hits = [0_u8; LANES];
    let mut look = |lanes: &[u8; LANES]| {
        for lane in 0..LANES {
            hits[lane] |= hit(lanes[lane]);
        }
    };
    bytes.as_chunks().0.iter().for_each(&mut look);
    match bytes.last_chunk() {
        Some(last) => look(last), // overlaps with bytes that were checked
        None => {
            let mut all = [b' '; LANES];
            all[..bytes.len()].copy_from_slice(bytes);
            look(&all);
        }
    }
    hits != [0; LANES]
}

#[inline]
fn has(lanes: &[u8; LANES], byte: u8) -> bool {
    let mut hits = [0_u8; LANES];
    for lane in 0..LANES {
        hits[lane] = u8::from(lanes[lane] == byte);
    }
    hits != [0; LANES]
}

pub(crate) const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of the first byte that is zero. Bits of later bytes mean nothing.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(every(1)) & !word & every(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_stepped_over_whatever_it_is() {
        for value in [
            "1",
            "-1.5E+3",
            "true",
            "null",
            r#""a\"b""#,
            r#""\\""#,
            "{}",
            "[[]]",
            r#"{"a":"}","b":[1,{"c":"\"]"}]}"#,
            "\"\"",
            r#"{"a":"}"}"#,
            r#"{"a":"\"}"}"#,
        ] {
            let json = format!(" {value} ,");
            let mut cursor = Cursor::new(json.as_bytes());
            let inside = cursor.skip().expect(value);
            assert_eq!(&json[inside.start..inside.end], value);
            assert_eq!(cursor.peek(), Some(b','), "{value}");
        }
    }

    #[test]
    fn what_breaks_off_is_malformed() {
        for json in ["", " ", "\"", "\"a\\", "\"a\\\"", "{", "[{\"a\":\"]}\"", ",", "}"] {
            assert!(Cursor::new(json.as_bytes()).skip().is_err(), "{json}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let json = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
        assert_eq!(Cursor::new(&json).skip().map(|inside| inside.end), Ok(2_000_000));
    }

    proptest! {
        #[test]
        fn words_find_what_bytes_find(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), any::<u8>(), any::<u8>(), any::<u8>()], 0..40)) {
            let special = |byte: &u8| matches!(byte, b'"' | b'\\');
            prop_assert_eq!(until_quote_or_backslash(&bytes), bytes.iter().position(special));
            prop_assert_eq!(is_plain(&bytes), bytes.iter().all(|byte| (0x20..0x80).contains(byte) && !special(byte)));
        }

        #[test]
        fn a_flat_object_ends_where_any_object_does(object in r#"\{("[a-z\\\\]{0,9}["{}]?":?[0-9,\[]?){0,12}\}"#, behind in "[ -~]{0,70}") {
            let json = object + &behind;
            let (mut flat, mut nested) = (Cursor::new(json.as_bytes()), Cursor::new(json.as_bytes()));
            if let Some(inside) = flat.flat_object() {
                let end = nested.skip().map(|inside| inside.end);
                prop_assert_eq!(Ok(inside.end), end, "{}", json);
            }
        }

        #[test]
        fn long_strings_end_where_short_ones_do(text: String) {
            let json = serde_json::to_string(&text).expect("text is JSON");
            let (mut short, mut long) = (Cursor::new(json.as_bytes()), Cursor::new(json.as_bytes()));
            let (short, long) = (short.string().expect("it ends"), long.long_string().expect("it ends"));
            prop_assert_eq!((short.start, short.end), (1, json.len() - 1));
            prop_assert_eq!((long.start, long.end), (1, json.len() - 1));
        }
    }
}
