//! What AWS would refuse in a prefix, told with its place in the spec.

use super::diagnostic::{Mistake, Span};
use crate::claims;
use crate::prefix::{Piece, has_expressions, object_key, parse};

/// What a prefix is for: not every expression is allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Good,
    Bad,
    Backup,
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
    if prefix.starts_with(claims::ROOT) {
        let what = format!("`{}` is where provision keeps its own objects", claims::ROOT);
        mistakes.push(Mistake::error(at, what).expected("another prefix"));
    }
    let length = object_key::shortest(&pieces).units;
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
