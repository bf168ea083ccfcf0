//! Results of running a function on this machine, as text.

use crate::names::plural;
use crate::report::human::{BOLD, CARE, DIM, ERROR, GOOD, took};
use crate::transform::fault::{Fault, Rule};
use crate::transform::invoked::{Answered, Invoked, Shown};
use crate::transform::logged;
use crate::transform::tested::{Broken, Tested, Verdict};

/// Characters of a payload that are shown.
const WIDTH: usize = 200;
/// The number of records, log lines and breaches that are shown.
const MANY: usize = 20;

pub fn invoked(result: &Invoked) -> String {
    let count = result.records.len();
    let mut text = format!(
        "{BOLD}{}{BOLD:#} was invoked with {}, {} bytes\n",
        result.function,
        plural(count, "record"),
        result.event_bytes
    );
    let shown = result.records.iter().take(MANY).enumerate();
    text.extend(shown.map(|(place, record)| answered(place, record)));
    text += &more(count, "records");
    if let Some(answer) = &result.answer {
        text += &format!("  response: {}\n", readable(answer));
    }
    if !result.log.is_empty() {
        text += &format!("{DIM}  log:{DIM:#}\n");
        let place = |id: &str| result.records.iter().position(|record| record.record_id == id);
        let log = result.log.iter().take(MANY).map(|line| logged::readable(line, place));
        text.extend(log.map(|line| format!("{DIM}    {line}{DIM:#}\n")));
        text += &more(result.log.len(), "lines");
    }
    text.extend(
        result
            .breaches
            .iter()
            .take(MANY)
            .map(|breach| format!("  {ERROR}✗{ERROR:#} {}\n", told(&breach.clone().into()))),
    );
    text += &more(result.breaches.len(), "breaches");
    if let Some(breach) = result.breaches.first() {
        text += &format!("    {DIM}{}{DIM:#}\n", breach.kind.consequence());
    }
    if result.kept {
        let count = |name: &str| result.records.iter().filter(|record| record.result == Some(name)).count();
        let order = if result.reordered { ", in another order" } else { "" };
        text += &format!(
            "  {GOOD}✓{GOOD:#} the response is valid: {} Ok, {} Dropped, {} ProcessingFailed{order}\n",
            count("Ok"),
            count("Dropped"),
            count("ProcessingFailed"),
        );
    }
    text.extend(result.notes.iter().map(|note| format!("  {CARE}!{CARE:#} {note}\n")));
    text + &measured(result)
}

fn measured(result: &Invoked) -> String {
    let measured = &result.measured;
    let init = measured.init_ms.map(|ms| format!(" + {ms:.1} ms init")).unwrap_or_default();
    let peak = measured.peak_memory_mib.map(|mib| format!(", {mib} of {} MB used", result.memory_mib));
    format!(
        "  {DIM}{:.1} ms{init} ({} ms billed){}, {} bytes returned{DIM:#}\n",
        measured.duration_ms,
        measured.billed_ms,
        peak.unwrap_or_default(),
        result.response_bytes
    )
}

fn answered(place: usize, record: &Answered) -> String {
    let (style, result) = match record.result {
        Some("Ok") => (GOOD, "Ok"),
        Some(other @ ("Dropped" | "ProcessingFailed")) => (CARE, other),
        Some(other) => (ERROR, other),
        None => (ERROR, "fails with the whole batch"),
    };
    let mut text = format!("{:>5}  {}\n", place + 1, readable(&record.before));
    match &record.after {
        Some(after) => text += &format!("    -> {style}{result}{style:#} {}\n", readable(after)),
        None => text += &format!("    -> {style}{result}{style:#}\n"),
    }
    if !record.partition_keys.is_empty() {
        let keys: Vec<String> = record.partition_keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
        text += &format!("       {DIM}partition keys {}{DIM:#}\n", keys.join(", "));
    }
    text
}

/// Random cases are only shown if they fail, or if `verbose` is set.
pub fn tested(result: &Tested, verbose: bool) -> String {
    if result.random && result.kept && result.notes.is_empty() && !verbose {
        return String::new();
    }
    let (style, sign) = match (result.kept, result.beyond, result.notes.is_empty()) {
        (true, _, true) => (GOOD, "✓"),
        (true, _, false) | (false, true, _) => (CARE, "!"),
        (false, false, _) => (ERROR, "✗"),
    };
    let outcome = match (result.kept, result.beyond) {
        (true, _) => outcome(result),
        (false, true) => "invalid, but Firehose does not send this".to_owned(),
        (false, false) if result.breaches.iter().any(|fault| !matches!(fault.kind, Rule::Contract(_))) => {
            "the handler crashed".to_owned()
        }
        (false, false) => "invalid".to_owned(),
    };
    let mut text = format!(
        "  {style}{sign}{style:#} {:<39} {DIM}{:>8}{DIM:#}  {outcome}\n",
        result.case,
        took(result.duration_ms.round() as u64)
    );
    text.extend(result.breaches.iter().map(|breach| format!("      {}\n", told(breach))));
    text.extend(result.notes.iter().map(|note| format!("      {note}\n")));
    text
}

/// `12 Ok, 3 ProcessingFailed`
fn outcome(result: &Tested) -> String {
    let parts = [(result.ok, "Ok"), (result.dropped, "Dropped"), (result.failed, "ProcessingFailed")];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}")).collect();
    said.join(", ")
}

pub fn broken(result: &Broken) -> String {
    let count = result.records;
    let mut text = format!(
        "\n{ERROR}{}{ERROR:#}\n  smallest batch that causes it, {}:\n",
        told(&result.breach),
        plural(count, "record")
    );
    text.extend(result.data.iter().map(|data| format!("    {}\n", readable(data))));
    if count > result.data.len() {
        text += &format!("    {DIM}and {} more{DIM:#}\n", count - result.data.len());
    }
    let place = |id: &str| result.record_ids.iter().position(|known| known == id);
    let log = result.log.iter().filter(|line| !line.is_empty()).take(MANY);
    text.extend(log.map(|line| format!("{DIM}    | {}{DIM:#}\n", logged::readable(line, place))));
    text += &format!("  {}\n", result.consequence);
    text.extend(result.hint.iter().map(|hint| format!("  {DIM}hint{DIM:#}: {hint}\n")));
    text.extend(result.replay.iter().map(|replay| format!("  {DIM}try again{DIM:#}: {replay}\n")));
    text
}

pub fn verdict(result: &Verdict) -> String {
    let Verdict { function, seed, cases, records, broken, crashed, warned, not_tried, took_ms } = result;
    let contract = "Firehose's contract in";
    let judged = match (broken - crashed, *crashed) {
        (0, 0) => format!("{GOOD}satisfies{GOOD:#} {contract} {cases}"),
        (0, crashed) => format!("{ERROR}crashed{ERROR:#} in {crashed} of {cases}"),
        (violating, 0) => format!("{ERROR}violates{ERROR:#} {contract} {violating} of {cases}"),
        (violating, crashed) => {
            format!(
                "{ERROR}violates{ERROR:#} {contract} {violating} and {ERROR}crashed{ERROR:#} in {crashed} of {cases}"
            )
        }
    };
    let warned = if *warned == 0 { String::new() } else { format!(", {}", plural(*warned, "warning")) };
    let left = match not_tried {
        0 => String::new(),
        left => format!("{CARE}stopped{CARE:#} after three time-outs: {} not tried\n", plural(*left, "case")),
    };
    let (counted, took) = (format!("{records} records, seed {seed}"), took(*took_ms));
    format!("\n{function} {judged} cases{warned} {DIM}({counted}, {took}){DIM:#}\n{left}")
}

pub fn told(breach: &Fault) -> String {
    match breach.record {
        Some(place) => format!("record {}: {}", place + 1, breach.what),
        None => breach.what.clone(),
    }
}

/// One line, shortened.
fn readable(shown: &Shown) -> String {
    let (text, length) = match shown {
        Shown::Text(text) if text.is_empty() => return format!("{DIM}nothing{DIM:#}"),
        Shown::Text(text) => (escaped(text), text.len()),
        Shown::Base64(text) => {
            let bytes = base64_simd::STANDARD.decode_to_vec(text).unwrap_or_default();
            (format!("0x{}", hex::encode(&bytes[..bytes.len().min(WIDTH)])), bytes.len())
        }
    };
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}{DIM}… ({length} bytes){DIM:#}", &text[..end]),
        None => text,
    }
}

/// Escapes control characters.
fn escaped(text: &str) -> String {
    let cut = text.char_indices().nth(WIDTH + 1).map_or(text, |(end, _)| &text[..end]);
    let one = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    cut.chars().map(one).collect()
}

fn more(count: usize, what: &str) -> String {
    match count.checked_sub(MANY) {
        Some(left @ 1..) => format!("{DIM}       and {left} more {what}{DIM:#}\n"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_one_line_whatever_is_in_them() {
        let plain = |shown: &Shown| anstream::adapter::strip_str(&readable(shown)).to_string();
        let table = [
            (Shown::of(b""), "nothing".to_owned()),
            (Shown::of(b"a\n\x1b[31mb"), "a\\n\\u{1b}[31mb".to_owned()),
            (Shown::of(b"\xff\x00"), "0xff00".to_owned()),
            (Shown::of("é".repeat(300).as_bytes()), format!("{}… (600 bytes)", "é".repeat(200))),
            (Shown::of(&[0xff; 300]), format!("0x{}… (300 bytes)", "ff".repeat(99))),
        ];
        for (shown, expected) in table {
            assert_eq!(plain(&shown), expected);
        }
    }
}
