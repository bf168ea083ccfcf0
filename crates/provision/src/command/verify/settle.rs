//! Waits until every record is accounted for, or until the limit, and tells how far it is.

use std::time::Duration;

use tokio::time::Instant;

use super::subject::Expecting;
use super::{VerifyArgs, say};
use crate::command::passing::{Passing, SLACK};
use crate::error::Result;
use crate::event::{Event, Events};
use crate::producer::target::Target;
use crate::session::{Place, Session};
use crate::verify::input::Input;
use crate::verify::placed::Placed;

/// The time limit for a shared emulator once its buffers are flushed, and since something came out.
const FLUSHED: Duration = Duration::from_secs(20);
/// The interval between reports while nothing is found.
const TELL: Duration = Duration::from_secs(30);

/// Records that were put into one place, and the delivery streams that receive them.
pub struct Sending<'a> {
    pub into: Target,
    pub input: Input,
    pub placed: Placed,
    pub subjects: Vec<Expecting<'a>>,
}

pub async fn settle(session: &Session, args: &VerifyArgs, sendings: &mut [Sending<'_>], events: &Events) -> Result<()> {
    let subjects = || sendings.iter().flat_map(|sending| &sending.subjects);
    let buffers = subjects().map(|subject| subject.tested.buffered()).max().unwrap_or_default();
    let names: Vec<String> = subjects().map(|subject| subject.tested.name.to_owned()).collect();
    let limit = patience(matches!(session.place, Place::Serving(_)), args.timeout, buffers);
    say(
        events,
        match &session.place {
            Place::Within(_) => "advancing the emulator's clock, so that the buffers are delivered".to_owned(),
            Place::Serving(_) => "flushing the buffers of these delivery streams".to_owned(),
            Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => {
                format!("waiting up to {} s for the buffers (and AWS) to deliver", limit.as_secs())
            }
        },
    );
    let mut passing = Passing::new(session, names, buffers);
    let (mut telling, mut all_before) = (Telling::default(), usize::MAX);
    loop {
        let mut awaited = vec![];
        for sending in &mut *sendings {
            for subject in &mut sending.subjects {
                subject.read(&session.cx, &sending.input, &mut sending.placed).await?;
                awaited.push((subject.account.awaited(), subject.account.expected.count() as usize));
            }
        }
        let all: usize = awaited.iter().map(|(awaited, _)| awaited).sum();
        if all < all_before && args.timeout.is_none() {
            passing.progressed();
        }
        all_before = all;
        let left = limit.saturating_sub(passing.time());
        if awaited.iter().all(|(awaited, _)| *awaited == 0) || left.is_zero() {
            return Ok(());
        }
        if !session.place.is_local() {
            let named = sendings.iter().flat_map(|sending| &sending.subjects).zip(&awaited);
            let lines = named.filter(|(_, (awaited, _))| *awaited > 0).map(|(subject, (awaited, all))| {
                let buffer = subject.tested.buffered().as_secs();
                (subject.tested.logical.to_owned(), progress(*awaited, *all, passing.time().as_secs(), buffer))
            });
            telling.tell(lines.collect(), left, events);
        }
        passing.step(left).await?;
    }
}

/// The lines that were told last, and when.
#[derive(Default)]
struct Telling {
    told: Vec<(String, String)>,
    at: Option<Instant>,
}

impl Telling {
    fn tell(&mut self, lines: Vec<(String, String)>, left: Duration, events: &Events) {
        if lines == self.told && self.at.is_some_and(|at| at.elapsed() < TELL) {
            return;
        }
        for (logical, on) in &lines {
            let on = format!("{on}; up to {} s more", left.as_secs());
            events.say(Event::Waiting { resource: format!("delivery.{logical}"), on });
        }
        (self.told, self.at) = (lines, Some(Instant::now()));
    }
}

/// The records that were found, and why the others are awaited.
fn progress(awaited: usize, all: usize, waited_s: u64, buffer_s: u64) -> String {
    let why = match waited_s < buffer_s {
        true => format!("the buffer of {buffer_s} s is not due yet"),
        false => "the buffer is due, and Firehose has not stored the rest yet".to_owned(),
    };
    format!("{} of {all} records found, {why}", all - awaited)
}

/// How long records are waited for: as told, else what a flushed engine of ours takes at most, or the buffers and AWS do.
fn patience(flushed: bool, timeout_s: Option<u64>, buffers: Duration) -> Duration {
    match (timeout_s, flushed) {
        (Some(seconds), _) => Duration::from_secs(seconds),
        (None, true) => FLUSHED,
        (None, false) => buffers + SLACK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_goes_before_what_the_buffers_allow() {
        let told = |flushed, timeout_s| patience(flushed, timeout_s, Duration::from_secs(60)).as_secs();
        assert_eq!([told(false, None), told(true, None), told(false, Some(9)), told(true, Some(9))], [360, 20, 9, 9]);
    }

    #[test]
    fn progress_tells_why_records_are_awaited() {
        assert_eq!(progress(3, 10, 5, 60), "7 of 10 records found, the buffer of 60 s is not due yet");
        assert!(progress(3, 10, 61, 60).ends_with("has not stored the rest yet"));
    }
}
