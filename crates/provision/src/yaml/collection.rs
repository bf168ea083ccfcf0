//! Shapes made of other shapes: lists, mappings with the user's own keys, a word or a record, anything at all.

use serde_json::{Value as Json, json};
use serde_yaml::Value as Yaml;

use super::diagnostic::Mistake;
use super::interpolate::escape;
use super::shape::{At, Record, Scalar, Shape, at, pairs, unexpected};
use super::tree::{Node, Pair, Value};

impl<T: Shape> Shape for Vec<At<T>> {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        match &node.value {
            Value::List(items) => Some(items.iter().filter_map(|item| at(item, mistakes)).collect()),
            Value::Wrong => None,
            Value::Null | Value::Scalar(_) | Value::Map(_) => {
                mistakes.push(Mistake::error(node.at, unexpected(node)).expected("a list: [one, two]"));
                None
            }
        }
    }

    fn write(&self) -> Yaml {
        self.iter().map(|item| item.value.write()).collect::<Vec<Yaml>>().into()
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// A mapping whose keys the user chooses, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Map<T> {
    pub pairs: Vec<(At<String>, At<T>)>,
    /// Keys whose values were reported as mistakes.
    pub wrong: Vec<String>,
}

impl<T> Map<T> {
    /// To be written.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, T)>) -> Map<T> {
        let at = |key| At { value: key, ..At::default() };
        let pairs =
            pairs.into_iter().map(|(key, value)| (at(key), At { value, at: Default::default(), varies: false }));
        Map { pairs: pairs.collect(), wrong: Vec::new() }
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map { pairs: Vec::new(), wrong: Vec::new() }
    }
}

impl<T: Shape> Shape for Map<T> {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mut map = Map::default();
        for pair in pairs(node, mistakes, || "a mapping: names and values".to_owned())? {
            let key = At { value: pair.key.clone(), at: pair.key_at, varies: false };
            match at(&pair.value, mistakes) {
                Some(value) => map.pairs.push((key, value)),
                None => map.wrong.push(pair.key.clone()),
            }
        }
        Some(map)
    }

    fn write(&self) -> Yaml {
        let pairs = self.pairs.iter().map(|(key, value)| (Yaml::from(key.value.as_str()), value.value.write()));
        Yaml::Mapping(pairs.collect())
    }

    fn schema() -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema() })
    }
}

/// A word, or a mapping that says more.
#[derive(Debug, Clone)]
pub(crate) enum Either<S, R> {
    Word(S),
    Record(R),
}

impl<S: Scalar, R: Record + Shape> Shape for Either<S, R> {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        match node.value {
            Value::Map(_) => R::read(node, mistakes).map(Either::Record),
            Value::Null | Value::Scalar(_) | Value::List(_) | Value::Wrong => S::read(node, mistakes).map(Either::Word),
        }
    }

    fn write(&self) -> Yaml {
        match self {
            Either::Word(word) => Scalar::write(word),
            Either::Record(record) => Shape::write(record),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [<S as Scalar>::schema(), R::schema()] })
    }
}

/// Anything at all: the conditions of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Anything(pub Json);

impl Shape for Anything {
    fn read(node: &Node, _: &mut Vec<Mistake>) -> Option<Self> {
        Some(Anything(anything(node)?))
    }

    fn write(&self) -> Yaml {
        escaped(&self.0)
    }

    fn schema() -> Json {
        json!({ "type": "object" })
    }
}

fn anything(node: &Node) -> Option<Json> {
    Some(match &node.value {
        Value::Wrong => return None,
        Value::Null => Json::Null,
        Value::Scalar(text) => Json::String(text.clone()),
        Value::List(items) => items.iter().map(anything).collect::<Option<Vec<Json>>>()?.into(),
        Value::Map(pairs) => {
            let member = |pair: &Pair| Some((pair.key.clone(), anything(&pair.value)?));
            Json::Object(pairs.iter().map(member).collect::<Option<_>>()?)
        }
    })
}

/// Every scalar as a text: numbers and booleans were read as such.
fn escaped(value: &Json) -> Yaml {
    match value {
        Json::String(text) => escape(text).into(),
        Json::Array(items) => items.iter().map(escaped).collect::<Vec<Yaml>>().into(),
        Json::Object(members) => {
            Yaml::Mapping(members.iter().map(|(key, value)| (Yaml::from(key.as_str()), escaped(value))).collect())
        }
        Json::Null => Yaml::Null,
        Json::Bool(_) | Json::Number(_) => value.to_string().into(),
    }
}
