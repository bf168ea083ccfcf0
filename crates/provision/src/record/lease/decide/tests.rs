//! Each decision in a table, and all interleavings of runs that a seed can draw: late listings, lost answers, pauses and kills.

use std::time::Duration;

use super::*;
use crate::job::{Job, Series};

fn who(run: usize, deletes: bool, number: Option<u64>) -> Who {
    let series = number.map(|number| Series { name: "pr".into(), number });
    let command = if deletes { "down" } else { "up" }.to_owned();
    Who { run: run.to_string(), command, deletes, since: 0, job: Job { series, ..Job::default() } }
}

fn up() -> Who {
    who(1, false, Some(5))
}

fn read(names: &[String]) -> Lease {
    Lease::read(names.iter().map(String::as_str))
}

#[test]
fn a_listing_says_the_highest_number_whether_it_is_free_and_whose_it_is() {
    let names = [number(9), number(10), by(9, &up()), by(3, &who(2, true, None)), free(9), stop(10, &up())];
    let lease = read(&names);
    assert_eq!((lease.number, lease.free, lease.holder), (10, false, Some((9, up()))));
    assert_eq!(lease.asked, [(10, up())]);
    assert!(read(&[number(9), number(10), free(10)]).free);
    // Whoever made the record has 0, and nothing stands for it.
    assert_eq!(read(&[]), Lease::default());
    assert!(read(&[by(0, &up()), free(0)]).free);
    // The record was deleted and made again.
    let stale = read(&[number(1), by(17, &up()), free(17), "lease/x".into(), "journal".into(), "lease/1/other".into()]);
    assert_eq!(stale, Lease { number: 1, ..Lease::default() });
}

#[test]
fn a_waiter_takes_what_is_free_or_silent_and_asks_once() {
    let at = Duration::from_secs;
    let (held, free) = ([number(4), by(4, &up())], [number(4), by(4, &up()), free(4)]);
    let mut waiter = Waiter::new(who(2, true, None));
    assert_eq!(waiter.turn(&read(&free), at(0)), Turn::Take(5));

    let mut waiter = Waiter::new(who(2, true, None));
    assert_eq!(waiter.turn(&read(&held), at(100)), Turn::Ask(4));
    assert_eq!(waiter.turn(&read(&held), at(144)), Turn::Wait);
    assert_eq!(waiter.turn(&read(&held), at(145)), Turn::Take(5));
    // Somebody else was faster.
    waiter.refused(5, at(146));
    assert_eq!(waiter.turn(&read(&held), at(190)), Turn::Wait);
    assert_eq!(waiter.turn(&read(&held), at(191)), Turn::Take(6));

    let renewed = [number(4), number(5), by(4, &up())];
    let mut waiter = Waiter::new(who(2, true, None));
    assert_eq!(waiter.turn(&read(&held), at(0)), Turn::Ask(4));
    assert_eq!(waiter.turn(&read(&renewed), at(44)), Turn::Wait, "the same holder was asked");
    // A listing from before says nothing new.
    assert_eq!(waiter.turn(&read(&held), at(46)), Turn::Wait);
    assert_eq!(waiter.turn(&read(&free), at(47)), Turn::Wait, "that number is not the highest any more");
    let next = [number(5), number(6), by(6, &up())];
    assert_eq!(waiter.turn(&read(&next), at(48)), Turn::Ask(6), "another holder is asked anew");
}

#[test]
fn who_is_asked_to_stop_depends_on_what_both_do() {
    let (older, newer) = (who(2, false, Some(4)), who(2, false, Some(6)));
    for (waiter, asked, expected) in [
        (who(2, true, None), &[][..], Turn::Ask(4)),
        (who(2, true, None), &[stop(4, &older)], Turn::Wait),
        (who(2, true, None), &[stop(3, &older)], Turn::Ask(4)),
        (newer.clone(), &[], Turn::Ask(4)),
        (who(2, false, None), &[], Turn::Wait),
        (older.clone(), &[], Turn::GiveWay(Box::new(up()))),
    ] {
        let names = [&[number(4), by(4, &up())], asked].concat();
        assert_eq!(Waiter::new(waiter.clone()).turn(&read(&names), Duration::ZERO), expected, "{waiter} {asked:?}");
    }
    let nobody_known = read(&[number(4)]);
    assert_eq!(Waiter::new(newer).turn(&nobody_known, Duration::ZERO), Turn::Wait);
}

#[test]
fn a_holder_is_sure_for_a_while_and_hears_requests_for_its_own_numbers() {
    let at = Duration::from_secs;
    let mut holding = Holding::new(7, at(100));
    assert!(holding.is_sure(at(129)) && !holding.is_sure(at(130)));
    holding.took(8, at(110));
    assert!(holding.is_sure(at(139)) && !holding.is_sure(at(140)));
    assert!(
        holding.has_taken(true, at(139)) && !holding.has_taken(false, at(139)) && !holding.has_taken(true, at(140))
    );
    assert!(!holding.is_lost(&read(&[number(7)])) && holding.is_lost(&read(&[number(9)])));
    let asked = |of| holding.asked(&read(&[number(8), stop(of, &up())])).is_some();
    assert_eq!([6, 7, 8].map(asked), [false, true, true]);
}

/// The streams that were created, with the time.
#[derive(Default)]
struct Store(Vec<(u64, String)>);

impl Store {
    fn create(&mut self, name: String, now: u64) -> bool {
        let is_new = !self.0.iter().any(|(_, known)| *known == name);
        if is_new {
            self.0.push((now, name));
        }
        is_new
    }

    fn list(&self, seen_until: u64) -> Lease {
        let seen = self.0.iter().filter(|(at, _)| *at <= seen_until);
        Lease::read(seen.map(|(_, name)| name.as_str()))
    }
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waits,
    /// Until then it has work to do.
    Holds(Holding, u64),
    /// How it ended.
    Ended(&'static str),
}

struct Actor {
    who: Who,
    waiter: Waiter,
    state: State,
    /// It acts then.
    next: u64,
    killed_at: u64,
}

/// Milliseconds: the longest lag of a listing.
const LAG: u64 = 4_000;
const END: u64 = 3_600_000;

struct Play {
    rng: fastrand::Rng,
    store: Store,
    actors: Vec<Actor>,
    steps: usize,
}

impl Play {
    fn new(seed: u64) -> Play {
        let mut rng = fastrand::Rng::with_seed(seed);
        let actors = (0..rng.usize(2..5)).map(|run| {
            let number = rng.bool().then(|| rng.u64(1..4));
            let who = who(run, rng.u8(0..3) == 0, number);
            let killed_at = if rng.u8(0..4) == 0 { rng.u64(0..200_000) } else { u64::MAX };
            let next = rng.u64(0..60_000);
            Actor { waiter: Waiter::new(who.clone()), who, state: State::Waits, next, killed_at }
        });
        Play { actors: actors.collect(), rng, store: Store::default(), steps: 0 }
    }

    /// How long a call, or a pause before it, takes: mostly little.
    fn pause(&mut self) -> u64 {
        match self.rng.u8(0..40) {
            0 => self.rng.u64(0..120_000),
            1..4 => self.rng.u64(0..8_000),
            _ => self.rng.u64(20..400),
        }
    }

    /// Whether this one would start a step now.
    fn may_start(&self, index: usize, now: u64) -> bool {
        let actor = &self.actors[index];
        matches!(&actor.state, State::Holds(holding, _) if now < actor.killed_at && holding.is_sure(Duration::from_millis(now)))
    }

    /// Starts a step, where it may: nobody else may then.
    fn start_step(&mut self, index: usize, now: u64) {
        if !self.may_start(index, now) {
            return;
        }
        self.steps += 1;
        let others = (0..self.actors.len()).filter(|other| *other != index && self.may_start(*other, now));
        assert_eq!(others.count(), 0, "two hold the lease: {:?}", self.store.0);
    }

    /// Takes a number: whether it is taken now, and whether an answer was lost on the way.
    fn take(&mut self, take: u64, now: u64) -> (bool, bool) {
        let is_lost = self.rng.u8(0..10) == 0;
        let is_new = self.store.create(number(take), now);
        (is_new && !is_lost, is_lost && is_new)
    }

    fn act(&mut self, index: usize) {
        let now = self.actors[index].next;
        // A listing lags, and what is done about it may come later.
        let seen_until = now.saturating_sub(self.rng.u64(0..LAG) + self.pause());
        if now >= self.actors[index].killed_at {
            self.actors[index].state = State::Ended("killed");
            return;
        }
        let (clock, listing) = (Duration::from_millis(now), self.store.list(seen_until));
        let pause = self.pause();
        let actor = &mut self.actors[index];
        actor.next = now + pause;
        match actor.state.clone() {
            State::Ended(_) => {}
            State::Waits => match actor.waiter.turn(&listing, clock) {
                Turn::Take(number) => match self.take(number, now) {
                    (true, _) => {
                        let who = self.actors[index].who.clone();
                        self.store.create(by(number, &who), now);
                        let until = now + self.rng.u64(0..200_000);
                        self.actors[index].state = State::Holds(Holding::new(number, clock), until);
                        self.start_step(index, now);
                    }
                    (false, _) => self.actors[index].waiter.refused(number, clock),
                },
                Turn::Ask(number) => {
                    let name = stop(number, &actor.who);
                    self.store.create(name, now);
                }
                Turn::Wait => actor.next = now + 3_000,
                Turn::GiveWay(_) => actor.state = State::Ended("gave way"),
            },
            State::Holds(mut holding, until) => {
                self.start_step(index, now);
                let next = holding.last + 1;
                let (taken, lost_answer) = self.take(next, now);
                let lease = self.store.list(now);
                let ended = if taken || holding.has_taken(lost_answer, clock) {
                    holding.took(next, clock);
                    let listing = self.store.list(seen_until);
                    if holding.is_lost(&listing) {
                        Some("lost")
                    } else if holding.asked(&listing).is_some() {
                        Some("stopped")
                    } else {
                        (now >= until).then_some("done")
                    }
                } else {
                    assert!(lease.number > holding.last);
                    Some("lost")
                };
                let actor = &mut self.actors[index];
                actor.next = now + 10_000 + pause;
                if matches!(ended, Some("stopped" | "done")) {
                    self.store.create(free(holding.last), now);
                }
                self.actors[index].state = ended.map_or(State::Holds(holding, until), State::Ended);
                self.start_step(index, now);
            }
        }
    }

    fn run(mut self) -> Play {
        loop {
            let alive = (0..self.actors.len()).filter(|index| !matches!(self.actors[*index].state, State::Ended(_)));
            let Some(index) = alive.min_by_key(|index| self.actors[*index].next) else { return self };
            assert!(self.actors[index].next < END, "it waits for ever: {:?}", self.store.0);
            self.act(index);
        }
    }
}

#[test]
fn no_two_start_steps_at_once_and_none_waits_for_ever() {
    let mut ends = std::collections::BTreeMap::<&str, usize>::new();
    let mut steps = 0;
    for seed in 0..600 {
        let play = Play::new(seed).run();
        steps += play.steps;
        for actor in play.actors {
            let State::Ended(how) = actor.state else { unreachable!("all have ended") };
            *ends.entry(how).or_default() += 1;
        }
    }
    // Each of them was tried.
    for how in ["done", "stopped", "gave way", "killed", "lost"] {
        assert!(ends.get(how).is_some_and(|count| *count > 10), "{how}: {ends:?}");
    }
    assert!(steps > 2_000, "{steps}");
}
