//! The account of one delivery stream as text. Pure.

use crate::names::plural;
use crate::report::human::{DIM, ERROR, GOOD};
use crate::verify::Verified;
use crate::verify::latency::Latency;
use crate::verify::told::ShardAccount;

const MOST_SHARDS: usize = 8;

pub fn verified(result: &Verified) -> String {
    let (style, sign) = if result.accounted { (GOOD, "✓") } else { (ERROR, "✗") };
    let stored = match (&result.first, &result.last) {
        (Some(first), Some(last)) => objects(&result.objects, first, last),
        _ => String::new(),
    };
    let hint = result.hint.as_ref().map(|hint| format!("      {DIM}hint{DIM:#}: {hint}\n")).unwrap_or_default();
    format!(
        "  {style}{sign}{style:#} {}: {}\n      {}\n{}{stored}{hint}",
        result.delivery,
        account(result),
        counts(result),
        details(result)
    )
}

/// Whether all records are accounted for.
pub fn account(result: &Verified) -> String {
    match (result.accounted, result.sent, result.missing) {
        (true, sent, _) => format!("all {sent} records are accounted for"),
        (false, sent, 0) => format!("some of the {sent} records failed that should not have"),
        (false, sent, missing) => format!("{missing} of {sent} records are missing"),
    }
}

pub fn counts(result: &Verified) -> String {
    let Verified { delivered, dropped, failed, missing, duplicated, .. } = result;
    format!("delivered {delivered}, dropped {dropped}, failed {failed}, missing {missing}, duplicated {duplicated}")
}

/// The lines of an account behind its counts.
fn details(result: &Verified) -> String {
    let mut lines = vec![];
    if let Some(latency) = &result.latency {
        let Latency { p50_s, p90_s, p99_s, max_s, .. } = latency;
        lines.push(format!("put to visible: p50 {p50_s} s, p90 {p90_s} s, p99 {p99_s} s, max {max_s} s"));
    }
    if result.out_of_order > 0 {
        lines.push(format!("{} out of order within their shards", plural(result.out_of_order, "record")));
    }
    if !result.missing_numbers.is_empty() {
        let shown = result.missing_numbers.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = if result.missing_numbers.len() > 10 { ", ..." } else { "" };
        lines.push(format!("missing by number: {shown}{more}"));
    }
    for error in &result.errors {
        let cause = error.cause.map_or_else(|| error.message.clone(), str::to_owned);
        lines.push(format!("{} failed with {}: {cause}", error.records, error.code));
    }
    if result.shards.len() > 1 {
        for shard in result.shards.iter().take(MOST_SHARDS) {
            let ShardAccount { shard, sent, delivered, dropped, failed, missing, .. } = shard;
            lines.push(format!(
                "{shard}: sent {sent}, delivered {delivered}, dropped {dropped}, failed {failed}, missing {missing}"
            ));
        }
        if result.shards.len() > MOST_SHARDS {
            lines.push(format!("and {} more shards", result.shards.len() - MOST_SHARDS));
        }
    }
    if result.unknown > 0 {
        lines.push(format!("{} in these objects are not of this run", plural(result.unknown, "record")));
    }
    lines.extend(result.compared_by.iter().map(|by| format!("outputs were compared by {by}")));
    lines.iter().map(|line| format!("      {line}\n")).collect()
}

/// How many objects hold the records, when they were stored, and the key of one.
fn objects(keys: &[String], first: &str, last: &str) -> String {
    let until = if first == last { String::new() } else { format!(" to {last}") };
    let (stored, key) = (plural(keys.len(), "object"), keys.first().map(String::as_str).unwrap_or_default());
    format!("      {DIM}{stored}, stored {first}{until}{DIM:#}\n      {DIM}{key}{DIM:#}\n")
}
