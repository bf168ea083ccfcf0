//! Records that were replayed, for people.

use crate::names::plural;
use crate::replay::Replayed;
use crate::report::human::{CARE, DIM, GOOD};
use crate::transform::invoked::Shown;

/// The longest text of an example.
const MOST_CHARS: usize = 300;

pub fn replayed(result: &Replayed) -> String {
    let Replayed { delivery, dry_run, errors, before, delivered, dropped, failed, unclear, .. } = result;
    let Replayed { unsure, interrupted, objects, examples, .. } = result;
    let all: u64 = errors.values().sum();
    let records = |count: u64| plural(count as usize, "record");
    let (style, sign) = if failed + unclear == 0 && !interrupted { (GOOD, '✓') } else { (CARE, '!') };
    let mut did = match dry_run {
        true => format!("{} would be replayed", records(all - unclear)),
        false => {
            let mut did = format!("{delivered} of {} replayed", records(all));
            if *dropped > 0 {
                did.push_str(&format!(", {dropped} dropped by the function"));
            }
            if *failed > 0 {
                did.push_str(&format!(", {failed} failed again"));
            }
            did
        }
    };
    if *unclear > 0 {
        did.push_str(&format!(", {unclear} left because nobody can say which part failed"));
    }
    let mut text = format!("  {style}{sign}{style:#} delivery {delivery}: {did}\n");
    for (code, count) in errors {
        text.push_str(&format!("      {DIM}{code}: {}{DIM:#}\n", records(*count)));
    }
    if *before > 0 {
        text.push_str(&format!("      {DIM}replayed before: {}{DIM:#}\n", records(*before)));
    }
    if *unsure > 0 {
        let why = "a replay was stopped while it put them";
        text.push_str(&format!("      {DIM}perhaps in the stream twice, because {why}: {}{DIM:#}\n", records(*unsure)));
    }
    for key in objects {
        text.push_str(&format!("      {DIM}wrote{DIM:#} {key}\n"));
    }
    for example in examples {
        let record = match &example.record {
            Shown::Text(text) => short(text),
            Shown::Base64(text) => format!("base64:{}", short(text)),
        };
        text.push_str(&format!("      {record}\n"));
        text.push_str(&format!("        {DIM}failed:{DIM:#} {}: {}\n", example.code, short(&example.message)));
        text.push_str(&format!("        {DIM}now:{DIM:#}    {}\n", short(&example.now)));
    }
    text
}

/// The text, bounded.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
