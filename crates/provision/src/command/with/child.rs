//! The command as a process, in a process group of its own, to which signals go on.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Command;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::exit::Exit;

/// SIGINT and SIGTERM, as they come.
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}

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
        let signal = tokio::select! {
            status = self.process.wait() => return Ended::With(status.map_or(u8::MAX, code)),
            signal = signals.next() => signal,
        };
        self.forward(signal);
        Ended::Interrupted(if signal == Signal::INT { Exit::Interrupted } else { Exit::Terminated })
    }

    /// A terminal sends SIGINT to its whole group itself.
    pub fn forward(&mut self, signal: Signal) {
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
