//! Patterns that find events: by terms, by a regular expression, by the fields of JSON, or by columns.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

mod condition;

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use condition::Condition;

use crate::request::AwsError;

/// A filter pattern.
#[derive(Debug)]
pub enum Pattern {
    Terms(Vec<Term>),
    /// `%expression%`
    Expression(Regex),
    /// `{ $.field = value }`: of events that are JSON.
    Json(Condition),
    /// `[first, second = value, ..., last]`: of events that are words.
    Columns(Vec<Column>),
}

#[derive(Debug, PartialEq)]
pub struct Term {
    text: String,
    sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Required,
    Excluded,
    /// `?word`: one of these is enough.
    Optional,
}

#[derive(Debug)]
pub enum Column {
    One(Option<Condition>),
    /// `...`: any number of words.
    Any,
}

impl Pattern {
    /// # Errors
    /// `InvalidParameterException`
    pub fn parse(text: &str) -> Result<Pattern, AwsError> {
        let text = text.trim();
        let within = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let pattern = if text.starts_with('{') {
            within('{', '}').and_then(Condition::of_fields).map(Pattern::Json)
        } else if text.starts_with('[') {
            within('[', ']').and_then(columns).map(Pattern::Columns)
        } else if text.starts_with('%') {
            within('%', '%').and_then(expression).map(Pattern::Expression)
        } else {
            Some(Pattern::Terms(terms(text)))
        };
        pattern.ok_or_else(|| AwsError::new("InvalidParameterException", "Invalid filter pattern"))
    }

    pub fn is_met(&self, message: &str) -> bool {
        match self {
            Pattern::Terms(terms) => terms_met(terms, message),
            Pattern::Expression(expression) => expression.is_match(message),
            Pattern::Json(condition) => match serde_json::from_str(message) {
                Ok(event @ (Value::Object(_) | Value::Array(_))) => {
                    condition.holds(&|path| condition::find(&event, path).map(Cow::Borrowed))
                }
                _ => false,
            },
            Pattern::Columns(columns) => columns_met(columns, &words(message)),
        }
    }
}

/// The largest compiled expression, in bytes. A search takes time in proportion to it. This is enough for some 400 repetitions.
const MOST_COMPILED: usize = 16 << 10;

/// Compiles a regular expression as AWS takes it: without groups, and with some punctuation only.
fn expression(text: &str) -> Option<Regex> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_#=@/;,-:^$?[]{}|\\*+. ".contains(c);
    if text.is_empty() || !text.chars().all(allowed) {
        return None;
    }
    RegexBuilder::new(text).size_limit(MOST_COMPILED).build().ok()
}

/// Every required term is there, no excluded one, and where there are optional terms, one of them.
fn terms_met(terms: &[Term], message: &str) -> bool {
    let there =
        |sign: Sign| terms.iter().filter(move |term| term.sign == sign).map(|term| message.contains(&term.text));
    there(Sign::Required).all(|there| there)
        && !there(Sign::Excluded).any(|there| there)
        && (there(Sign::Optional).next().is_none() || there(Sign::Optional).any(|there| there))
}

/// `word`, `"a phrase"`, `-excluded` and `?optional`.
fn terms(pattern: &str) -> Vec<Term> {
    let mut terms = vec![];
    let mut rest = pattern;
    while !rest.is_empty() {
        let (sign, unsigned) = match rest.as_bytes()[0] {
            b'-' => (Sign::Excluded, &rest[1..]),
            b'?' => (Sign::Optional, &rest[1..]),
            _ => (Sign::Required, rest),
        };
        let (text, after) = match unsigned.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => unsigned.split_once(' ').unwrap_or((unsigned, "")),
        };
        terms.push(Term { text: text.to_owned(), sign });
        rest = after.trim_start();
    }
    terms
}

fn columns(text: &str) -> Option<Vec<Column>> {
    let column = |text: &str| match text.trim() {
        "..." => Some(Column::Any),
        "" => None,
        name if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) => Some(Column::One(None)),
        condition => Condition::of_column(condition).map(|condition| Column::One(Some(condition))),
    };
    let columns: Vec<Column> = text.split(',').map(column).collect::<Option<_>>()?;
    let any = columns.iter().filter(|column| matches!(column, Column::Any)).count();
    (any <= 1).then_some(columns)
}

fn columns_met(columns: &[Column], words: &[&str]) -> bool {
    let met = |(column, word): (&Column, &&str)| match column {
        Column::One(Some(condition)) => condition.holds(&|_| Some(Cow::Owned(Value::from(*word)))),
        Column::One(None) | Column::Any => true,
    };
    match columns.iter().position(|column| matches!(column, Column::Any)) {
        None => columns.len() == words.len() && columns.iter().zip(words).all(met),
        Some(at) => {
            let (first, last) = (&columns[..at], &columns[at + 1..]);
            words.len() >= first.len() + last.len()
                && first.iter().zip(words).all(met)
                && last.iter().rev().zip(words.iter().rev()).all(met)
        }
    }
}

/// Separated by blanks, but for what stands in quotes or brackets.
fn words(message: &str) -> Vec<&str> {
    let mut words = vec![];
    let mut rest = message.trim_start();
    // If a quote or bracket is not closed in the rest of the message, that need not be looked for again.
    let mut closes = [Some('"'), Some(']')];
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => &mut closes[0],
            '[' => &mut closes[1],
            _ => &mut None,
        };
        let quoted = close.and_then(|close| rest[1..].split_once(close));
        if quoted.is_none() {
            *close = None;
        }
        let (word, after) = quoted.or_else(|| rest.split_once(char::is_whitespace)).unwrap_or((rest, ""));
        words.push(word);
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str =
        r#"{"level":"ERROR","ms":12.5,"ok":false,"none":null,"user":{"id":1,"mail":"a@b.c"},"tags":["x",{"k":2}]}"#;
    const LINE: &str = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;

    #[test]
    fn events_are_found_by_patterns() {
        let table = [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR timeout", "ERROR: no", false),
            ("\"two words\"", "has two words", true),
            ("\"two words\"", "words two", false),
            ("ERROR -\"no matter\"", "ERROR, no matter", false),
            ("?ERROR ?WARN", "a WARN here", true),
            ("?ERROR ?WARN", "all is well", false),
            ("%AUTH[A-Z]+D%", "UNAUTHORIZED", true),
            ("%^AUTH%", "UNAUTHORIZED", false),
            (r#"{ $.level = "ERROR" }"#, EVENT, true),
            ("{ $.level = ERR* && $.ms > 12 }", EVENT, true),
            ("{ $.level = ERR* && $.ms > 1.25e1 }", EVENT, false),
            ("{ $.level != ERROR || ($.ms<=12.5 && $.user.id=1) }", EVENT, true),
            ("{ ($.level != ERROR || $.ms <= 12.5) && $.user.id = 2 }", EVENT, false),
            ("{ $.user.mail = %@b% && $.tags[0] = x && $.tags[1].k >= 2 }", EVENT, true),
            ("{ $.none IS NULL && $.ok IS FALSE && $.absent NOT EXISTS }", EVENT, true),
            ("{ $.ok IS TRUE }", EVENT, false),
            ("{ $.level NOT EXISTS }", EVENT, false),
            (r#"{ $.ms = "*" }"#, EVENT, true),
            (r#"{ $.absent = "*" }"#, EVENT, false),
            ("{ $.absent != 1 }", EVENT, false),
            ("{ $.level = ERROR }", "level ERROR", false),
            ("[ip, id, user, at, request, status, bytes]", LINE, true),
            ("[ip, id, user, at, request, status]", LINE, false),
            ("[ip, id, user, at, request = *.html*, status = 4*, bytes > 1500]", LINE, true),
            ("[ip, ..., status = 404 || status = 410, bytes]", LINE, true),
            ("[ip != 127.*, ...]", LINE, false),
            ("[..., status = 5*, bytes]", LINE, false),
        ];
        for (pattern, message, expected) in table {
            assert_eq!(Pattern::parse(pattern).expect(pattern).is_met(message), expected, "{pattern} in {message}");
        }
    }

    /// A pattern has 1,024 characters, an event up to a mebibyte. Tests have the stack of a worker.
    #[test]
    fn no_pattern_is_too_deep_or_takes_for_ever() {
        let message = "a".repeat(100_000);
        let event = format!(r#"{{"a":"{message}","b":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
        let levels = 505;
        let nested = format!("{{ {}$.a = 1{} }}", "(".repeat(levels), ")".repeat(levels));
        let column = format!("[{}a = 1{}]", "(".repeat(levels), ")".repeat(levels));
        // (pattern, message, is it met; nothing, where it is no pattern)
        let table = [
            (nested.as_str(), event.as_str(), Some(false)),
            (&nested[..levels], &event, None),
            (&column, "1", Some(true)),
            (&format!("{{ $.a = {} }}", "*a".repeat(500)), &event, Some(true)),
            (&format!("{{ $.a = {}b }}", "*a".repeat(500)), &event, Some(false)),
            (&format!("{{ {}$.a = 1 }}", "$.a = *b || ".repeat(80)), &event, Some(false)),
            (&format!("{{ $.b{} = 1 }}", "[0]".repeat(100)), &event, Some(true)),
            (&"-b ".repeat(340), &message, Some(true)),
            ("%a*a*a*a*a*a*a*a*b%", &message, Some(false)),
            ("%^[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*$%", &message, Some(true)),
            ("%a{400}b%", &message, Some(false)),
            ("%a{1000}{1000}%", &message, None),
            ("%[^a]{1000}[^a]{1000}[^a]{1000}%", &message, None),
            (&format!("%{}%", "a?".repeat(500)), &message, None),
            (&format!("[{}]", "...,".repeat(250)), &message, None),
            ("[a, ...]", &"[ ".repeat(524_000), Some(true)),
            ("[..., a = b]", &"\" [ ".repeat(262_000), Some(false)),
        ];
        for (text, message, expected) in table {
            assert!(text.len() <= 1_024, "{text}");
            let met = Pattern::parse(text).ok().map(|pattern| pattern.is_met(message));
            assert_eq!(met, expected, "{text:.60}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let table = [
            "{",
            "{}",
            "{ $.a }",
            "{ $.a = }",
            "{ $.a = 1",
            "{ $.a = 1 && }",
            "{ ($.a = 1 }",
            "{ $.a IS }",
            "{ a = 1 }",
            "{ $.a[x] = 1 }",
            "{ $.a < x }",
            "%(a)%",
            "%a",
            "%%",
            "[a,]",
            "[..., a, ...]",
            "[a = ]",
        ];
        for pattern in table {
            assert_eq!(Pattern::parse(pattern).expect_err(pattern).code, "InvalidParameterException", "{pattern}");
        }
    }

    /// A pattern in the first line, and a message.
    #[test]
    fn fuzz_pattern() {
        fuzz::over("pattern", |input| {
            let Some((pattern, message)) = std::str::from_utf8(input).ok().and_then(|text| text.split_once('\n'))
            else {
                return;
            };
            if let Ok(pattern) = Pattern::parse(pattern) {
                let _ = pattern.is_met(message);
            }
        });
    }
}
