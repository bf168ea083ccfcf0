//! Which step may run next. A value to be poked: no IO, no clock, no tasks.

/// Steps by index, each after others.
#[derive(Debug, Clone)]
pub struct Schedule {
    after: Vec<Vec<usize>>,
    state: Vec<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    HandedOut,
    Finished,
    Failed,
}

impl Schedule {
    /// `after[i]` are the steps that must be finished before step `i` may run.
    pub fn new(after: Vec<Vec<usize>>) -> Schedule {
        Schedule { state: vec![State::Waits; after.len()], after }
    }

    /// Steps that may run now, each handed out once, at most `limit`, in their order.
    pub fn ready(&mut self, limit: usize) -> Vec<usize> {
        let may_run = |&step: &usize| {
            self.state[step] == State::Waits
                && self.after[step].iter().all(|&before| self.state[before] == State::Finished)
        };
        let ready: Vec<usize> = (0..self.after.len()).filter(may_run).take(limit).collect();
        for &step in &ready {
            self.state[step] = State::HandedOut;
        }
        ready
    }

    pub fn finish(&mut self, step: usize) {
        self.state[step] = State::Finished;
    }

    /// The step failed: everything that stands on it will never run. Gives those, in order.
    pub fn fail(&mut self, step: usize) -> Vec<usize> {
        self.state[step] = State::Failed;
        let mut lost = vec![];
        loop {
            let stands_on_lost = |&other: &usize| {
                self.state[other] == State::Waits
                    && self.after[other].iter().any(|&before| self.state[before] == State::Failed)
            };
            let more: Vec<usize> = (0..self.after.len()).filter(stands_on_lost).collect();
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

    /// Steps not handed out and not lost: what an interrupt leaves undone.
    pub fn waiting(&self) -> Vec<usize> {
        (0..self.state.len()).filter(|&step| self.state[step] == State::Waits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_waits_for_all_that_it_stands_on() {
        let mut schedule = Schedule::new(vec![vec![], vec![], vec![0, 1]]);
        assert_eq!(schedule.ready(9), [0, 1]);
        schedule.finish(0);
        assert_eq!(schedule.ready(9), Vec::<usize>::new());
        schedule.finish(1);
        assert_eq!(schedule.ready(9), [2]);
    }

    #[test]
    fn a_failed_step_stops_what_stands_on_it_and_nothing_else() {
        let mut schedule = Schedule::new(vec![vec![], vec![0], vec![1], vec![]]);
        assert_eq!(schedule.ready(1), [0]);
        assert_eq!(schedule.fail(0), [1, 2]);
        assert_eq!(schedule.ready(9), [3]);
    }

    #[test]
    fn no_more_are_handed_out_than_asked_for() {
        let mut schedule = Schedule::new(vec![vec![]; 3]);
        assert_eq!(schedule.ready(2), [0, 1]);
        assert_eq!(schedule.waiting(), [2]);
    }
}
