//! Prefixes of object keys: text and `!{namespace:value}` expressions, checked when set and evaluated when an object is
//! closed. <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>

use std::collections::BTreeMap;

use jiff::Zoned;

use super::date::Pattern;

/// What stands where no expression says otherwise.
const DEFAULT_TIME: &str = "yyyy/MM/dd/HH/";
const RANDOM_LENGTH: usize = 11;

/// A partition key, by where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionKey {
    FromLambda(String),
    FromQuery(String),
}

/// Values of the partition keys that a prefix names.
pub type PartitionKeys = BTreeMap<PartitionKey, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Timestamp(Pattern),
    RandomString,
    ErrorOutputType,
    Key(PartitionKey),
}

/// What an object is, as far as its key goes.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Arrival of the oldest record, in the delivery stream's time zone.
    pub time: &'a Zoned,
    /// `processing-failed`, ...: for an object of failures.
    pub error_type: Option<&'a str>,
    pub partition_keys: &'a PartitionKeys,
    /// Decides what random strings are.
    pub seed: &'a str,
}

/// Why a text is no prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// `!{` begins no expression.
    Usage,
    /// There is no such namespace.
    Namespace(String),
    /// The namespace has no such value.
    Value,
    /// AWS would know this letter of a time.
    Letter(char),
}

impl Wrong {
    /// Of the prefix that is this member, in the words of AWS.
    pub fn told(&self, member: &str) -> String {
        match self {
            Wrong::Usage => "Invalid expression usage".into(),
            Wrong::Namespace(namespace) => {
                format!("Namespace to the left of colon ({namespace}) is an invalid keyword!")
            }
            Wrong::Letter(letter) => {
                format!("{letter} is not a letter of a timestamp pattern that the local engine knows")
            }
            Wrong::Value => format!("Invalid conversion character used in the value of the expression in {member}"),
        }
    }
}

impl Prefix {
    pub fn parse(text: &str) -> Result<Prefix, Wrong> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some(start) = rest.find("!{") {
            let end = rest[start..].find('}').ok_or(Wrong::Usage)? + start;
            if start > 0 {
                parts.push(Part::Text(rest[..start].into()));
            }
            parts.push(expression(&rest[start + 2..end])?);
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Prefix(parts))
    }

    pub fn has_expressions(&self) -> bool {
        self.0.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    pub fn names_the_error_type(&self) -> bool {
        self.0.contains(&Part::ErrorOutputType)
    }

    /// The partition keys that it needs.
    pub fn partition_keys(&self) -> impl Iterator<Item = &PartitionKey> {
        self.0.iter().filter_map(|part| match part {
            Part::Key(key) => Some(key),
            Part::Text(_) | Part::Timestamp(_) | Part::RandomString | Part::ErrorOutputType => None,
        })
    }

    /// Whether it names the key of this name that a query takes from records.
    pub fn queries(&self, name: &str) -> bool {
        self.partition_keys().any(|key| matches!(key, PartitionKey::FromQuery(there) if there == name))
    }

    /// Of what is evaluated, without what is appended where there is no expression: in units of UTF-16, as Java counts.
    pub fn length(&self, facts: Facts) -> usize {
        self.filled_in(facts).encode_utf16().count()
    }

    /// As the beginning of a key. Without any expression the error type, if there is one, and the hour are appended.
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
        for (i, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Timestamp(pattern) => out.push_str(&pattern.format(facts.time)),
                Part::RandomString => {
                    let digits = super::ident::hex(&[facts.seed, &i.to_string()]);
                    out.push_str(&digits[..RANDOM_LENGTH]);
                }
                Part::ErrorOutputType => out.push_str(facts.error_type.unwrap_or_default()),
                Part::Key(key) => out.push_str(facts.partition_keys.get(key).map_or("", String::as_str)),
            }
        }
        out
    }
}

fn expression(text: &str) -> Result<Part, Wrong> {
    match text.split_once(':').ok_or(Wrong::Usage)? {
        (_, "") => Err(Wrong::Usage),
        ("timestamp", pattern) => {
            Pattern::parse(pattern).map(Part::Timestamp).map_err(|letter| letter.map_or(Wrong::Value, Wrong::Letter))
        }
        ("firehose", "random-string") => Ok(Part::RandomString),
        ("firehose", "error-output-type") => Ok(Part::ErrorOutputType),
        ("partitionKeyFromLambda", key) => Ok(Part::Key(PartitionKey::FromLambda(key.into()))),
        ("partitionKeyFromQuery", key) => Ok(Part::Key(PartitionKey::FromQuery(key.into()))),
        ("firehose", _) => Err(Wrong::Value),
        (namespace, _) => Err(Wrong::Namespace(namespace.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(prefix: &str, error_type: Option<&str>) -> String {
        let time: Zoned = "2026-07-13T14:05:09+00:00[UTC]".parse().unwrap();
        let partition_keys = PartitionKeys::from([
            (PartitionKey::FromLambda("customer".into()), "c1".into()),
            (PartitionKey::FromQuery("customer".into()), "q1".into()),
        ]);
        let facts = Facts { time: &time, error_type, partition_keys: &partition_keys, seed: "seed" };
        Prefix::parse(prefix).unwrap().evaluate(facts)
    }

    #[test]
    fn prefixes_are_evaluated_as_the_service_does() {
        let failed = Some("processing-failed");
        let table = [
            ("", None, "2026/07/13/14/"),
            ("legacy", None, "legacy2026/07/13/14/"),
            ("data/raw/good/", None, "data/raw/good/2026/07/13/14/"),
            ("myPrefix/!{timestamp:yyyy}/anyMonth/", None, "myPrefix/2026/anyMonth/"),
            ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/", None, "y=2026/m=07/"),
            ("!{timestamp:'year='yyyy}/", None, "year=2026/"),
            ("c=!{partitionKeyFromLambda:customer}/", None, "c=c1/"),
            ("!{partitionKeyFromQuery:customer}/!{timestamp:yyyy}/", None, "q1/2026/"),
            ("myFirehoseFailures/!{firehose:error-output-type}/", failed, "myFirehoseFailures/processing-failed/"),
            ("", failed, "processing-failed/2026/07/13/14/"),
            ("bad/", failed, "bad/processing-failed/2026/07/13/14/"),
        ];
        for (prefix, error_type, expected) in table {
            assert_eq!(evaluated(prefix, error_type), expected, "{prefix}");
        }
    }

    #[test]
    fn random_strings_are_fresh_at_each_occurrence() {
        let key = evaluated("!{firehose:random-string}/!{firehose:random-string}", None);
        let (first, second) = key.split_once('/').unwrap();
        assert_eq!((first.len(), second.len()), (RANDOM_LENGTH, RANDOM_LENGTH));
        assert_ne!(first, second);
    }

    /// Firehose's model allows 1,024 characters.
    #[test]
    fn long_prefixes_are_evaluated_too() {
        for (prefix, length) in [
            (format!("!{{timestamp:{}}}", "n-".repeat(505)), 1_010),
            (format!("!{{timestamp:{}}}", "'".repeat(1_010)), 505),
            ("!{timestamp:y}".repeat(73), 73 * 4),
            ("!{firehose:random-string}".repeat(40), 40 * RANDOM_LENGTH),
            ("!{partitionKeyFromQuery:customer}".repeat(31), 31 * 2),
            (format!("{}!{{timestamp:yy}}", "{".repeat(1_000)), 1_002),
        ] {
            assert_eq!(evaluated(&prefix, None).len(), length, "{prefix:.40}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let table = [
            ("!{timestamp:yyyy", Wrong::Usage),
            ("!{timestamp}", Wrong::Usage),
            ("!{timestamp:}", Wrong::Usage),
            ("!{}", Wrong::Usage),
            (&"!{".repeat(512), Wrong::Usage),
            ("!{time:yyyy}", Wrong::Namespace("time".into())),
            ("!{firehose:random}", Wrong::Value),
            ("!{timestamp:yyyyb}", Wrong::Value),
            (&format!("!{{timestamp:{}}}", "n".repeat(1_011)), Wrong::Value),
        ];
        for (prefix, expected) in table {
            assert_eq!(Prefix::parse(prefix), Err(expected), "{prefix}");
        }
    }
}
