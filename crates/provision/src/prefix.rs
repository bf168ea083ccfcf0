//! Prefixes of S3 objects with Firehose's `!{namespace:value}` expressions, and the places that delivery streams write to.
//! Plain data, no IO. <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>

use std::fmt;

pub mod object_key;
pub mod overlapping;

pub use object_key::overlap;

/// Part of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
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

impl Piece<'_> {
    pub fn is_partition_key(&self) -> bool {
        matches!(self, Piece::KeyFromQuery(_) | Piece::KeyFromLambda(_))
    }
}

/// The part before the first expression: all objects' keys begin with it.
pub fn literal(prefix: &str) -> &str {
    prefix.split("!{").next().unwrap_or(prefix)
}

pub fn has_expressions(prefix: &str) -> bool {
    prefix.contains("!{")
}

/// The error is a mistake without its place: what is wrong, and what would be right.
pub fn parse(prefix: &str) -> Result<Vec<Piece<'_>>, (String, String)> {
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
const AT_MOST: [(&str, usize); 7] =
    [("WFa", 1), ("dhHkKmsw", 2), ("D", 3), ("z", 4), ("MLQqEecGXxZ", 5), ("S", 9), ("yunANY", 19)];
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
        _ if letter == 'O' && !matches!(count, 1 | 4) => Err("`O` stands once or four times".to_owned()),
        Some((_, most)) if count > *most => {
            Err(format!("`{}` is too long: {most} of `{letter}` at most", letter.to_string().repeat(count)))
        }
        _ => Ok(()),
    }
}

/// The kind of a [`Place`] in addresses.
pub const KIND: &str = "prefix";

/// Where one delivery stream writes: what a prefix is to the plan. Its physical name is its display,
/// `lake/data/!{timestamp:yyyy}/ by raw`: two delivery streams that write under one prefix write to two places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub bucket: String,
    /// As written in the destination, expressions and all.
    pub prefix: String,
    /// The delivery stream's name on AWS, which each object's name begins with.
    pub delivery: String,
}

/// Bytes of 1,024 characters: a record may say anything.
const LONGEST: usize = 1024 * 4;

/// Between the prefix and the delivery stream. No name of a delivery stream has a space.
const BY: &str = " by ";

impl Place {
    /// `None` for a text that is no place's name.
    pub fn parse(physical: &str) -> Option<Place> {
        let (path, delivery) = physical.rsplit_once(BY)?;
        let (bucket, prefix) = path.split_once('/')?;
        let named = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let is_name = |name: &str| !name.is_empty() && name.chars().all(named);
        let sound = is_name(bucket) && is_name(delivery) && prefix.len() <= LONGEST && parse(prefix).is_ok();
        sound.then(|| Place { bucket: bucket.into(), prefix: prefix.into(), delivery: delivery.into() })
    }

    /// The folder that a marker object can stand for: the text before the first expression, where it ends with `/`.
    pub fn folder(&self) -> Option<&str> {
        Some(literal(&self.prefix)).filter(|literal| literal.len() > 1 && literal.ends_with('/'))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{BY}{}", self.bucket, self.prefix, self.delivery)
    }
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
            ("nnnnnnnnnnnnnnnnnnn", true),
            ("nnnnnnnnnnnnnnnnnnnn", false),
            ("SSSSSSSSSS", false),
            ("O'x'OOOO", true),
            ("OO", false),
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

    #[test]
    fn a_place_is_a_bucket_a_prefix_and_the_delivery_stream_that_writes_there() {
        for (physical, place) in [
            ("lake/data/raw/ by raw", Some(("lake", "data/raw/", "raw"))),
            ("lake/a by b/!{timestamp:yyyy}/ by raw-1", Some(("lake", "a by b/!{timestamp:yyyy}/", "raw-1"))),
            ("lake/ by raw", Some(("lake", "", "raw"))),
            ("lake/data/raw/", None),
            ("lake by raw", None),
            ("/data/ by raw", None),
            ("lake/data/ by ", None),
            ("lake/!{nothing}/ by raw", None),
        ] {
            let found = Place::parse(physical);
            let parts = found.as_ref().map(|p| (p.bucket.as_str(), p.prefix.as_str(), p.delivery.as_str()));
            assert_eq!(parts, place, "{physical}");
            assert_eq!(found.map(|place| place.to_string()), place.map(|_| physical.to_owned()));
        }
    }

    #[test]
    fn a_marker_stands_only_for_a_folder() {
        let folder = |prefix: &str| {
            let place = Place { bucket: "lake".into(), prefix: prefix.into(), delivery: "raw".into() };
            place.folder().map(str::to_owned)
        };
        assert_eq!(folder("data/raw/!{timestamp:yyyy}/"), Some("data/raw/".into()));
        for none in ["", "/", "raw-", "year=!{timestamp:yyyy}/", "!{timestamp:yyyy}/data/"] {
            assert_eq!(folder(none), None, "{none}");
        }
    }
}
