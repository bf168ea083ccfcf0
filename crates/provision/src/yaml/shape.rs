//! Reading a tree into typed values, and writing them as YAML. All mistakes are reported at once: a value that cannot be read is
//! reported and left out, and the rest is read. A record says each of its fields once: name, type with bounds, default,
//! description. Its reader, its writer and its JSON Schema come from that.

use serde_json::Value as Json;
use serde_yaml::{Mapping, Value as Yaml};

use super::diagnostic::{Mistake, Span};
use super::tree::{Node, Pair, Value};

/// A value and where it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct At<T> {
    pub value: T,
    pub at: Span,
    /// Is it another one in another environment, as `${env}` stands in it?
    pub varies: bool,
}

impl<T> At<T> {
    pub(crate) fn text(self) -> At<String>
    where
        T: Into<String>,
    {
        At { value: self.value.into(), at: self.at, varies: self.varies }
    }

    pub(crate) fn map<U>(&self, f: impl FnOnce(&T) -> U) -> At<U> {
        At { value: f(&self.value), at: self.at, varies: self.varies }
    }
}

/// The value of a field that is written without having been read.
pub(crate) fn said<T>(value: T) -> Option<At<T>> {
    Some(At { value, at: Span::default(), varies: false })
}

/// A type that is read from a node and written as one.
pub(crate) trait Shape: Sized {
    /// `None` when it was reported as a mistake.
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Self>;
    /// As it is read again.
    fn write(&self) -> Yaml;
    fn schema() -> Json;
}

/// A type that is read from one word and written as one.
pub(crate) trait Scalar: Sized {
    /// Text for people: "a whole number from 1 to 10".
    fn expected() -> String;
    /// The error says what is wrong with `text`.
    fn parse(text: &str) -> Result<Self, String>;
    /// The inverse of `parse`.
    fn write(&self) -> Yaml;
    fn schema() -> Json;
    /// All there is, of a closed set.
    fn choices() -> Vec<&'static str> {
        Vec::new()
    }
}

impl<T: Scalar> Shape for T {
    fn read(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<T> {
        let text = match &node.value {
            Value::Scalar(text) => text,
            Value::Wrong => return None,
            Value::Null | Value::List(_) | Value::Map(_) => {
                mistakes.push(Mistake::error(node.at, unexpected(node)).expected(T::expected()));
                return None;
            }
        };
        let refused = |what| Mistake::error(node.at, what).expected(T::expected()).nearest(text, T::choices());
        T::parse(text).map_err(|what| mistakes.push(refused(what))).ok()
    }

    fn write(&self) -> Yaml {
        <T as Scalar>::write(self)
    }

    fn schema() -> Json {
        <T as Scalar>::schema()
    }
}

/// One field of a record.
pub(crate) struct Field {
    pub name: &'static str,
    pub doc: &'static str,
    /// As it would be written.
    pub default: Option<&'static str>,
    pub schema: fn() -> Json,
}

/// A mapping with known keys.
pub(crate) trait Record: Sized + Clone + Default {
    const ABOUT: &'static str;
    fn fields() -> Vec<Field>;
    fn take(pairs: &[Pair], mistakes: &mut Vec<Mistake>) -> Self;
    /// Adds the fields that it has, in their order.
    fn write_into(&self, mapping: &mut Mapping);
    /// Itself, with what it does not say taken from `other`.
    fn or(self, other: &Self) -> Self;
    /// Was this key written, but with a value that was reported as a mistake?
    fn is_wrong(&self, field: &str) -> bool;
}

/// Declares a record: a struct of optional fields, its reader, its schema, and a getter for each field with a default.
macro_rules! record {
    ($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $default:expr)?;)*
    }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub $field: Option<$crate::yaml::shape::At<$type>>,)*
            /// Keys that were written, but with a value that was reported as a mistake.
            pub wrong: Vec<&'static str>,
        }

        impl $crate::yaml::shape::Record for $name {
            const ABOUT: &'static str = concat!($($about),*);

            fn fields() -> Vec<$crate::yaml::shape::Field> {
                vec![$($crate::yaml::shape::Field {
                    name: $crate::yaml::shape::key(stringify!($field)),
                    doc: concat!($($doc),*),
                    default: None$(.or(Some($default)))?,
                    schema: <$type as $crate::yaml::shape::Shape>::schema,
                }),*]
            }

            fn take(
                pairs: &[$crate::yaml::tree::Pair],
                mistakes: &mut Vec<$crate::yaml::diagnostic::Mistake>,
            ) -> Self {
                let mut wrong = Vec::new();
                $(let $field = $crate::yaml::shape::take(pairs, stringify!($field), mistakes, &mut wrong);)*
                $name { $($field,)* wrong }
            }

            fn write_into(&self, mapping: &mut serde_yaml::Mapping) {
                $(if let Some(said) = &self.$field {
                    let value = $crate::yaml::shape::Shape::write(&said.value);
                    mapping.insert($crate::yaml::shape::key(stringify!($field)).into(), value);
                })*
            }

            fn or(self, other: &Self) -> Self {
                let wrong = [self.wrong, other.wrong.clone()].concat();
                $name { $($field: self.$field.or_else(|| other.$field.clone()),)* wrong }
            }

            fn is_wrong(&self, field: &str) -> bool {
                self.wrong.contains(&field)
            }
        }

        impl $crate::yaml::shape::Shape for $name {
            fn read(
                node: &$crate::yaml::tree::Node,
                mistakes: &mut Vec<$crate::yaml::diagnostic::Mistake>,
            ) -> Option<Self> {
                let pairs = $crate::yaml::shape::known_pairs(node, &<Self as $crate::yaml::shape::Record>::fields(), mistakes)?;
                Some(<Self as $crate::yaml::shape::Record>::take(pairs, mistakes))
            }

            fn write(&self) -> serde_yaml::Value {
                let mut mapping = serde_yaml::Mapping::new();
                $crate::yaml::shape::Record::write_into(self, &mut mapping);
                mapping.into()
            }

            fn schema() -> serde_json::Value {
                $crate::yaml::schema::object(
                    <Self as $crate::yaml::shape::Record>::ABOUT,
                    &<Self as $crate::yaml::shape::Record>::fields(),
                )
            }
        }

        impl $name {
            $($(pub(crate) fn $field(&self) -> $type {
                match &self.$field {
                    Some(said) => said.value.clone(),
                    None => $crate::yaml::shape::default($default),
                }
            })?)*
        }
    };
}
pub(crate) use record;

/// The key that a field of a record is written with: `crate` is no name for a field in Rust, so it is `crate_` there.
pub(crate) fn key(field: &'static str) -> &'static str {
    field.trim_end_matches('_')
}

pub(crate) fn default<T: Scalar>(text: &str) -> T {
    T::parse(text).expect("defaults are valid: a test fills in every one")
}

/// Reads a field of a record; puts its key into `wrong` when it is there and cannot be read.
pub(crate) fn take<T: Shape>(
    pairs: &[Pair],
    field: &'static str,
    mistakes: &mut Vec<Mistake>,
    wrong: &mut Vec<&'static str>,
) -> Option<At<T>> {
    let pair = pairs.iter().find(|pair| pair.key == key(field))?;
    let read = at(&pair.value, mistakes);
    if read.is_none() {
        wrong.push(key(field));
    }
    read
}

pub(crate) fn at<T: Shape>(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<At<T>> {
    Some(At { value: T::read(node, mistakes)?, at: node.at, varies: node.varies })
}

/// The pairs of a mapping, after keys that are none of `fields` were reported. Nothing written is an empty mapping.
pub(crate) fn known_pairs<'n>(node: &'n Node, fields: &[Field], mistakes: &mut Vec<Mistake>) -> Option<&'n [Pair]> {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let pairs = pairs(node, mistakes, || format!("a mapping with {}", names.join(", ")))?;
    for pair in pairs.iter().filter(|pair| !names.contains(&pair.key.as_str())) {
        let mistake = Mistake::error(pair.key_at, format!("there is no key `{}` here", pair.key));
        mistakes.push(mistake.expected("unknown key").nearest_or_all(&pair.key, &names));
    }
    Some(pairs)
}

/// The pairs of a mapping. Nothing written is an empty mapping.
pub(crate) fn pairs<'n>(
    node: &'n Node,
    mistakes: &mut Vec<Mistake>,
    expected: impl Fn() -> String,
) -> Option<&'n [Pair]> {
    match &node.value {
        Value::Map(pairs) => Some(pairs),
        Value::Null => Some(&[]),
        Value::Wrong => None,
        Value::Scalar(_) | Value::List(_) => {
            mistakes.push(Mistake::error(node.at, unexpected(node)).expected(expected()));
            None
        }
    }
}

/// Describes a node of the wrong form.
pub(crate) fn unexpected(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "there is no value here",
        Value::Scalar(_) => "a single value does not fit here",
        Value::List(_) => "a list does not fit here",
        Value::Map(_) | Value::Wrong => "a mapping does not fit here",
    }
}
