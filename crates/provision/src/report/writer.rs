//! Writes events for people: results, and below them on a terminal the work that is running.

use std::io::Write;
use std::time::Instant;

use crate::change::Gone;
use crate::event::{Event, Reporter};
use crate::report::human::{DIM, text};
use crate::report::running::{self, Running};
use crate::report::screen::Block;
use crate::report::{Detail, wrap};
use crate::secret::masked;

/// Where the text goes.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// The columns that lines are broken to fit. It is asked for each event, because a window may be resized. `None`: no terminal.
    pub width: fn() -> Option<usize>,
    /// Whether lines can be rewritten.
    pub live: bool,
    pub colors: bool,
}

pub struct Human<W> {
    out: W,
    detail: Detail,
    screen: Screen,
    running: Running,
    block: Block,
}

impl<W: Write> Human<W> {
    pub fn new(out: W, detail: Detail, screen: Screen) -> Human<W> {
        Human { out, detail, screen, running: Running::default(), block: Block::default() }
    }

    fn event_at(&mut self, event: &Event, now: Instant) {
        if self.detail == Detail::Quiet && is_progress(event) {
            return;
        }
        self.running.heed(event, now);
        if let Event::Error { message, hint } = event {
            let erase = self.block.erase();
            self.write(&erase);
            return super::error(message, hint.as_deref());
        }
        let width = (self.screen.width)();
        if (width.is_some() && self.screen.live && is_shown_live(event)) || is_progress_of_a_task(event, self.detail) {
            return;
        }
        // Masked before it is broken into lines: a secret may have spaces in it.
        let mut text = masked(&text(event, self.detail == Detail::Verbose)).to_string();
        if text.is_empty() {
            return;
        }
        self.running.told(event, now);
        if let Some(width) = width.filter(|_| may_be_wrapped(event)) {
            text = wrap::wrapped(&text, width);
        }
        let shown = self.block.is_drawn();
        let erase = self.block.erase();
        let below = if shown { self.lines(now) } else { String::new() };
        self.write(&(erase + &self.styled(&text) + &below));
    }

    fn tick_at(&mut self, now: Instant) {
        if self.detail == Detail::Quiet {
            return;
        }
        let text = match (self.screen.width)().filter(|_| self.screen.live) {
            Some(_) => self.lines(now),
            None => {
                let due = self.running.due(now);
                due.iter().map(|line| self.styled(&format!("{DIM}{}{DIM:#}\n", masked(line)))).collect()
            }
        };
        self.write(&text);
    }

    /// The lines about running work, where they have changed.
    fn lines(&mut self, now: Instant) -> String {
        let Some(width) = (self.screen.width)().filter(|_| self.screen.live) else { return String::new() };
        let lines = self.running.lines(now, width).iter().map(|line| masked(line).to_string()).collect();
        let colors = self.screen.colors;
        self.block.draw(lines, |line| if colors { format!("{DIM}{line}{DIM:#}") } else { line.to_owned() })
    }

    fn styled(&self, text: &str) -> String {
        match self.screen.colors {
            true => text.to_owned(),
            false => anstream::adapter::strip_str(text).to_string(),
        }
    }

    fn write(&mut self, text: &str) {
        // A closed pipe must not stop a change half way.
        if !text.is_empty() {
            let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        }
    }
}

impl<W: Write + Send> Reporter for Human<W> {
    fn event(&mut self, event: &Event) {
        self.event_at(event, Instant::now());
    }

    fn tick(&mut self) {
        self.tick_at(Instant::now());
    }

    fn end(&mut self) {
        self.running = Running::default();
        self.make_room();
    }

    fn make_room(&mut self) {
        let erase = self.block.erase();
        self.write(&erase);
    }
}

/// On a terminal the lines about running work show it.
fn is_shown_live(event: &Event) -> bool {
    match event {
        Event::Waiting { .. } => true,
        Event::Working { text } => running::waited_for(text).is_some(),
        _ => false,
    }
}

/// Everywhere the lines about running work show it. All of it is of interest only to whoever asks for details.
fn is_progress_of_a_task(event: &Event, detail: Detail) -> bool {
    matches!(event, Event::Progress { .. }) && detail != Detail::Verbose
}

/// Whether the event reports progress and not a result.
fn is_progress(event: &Event) -> bool {
    match event {
        Event::Planned { plan, .. } => plan.refusals.is_empty(),
        Event::Ended { summary } => summary.complete(),
        Event::Target { .. }
        | Event::Working { .. }
        | Event::Progress { .. }
        | Event::Done { .. }
        | Event::Started { .. }
        | Event::Waiting { .. }
        | Event::Finished { gone: None | Some(Gone::Deleted | Gone::Deleting | Gone::DeletedWith(_)), .. }
        | Event::Next { .. }
        | Event::Calls { .. } => true,
        _ => false,
    }
}

/// Commands to paste, values to copy, payloads and text with its own layout are not wrapped.
fn may_be_wrapped(event: &Event) -> bool {
    !matches!(
        event,
        Event::Said { .. }
            | Event::Next { .. }
            | Event::Outputs { .. }
            | Event::Invoked { .. }
            | Event::Broken { .. }
            | Event::SpecWarned { .. }
            | Event::Wrong { .. }
            | Event::Validated { .. }
            | Event::Rendered { .. }
            | Event::Schema { .. }
            | Event::Tables { .. }
    )
}

#[cfg(test)]
#[path = "writer/tests.rs"]
mod tests;
