//! Prefixes of S3 objects with Firehose's `!{namespace:value}` expressions, and the rules that AWS checks.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>

use super::diagnostic::{Mistake, Span};

/// Part of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Literal(&'t str),
    /// A pattern of Java's DateTimeFormatter.
    Timestamp(&'t str),
    RandomString,
    ErrorOutputType,
    KeyFromQuery(&'t str),
    KeyFromLambda(&'t str),
}

const FORMS: [&str; 5] = [
    "timestamp:PATTERN",
    "firehose:random-string",
    "firehose:error-output-type",
    "partitionKeyFromQuery:KEY",
    "partitionKeyFromLambda:KEY",
];

/// What a prefix is for: not every expression is allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Good,
    Bad,
    Backup,
}

impl Piece<'_> {
    pub(super) fn is_partition_key(&self) -> bool {
        matches!(self, Piece::KeyFromQuery(_) | Piece::KeyFromLambda(_))
    }
}

/// The part before the first expression: all objects' keys begin with it.
pub(super) fn literal(prefix: &str) -> &str {
    prefix.split("!{").next().unwrap_or(prefix)
}

pub(super) fn has_expressions(prefix: &str) -> bool {
    prefix.contains("!{")
}

/// The error is a mistake without its place: what is wrong, and what would be right.
pub(super) fn parse(prefix: &str) -> Result<Vec<Piece<'_>>, (String, String)> {
    let mut pieces = Vec::new();
    let mut rest = prefix;
    while let Some(start) = rest.find("!{") {
        if start > 0 {
            pieces.push(Piece::Literal(&rest[..start]));
        }
        let inner = &rest[start + 2..];
        let end = inner.find('}').ok_or_else(|| ("`!{` without `}`".to_owned(), format!("!{{{}}}", FORMS[0])))?;
        pieces.push(expression(&inner[..end])?);
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

fn expression(text: &str) -> Result<Piece<'_>, (String, String)> {
    match text.split_once(':') {
        Some(("timestamp", pattern)) => date_pattern(pattern)
            .map(|()| Piece::Timestamp(pattern))
            .map_err(|what| (what, "a pattern of Java's DateTimeFormatter, such as yyyy/MM/dd/HH".to_owned())),
        Some(("firehose", "random-string")) => Ok(Piece::RandomString),
        Some(("firehose", "error-output-type")) => Ok(Piece::ErrorOutputType),
        Some(("partitionKeyFromQuery", key)) if !key.is_empty() => Ok(Piece::KeyFromQuery(key)),
        Some(("partitionKeyFromLambda", key)) if !key.is_empty() => Ok(Piece::KeyFromLambda(key)),
        _ => Err((format!("`!{{{text}}}` is no expression of Firehose's"), format!("one of {}", FORMS.join(", ")))),
    }
}

/// How many of a letter in a row DateTimeFormatter takes; of those not named here, at least four.
/// <https://docs.oracle.com/javase/8/docs/api/java/time/format/DateTimeFormatter.html>
const AT_MOST: [(&str, usize); 4] = [("WFa", 1), ("dhHkKmsw", 2), ("D", 3), ("MLQqEecGXxZ", 5)];
/// Which Firehose takes: not all of them, and some of a later Java. Each letter was tried on AWS.
const DATE_LETTERS: &str = "ABDEFGHKLMNOQSWXYZacdeghkmnqsuvwxyz";

fn date_pattern(pattern: &str) -> Result<(), String> {
    if pattern.is_empty() {
        return Err("a time stamp without a pattern".to_owned());
    }
    let mut unquoted = String::new();
    for (i, part) in pattern.split('\'').enumerate() {
        match i % 2 {
            0 => unquoted.push_str(part),
            // What is between quotes is literal, and ends a run of letters.
            _ => unquoted.push('-'),
        }
    }
    if pattern.matches('\'').count() % 2 == 1 {
        return Err(format!("the quote in `{pattern}` is not closed"));
    }
    let mut rest = unquoted.as_str();
    while let Some(letter) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(letter).len();
        date_letters(letter, run / letter.len_utf8())?;
        rest = &rest[run..];
    }
    Ok(())
}

fn date_letters(letter: char, count: usize) -> Result<(), String> {
    if letter == '#' || (letter.is_ascii_alphabetic() && !DATE_LETTERS.contains(letter)) {
        return Err(format!("`{letter}` means nothing in a time stamp"));
    }
    match AT_MOST.iter().find(|(letters, _)| letters.contains(letter)) {
        Some((_, most)) if count > *most => {
            Err(format!("`{}` is too long: {most} of `{letter}` at most", letter.to_string().repeat(count)))
        }
        _ => Ok(()),
    }
}

/// All that AWS would refuse in this prefix by itself. `None`: it has no pieces.
pub(super) fn check<'t>(
    prefix: &'t str,
    purpose: Use,
    at: Span,
    mistakes: &mut Vec<Mistake>,
) -> Option<Vec<Piece<'t>>> {
    let pieces = match parse(prefix) {
        Ok(pieces) => pieces,
        Err((what, expected)) => {
            mistakes.push(Mistake::error(at, what).expected(expected));
            return None;
        }
    };
    let error_type = pieces.contains(&Piece::ErrorOutputType);
    if purpose != Use::Bad && error_type {
        let what = "`!{firehose:error-output-type}` is not allowed here";
        mistakes.push(Mistake::error(at, what).expected("only `bad` can have it"));
    }
    if purpose == Use::Bad && has_expressions(prefix) && !error_type {
        let what = "a `bad` with expressions needs `!{firehose:error-output-type}`";
        mistakes.push(Mistake::error(at, what).expected("add `!{firehose:error-output-type}/`"));
    }
    if purpose != Use::Good && pieces.iter().any(Piece::is_partition_key) {
        mistakes.push(Mistake::error(at, "partition keys are not allowed here").expected("only `good` can have them"));
    }
    // An expression gives one character at least.
    let lengths = pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text.chars().count() } else { 1 });
    let length: usize = lengths.sum();
    if length > 512 {
        let what = format!("{length} characters are too many");
        mistakes.push(Mistake::error(at, what).expected("at most 512 after evaluation"));
    }
    if !prefix.ends_with('/') {
        let what = format!("object names follow `{prefix}` at once");
        mistakes.push(Mistake::warning(at, what).expected("no `/` at the end"));
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_patterns_of_javas_formatter() {
        for (pattern, ok) in [
            ("yyyy/MM/dd/HH", true),
            ("'year='yyyy", true),
            ("yyyy''MM", true),
            ("uuuu-MM-dd'T'HH:mm", true),
            ("", false),
            ("yyyy/jj", false),
            ("'year=yyyy", false),
            ("ddd", false),
            ("dd'x'dd", true),
        ] {
            assert_eq!(date_pattern(pattern).is_ok(), ok, "{pattern}: {:?}", date_pattern(pattern));
        }
    }

    #[test]
    fn a_prefix_is_taken_apart_into_literals_and_expressions() {
        let pieces = parse("a/!{timestamp:yyyy}/!{partitionKeyFromQuery:k}/!{firehose:random-string}").unwrap();
        let want = [
            Piece::Literal("a/"),
            Piece::Timestamp("yyyy"),
            Piece::Literal("/"),
            Piece::KeyFromQuery("k"),
            Piece::Literal("/"),
            Piece::RandomString,
        ];
        assert_eq!(pieces, want);
    }
}
