//! The output on a terminal, and in a log.

use std::time::Duration;

use super::*;
use crate::plan::Op;

/// A terminal that knows the few sequences that are written to it.
fn shown(written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written).into_owned();
    let (mut lines, mut row, mut column) = (vec![String::new()], 0, 0);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                (row, column) = (row + 1, 0);
                lines.resize(lines.len().max(row + 1), String::new());
            }
            '\x1b' => {
                let sequence = sequence(&mut chars);
                match sequence.split_at(sequence.len() - 1) {
                    (count, "A") => row -= count.parse::<usize>().expect("a number of lines"),
                    ("", "J") => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    (_, "m") => {}
                    _ => panic!("{sequence:?}"),
                }
            }
            c => {
                assert_eq!(lines[row].chars().count(), column, "nothing is written over something else");
                lines[row].push(c);
                column += 1;
            }
        }
    }
    lines
}

/// The text that follows the escape character and a bracket, up to the letter that ends it.
fn sequence(chars: &mut impl Iterator<Item = char>) -> String {
    let mut sequence = String::new();
    for c in chars.skip(1) {
        sequence.push(c);
        if c.is_ascii_alphabetic() {
            break;
        }
    }
    sequence
}

fn terminal(detail: Detail, colors: bool) -> Human<Vec<u8>> {
    Human::new(vec![], detail, Screen { width: || Some(80), live: true, colors })
}

fn log(detail: Detail) -> Human<Vec<u8>> {
    Human::new(vec![], detail, Screen { width: || None, live: true, colors: false })
}

/// An `up` that creates two things, for the first of which it waits. Its reporter is looked at every second.
fn story(human: &mut Human<Vec<u8>>, seconds: u64) {
    let began = Instant::now();
    let started = |resource: &str| Event::Started { resource: resource.into(), op: Op::Create };
    let finished = |took_ms| Event::Finished { resource: "role.raw".into(), op: Op::Create, took_ms, gone: None };
    for second in 0..=seconds {
        let now = began + Duration::from_secs(second);
        match second {
            0 => ["stream.events", "role.raw"].iter().for_each(|resource| human.event_at(&started(resource), now)),
            2 => {
                let on = "stream events to become ACTIVE (up to 15 min)".to_owned();
                human.event_at(&Event::Waiting { resource: "stream.events".into(), on }, now);
            }
            4 => human.event_at(&finished(4_000), now),
            _ => {}
        }
        human.tick_at(now);
    }
}

#[test]
fn on_a_terminal_running_work_stands_below_the_results_and_is_rewritten() {
    for colors in [true, false] {
        let mut human = terminal(Detail::Usual, colors);
        story(&mut human, 1);
        assert_eq!(shown(&human.out), ["  . creating stream.events  1 s", "  . creating role.raw       1 s"]);
        let mut human = terminal(Detail::Usual, colors);
        story(&mut human, 20);
        let done = format!("  ✓ {:<44} {:>8}", "created role.raw", "4.0 s");
        let left = "  . creating stream.events  20 s  for stream events to become ACTIVE (up to …".to_owned();
        assert_eq!(shown(&human.out), [done.clone(), left]);
        assert_eq!(String::from_utf8_lossy(&human.out).contains("\x1b[2m"), colors);
        let later = Instant::now() + Duration::from_secs(30);
        human.make_room();
        assert_eq!(shown(&human.out), [done.clone(), String::new()]);
        human.tick_at(later);
        assert_ne!(shown(&human.out), [done.clone(), String::new()], "it goes on below what somebody else wrote");
        human.end();
        human.tick_at(later);
        assert_eq!(shown(&human.out), [done, String::new()]);
    }
}

#[test]
fn in_a_log_running_work_is_told_every_fifteen_seconds() {
    let mut human = log(Detail::Usual);
    story(&mut human, 33);
    let expected = "  . stream.events: waiting for stream events to become ACTIVE (up to 15 min)
  ✓ created role.raw                                4.0 s
  . creating stream.events (17 s): waiting for stream events to become ACTIVE (up to 15 min)
  . creating stream.events (32 s): waiting for stream events to become ACTIVE (up to 15 min)
";
    assert_eq!(String::from_utf8_lossy(&human.out), expected);
}

#[test]
fn the_quiet_are_told_nothing() {
    for mut human in [terminal(Detail::Quiet, true), log(Detail::Quiet)] {
        story(&mut human, 60);
        assert_eq!(String::from_utf8_lossy(&human.out), "");
    }
}

#[test]
fn a_line_of_cargo_is_shown_live_and_kept_only_for_whoever_asks_for_details() {
    let told = |mut human: Human<Vec<u8>>| {
        let now = Instant::now();
        let (task, text) = ("building crate square".to_owned(), "Compiling square v0.1.0".to_owned());
        human.event_at(&Event::Progress { task: task.clone(), text, elapsed_ms: 3_000 }, now);
        human.tick_at(now);
        let live = shown(&human.out);
        human.event_at(&Event::Done { task, text: "built crate square".into(), took_ms: 3_500 }, now);
        (live, shown(&human.out))
    };
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let (live, done) = told(terminal(Detail::Usual, true));
    assert_eq!(live, lines(&["  . building crate square  3 s  Compiling square v0.1.0"]));
    assert_eq!(done, lines(&["  built crate square in 3.5 s", ""]));
    let (_, done) = told(log(Detail::Verbose));
    let verbose = ["  . building crate square: Compiling square v0.1.0 (3.0 s)", "  built crate square in 3.5 s", ""];
    assert_eq!(done, lines(&verbose));
}
