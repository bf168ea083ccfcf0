//! Reading an object. Keys, numbers and plain strings are read here; everything rarer is left to serde_json, which is strict.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::number::{self, Decimal, Number};
use crate::error::Error;
use crate::values::{self, until_special, value_end};

/// The fields of a JSON object, in the order of the object: an iterator that ends after its first error. See the
/// [module](crate::json) for an example.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// UTF-8, as bytes, because slicing text checks for character boundaries at each field.
    text: &'a [u8],
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    More,
    Done,
}

/// One field of a JSON object: its key and its value.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The payload from the key on.
    pub(super) text: &'a [u8],
    /// The length of the key with its quotes, and if `glued` also with the comma before and the colon after it.
    pub(super) spelled: usize,
    /// `text` starts with the comma before the key, and contains no white space up to the value.
    pub(super) glued: bool,
    pub(super) value: &'a [u8],
    /// The value, if it is a short number.
    decimal: Option<Decimal>,
}

impl<'a> Fields<'a> {
    /// The fields of a JSON text, which is an object.
    ///
    /// # Errors
    /// [`Error::Other`] if the text does not start like an object. Mistakes further on are reported by the iterator.
    pub fn of(text: &'a str) -> Result<Fields<'a>, Error> {
        Fields::of_utf8(text.as_bytes())
    }

    pub(crate) fn of_utf8(text: &'a [u8]) -> Result<Fields<'a>, Error> {
        let mut fields = Fields { text, at: 0, state: State::First };
        match fields.peek() {
            Some(b'{') => {
                fields.at += 1;
                Ok(fields)
            }
            _ => Err(fields.unlike("an object")),
        }
    }

    /// The first field with this key, or `None`. What follows it is not read.
    ///
    /// # Errors
    /// The text before the field is not JSON. If there is no such field, that is the whole text.
    pub fn find(mut self, key: &str) -> Result<Option<Field<'a>>, Error> {
        self.find_map(|field| match field {
            Ok(field) if *field.key() != *key => None,
            found => Some(found),
        })
        .transpose()
    }

    /// Reads the most usual form of a field, `,"key":12.3` without white space around the key, or without the comma for the first field.
    /// `None` leaves it to `read`.
    #[inline]
    fn usual<const GLUED: bool>(&mut self) -> Option<Field<'a>> {
        let text = self.text.get(self.at..)?;
        let quoted = if GLUED { text.strip_prefix(b",")? } else { text };
        let [b'"', inside @ ..] = quoted else { return None };
        let key_len = until_special(inside)?;
        let [b'"', b':', value @ ..] = &inside[key_len..] else { return None };
        let (decimal, length) = match Decimal::before_more(value) {
            Some((decimal, length)) => (Some(decimal), length),
            None => (None, value_end(value, 0)?),
        };
        let quoted = key_len + "\"\"".len();
        self.at += usize::from(GLUED) + quoted + ":".len() + length;
        let spelled = if GLUED { ",".len() + quoted + ":".len() } else { quoted };
        Some(Field { text, spelled, glued: GLUED, value: &value[..length], decimal })
    }

    /// The text after the field that was read last.
    #[inline]
    pub(super) fn rest(&self) -> Option<&'a [u8]> {
        if self.state == State::More { self.text.get(self.at..) } else { None }
    }

    /// Skips this much of the rest. A field must end there.
    #[inline]
    pub(super) fn pass(&mut self, length: usize) {
        self.at += length;
    }

    fn read(&mut self) -> Result<Option<Field<'a>>, Error> {
        match (self.peek(), self.state) {
            (Some(b'}'), State::First | State::More) => return self.end(),
            (Some(b'"'), State::First) => {}
            (Some(b','), State::More) => {
                self.at += 1;
                self.peek();
            }
            _ => return Err(self.unlike("a comma or the end of the object")),
        }
        let text = &self.text[self.at..];
        let spelled = self.string()?.len();
        if self.peek() != Some(b':') {
            return Err(self.unlike("a colon"));
        }
        self.at += 1;
        self.state = State::More;
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.value(),
        }
        .map(|value| Some(Field { text, spelled, glued: false, value, decimal: None }))
    }

    fn end(&mut self) -> Result<Option<Field<'a>>, Error> {
        self.at += 1;
        self.state = State::Done;
        match self.peek() {
            None => Ok(None),
            Some(_) => Err(self.unlike("nothing after the object")),
        }
    }

    /// A string with its quotes.
    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Error> {
        if self.text.get(self.at) != Some(&b'"') {
            return Err(self.unlike("a key, which is a string"));
        }
        let inside = &self.text[self.at + 1..];
        match until_special(inside) {
            Some(length) if inside[length] == b'"' => {
                let string = &self.text[self.at..self.at + length + 2];
                self.at += string.len();
                Ok(string)
            }
            _ => self.strictly(),
        }
    }

    #[inline]
    fn value(&mut self) -> Result<&'a [u8], Error> {
        match value_end(self.text, self.at) {
            Some(end) => {
                let value = &self.text[self.at..end];
                self.at = end;
                Ok(value)
            }
            None => self.strictly(),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<&'a [u8], Error> {
        let rest = &self.text[self.at..];
        let length = values::number_length(rest).ok_or_else(|| self.unlike("a number"))?;
        self.at += length;
        Ok(&rest[..length])
    }

    #[cold]
    fn strictly(&mut self) -> Result<&'a [u8], Error> {
        let mut values = serde_json::Deserializer::from_slice(&self.text[self.at..]).into_iter::<&'a RawValue>();
        let value = values.next().ok_or_else(|| self.unlike("a value"))??;
        // serde_json accepts half of a surrogate pair in a raw value.
        if value.get().starts_with('"') {
            serde_json::from_str::<Cow<'_, str>>(value.get())?;
        }
        self.at += values.byte_offset();
        Ok(value.get().as_bytes())
    }

    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[cold]
    fn unlike(&self, expected: &str) -> Error {
        Error::Other(format!("the payload is not the expected JSON: {expected} was expected at byte {}", self.at))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            State::First => {
                if let Some(field) = self.usual::<false>() {
                    self.state = State::More;
                    return Some(Ok(field));
                }
            }
            State::More => {
                if let Some(field) = self.usual::<true>() {
                    return Some(Ok(field));
                }
            }
            State::Done => return None,
        }
        let field = self.read();
        if field.is_err() {
            self.state = State::Done;
        }
        field.transpose()
    }
}

impl<'a> Field<'a> {
    /// The key without quotes. Borrowed unless it has escapes.
    #[inline]
    pub fn key(&self) -> Cow<'a, str> {
        unescaped(self.quoted())
    }

    /// The value as JSON, spelled as in the payload.
    pub fn raw(&self) -> &'a str {
        text(self.value)
    }

    /// The value as a number: an integer of up to 64 bits exactly, any other number as the nearest 64-bit float.
    ///
    /// # Errors
    /// [`Error::Other`] if the value is not a number.
    #[inline]
    pub fn number(&self) -> Result<Number, Error> {
        match (self.decimal, self.value.first()) {
            (Some(decimal), _) => Ok(decimal.number()),
            (None, Some(b'-' | b'0'..=b'9')) => Ok(number::of(self.raw())),
            (None, _) => Err(self.is_not("a number")),
        }
    }

    /// The value as text without quotes. Borrowed unless it has escapes.
    ///
    /// # Errors
    /// [`Error::Other`] if the value is not a string.
    pub fn text(&self) -> Result<Cow<'a, str>, Error> {
        if self.value.starts_with(b"\"") { Ok(unescaped(self.value)) } else { Err(self.is_not("text")) }
    }

    /// The value as a `T`, read by serde. `T` may borrow from the payload.
    ///
    /// # Errors
    /// [`Error::Other`] if the value is not a `T`.
    pub fn json<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        values::read(self.value)
            .map_err(|cause| Error::Other(format!("the value of {} is not as expected: {cause}", text(self.quoted()))))
    }

    /// The key with its quotes.
    #[inline]
    pub(super) fn quoted(&self) -> &'a [u8] {
        if self.glued { &self.text[1..self.spelled - 1] } else { &self.text[..self.spelled] }
    }

    #[cold]
    fn is_not(&self, what: &str) -> Error {
        Error::Other(format!("the value of {} is not {what}", text(self.quoted())))
    }
}

/// A part of a text. The payload was checked to be UTF-8, and parts end between characters.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The text of a valid JSON string with its quotes.
#[inline]
pub(super) fn unescaped(quoted: &[u8]) -> Cow<'_, str> {
    let quoted = text(quoted);
    let inside = &quoted[1..quoted.len() - 1];
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Cow::Borrowed(inside),
        Some(_) => serde_json::from_str(quoted).map_or(Cow::Borrowed(inside), Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Value)>, Error> {
        let pair =
            |field: Result<Field<'_>, Error>| field.and_then(|field| Ok((field.key().into_owned(), field.json()?)));
        Fields::of(text)?.map(pair).collect()
    }

    #[test]
    fn fields_come_in_their_order_and_twice_where_they_stand_twice() {
        let text = r#" { "b" : 1 , "a\n":"x\u00e9" ,"b":[ {}, "]" ],"":null } "#;
        let expected = [("b", json!(1)), ("a\n", json!("xé")), ("b", json!([{}, "]"])), ("", json!(null))];
        assert_eq!(read(text).expect("it is JSON"), expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(read("{}").expect("it is JSON"), []);
    }

    #[test]
    fn what_is_not_an_object_is_an_error_that_says_where() {
        let table = [
            ("", "an object was expected at byte 0"),
            ("[1]", "an object was expected at byte 0"),
            ("{", "a comma or the end of the object was expected at byte 1"),
            ("{,}", "a comma or the end of the object was expected at byte 1"),
            (r#"{"a":1,}"#, "a key, which is a string was expected at byte 7"),
            (r#"{"a" 1}"#, "a colon was expected at byte 5"),
            (r#"{"a":01}"#, "a number was expected at byte 5"),
            (r#"{"a":1 "b":2}"#, "a comma or the end of the object was expected at byte 7"),
            (r#"{"a":1}{"#, "nothing after the object was expected at byte 7"),
            (r#"{"a":}"#, "expected value at line 1 column 1"),
            (r#"{"a":tru}"#, "expected ident at line 1 column 4"),
            ("{\"a\":\"\t\"}", "control character"),
            (r#"{"a":"\x"}"#, "invalid escape"),
        ];
        for (text, expected) in table {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn one_field_is_found_and_says_what_it_is_not() {
        let fields = Fields::of(r#"{"n":1.5,"t":"x"}"#).expect("it is an object");
        let find = |key: &str| fields.clone().find(key).expect("it is JSON");
        assert_eq!(find("n").expect("it is there").number().expect("it is one"), Number::Float(1.5));
        assert_eq!(find("t").expect("it is there").text().expect("it is one"), "x");
        assert!(find("missing").is_none());
        assert_eq!(
            find("t").expect("it is there").number().unwrap_err().to_string(),
            r#"the value of "t" is not a number"#
        );
        assert_eq!(find("n").expect("it is there").text().unwrap_err().to_string(), r#"the value of "n" is not text"#);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
    }

    proptest! {
        #[test]
        fn an_object_is_read_as_serde_json_reads_it(object in prop::collection::btree_map(any::<String>(), value(), 0..6), pretty: bool) {
            let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let text = write(&object).expect("it is JSON");
            prop_assert_eq!(read(&text).expect("it is JSON"), object.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn what_is_accepted_is_json(text in r#"\{([ "a:1,{}\[\].\\-]{0,12}|("a":[0-9]{0,3}[,. ]){0,3}"[a"]{0,2}:[0-9]{0,20})\}"#) {
            let read = read(&text).is_ok();
            prop_assert_eq!(read, serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
        }
    }
}
