//! The command as a process, in a process group of its own, to which signals go on.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Command;

use crate::exit::Exit;
use crate::interrupt::Signals;

/// Why it is waited for no longer.
pub enum Ended {
    /// Its code, or 128 and the number of the signal that ended it.
    With(u8),
    /// A signal came, and went on to it.
    Interrupted(Exit),
}

pub struct Child {
    process: tokio::process::Child,
    /// A command that may read from a terminal stays in the terminal's group, or it would be stopped when it reads.
    own_group: bool,
}

impl Child {
    /// Starts it with these variables over those that are inherited; `None` takes one away.
    pub fn start(command: &[OsString], variables: &[(String, Option<String>)]) -> io::Result<Child> {
        let own_group = !io::stdin().is_terminal();
        let mut process = Command::new(&command[0]);
        process.args(&command[1..]).kill_on_drop(true);
        if own_group {
            process.process_group(0);
        }
        for (name, value) in variables {
            match value {
                Some(value) => process.env(name, value),
                None => process.env_remove(name),
            };
        }
        Ok(Child { process: process.spawn()?, own_group })
    }

    /// Until it ends, or a signal comes, which goes on to it.
    pub async fn wait(&mut self, signals: &mut Signals) -> Ended {
        let interrupted = tokio::select! {
            status = self.process.wait() => return Ended::With(status.map_or(u8::MAX, code)),
            interrupted = signals.next() => interrupted,
        };
        self.forward(interrupted);
        Ended::Interrupted(interrupted)
    }

    /// Passes the signal of this exit code on. A terminal sends SIGINT to its whole group itself.
    pub fn forward(&mut self, interrupted: Exit) {
        let signal = if interrupted == Exit::Interrupted { Signal::INT } else { Signal::TERM };
        if self.own_group || signal != Signal::INT {
            self.send(signal);
        }
    }

    fn send(&mut self, signal: Signal) {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let Some(pid) = pid else { return };
        // One that has ended meanwhile needs no signal.
        let _ = if self.own_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }

    /// Waits until it ends after a signal. Further signals go on to it.
    pub async fn finish(&mut self, signals: &mut Signals) {
        while let Ended::Interrupted(_) = self.wait(signals).await {}
    }

    /// Ends what is still there of it.
    pub async fn end(mut self) {
        self.send(Signal::KILL);
        let _ = self.process.wait().await;
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_ends_a_command_is_told_as_shells_do() {
        assert_eq!([0, 7 << 8, 9, 15].map(|raw| code(ExitStatus::from_raw(raw))), [0, 7, 137, 143]);
    }
}
