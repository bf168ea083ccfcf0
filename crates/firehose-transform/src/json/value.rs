//! A JSON value to change in places.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Fields;
use super::fields::unescaped;
use super::writer::unwritable;
use crate::buffer;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::values;

/// A JSON value to change in places, at any depth. It is read only as deep as a transform looks into it; everything else is copied
/// as it came, with its order and spelling. Turn it into an [`Outcome`] with `into()`.
///
/// ```
/// use firehose_transform::testing::{Answer, transform};
/// use firehose_transform::{Error, Outcome, Record};
///
/// fn anonymous(record: &Record<'_>) -> Result<Outcome, Error> {
///     let mut order = record.value()?;
///     order.set("seen", &true)?;
///     if let Some(user) = order.member("user")? {
///         user.remove("email")?;
///     }
///     for item in order.member("items")?.ok_or("there are no items")?.items()? {
///         let price: f64 = item.member("price")?.ok_or("there is no price")?.json()?;
///         item.set("price", &(price * 2.0))?;
///     }
///     Ok(order.into())
/// }
///
/// let order = r#"{"user":{"id":1,"email":"a@b"},"items":[{"price":1.5}],"ratio":1.50}"#;
/// let expected = r#"{"user":{"id":1},"items":[{"price":3.0}],"ratio":1.50,"seen":true}"#;
/// assert_eq!(transform([order], anonymous), [Answer::ok(expected)]);
/// ```
///
/// If a key occurs twice in an object, the last one counts, as for `serde_json::Value`, and the others stay.
#[derive(Debug, Clone)]
pub struct Value<'a>(Shape<'a>);

#[derive(Debug, Clone)]
enum Shape<'a> {
    /// Valid JSON that nobody has looked into, without white space around it.
    Text(Cow<'a, [u8]>),
    Object(Vec<Member<'a>>),
    List(Vec<Value<'a>>),
}

#[derive(Debug, Clone)]
struct Member<'a> {
    /// The key as JSON, with its quotes.
    quoted: Cow<'a, [u8]>,
    value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The only value in a JSON text.
    ///
    /// # Errors
    /// [`Error::Other`] or [`Error::NotJson`] if the text is not JSON.
    pub fn of(text: &'a str) -> Result<Value<'a>, Error> {
        Value::of_utf8(text.as_bytes())
    }

    pub(crate) fn of_utf8(text: &'a [u8]) -> Result<Value<'a>, Error> {
        if let Ok(fields) = Fields::of_utf8(text) {
            return Ok(Value(Shape::Object(members(fields)?)));
        }
        if !values::is_value(text) {
            serde_json::from_slice::<serde_json::Value>(text)?;
        }
        Ok(Value(Shape::Text(Cow::Borrowed(text.trim_ascii()))))
    }

    /// A value that serde writes.
    ///
    /// # Errors
    /// [`Error::Other`] if serde cannot write it as JSON.
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Value<'static>, Error> {
        let mut text = buffer::take();
        values::write(&mut text, value).map_err(|cause| Error::Other(unwritable(&cause)))?;
        Ok(Value(Shape::Text(Cow::Owned(text))))
    }

    /// The value of this key. `None` if the object does not have it.
    ///
    /// # Errors
    /// [`Error::Other`] if this is not an object.
    pub fn member(&mut self, key: &str) -> Result<Option<&mut Value<'a>>, Error> {
        Ok(self.members()?.iter_mut().rfind(|member| member.is(key)).map(|member| &mut member.value))
    }

    /// Gives a key another value, which serde writes. A key that the object does not have is added at its end.
    ///
    /// # Errors
    /// [`Error::Other`] if this is not an object, or if serde cannot write the value as JSON.
    pub fn set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.insert(key, Value::new(value)?)
    }

    /// Like [`set`](Value::set), with a value that came from elsewhere, such as from [`remove`](Value::remove).
    ///
    /// # Errors
    /// [`Error::Other`] if this is not an object.
    pub fn insert(&mut self, key: &str, value: Value<'a>) -> Result<(), Error> {
        match self.member(key)? {
            Some(old) => *old = value,
            None => {
                let mut quoted = Vec::new();
                values::write(&mut quoted, key)?;
                self.members()?.push(Member { quoted: Cow::Owned(quoted), value });
            }
        }
        Ok(())
    }

    /// Removes a key, however often it occurs. Returns its value, or `None` if the object did not have it.
    ///
    /// # Errors
    /// [`Error::Other`] if this is not an object.
    pub fn remove(&mut self, key: &str) -> Result<Option<Value<'a>>, Error> {
        let removed = self.members()?.extract_if(.., |member| member.is(key));
        Ok(removed.last().map(|member| member.value))
    }

    /// The values of a list, to be changed, removed and added to.
    ///
    /// # Errors
    /// [`Error::Other`] if this is not a list.
    pub fn items(&mut self) -> Result<&mut Vec<Value<'a>>, Error> {
        if let Shape::Text(text) = &self.0
            && text.starts_with(b"[")
        {
            self.0 = Shape::List(match text {
                Cow::Borrowed(text) => items(text)?,
                Cow::Owned(text) => items(text)?.into_iter().map(Value::into_owned).collect(),
            });
        }
        match &mut self.0 {
            Shape::List(items) => Ok(items),
            Shape::Text(_) | Shape::Object(_) => Err("the value is not a list".into()),
        }
    }

    fn members(&mut self) -> Result<&mut Vec<Member<'a>>, Error> {
        if let Shape::Text(text) = &self.0
            && text.starts_with(b"{")
        {
            self.0 = Shape::Object(match text {
                Cow::Borrowed(text) => members(Fields::of_utf8(text)?)?,
                Cow::Owned(text) => members(Fields::of_utf8(text)?)?.into_iter().map(Member::into_owned).collect(),
            });
        }
        match &mut self.0 {
            Shape::Object(members) => Ok(members),
            Shape::Text(_) | Shape::List(_) => Err("the value is not an object".into()),
        }
    }

    /// The value as text without quotes. Borrowed unless it has escapes.
    ///
    /// # Errors
    /// [`Error::Other`] if the value is not a string.
    pub fn text(&self) -> Result<Cow<'_, str>, Error> {
        match &self.0 {
            Shape::Text(text) if text.starts_with(b"\"") => Ok(unescaped(text)),
            Shape::Text(_) | Shape::Object(_) | Shape::List(_) => Err("the value is not text".into()),
        }
    }

    /// The value as a `T`, read by serde.
    ///
    /// # Errors
    /// [`Error::NotJson`] if the value is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if let Shape::Text(text) = &self.0 {
            return Ok(values::read(text)?);
        }
        let mut text = Vec::new();
        self.clone().write(&mut text);
        Ok(values::read(&text)?)
    }

    fn into_owned(self) -> Value<'static> {
        Value(match self.0 {
            Shape::Text(text) => Shape::Text(Cow::Owned(text.into_owned())),
            Shape::Object(members) => Shape::Object(members.into_iter().map(Member::into_owned).collect()),
            Shape::List(items) => Shape::List(items.into_iter().map(Value::into_owned).collect()),
        })
    }

    fn write(self, out: &mut Vec<u8>) {
        match self.0 {
            Shape::Text(Cow::Borrowed(text)) => out.extend_from_slice(text),
            Shape::Text(Cow::Owned(text)) => {
                out.extend_from_slice(&text);
                buffer::give_back(text);
            }
            Shape::Object(members) => list(out, b'{', b'}', members, |out, member| {
                out.extend_from_slice(&member.quoted);
                out.push(b':');
                member.value.write(out);
            }),
            Shape::List(items) => list(out, b'[', b']', items, |out, item| item.write(out)),
        }
    }
}

impl Member<'_> {
    fn is(&self, key: &str) -> bool {
        match &self.quoted[1..self.quoted.len() - 1] {
            escaped if escaped.contains(&b'\\') => unescaped(&self.quoted) == key,
            inside => inside == key.as_bytes(),
        }
    }

    fn into_owned(self) -> Member<'static> {
        Member { quoted: Cow::Owned(self.quoted.into_owned()), value: self.value.into_owned() }
    }
}

fn members(fields: Fields<'_>) -> Result<Vec<Member<'_>>, Error> {
    let mut members = Vec::with_capacity(16);
    for field in fields {
        let field = field?;
        let value = Value(Shape::Text(Cow::Borrowed(field.value)));
        members.push(Member { quoted: Cow::Borrowed(field.quoted()), value });
    }
    Ok(members)
}

fn items(text: &[u8]) -> Result<Vec<Value<'_>>, Error> {
    let items: Vec<&RawValue> = serde_json::from_slice(text)?;
    Ok(items.into_iter().map(|item| Value(Shape::Text(Cow::Borrowed(item.get().as_bytes())))).collect())
}

fn list<T>(out: &mut Vec<u8>, open: u8, close: u8, items: Vec<T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(open);
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}

impl From<Value<'_>> for Outcome {
    fn from(value: Value<'_>) -> Outcome {
        let mut out = buffer::take();
        value.write(&mut out);
        Outcome::bytes(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: Value<'_>) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn what_is_not_looked_into_is_copied_as_it_came() {
        let mut value = Value::of(r#" { "a" : [1, 1.50] ,"b":{"c": "\u0041"}, "b2" : 1e2 } "#).expect("it is JSON");
        value.set("d", "x").expect("it is an object");
        assert_eq!(written(value.clone()), r#"{"a":[1, 1.50],"b":{"c": "\u0041"},"b2":1e2,"d":"x"}"#);
        value.member("b").expect("an object").expect("is there").set("c", &2).expect("it is an object");
        value.member("a").expect("an object").expect("is there").items().expect("a list").remove(0);
        assert_eq!(written(value), r#"{"a":[1.50],"b":{"c":2},"b2":1e2,"d":"x"}"#);
        for text in ["1", " [1 ]\n", "\"x\"", "null"] {
            assert_eq!(written(Value::of(text).expect(text)), text.trim());
        }
    }

    #[test]
    fn keys_are_known_by_their_meaning_and_the_last_of_two_counts() {
        let mut value = Value::of(r#"{"a":1,"\u0061":2,"\\n":3}"#).expect("it is JSON");
        assert_eq!(value.member("a").expect("an object").expect("is there").json::<u8>().expect("a number"), 2);
        assert!(value.member("\n").expect("an object").is_none());
        value.set("\\n", &4).expect("it is an object");
        value.set("a", &5).expect("it is an object");
        value.set("\"", &6).expect("it is an object");
        assert_eq!(written(value.clone()), r#"{"a":1,"\u0061":5,"\\n":4,"\"":6}"#);
        assert_eq!(value.remove("a").expect("an object").map(written).as_deref(), Some("5"));
        assert_eq!(written(value), r#"{"\\n":4,"\"":6}"#);
    }

    #[test]
    fn a_value_that_was_set_can_be_looked_into() {
        let mut value = Value::of("{}").expect("it is JSON");
        value.set("a", &json!({ "b": [1, { "c": "d\n" }] })).expect("it is an object");
        let list = value.member("a").expect("an object").expect("is there").member("b").expect("an object");
        let items = list.expect("is there").items().expect("a list");
        assert_eq!(items[1].member("c").expect("an object").expect("is there").text().expect("text"), "d\n");
        items[1].insert("e", Value::new(&[true]).expect("it is JSON")).expect("it is an object");
        assert_eq!(value.json::<serde_json::Value>().expect("any"), json!({"a":{"b":[1,{"c":"d\n","e":[true]}]}}));
    }

    #[test]
    fn what_it_is_not_is_said() {
        let mut value = Value::of("[1]").expect("it is JSON");
        assert_eq!(value.set("a", &1).unwrap_err().to_string(), "the value is not an object");
        assert_eq!(value.text().unwrap_err().to_string(), "the value is not text");
        let item = &mut value.items().expect("a list")[0];
        assert_eq!(item.items().unwrap_err().to_string(), "the value is not a list");
        assert!(item.json::<bool>().is_err());
        assert!(Value::new(&std::collections::BTreeMap::from([((), 1)])).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_json_and_stays_the_same(text in r#" ?[\[{]?([ "a:1,{}\[\].\\-]{0,12}|("a":[0-9]{0,3}[,. ]){0,3}"[a"]{0,2}:[0-9]{0,20})[\]}]?"#) {
            let expected: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            let value = Value::of(&text).ok();
            let again = value.as_ref().map(|value| serde_json::from_str(&written(value.clone())).expect("it is JSON"));
            prop_assert_eq!(again, expected);
        }
    }
}
