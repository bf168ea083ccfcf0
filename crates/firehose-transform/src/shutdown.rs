//! SIGTERM ends the process: at once between two invocations, otherwise after the running one.

use std::io;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

/// The side whose turn it is: the loop's or the signal's.
#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<Doing>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Doing {
    #[default]
    Waiting,
    Answering,
    Ending,
}

pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// Waits for the signal in a thread of its own, because the loop sleeps inside a read.
pub(crate) fn watch(before_exit: Hook) -> io::Result<Arc<Turn>> {
    let mut signals = Signals::new([SIGTERM])?;
    let turn = Arc::new(Turn::default());
    let seen = turn.clone();
    thread::Builder::new().name("sigterm".to_owned()).spawn(move || {
        for _ in signals.forever() {
            if seen.ask_to_end() {
                before_exit();
                process::exit(0);
            }
        }
    })?;
    Ok(turn)
}

impl Turn {
    /// An invocation has come. Returns false if the process is ending; then it must not be answered.
    pub(crate) fn begin(&self) -> bool {
        self.change(|doing| match doing {
            Doing::Waiting | Doing::Answering => (Doing::Answering, true),
            Doing::Ending => (Doing::Ending, false),
        })
    }

    /// The invocation is answered. Returns true if SIGTERM came meanwhile.
    pub(crate) fn end(&self) -> bool {
        self.change(|doing| match doing {
            Doing::Waiting | Doing::Answering => (Doing::Waiting, false),
            Doing::Ending => (Doing::Ending, true),
        })
    }

    /// Returns true if no invocation runs, so that the process can end at once.
    fn ask_to_end(&self) -> bool {
        self.change(|doing| (Doing::Ending, doing == Doing::Waiting))
    }

    fn change<T>(&self, change: impl FnOnce(Doing) -> (Doing, T)) -> T {
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, answer) = change(*doing);
        *doing = next;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_ends_a_waiting_loop_and_lets_a_running_invocation_finish() {
        let waiting = Turn::default();
        assert!(waiting.ask_to_end());
        assert!(!waiting.begin());

        let answering = Turn::default();
        assert!(answering.begin());
        assert!(!answering.ask_to_end());
        assert!(answering.end());

        let undisturbed = Turn::default();
        assert!(undisturbed.begin() && !undisturbed.end() && undisturbed.begin());
    }
}
