//! Decides which step may run next. A plain value: no IO, no clock, no tasks.

use std::collections::HashMap;

/// Steps by index, with their dependencies.
#[derive(Debug, Clone)]
pub struct Schedule {
    steps: Vec<Waits>,
    state: Vec<State>,
}

/// The reason why a step waits.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// These steps are finished.
    pub after: Vec<usize>,
    /// Fewer steps of the same name run than this.
    pub lane: Option<(&'static str, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    HandedOut,
    Finished,
    Failed,
}

impl Schedule {
    pub fn new(steps: Vec<Waits>) -> Schedule {
        Schedule { state: vec![State::Waits; steps.len()], steps }
    }

    /// Steps that may run now, each handed out once, at most `limit`, in their order.
    pub fn ready(&mut self, limit: usize) -> Vec<usize> {
        let mut ready = vec![];
        let mut lanes: HashMap<&str, usize> = HashMap::new();
        for (step, _) in self.state.iter().enumerate().filter(|(_, state)| **state == State::HandedOut) {
            if let Some((lane, _)) = self.steps[step].lane {
                *lanes.entry(lane).or_default() += 1;
            }
        }
        for (step, waits) in self.steps.iter().enumerate() {
            let waiting = self.state[step] == State::Waits;
            if ready.len() == limit || !waiting || waits.after.iter().any(|&b| self.state[b] != State::Finished) {
                continue;
            }
            if let Some((lane, most)) = waits.lane {
                let running = lanes.entry(lane).or_default();
                if *running >= most {
                    continue;
                }
                *running += 1;
            }
            ready.push(step);
        }
        for &step in &ready {
            self.state[step] = State::HandedOut;
        }
        ready
    }

    pub fn finish(&mut self, step: usize) {
        self.state[step] = State::Finished;
    }

    /// Marks a step as failed. The steps that depend on it will never run; they are returned in order.
    pub fn fail(&mut self, step: usize) -> Vec<usize> {
        self.state[step] = State::Failed;
        let mut lost = vec![];
        loop {
            let stands_on_lost = |&other: &usize| {
                self.state[other] == State::Waits
                    && self.steps[other].after.iter().any(|&before| self.state[before] == State::Failed)
            };
            let more: Vec<usize> = (0..self.steps.len()).filter(stands_on_lost).collect();
            if more.is_empty() {
                lost.sort_unstable();
                return lost;
            }
            for &other in &more {
                self.state[other] = State::Failed;
            }
            lost.extend(more);
        }
    }

    /// Steps that were neither handed out nor skipped: what an interrupt leaves undone.
    pub fn waiting(&self) -> Vec<usize> {
        (0..self.state.len()).filter(|&step| self.state[step] == State::Waits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(after: Vec<Vec<usize>>) -> Schedule {
        Schedule::new(after.into_iter().map(|after| Waits { after, lane: None }).collect())
    }

    #[test]
    fn no_more_of_a_lane_run_than_it_holds() {
        let lane = |name| Waits { after: vec![], lane: Some((name, 2)) };
        let mut schedule = Schedule::new(vec![lane("a"), lane("a"), lane("a"), lane("b"), Waits::default()]);
        assert_eq!(schedule.ready(9), [0, 1, 3, 4]);
        assert_eq!(schedule.ready(9), [] as [usize; 0]);
        schedule.finish(1);
        assert_eq!(schedule.ready(9), [2]);
    }

    #[test]
    fn a_step_waits_for_all_that_it_stands_on() {
        let mut schedule = schedule(vec![vec![], vec![], vec![0, 1]]);
        assert_eq!(schedule.ready(9), [0, 1]);
        schedule.finish(0);
        assert_eq!(schedule.ready(9), Vec::<usize>::new());
        schedule.finish(1);
        assert_eq!(schedule.ready(9), [2]);
    }

    #[test]
    fn a_failed_step_stops_what_stands_on_it_and_nothing_else() {
        let mut schedule = schedule(vec![vec![], vec![0], vec![1], vec![]]);
        assert_eq!(schedule.ready(1), [0]);
        assert_eq!(schedule.fail(0), [1, 2]);
        assert_eq!(schedule.ready(9), [3]);
    }

    #[test]
    fn no_more_are_handed_out_than_asked_for() {
        let mut schedule = schedule(vec![vec![]; 3]);
        assert_eq!(schedule.ready(2), [0, 1]);
        assert_eq!(schedule.waiting(), [2]);
    }
}
