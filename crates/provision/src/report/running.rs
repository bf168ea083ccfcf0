//! The work that is running, as the events tell it, and the lines that show it. Pure: the caller says what time it is.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::event::Event;

/// Work that is over sooner is not shown.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// Between two lines about the same work in a log.
const TOLD_EVERY: Duration = Duration::from_secs(15);
/// More lines would push the results off the screen.
const MOST: usize = 8;

/// Work in the order in which it began.
#[derive(Debug, Default)]
pub struct Running {
    tasks: Vec<Task>,
    /// How long the steps of the plan take on AWS, by resource.
    expected: HashMap<String, Duration>,
}

#[derive(Debug)]
struct Task {
    /// Its name in events.
    key: String,
    /// `creating stream.events`
    name: String,
    /// How far it is, or what it waits for.
    note: String,
    began: Instant,
    /// When a log was last told of it.
    told: Instant,
    expected: Option<Duration>,
}

/// The key of waits that are no step's: for another run, for instance.
const WAITING: &str = "waiting";

impl Running {
    /// Takes note of work that begins, goes on or ends.
    pub fn heed(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Planned { plan, .. } => {
                self.end(WAITING);
                let waits = plan.steps.iter().filter(|step| step.expected_wait_s > 0);
                let expected = |wait: u32| Duration::from_secs(wait.into());
                let of = waits.map(|step| (step.name.address.to_string(), expected(step.expected_wait_s)));
                self.expected = of.collect();
            }
            Event::Started { resource, op } => {
                let expected = self.expected.get(resource).copied();
                let name = format!("{} {resource}", op.verb());
                let (key, note) = (resource.clone(), String::new());
                self.tasks.push(Task { key, name, note, began: now, told: now, expected });
            }
            Event::Waiting { resource, on } => {
                // A step waits for something. `verify` says how far a delivery stream is.
                let is_step = self.tasks.iter().any(|task| task.key == *resource && task.name != *resource);
                let note = if is_step { format!("waiting for {on}") } else { on.clone() };
                self.note(resource, &note, now, Duration::ZERO);
            }
            Event::Finished { resource, .. } | Event::Failed { resource, .. } | Event::Skipped { resource, .. } => {
                self.end(resource);
            }
            Event::Progress { task, text, elapsed_ms } => {
                self.note(task, text, now, Duration::from_millis(*elapsed_ms));
            }
            Event::Done { task, .. } => self.end(task),
            Event::Invoked { .. } | Event::Tested { .. } | Event::Broken { .. } => {
                self.tasks.retain(|task| !task.key.starts_with("testing ") && !task.key.starts_with("invoking "));
            }
            Event::Put { result } => self.end(&format!("putting into {}", result.into)),
            Event::Verified { result } => self.end(&format!("delivery.{}", result.delivery)),
            Event::Working { text } => {
                self.end(WAITING);
                if waited_for(text).is_some() {
                    self.note(WAITING, text, now, Duration::ZERO);
                }
            }
            Event::Ended { .. } | Event::Error { .. } | Event::Wrong { .. } => self.tasks.clear(),
            _ => {}
        }
    }

    /// A log has just been told of this event, so that its work need not be told again at once.
    pub fn told(&mut self, event: &Event, now: Instant) {
        if let Event::Waiting { resource: key, .. } | Event::Progress { task: key, .. } = event
            && let Some(task) = self.tasks.iter_mut().find(|task| task.key == *key)
        {
            task.told = now;
        }
    }

    fn note(&mut self, key: &str, note: &str, now: Instant, elapsed: Duration) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.key == key) {
            note.clone_into(&mut task.note);
            return;
        }
        let began = now.checked_sub(elapsed).unwrap_or(now);
        let (key, name, note) = (key.to_owned(), key.to_owned(), note.to_owned());
        self.tasks.push(Task { key, name, note, began, told: began, expected: None });
    }

    fn end(&mut self, key: &str) {
        self.tasks.retain(|task| task.key != key);
    }

    /// A line for each work that takes a while, none longer than `width`: name, time and note in columns.
    pub fn lines(&self, now: Instant, width: usize) -> Vec<String> {
        let mut shown: Vec<&Task> = self.tasks.iter().filter(|task| now - task.began >= SHOWN_AFTER).collect();
        let more = shown.len().saturating_sub(MOST);
        shown.truncate(MOST);
        let columns = |text: &dyn Fn(&Task) -> String| {
            shown.iter().map(|task| text(task).chars().count()).max().unwrap_or_default()
        };
        let (name, time) = (columns(&|task| task.name.clone()), columns(&|task| task.time(now)));
        let line = |task: &&Task| {
            // The name says already that it takes time.
            let note = waited_for(&task.note).unwrap_or(&task.note);
            let line = format!("  . {:<name$}  {:<time$}  {note}", task.name, task.time(now));
            cut(line.trim_end(), width)
        };
        let mut lines: Vec<String> = shown.iter().map(line).collect();
        if more > 0 {
            lines.push(cut(&format!("    and {more} more"), width));
        }
        lines
    }

    /// The lines for a log: each work is told every fifteen seconds.
    pub fn due(&mut self, now: Instant) -> Vec<String> {
        let due = self.tasks.iter_mut().filter(|task| now - task.told >= TOLD_EVERY);
        let tell = |task: &mut Task| {
            task.told = now;
            let note = if task.note.is_empty() { String::new() } else { format!(": {}", task.note) };
            format!("  . {} ({}){note}", task.name, task.time(now))
        };
        due.map(tell).collect()
    }
}

impl Task {
    /// `12 s`, `1 m 40 s of about 30 s`
    fn time(&self, now: Instant) -> String {
        let elapsed = seconds(now - self.began);
        match self.expected {
            Some(expected) => format!("{elapsed} of about {}", seconds(expected)),
            None => elapsed,
        }
    }
}

/// The purpose of a wait, from its text.
pub fn waited_for(text: &str) -> Option<&str> {
    text.strip_prefix("waiting ")
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} m {:02} s", seconds / 60, seconds % 60),
    }
}

/// One line that a terminal of this width does not break.
fn cut(line: &str, width: usize) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // A terminal may break a line that fills it, and writes ^C behind it.
    let most = width.saturating_sub(3);
    match line.char_indices().nth(most) {
        Some(_) => line.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => line,
    }
}

#[cfg(test)]
#[path = "running/tests.rs"]
mod tests;
