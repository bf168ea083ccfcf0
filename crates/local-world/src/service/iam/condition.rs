//! Conditions of a statement: whether what is known of a request meets them. Pure.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::glob::glob;

/// The known facts about a request: keys, in lower case, and their values. A key without values is known to be absent.
pub type Context = [(String, Vec<String>)];

/// One key, in lower case, and its value.
pub fn fact(key: &str, value: impl Into<String>) -> (String, Vec<String>) {
    (key.to_owned(), vec![value.into()])
}

/// Are all conditions met? One on a key of which nothing is known, or by an operator that there is not, counts as `unknown`.
pub fn met(conditions: &Value, context: &Context, unknown: bool) -> bool {
    each(conditions).all(|(operator, key, expected)| {
        let key = key.to_ascii_lowercase();
        match context.iter().find(|(known, _)| *known == key) {
            Some((_, actual)) => Operator::parse(operator).map_or(unknown, |operator| operator.met(expected, actual)),
            None => unknown,
        }
    })
}

/// The keys that the conditions ask for.
pub fn keys(conditions: &Value) -> impl Iterator<Item = &str> {
    each(conditions).map(|(_, key, _)| key)
}

/// Operator, key and expected values of each condition.
pub fn each(conditions: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let operators = conditions.as_object().into_iter().flatten();
    operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, expected)| (operator.as_str(), key.as_str(), expected))
    })
}

/// How several values of the request are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// There should be one only.
    None,
    ForAll,
    ForAny,
}

struct Operator {
    quantifier: Quantifier,
    comparison: Comparison,
    /// Does it ask for what is not so?
    negated: bool,
    /// Is a key that is not there good enough?
    if_exists: bool,
}

/// Whether the pattern of the policy and the request's value are what the operator asks for, before it is negated.
#[derive(Clone, Copy)]
enum Comparison {
    Null,
    Text(fn(&str, &str) -> bool),
    Number(fn(Ordering) -> bool),
    Date(fn(Ordering) -> bool),
}

impl Operator {
    /// Whatever the case of its letters.
    fn parse(name: &str) -> Option<Operator> {
        let name = name.to_ascii_lowercase();
        let (quantifier, name) = match name.split_once(':') {
            Some(("forallvalues", name)) => (Quantifier::ForAll, name.to_owned()),
            Some(("foranyvalue", name)) => (Quantifier::ForAny, name.to_owned()),
            _ => (Quantifier::None, name),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name.as_str(), false), |name| (name, true));
        let negated = name == "notipaddress"
            || ["string", "arn", "numeric", "date"]
                .iter()
                .any(|kind| name.strip_prefix(kind).is_some_and(|end| end.starts_with("not")));
        let name = if negated { name.replacen("not", "", 1) } else { name.to_owned() };
        Some(Operator { quantifier, comparison: Comparison::parse(&name)?, negated, if_exists })
    }

    fn met(&self, expected: &Value, actual: &[String]) -> bool {
        let expected = texts(expected);
        if matches!(self.comparison, Comparison::Null) {
            return expected.iter().any(|absent| absent.eq_ignore_ascii_case("true") == actual.is_empty());
        }
        let one =
            |actual: &String| expected.iter().any(|pattern| self.comparison.holds(pattern, actual)) != self.negated;
        match (self.quantifier, actual.is_empty()) {
            (Quantifier::ForAll, true) => true,
            (Quantifier::ForAny, true) => self.if_exists,
            (Quantifier::None, true) => self.if_exists || self.negated,
            (Quantifier::ForAll, false) => actual.iter().all(one),
            (Quantifier::ForAny | Quantifier::None, false) => actual.iter().any(one),
        }
    }
}

impl Comparison {
    fn parse(name: &str) -> Option<Comparison> {
        Some(match name {
            "null" => Comparison::Null,
            "stringequals" | "binaryequals" => Comparison::Text(|pattern, actual| pattern == actual),
            "stringequalsignorecase" | "bool" => Comparison::Text(str::eq_ignore_ascii_case),
            "stringlike" => Comparison::Text(glob),
            "arnequals" | "arnlike" => Comparison::Text(is_arn_like),
            "ipaddress" => Comparison::Text(is_in_block),
            _ => match name.strip_prefix("numeric") {
                Some(order) => Comparison::Number(ordered(order)?),
                None => Comparison::Date(ordered(name.strip_prefix("date")?)?),
            },
        })
    }

    fn holds(self, pattern: &str, actual: &str) -> bool {
        let compared = match self {
            Comparison::Null => None,
            Comparison::Text(matches) => return matches(pattern, actual),
            Comparison::Number(fits) => {
                number(actual).zip(number(pattern)).and_then(|(a, b)| a.partial_cmp(&b)).map(fits)
            }
            Comparison::Date(fits) => date(actual).zip(date(pattern)).map(|(a, b)| fits(a.cmp(&b))),
        };
        compared.unwrap_or(false)
    }
}

fn ordered(name: &str) -> Option<fn(Ordering) -> bool> {
    Some(match name {
        "equals" => Ordering::is_eq,
        "lessthan" => Ordering::is_lt,
        "lessthanequals" => Ordering::is_le,
        "greaterthan" => Ordering::is_gt,
        "greaterthanequals" => Ordering::is_ge,
        _ => return None,
    })
}

/// One scalar or several, as text.
pub fn texts(expected: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match expected {
        Value::Array(values) => values.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// A time or a day in ISO 8601, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    let seconds = || Timestamp::from_second(text.parse().ok()?).ok();
    text.parse().ok().or_else(day).or_else(seconds)
}

/// Each of the six parts of an ARN by itself.
fn is_arn_like(pattern: &str, actual: &str) -> bool {
    let parts = |arn: &'_ str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, actual) = (parts(pattern), parts(actual));
    pattern.len() == actual.len() && pattern.iter().zip(&actual).all(|(pattern, actual)| glob(pattern, actual))
}

/// An address, or those that share the first bits of one: `203.0.113.0/24`, `2001:db8::/32`.
fn is_in_block(block: &str, address: &str) -> bool {
    let (base, bits) = block.split_once('/').map_or((block, None), |(base, bits)| (base, Some(bits)));
    let Some((base, address)) = bits_of(base).zip(bits_of(address)) else { return false };
    let (base, address, width) = match (base, address) {
        ((base, width), (address, same)) if width == same => (base, address, width),
        _ => return false,
    };
    let bits = match bits.map(str::parse::<u32>) {
        None => width,
        Some(Ok(bits)) if bits <= width => bits,
        Some(_) => return false,
    };
    bits == 0 || (base ^ address) >> (width - bits) == 0
}

/// An address as a number, and of how many bits.
fn bits_of(address: &str) -> Option<(u128, u32)> {
    Some(match address.parse().ok()? {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_compares_as_its_operator_says() {
        for (operator, expected, actual, met) in [
            ("StringEquals", json!("a"), "a", true),
            ("StringEquals", json!("a"), "A", false),
            ("stringequals", json!(["b", "a"]), "a", true),
            ("StringNotEquals", json!(["b", "a"]), "a", false),
            ("StringNotEquals", json!(["b", "c"]), "a", true),
            ("StringEqualsIgnoreCase", json!("a"), "A", true),
            ("StringNotEqualsIgnoreCase", json!("a"), "A", false),
            ("StringLike", json!("a*"), "abc", true),
            ("StringNotLike", json!("a*"), "abc", false),
            ("Bool", json!("True"), "true", true),
            ("Bool", json!(false), "true", false),
            ("BinaryEquals", json!("QQ=="), "QQ==", true),
            ("NumericEquals", json!(10), "10.0", true),
            ("NumericNotEquals", json!("10"), "11", true),
            ("NumericLessThan", json!("10"), "9", true),
            ("NumericLessThan", json!("10"), "10", false),
            ("NumericLessThanEquals", json!("10"), "10", true),
            ("NumericGreaterThan", json!("10"), "100", true),
            ("NumericGreaterThanEquals", json!("10"), "9", false),
            ("NumericEquals", json!("ten"), "10", false),
            ("DateLessThan", json!("2026-11-23T00:00:00Z"), "2026-11-22T23:59:59Z", true),
            ("DateGreaterThan", json!("2026-11-23"), "2026-11-23T00:00:01Z", true),
            ("DateEquals", json!("1795392000"), "2026-11-23T00:00:00Z", true),
            ("DateGreaterThanEquals", json!("2027-01-01T00:00:00+01:00"), "2026-12-31T23:00:00Z", true),
            ("IpAddress", json!("203.0.113.0/24"), "203.0.113.9", true),
            ("IpAddress", json!(["10.0.0.1", "127.0.0.1"]), "127.0.0.1", true),
            ("IpAddress", json!("203.0.113.0/24"), "203.0.114.9", false),
            ("IpAddress", json!("2001:db8::/32"), "2001:db8:1::1", true),
            ("IpAddress", json!("0.0.0.0/0"), "127.0.0.1", true),
            ("IpAddress", json!("0.0.0.0/33"), "127.0.0.1", false),
            ("NotIpAddress", json!("203.0.113.0/24"), "127.0.0.1", true),
            ("ArnLike", json!("arn:aws:iam::*:role/a*"), "arn:aws:iam::1:role/ab", true),
            ("ArnEquals", json!("arn:aws:*:role/a"), "arn:aws:iam::1:role/a", false),
            ("ArnNotLike", json!("arn:aws:iam::1:role/*"), "arn:aws:iam::1:role/a", false),
            ("Null", json!("true"), "a", false),
            ("Null", json!(false), "a", true),
        ] {
            let conditions = json!({ operator: { "aws:Key": expected } });
            assert_eq!(super::met(&conditions, &[fact("aws:key", actual)], !met), met, "{conditions} {actual}");
        }
    }

    #[test]
    fn keys_may_have_no_value_or_several() {
        for (operator, expected, actual, met) in [
            ("StringEquals", json!("a"), vec![], false),
            ("StringEqualsIfExists", json!("a"), vec![], true),
            ("StringEqualsIfExists", json!("a"), vec!["b"], false),
            ("StringNotEquals", json!("a"), vec![], true),
            ("Null", json!("true"), vec![], true),
            ("ForAllValues:StringEquals", json!(["a", "b"]), vec!["b", "a"], true),
            ("ForAllValues:StringEquals", json!(["a", "b"]), vec!["b", "c"], false),
            ("ForAllValues:StringEquals", json!(["a"]), vec![], true),
            ("ForAnyValue:StringLike", json!(["a*"]), vec!["b", "ab"], true),
            ("ForAnyValue:StringLike", json!(["a*"]), vec!["b"], false),
            ("ForAnyValue:StringLike", json!(["a*"]), vec![], false),
            ("ForAnyValue:StringNotEquals", json!(["a"]), vec!["a", "b"], true),
            ("ForAllValues:StringNotEquals", json!(["a"]), vec!["a", "b"], false),
        ] {
            let conditions = json!({ operator: { "k": expected } });
            let actual: Vec<String> = actual.into_iter().map(str::to_owned).collect();
            assert_eq!(super::met(&conditions, &[("k".into(), actual.clone())], !met), met, "{conditions} {actual:?}");
        }
    }

    #[test]
    fn all_conditions_count_and_what_is_not_known_counts_as_it_is_said() {
        let context = [fact("known", "a")];
        for (conditions, unknown, met) in [
            (json!({}), false, true),
            (Value::Null, false, true),
            (json!({ "StringEquals": { "Known": "a", "other": "b" } }), true, true),
            (json!({ "StringEquals": { "Known": "a", "other": "b" } }), false, false),
            (json!({ "StringEquals": { "Known": "b" }, "Bool": { "other": "b" } }), true, false),
        ] {
            assert_eq!(super::met(&conditions, &context, unknown), met, "{conditions} {unknown}");
        }
        let both = json!({ "StringEquals": { "A": "a" }, "Null": { "b": "true" } });
        let mut asked: Vec<&str> = keys(&both).collect();
        asked.sort_unstable();
        assert_eq!(asked, ["A", "b"]);
    }
}
