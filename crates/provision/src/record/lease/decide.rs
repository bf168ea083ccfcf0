//! Decides who holds the lease of an environment, who waits, who takes it over, and who is asked to stop. Pure: names of log streams and
//! readings of a clock go in, decisions come out. The rules stand in ARCHITECTURE.md.

use std::time::Duration;

use super::who::Who;

/// A holder takes the next number this often. It sees as often whether somebody asks it to stop, so that a `down` waits no longer
/// for that. It costs two calls, so that a hundred environments at once use half of what AWS allows an account.
pub const RENEWS: Duration = Duration::from_secs(10);
/// A waiter takes the next number when it has seen the same highest one for so long, by its own clock. Four renewals and a slow
/// call fit in. The `down` after a killed job has to end within five minutes, and this is part of them.
pub const GONE: Duration = Duration::from_secs(45);
/// A holder whose last renewal is older than this starts no step before the next one. It is less than [`GONE`], so that nobody else
/// has the lease by then.
pub const SURE: Duration = Duration::from_secs(30);

/// All streams of the lease begin with this.
pub const PREFIX: &str = "lease/";
const FREE: &str = "free";
const BY: &str = "by";
const STOP: &str = "stop";

/// The stream whose creation takes a number.
pub fn number(number: u64) -> String {
    format!("{PREFIX}{number:010}")
}

/// Says that the holder of this number is done.
pub fn free(of: u64) -> String {
    format!("{}/{FREE}", number(of))
}

/// Says who took this number.
pub fn by(of: u64, who: &Who) -> String {
    format!("{}/{BY}/{}", number(of), who.encoded())
}

/// Asks the holder of this number to stop.
pub fn stop(of: u64, who: &Who) -> String {
    format!("{}/{STOP}/{}", number(of), who.encoded())
}

/// The lease, as the log streams of a record describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    /// The highest number that was taken. Whoever made the record has 0, without a stream.
    pub number: u64,
    /// Whether its holder is done.
    pub free: bool,
    /// The holder, and the number that it took first.
    pub holder: Option<(u64, Who)>,
    /// Runs that asked a holder to stop, and the holder's number.
    pub asked: Vec<(u64, Who)>,
}

impl Lease {
    /// From the names of streams, in any order. Names that mean nothing here are passed over.
    pub fn read<'n>(names: impl IntoIterator<Item = &'n str>) -> Lease {
        let mut lease = Lease::default();
        let mut marks: Vec<(u64, &str)> = vec![];
        for name in names {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let (digits, mark) = rest.split_once('/').unwrap_or((rest, ""));
            match digits.parse() {
                Ok(number) if mark.is_empty() => lease.number = lease.number.max(number),
                Ok(number) => marks.push((number, mark)),
                Err(_) => {}
            }
        }
        for (of, mark) in marks.into_iter().filter(|(of, _)| *of <= lease.number) {
            match mark.split_once('/') {
                None => lease.free |= mark == FREE && of == lease.number,
                Some((BY, who)) if lease.holder.as_ref().is_none_or(|(known, _)| *known < of) => {
                    lease.holder = Some((of, Who::decoded(who)));
                }
                Some((STOP, who)) => lease.asked.push((of, Who::decoded(who))),
                Some(_) => {}
            }
        }
        lease
    }

    /// The holder's name for people.
    pub fn told(&self) -> String {
        self.holder.as_ref().map_or("another run".into(), |(_, who)| who.to_string())
    }
}

/// A run that waits for the lease.
#[derive(Debug, Clone)]
pub struct Waiter {
    who: Who,
    /// The highest number seen so far, and when it was first seen.
    seen: Option<(u64, Duration)>,
    /// The first number of the last holder that it asked to stop.
    asked: Option<u64>,
}

/// The next action of a waiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Tries to take this number.
    Take(u64),
    /// Asks the holder of this number to stop, and looks again later.
    Ask(u64),
    /// Looks again later.
    Wait,
    /// Gives way to this newer run of the same pull request.
    GiveWay(Box<Who>),
}

impl Waiter {
    pub fn new(who: Who) -> Waiter {
        Waiter { who, seen: None, asked: None }
    }

    /// `now`: a reading of any clock that goes forward.
    pub fn turn(&mut self, lease: &Lease, now: Duration) -> Turn {
        let (number, since) = match self.seen {
            // A listing may be older than the one before.
            Some((number, since)) if number >= lease.number => (number, since),
            _ => (lease.number, now),
        };
        self.seen = Some((number, since));
        if number == lease.number && lease.free || now.saturating_sub(since) >= GONE {
            return Turn::Take(number + 1);
        }
        let Some((first, holder)) = &lease.holder else { return Turn::Wait };
        if holder.supersedes(&self.who) {
            return Turn::GiveWay(Box::new(holder.clone()));
        }
        let is_asked = self.asked >= Some(*first) || lease.asked.iter().any(|(number, _)| number >= first);
        if !is_asked && self.who.stops(holder) {
            self.asked = Some(*first);
            return Turn::Ask(lease.number);
        }
        Turn::Wait
    }

    /// Somebody else took this number.
    pub fn refused(&mut self, number: u64, now: Duration) {
        self.seen = Some((number, now));
    }
}

/// The numbers that a holder has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    pub first: u64,
    pub last: u64,
    /// When the call began that took the last number.
    renewed: Duration,
}

impl Holding {
    pub fn new(number: u64, began: Duration) -> Holding {
        Holding { first: number, last: number, renewed: began }
    }

    /// Whether nobody else can have the lease yet.
    pub fn is_sure(&self, now: Duration) -> bool {
        now.saturating_sub(self.renewed) < SURE
    }

    pub fn took(&mut self, number: u64, began: Duration) {
        (self.last, self.renewed) = (number, began);
    }

    /// Whether a number that is taken already was taken by this holder: the answer to an attempt was lost, and it is too early for
    /// anybody else.
    pub fn has_taken(&self, an_answer_was_lost: bool, now: Duration) -> bool {
        an_answer_was_lost && self.is_sure(now)
    }

    /// Whether somebody else has a higher number.
    pub fn is_lost(&self, lease: &Lease) -> bool {
        lease.number > self.last
    }

    /// The run that asks this holder to stop. A request to a holder before it has a lower number.
    pub fn asked<'l>(&self, lease: &'l Lease) -> Option<&'l Who> {
        lease.asked.iter().find(|(number, _)| *number >= self.first).map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests;
