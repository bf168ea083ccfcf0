//! Events as text for people. Pure.

use anstyle::{AnsiColor, Color, Style};

use crate::change::Gone;
use crate::doctor::{Check, State};
use crate::event::{Event, Made, Summary};
use crate::names::{env_flag, plural};
use crate::plan::Op;
use crate::record::environments::Environment;
use crate::record::journal::{Began, Run};
use crate::report::{plan, produced, replayed, transform, verified};
use crate::spec::Diagnostics;

pub const ERROR: Style = color(AnsiColor::Red).bold();
pub const GOOD: Style = color(AnsiColor::Green);
pub const CARE: Style = color(AnsiColor::Yellow);
pub const DIM: Style = Style::new().dimmed();
pub const BOLD: Style = Style::new().bold();

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// The text of an event; empty if another module prints it.
pub fn text(event: &Event, verbose: bool) -> String {
    match event {
        Event::Target { stack, env, account, region, endpoint } => {
            let env = env_flag(env.as_deref());
            let place = endpoint.as_deref().unwrap_or("AWS");
            format!("{BOLD}{stack}{env}{BOLD:#} in account {account}, {region}, {place}\n")
        }
        Event::SpecWarned { warnings } => format!("{}\n", warnings.render(true)),
        Event::Warned { text } => format!("{CARE}warning{CARE:#}: {text}\n"),
        Event::Working { text } => format!("{DIM}  {text}{DIM:#}\n"),
        Event::Planned { plan, command } => plan::text(plan, command, verbose),
        Event::Started { resource, op } => match verbose {
            true => format!("{DIM}  . {} {resource}{DIM:#}\n", op.verb()),
            false => String::new(),
        },
        Event::Waiting { resource, on } => format!("{DIM}  . {resource}: waiting for {on}{DIM:#}\n"),
        Event::Finished { resource, op, took_ms, gone } => finished(resource, *op, *took_ms, gone.as_ref()),
        Event::Failed { resource, op, took_ms, error, hint, request_id } => {
            let what = format!("{} {resource}", op.verb());
            failed(&what, &took(*took_ms), error, hint, request_id)
        }
        Event::RecordFailed { error, hint, request_id } => failed("writing the record", "", error, hint, request_id),
        Event::Skipped { resource, op, because } => {
            format!("  {CARE}-{CARE:#} {:<44} {DIM}skipped: {because}{DIM:#}\n", format!("{} {resource}", op.verb()))
        }
        Event::Ended { summary } => ended(summary),
        Event::Outputs { outputs } => format!("\n{}", outputs.outputs.human()),
        Event::Rendered { spec: value } | Event::Schema { schema: value } | Event::Tables { tables: value } => {
            format!("{value:#}\n")
        }
        Event::Progress { task, text, elapsed_ms } => progress(task, text, *elapsed_ms),
        Event::Done { text, took_ms, .. } => format!("{DIM}  {text} in {}{DIM:#}\n", took(*took_ms)),
        Event::Put { result } => produced::put(result),
        Event::Replayed { result } => replayed::replayed(result),
        Event::Verified { result } => verified::verified(result),
        Event::Invoked { result } => transform::invoked(result),
        Event::Tested { result } => transform::tested(result, verbose),
        Event::Broken { result } => transform::broken(result),
        Event::Judged { result } => transform::verdict(result),
        Event::Status { resource, physical, state } => {
            let style = if state == "exists" { GOOD } else { CARE };
            let (word, note) = state.split_once(", ").unwrap_or((state, ""));
            let note = if note.is_empty() { String::new() } else { format!(" {DIM}({note}){DIM:#}") };
            format!("  {style}{word:<8}{style:#} {resource:<28} {physical}{note}\n")
        }
        Event::Wrong { mistakes } => format!("{}\n", mistakes.render(true)),
        Event::Validated { file, mistakes, warnings } => validated(file, mistakes, warnings),
        Event::Environment { environment, expired } => self::environment(environment, *expired),
        Event::Checked { check } => self::checked(check),
        Event::Run { run } => self::run(run),
        Event::Calls { calls } if verbose => self::calls(calls),
        // `event` prints errors to standard error.
        // Records and log events are data, which `report::print` writes as it is.
        Event::Calls { .. }
        | Event::Waits { .. }
        | Event::Error { .. }
        | Event::Seen { .. }
        | Event::Logged { .. }
        | Event::Compared { .. } => String::new(),
        Event::Said { text } | Event::Next { text } => format!("{text}\n"),
    }
}

fn progress(task: &str, text: &str, elapsed_ms: u64) -> String {
    format!("{DIM}  . {task}: {text} ({}){DIM:#}\n", took(elapsed_ms))
}

fn validated(file: &str, mistakes: &Diagnostics, warnings: &Diagnostics) -> String {
    match (mistakes.len(), warnings.len()) {
        (0, 0) => format!("{file}: no errors\n"),
        (0, some) => format!("{}\n\n{file}: no errors, {}\n", warnings.render(true), plural(some, "warning")),
        (wrong, _) => format!("{}\n\n{file}: {}\n", mistakes.render(true), plural(wrong, "error")),
    }
}

fn environment(environment: &Environment, expired: bool) -> String {
    let Environment { stack, env, owner, created, expires, members, recorded, unrecorded } = environment;
    let name = format!("{stack}{}", env_flag(env.as_deref()));
    let owner = owner.as_deref().unwrap_or("unknown");
    let until = match expires {
        None => String::new(),
        Some(at) if expired => format!(", {CARE}expired {}{CARE:#}", at_minute(at * 1000)),
        Some(at) => format!(", expires {}", at_minute(at * 1000)),
    };
    let besides: String =
        unrecorded.iter().map(|found| format!("  {CARE}not in the record{CARE:#} {found}\n")).collect();
    if !recorded {
        return format!("{BOLD}{name}{BOLD:#}\n  {CARE}no record{CARE:#}\n{besides}");
    }
    let (resources, made) = (plural(*members, "resource"), at_minute(created * 1000));
    format!("{BOLD}{name}{BOLD:#}\n  {resources}, owner {owner}, {DIM}created {made}{DIM:#}{until}\n{besides}")
}

/// The state, the subject, the finding and the remedy of one check.
fn checked(check: &Check) -> String {
    let (style, sign) = match check.state {
        State::Good => (GOOD, '✓'),
        State::Care => (CARE, '!'),
        State::Failed => (ERROR, '✗'),
        State::Unchecked => (CARE, '?'),
    };
    let remedy = check.remedy.as_ref().map(|remedy| format!("{:18}  {DIM}{remedy}{DIM:#}\n", ""));
    format!("  {style}{sign}{style:#} {:<13}  {}\n{}", check.about, check.found, remedy.unwrap_or_default())
}

fn run(run: &Run) -> String {
    let Began { command, version, owner, steps, .. } = &run.began;
    let owner = owner.as_deref().unwrap_or("unknown");
    let head = format!("{}  {BOLD}{command}{BOLD:#} by {owner} {DIM}(version {version}){DIM:#}", at_minute(run.at_ms));
    let steps = format!("      {DIM}{}{DIM:#}\n", steps.join(", "));
    let Some(end) = &run.ended else {
        return format!("{head}\n{steps}      {CARE}not finished: it is still running, or it was killed{CARE:#}\n");
    };
    let failures: String = end.failures.iter().map(|failure| format!("      {ERROR}{failure}{ERROR:#}\n")).collect();
    format!("{head}\n{steps}      {}{failures}", ended(&end.summary))
}

/// `2026-11-23 14:05Z`
fn at_minute(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn calls(calls: &[Made]) -> String {
    let one = |call: &Made| {
        let took = call.took_ms.map_or("canceled".into(), took);
        let attempts = if call.attempts > 1 { format!(", {} attempts", call.attempts) } else { String::new() };
        format!("{DIM}  {:<16} {:<32} {took:>8}{attempts}{DIM:#}\n", call.service, call.operation)
    };
    format!("{} calls\n{}", calls.len(), calls.iter().map(one).collect::<String>())
}

fn finished(resource: &str, op: Op, took_ms: u64, gone: Option<&Gone>) -> String {
    let (style, sign, word, note) = match gone {
        Some(Gone::Kept(why)) => (CARE, "-", "kept", format!(" {why}")),
        Some(Gone::Left(why)) => (GOOD, "✓", "kept", format!(" {why}")),
        Some(Gone::DeletedWith(what)) => (GOOD, "✓", "deleted", format!(" ({what})")),
        Some(Gone::Deleting) => (GOOD, "✓", "deleted", " (still being deleted)".to_owned()),
        Some(Gone::Deleted) | None => (GOOD, "✓", op.done(), String::new()),
    };
    format!("  {style}{sign}{style:#} {:<44} {DIM}{:>8}{DIM:#}{note}\n", format!("{word} {resource}"), took(took_ms))
}

fn failed(what: &str, took: &str, error: &str, hint: &Option<String>, request_id: &Option<String>) -> String {
    let more = |what: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!("      {DIM}{what}{DIM:#}: {text}\n")).unwrap_or_default()
    };
    let more = more("hint", hint) + &more("AWS request", request_id);
    format!("  {ERROR}✗{ERROR:#} {what:<44} {DIM}{took:>8}{DIM:#}\n      {error}\n{more}")
}

fn ended(summary: &Summary) -> String {
    let parts = [
        (summary.created, "created"),
        (summary.updated, "updated"),
        (summary.replaced, "replaced"),
        (summary.deleted, "deleted"),
        (summary.deleting, "still being deleted by AWS"),
        (summary.left, "kept for others"),
        (summary.kept, "kept"),
        (summary.unchanged, "unchanged"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
    ];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let (style, word) = match (summary.interrupted, summary.complete()) {
        (true, _) if summary.stopped => (CARE, "stopped for another run"),
        (true, _) => (CARE, "interrupted"),
        (false, true) => (GOOD, "done"),
        (false, false) => (ERROR, "failed"),
    };
    format!("{style}{word}{style:#} in {}: {}\n", took(summary.took_ms), said.join(", "))
}

/// `85 ms`, `1.2 s`, `3 m 04 s`
pub fn took(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} m {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
