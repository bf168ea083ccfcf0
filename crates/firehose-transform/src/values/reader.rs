//! Reads usual JSON, and gives up on everything else. `deserializer` is serde's side of it.

mod compound;
mod deserializer;

use std::fmt;

use serde::de::{self, Deserialize, Visitor};

use self::compound::Inside;
use super::skip::{after_space, number_length, value_end};
use super::text::{escape, short_string, until_special};

/// The only value in the text. `None` if the reader gives up.
pub(super) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let mut reader = Reader { text, at: 0, levels_left: LEVELS, scratch: String::new(), gave_up: false };
    let value = T::deserialize(&mut reader).ok()?;
    // A type may have ignored an error, so the reader remembers that it gave up.
    (!reader.gave_up && reader.peek().is_none()).then_some(value)
}

/// Fewer than serde_json's 127, whose error it is if there are more.
const LEVELS: u8 = 100;

pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    levels_left: u8,
    /// The last string with escapes, unescaped.
    scratch: String,
    gave_up: bool,
}

/// The reader gives up, or a type refuses its value. Carries nothing, because serde_json finds the mistake again.
#[derive(Debug)]
pub(super) struct Unusual;

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the JSON is unusual")
    }
}

impl std::error::Error for Unusual {}

impl de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Unusual {
        Unusual
    }
}

/// A string: in the text, or in `Reader::scratch`.
enum Text<'de> {
    Plain(&'de str),
    Unescaped,
}

impl<'de> Reader<'de> {
    #[cold]
    fn give_up<T>(&mut self) -> Result<T, Unusual> {
        self.gave_up = true;
        Err(Unusual)
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        self.at = after_space(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips this byte, if it comes next.
    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        // Mostly there is no white space.
        let is = self.text.as_bytes().get(self.at) == Some(&byte) || self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Unusual> {
        if self.eat(byte) { Ok(()) } else { self.give_up() }
    }

    #[inline]
    fn literal(&mut self, literal: &str) -> Result<(), Unusual> {
        if self.peek().is_some() && self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.at += literal.len();
            return Ok(());
        }
        self.give_up()
    }

    #[inline]
    fn string(&mut self) -> Result<Text<'de>, Unusual> {
        self.expect(b'"')?;
        let start = self.at;
        match short_string(&self.text.as_bytes()[start..]) {
            Some(length) => {
                self.at = start + length + 1;
                Ok(Text::Plain(&self.text[start..start + length]))
            }
            None => self.long_string(),
        }
    }

    /// A string whose inside comes next.
    #[inline(never)]
    fn long_string(&mut self) -> Result<Text<'de>, Unusual> {
        let (json, start) = (self.text.as_bytes(), self.at);
        match until_special(&json[start..]) {
            Some(length) if json[start + length] == b'"' => {
                self.at = start + length + 1;
                Ok(Text::Plain(&self.text[start..start + length]))
            }
            Some(length) => self.unescape(start + length),
            None => self.give_up(),
        }
    }

    /// A string whose first escape is at `at`.
    fn unescape(&mut self, mut at: usize) -> Result<Text<'de>, Unusual> {
        let json = self.text.as_bytes();
        self.scratch.clear();
        loop {
            self.scratch.push_str(&self.text[self.at..at]);
            match json[at] {
                b'"' => break,
                b'\\' => {}
                _ => return self.give_up(),
            }
            let Some((character, end)) = escape(json, at) else { return self.give_up() };
            self.scratch.push(character);
            self.at = end;
            let Some(length) = until_special(&json[end..]) else { return self.give_up() };
            at = end + length;
        }
        self.at = at + 1;
        Ok(Text::Unescaped)
    }

    #[inline]
    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        match self.string()? {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Unescaped => visitor.visit_str(&self.scratch),
        }
    }

    #[inline]
    fn visit_number<V: Visitor<'de>>(
        &mut self,
        visitor: V,
        float: impl FnOnce(&str) -> Option<f64>,
    ) -> Result<V::Value, Unusual> {
        self.peek();
        let rest = &self.text.as_bytes()[self.at..];
        let negative = rest.first() == Some(&b'-');
        let unsigned = &rest[usize::from(negative)..];
        let (mut integer, mut digits) = (0_u64, 0);
        while let Some(digit @ b'0'..=b'9') = unsigned.get(digits) {
            integer = integer.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            digits += 1;
        }
        match unsigned.get(digits) {
            Some(b'.' | b'e' | b'E') => {
                let Some(length) = number_length(rest) else { return self.give_up() };
                let number = float(&self.text[self.at..self.at + length]).filter(|float| float.is_finite());
                let Some(number) = number else { return self.give_up() };
                self.at += length;
                return visitor.visit_f64(number);
            }
            // Zero is the only number that starts with zero. Of more digits not all fit.
            _ if digits == 1 || (matches!(digits, 2..=18) && unsigned[0] != b'0') => {}
            _ => return self.give_up(),
        }
        self.at += usize::from(negative) + digits;
        match i64::try_from(integer) {
            Ok(_) if !negative => visitor.visit_u64(integer),
            Ok(integer @ 1..) => visitor.visit_i64(-integer),
            _ => self.give_up(), // -0, which is a float
        }
    }

    /// Skips a value.
    fn skip(&mut self) -> Result<(), Unusual> {
        self.peek();
        match value_end(self.text.as_bytes(), self.at) {
            Some(end) => self.at = end,
            None => return self.give_up(),
        }
        Ok(())
    }

    /// Reads a nested value, if it is not nested too deep.
    #[inline]
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unusual>) -> Result<T, Unusual> {
        if self.levels_left == 0 {
            return self.give_up();
        }
        self.levels_left -= 1;
        // A type may ignore its own mistake, and the reader is then in the middle of the value.
        let Ok(value) = read(self) else { return self.give_up() };
        self.levels_left += 1;
        Ok(value)
    }

    #[inline]
    fn visit_list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        self.expect(b'[')?;
        let value = self.nested(|reader| visitor.visit_seq(Inside::new(reader)))?;
        self.expect(b']')?;
        Ok(value)
    }

    #[inline]
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        self.expect(b'{')?;
        let value = self.nested(|reader| visitor.visit_map(Inside::new(reader)))?;
        self.expect(b'}')?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn usual_json_is_read_here() {
        let text = r#" {"a": [1, -2, 3.5e1, true, null, "\ud83d\ude00\n", {}], "b": {"c": "ü"}} "#;
        let expected = json!({"a": [1, -2, 35.0, true, null, "😀\n", {}], "b": {"c": "ü"}});
        assert_eq!(read(text), Some(expected));
        assert_eq!(read::<Option<Cow<'_, str>>>("null"), Some(None));
        assert_eq!(read(r#"[1,"a",{"x":1}]"#), Some((1_u8, "a", json!({"x": 1}))));
    }

    #[test]
    fn the_unusual_is_left_to_serde_json() {
        let deep = ["[".repeat(101), "]".repeat(101)].concat();
        for text in ["", "1 2", "[1,]", "-0", "1e999", "18446744073709551616", r#""\ud83d""#, "\"\t\"", "nul", &deep] {
            assert!(read::<Value>(text).is_none(), "{text}");
        }
        assert!(read::<i128>("1").is_none());
    }

    /// A type that takes no notice of a mistake.
    #[test]
    fn a_mistake_that_a_type_ignores_is_not_forgotten() {
        struct Careless;
        impl<'de> Deserialize<'de> for Careless {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Careless, D::Error> {
                let _ = <&[u8]>::deserialize(deserializer);
                Ok(Careless)
            }
        }
        assert!(read::<Careless>("").is_none());
    }

    /// The mistake ends `Inner` in the middle, where the brace that is left would end `Outer`.
    #[test]
    fn a_nested_mistake_that_a_type_ignores_is_not_forgotten() {
        #[derive(serde::Deserialize)]
        struct Inner {
            #[serde(rename = "x")]
            _x: u8,
        }
        #[derive(serde::Deserialize)]
        struct Outer {
            #[serde(rename = "a", deserialize_with = "lenient")]
            _a: Option<Inner>,
        }
        fn lenient<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Option<Inner>, D::Error> {
            Ok(Inner::deserialize(deserializer).ok())
        }
        assert!(read::<Outer>(r#"{"a":{"x":300}"#).is_none());
        assert!(crate::values::read::<Outer>(br#"{"a":{"x":300}"#).is_err());
        assert!(crate::values::read::<Outer>(br#"{"a":{"x":300}}"#).is_ok());
    }
}
