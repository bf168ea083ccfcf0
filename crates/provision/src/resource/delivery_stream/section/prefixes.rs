//! Checks a prefix as AWS does, and reports each mistake at its place in the spec.

use aws_facts::firehose::MAX_PREFIX_EVALUATED;
use aws_facts::firehose::date::Pattern;
use aws_facts::firehose::prefix::{Misused, Role};

use crate::claims;
use crate::prefix::{Prefix, object_key};
use crate::yaml::diagnostic::{Mistake, Span};

const KEYS_NOT_HERE: (&str, &str) = ("partition keys are not allowed here", "only `good` can have them");

/// The use of a prefix: not every expression is allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Good,
    Bad,
    Backup,
}

/// All that AWS would refuse in this prefix by itself, and what would surprise.
pub(super) fn check(text: &str, purpose: Use, at: Span, mistakes: &mut Vec<Mistake>) {
    let prefix = match Prefix::parse(text) {
        Ok(prefix) => prefix,
        Err(mistake) => return mistakes.push(Mistake::error(at, mistake.to_string()).expected(mistake.expected())),
    };
    let role = if purpose == Use::Bad { Role::ErrorOutputPrefix } else { Role::Prefix };
    for misused in prefix.misused(role) {
        let (what, expected) = match misused {
            Misused::ErrorTypeInPrefix => {
                ("`!{firehose:error-output-type}` is not allowed here", "only `bad` can have it")
            }
            Misused::NoErrorType => (
                "a `bad` with expressions needs `!{firehose:error-output-type}`",
                "add `!{firehose:error-output-type}/`",
            ),
            Misused::KeyInErrorPrefix => KEYS_NOT_HERE,
        };
        mistakes.push(Mistake::error(at, what).expected(expected));
    }
    if purpose == Use::Backup && prefix.partition_keys().next().is_some() {
        mistakes.push(Mistake::error(at, KEYS_NOT_HERE.0).expected(KEYS_NOT_HERE.1));
    }
    if let Some(field) = prefix.patterns().flat_map(Pattern::fields).find(|field| field.letter == 'Y') {
        let what = format!("`{field}` is the year of the week, which changes some days before or after January 1");
        mistakes.push(Mistake::warning(at, what).expected("`yyyy` is the year of the date"));
    }
    if text.starts_with(claims::ROOT) {
        let what = format!("`{}` is where provision keeps its own objects", claims::ROOT);
        mistakes.push(Mistake::error(at, what).expected("another prefix"));
    }
    let length = object_key::shortest(&prefix).units;
    if length > MAX_PREFIX_EVALUATED {
        let what = format!("{length} characters are too many");
        mistakes.push(Mistake::error(at, what).expected(format!("at most {MAX_PREFIX_EVALUATED} after evaluation")));
    }
    if !text.is_empty() && !text.ends_with('/') {
        let what = format!("object names follow `{text}` at once");
        mistakes.push(Mistake::warning(at, what).expected("no `/` at the end"));
    }
}
