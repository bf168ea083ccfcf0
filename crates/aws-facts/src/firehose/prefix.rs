//! Prefixes of object keys: text and `!{namespace:value}` expressions, evaluated when an object is written.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>

use std::collections::BTreeMap;
use std::fmt;

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::date::{self, Field, Pattern};

/// Firehose appends this pattern to a prefix without expressions.
const DEFAULT_TIME: &str = "yyyy/MM/dd/HH/";
/// Characters of `!{firehose:random-string}` after evaluation.
pub const RANDOM_STRING_LENGTH: usize = 11;

const FORMS: [&str; 5] = [
    "timestamp:PATTERN",
    "firehose:random-string",
    "firehose:error-output-type",
    "partitionKeyFromQuery:KEY",
    "partitionKeyFromLambda:KEY",
];

/// A partition key, by where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionKey {
    /// The transform returns it, under this name.
    FromLambda(String),
    /// The jq query yields it, under this name.
    FromQuery(String),
}

/// Values of the partition keys that a prefix names.
pub type PartitionKeys = BTreeMap<PartitionKey, String>;

/// A parsed prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefix(Vec<Piece>);

/// A piece of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text that stands for itself.
    Text(String),
    /// `!{timestamp:PATTERN}`
    Timestamp(Pattern),
    /// `!{firehose:random-string}`
    RandomString,
    /// `!{firehose:error-output-type}`
    ErrorOutputType,
    /// `!{partitionKeyFromLambda:KEY}` or `!{partitionKeyFromQuery:KEY}`
    Key(PartitionKey),
}

/// The parts of an object's key.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Arrival of the oldest record, in the delivery stream's time zone.
    pub time: &'a Zoned,
    /// `processing-failed`, ...: for an object of failures.
    pub error_type: Option<&'a str>,
    /// The partition keys of the object's records.
    pub partition_keys: &'a PartitionKeys,
    /// The random string at a place among the pieces, of [`RANDOM_STRING_LENGTH`] characters.
    pub random_string: &'a dyn Fn(usize) -> String,
}

/// Why a text is no prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// `!{` without `}`.
    Open,
    /// The text in the braces is not `namespace:value`.
    Form(String),
    /// There is no such namespace.
    Namespace {
        /// The text before the colon.
        namespace: String,
        /// The text in the braces.
        expression: String,
    },
    /// The namespace has no such value.
    Value(String),
    /// The pattern of a time stamp is wrong.
    Pattern(date::Mistake),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::Open => f.write_str("`!{` without `}`"),
            Mistake::Form(expression) | Mistake::Namespace { expression, .. } | Mistake::Value(expression) => {
                write!(f, "`!{{{expression}}}` is no expression of Firehose's")
            }
            Mistake::Pattern(mistake) => mistake.fmt(f),
        }
    }
}

impl Mistake {
    /// The correct form.
    pub fn expected(&self) -> String {
        match self {
            Mistake::Open => format!("!{{{}}}", FORMS[0]),
            Mistake::Form(_) | Mistake::Namespace { .. } | Mistake::Value(_) => format!("one of {}", FORMS.join(", ")),
            Mistake::Pattern(_) => "a pattern of Java's DateTimeFormatter, such as yyyy/MM/dd/HH".into(),
        }
    }
}

/// Which of a destination's prefixes one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The prefix of delivered objects.
    Prefix,
    /// The prefix of objects with failed records.
    ErrorOutputPrefix,
}

/// An expression that Firehose refuses in a prefix of this role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misused {
    /// `error-output-type` is for error prefixes.
    ErrorTypeInPrefix,
    /// An error prefix with expressions names the error type.
    NoErrorType,
    /// Partition keys are for prefixes.
    KeyInErrorPrefix,
}

impl Prefix {
    /// Parses a prefix.
    ///
    /// # Errors
    /// The first expression that Firehose does not take.
    pub fn parse(text: &str) -> Result<Prefix, Mistake> {
        let mut pieces = vec![];
        let mut rest = text;
        while let Some(start) = rest.find("!{") {
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].into()));
            }
            let inner = &rest[start + 2..];
            let end = inner.find('}').ok_or(Mistake::Open)?;
            pieces.push(expression(&inner[..end])?);
            rest = &inner[end + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Prefix(pieces))
    }

    /// The pieces, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// A prefix with expressions needs an error prefix, and nothing is appended to it.
    pub fn has_expressions(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// The partition keys that it needs.
    pub fn partition_keys(&self) -> impl Iterator<Item = &PartitionKey> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Key(key) => Some(key),
            Piece::Text(_) | Piece::Timestamp(_) | Piece::RandomString | Piece::ErrorOutputType => None,
        })
    }

    /// Whether it names the key of this name that a query takes from records.
    pub fn queries(&self, name: &str) -> bool {
        self.partition_keys().any(|key| matches!(key, PartitionKey::FromQuery(there) if there == name))
    }

    /// The patterns of its time stamps.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Timestamp(pattern) => Some(pattern),
            Piece::Text(_) | Piece::Key(_) | Piece::RandomString | Piece::ErrorOutputType => None,
        })
    }

    /// The first field of a time stamp whose value in a time zone is not known here, and why.
    pub fn unknown(&self, zone: &TimeZone) -> Option<(&Field, &'static str)> {
        self.patterns().find_map(|pattern| pattern.unknown(zone))
    }

    /// Every expression that Firehose refuses in a prefix of this role.
    pub fn misused(&self, role: Role) -> Vec<Misused> {
        let error_type = self.0.contains(&Piece::ErrorOutputType);
        let found = match role {
            Role::Prefix => [error_type.then_some(Misused::ErrorTypeInPrefix), None],
            Role::ErrorOutputPrefix => [
                self.partition_keys().next().map(|_| Misused::KeyInErrorPrefix),
                (self.has_expressions() && !error_type).then_some(Misused::NoErrorType),
            ],
        };
        found.into_iter().flatten().collect()
    }

    /// The length after evaluation in units of UTF-16, as Java counts, without the time that Firehose appends to a prefix without
    /// expressions.
    pub fn length(&self, facts: Facts) -> usize {
        self.filled_in(facts).encode_utf16().count()
    }

    /// Evaluates the prefix: the result is the beginning of an object's key. If the prefix has no expression, Firehose appends the error
    /// type, if there is one, and the hour.
    ///
    /// The documentation says that Firehose appends the hour to every prefix without a time stamp. On AWS it was seen that any
    /// expression prevents that.
    pub fn evaluate(&self, facts: Facts) -> String {
        let mut out = self.filled_in(facts);
        if !self.has_expressions() {
            if let Some(error_type) = facts.error_type {
                out.push_str(error_type);
                out.push('/');
            }
            let default = Pattern::parse(DEFAULT_TIME).expect("a pattern of known letters");
            out.push_str(&default.format(facts.time));
        }
        out
    }

    fn filled_in(&self, facts: Facts) -> String {
        let mut out = String::new();
        for (place, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Timestamp(pattern) => out.push_str(&pattern.format(facts.time)),
                Piece::RandomString => out.push_str(&(facts.random_string)(place)),
                Piece::ErrorOutputType => out.push_str(facts.error_type.unwrap_or_default()),
                Piece::Key(key) => out.push_str(facts.partition_keys.get(key).map_or("", String::as_str)),
            }
        }
        out
    }
}

fn expression(text: &str) -> Result<Piece, Mistake> {
    match text.split_once(':') {
        None | Some((_, "")) => Err(Mistake::Form(text.into())),
        Some(("timestamp", pattern)) => Pattern::parse(pattern).map(Piece::Timestamp).map_err(Mistake::Pattern),
        Some(("firehose", "random-string")) => Ok(Piece::RandomString),
        Some(("firehose", "error-output-type")) => Ok(Piece::ErrorOutputType),
        Some(("firehose", _)) => Err(Mistake::Value(text.into())),
        Some(("partitionKeyFromLambda", key)) => Ok(Piece::Key(PartitionKey::FromLambda(key.into()))),
        Some(("partitionKeyFromQuery", key)) => Ok(Piece::Key(PartitionKey::FromQuery(key.into()))),
        Some((namespace, _)) => Err(Mistake::Namespace { namespace: namespace.into(), expression: text.into() }),
    }
}

#[cfg(test)]
mod tests;
