//! Reads an answer without asking much of it, so that what is wrong can be said of the record that it is about.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The type of a JSON value, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Null => "null",
            Form::Bool => "a boolean",
            Form::Number => "a number",
            Form::Text => "a string",
            Form::List => "a list",
            Form::Object => "an object",
        })
    }
}

impl Form {
    pub fn of(value: &Value) -> Form {
        match value {
            Value::Null => Form::Null,
            Value::Bool(_) => Form::Bool,
            Value::Number(_) => Form::Number,
            Value::String(_) => Form::Text,
            Value::Array(_) => Form::List,
            Value::Object(_) => Form::Object,
        }
    }
}

/// A text, or something else.
#[derive(Debug)]
pub enum Text<'a> {
    Is(Cow<'a, str>),
    Not(Form),
}

impl Text<'_> {
    pub fn text(&self) -> Option<&str> {
        match self {
            Text::Is(text) => Some(text),
            Text::Not(_) => None,
        }
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Text::Not(Form::Null)
    }
}

/// One record of the answer. A member that is not there is null.
#[derive(Debug, Default)]
pub struct Returned<'a> {
    pub record_id: Text<'a>,
    pub result: Text<'a>,
    pub data: Text<'a>,
    pub metadata: Value,
}

/// The records of an answer. The error says why it cannot be read.
pub fn records(payload: &[u8]) -> Result<Vec<Returned<'_>>, String> {
    let answer: Answer = serde_json::from_slice(payload).map_err(|error| format!("it is not JSON: {error}"))?;
    match answer {
        Answer::Records(Records::Are(all)) => all
            .into_iter()
            .map(|one| match one {
                One::Record(record) => Ok(record),
                One::Not(form) => Err(format!("`records` contains {form}, not an object")),
            })
            .collect(),
        Answer::Records(Records::Not(form)) => Err(format!("`records` is {form}, not a list")),
        Answer::Empty => Err("it has no `records`".into()),
        Answer::Not(form) => Err(format!("it is {form}, not an object with `records`")),
    }
}

enum Answer<'a> {
    Records(Records<'a>),
    Empty,
    Not(Form),
}

enum Records<'a> {
    Are(Vec<One<'a>>),
    Not(Form),
}

enum One<'a> {
    Record(Returned<'a>),
    Not(Form),
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    Records,
    RecordId,
    Result,
    Data,
    Metadata,
    #[serde(other)]
    Other,
}

/// Reads a value that has one form, or any other, of which only the form is kept. Of a member that is there twice the last counts.
macro_rules! lenient {
    ($visitor:ident => $value:ident, $($form:ident)*; $($wanted:item)*) => {
        struct $visitor;

        impl<'a> Visitor<'a> for $visitor {
            type Value = $value<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<$value<'a>, E> {
                Ok($value::Not(Form::Null))
            }

            fn visit_bool<E>(self, _: bool) -> Result<$value<'a>, E> {
                Ok($value::Not(Form::Bool))
            }

            fn visit_i64<E>(self, _: i64) -> Result<$value<'a>, E> {
                Ok($value::Not(Form::Number))
            }

            fn visit_u64<E>(self, _: u64) -> Result<$value<'a>, E> {
                Ok($value::Not(Form::Number))
            }

            fn visit_f64<E>(self, _: f64) -> Result<$value<'a>, E> {
                Ok($value::Not(Form::Number))
            }

            $(lenient!($form $value);)*
            $($wanted)*
        }

        impl<'a> Deserialize<'a> for $value<'a> {
            fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any($visitor)
            }
        }
    };
    (text $value:ident) => {
        fn visit_str<E>(self, _: &str) -> Result<$value<'a>, E> {
            Ok($value::Not(Form::Text))
        }
    };
    (list $value:ident) => {
        fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<$value<'a>, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value::Not(Form::List))
        }
    };
    (object $value:ident) => {
        fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<$value<'a>, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value::Not(Form::Object))
        }
    };
}

lenient! { TextVisitor => Text, list object;
    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Text::Is(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text::Is(Cow::Owned(text.to_owned())))
    }
}

lenient! { OneVisitor => One, text list;
    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<One<'a>, A::Error> {
        let mut record = Returned::default();
        while let Some(member) = object.next_key()? {
            match member {
                Member::RecordId => record.record_id = object.next_value()?,
                Member::Result => record.result = object.next_value()?,
                Member::Data => record.data = object.next_value()?,
                Member::Metadata => record.metadata = object.next_value()?,
                Member::Records | Member::Other => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(One::Record(record))
    }
}

lenient! { RecordsVisitor => Records, text object;
    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Records<'a>, A::Error> {
        let mut all = vec![];
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Records::Are(all))
    }
}

lenient! { AnswerVisitor => Answer, text list;
    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Answer<'a>, A::Error> {
        let mut answer = Answer::Empty;
        while let Some(member) = object.next_key()? {
            match member {
                Member::Records => answer = Answer::Records(object.next_value()?),
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(answer)
    }
}
