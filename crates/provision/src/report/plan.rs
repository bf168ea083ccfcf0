//! A plan as text: by resource, with each field that changes, and why something is replaced.

use similar::{ChangeTag, TextDiff};

use crate::change::{Change, Field};
use crate::kinds::KINDS;
use crate::plan::{Kept, Op, Plan, Refusal, Step};
use crate::report::human::{BOLD, CARE, DIM, ERROR, GOOD};

/// Unchanged lines that are shown around each change of a text.
const CONTEXT: usize = 3;

/// The whole plan. `verbose` also lists unchanged resources.
pub fn text(plan: &Plan, command: &str, verbose: bool) -> String {
    let mut text = String::new();
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    steps.sort_by_key(|step| (rank(step.name.address.kind), step.name.address.logical.clone()));
    for step in steps {
        text.push_str(&one(step));
    }
    if verbose {
        let there = [(&plan.same, ""), (&plan.named, " (no marker object)"), (&plan.used, " (used, not managed)")];
        for (name, why) in there.iter().flat_map(|(names, why)| names.iter().map(move |name| (name, why))) {
            let address = name.address.to_string();
            text.push_str(&format!("{DIM}  = {address:<32} {}{why}{DIM:#}\n", name.physical));
        }
    }
    for kept in &plan.kept {
        let Kept { name, why } = kept;
        text.push_str(&format!("  = {:<28} {} {DIM}kept: {why}{DIM:#}\n", name.address.to_string(), name.physical));
    }
    for Kept { name, why } in plan.unproven.iter().chain(&plan.foreign) {
        text.push_str(&format!("  {CARE}!{CARE:#} {} {} is not deleted: {why}\n", name.address, name.physical));
    }
    for Kept { name, why } in &plan.notes {
        text.push_str(&format!("  {CARE}!{CARE:#} {} {}: {why}\n", name.address, name.physical));
    }
    for name in &plan.orphans {
        let what = format!("{} {}", name.address, name.physical);
        text.push_str(&format!("  {CARE}!{CARE:#} {what} is no longer in the spec; --prune deletes it\n"));
    }
    for refusal in &plan.refusals {
        text.push_str(&refused(refusal));
    }
    text.push_str(&counts(plan, command));
    text
}

fn rank(kind: &str) -> usize {
    KINDS.iter().position(|row| row.name == kind).unwrap_or(usize::MAX)
}

fn one(step: &Step) -> String {
    let (sign, style) = match step.op {
        Op::Create => ("+", GOOD),
        Op::Update => ("~", CARE),
        Op::Replace => ("-/+", ERROR),
        Op::Delete => ("-", ERROR),
    };
    let wait = match step.expected_wait_s {
        0 => String::new(),
        s => format!("{DIM}  (about {s} s on AWS){DIM:#}"),
    };
    let address = step.name.address.to_string();
    let mut text = format!("{sign:>3} {style}{address:<28}{style:#} {}{wait}\n", step.name.physical);
    if step.op == Op::Create {
        text.push_str(&made_with(&step.summary));
    }
    for change in step.diff.changes.iter().chain(&step.also) {
        text.push_str(&changed(change));
    }
    text
}

/// Fields that the spec sets, one per line; then the defaults in one line.
fn made_with(fields: &[Field]) -> String {
    let chosen: String =
        fields.iter().filter(|field| !field.default).map(|field| value_lines(&field.name, &field.value)).collect();
    let defaults = fields.iter().filter(|field| field.default);
    let defaults: Vec<String> = defaults.map(|field| format!("{} {}", field.name, field.value)).collect();
    match defaults.is_empty() {
        true => chosen,
        false => format!("{chosen}      {DIM}defaults: {}{DIM:#}\n", defaults.join(", ")),
    }
}

fn value_lines(field: &str, value: &str) -> String {
    match value.contains('\n') {
        false => format!("      {field:<18} {value}\n"),
        true => {
            let lines: String = value.lines().map(|line| format!("        {DIM}{line}{DIM:#}\n")).collect();
            format!("      {field}\n{lines}")
        }
    }
}

fn changed(change: &Change) -> String {
    let why = change.replaces.map(|why| format!("  {ERROR}replaces: {why}{ERROR:#}")).unwrap_or_default();
    let field = &change.field;
    if !change.from.contains('\n') && !change.to.contains('\n') {
        return format!("      {field:<18} {} -> {}{why}\n", change.from, change.to);
    }
    let mut text = format!("      {field}{why}\n");
    let diff = TextDiff::from_lines(&change.from, &change.to);
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            text.push_str(&format!("        {DIM}...{DIM:#}\n"));
        }
        text.extend(group.iter().flat_map(|op| diff.iter_changes(op)).map(diff_line));
    }
    text
}

fn diff_line(line: similar::Change<&str>) -> String {
    let content = line.value().trim_end();
    let shown = match line.tag() {
        ChangeTag::Delete => format!("{ERROR}- {content}{ERROR:#}"),
        ChangeTag::Insert => format!("{GOOD}+ {content}{GOOD:#}"),
        ChangeTag::Equal => format!("{DIM}  {content}{DIM:#}"),
    };
    format!("        {shown}\n")
}

fn refused(refusal: &Refusal) -> String {
    let name = &refusal.name.address;
    format!("  {ERROR}✗{ERROR:#} {name}: {}\n      {DIM}hint{DIM:#}: {}\n", refusal.why, refusal.hint)
}

fn counts(plan: &Plan, command: &str) -> String {
    if !plan.refusals.is_empty() {
        return format!("{ERROR}refused{ERROR:#}: nothing was changed\n");
    }
    if plan.is_empty() {
        let what = if command == "down" { "nothing to delete" } else { "nothing to change" };
        return format!("{BOLD}{what}{BOLD:#}\n");
    }
    let parts = [(Op::Create, "create"), (Op::Update, "change"), (Op::Replace, "replace"), (Op::Delete, "delete")];
    let said = parts.iter().map(|(op, word)| (plan.count(*op), word)).filter(|(n, _)| *n > 0);
    let said: Vec<String> = said.map(|(n, word)| format!("{n} to {word}")).collect();
    let unchanged = if plan.same.is_empty() { String::new() } else { format!(", {} unchanged", plan.same.len()) };
    format!("{BOLD}{}{unchanged}{BOLD:#}\n", said.join(", "))
}
