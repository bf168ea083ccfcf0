//! Nothing is left of a runner, not even after `kill -9`: a small process sees its pipe close, ends what still runs and
//! removes the code.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tempfile::TempDir;

use super::launch::END_LIMIT;

/// Between two looks at a guard that is to end.
const PAUSE: Duration = Duration::from_millis(5);

const SCRIPT: &str = include_str!("supervisor.sh");

/// A folder for code, and the process that watches over it. Dropping it removes both.
#[derive(Debug)]
pub struct Supervisor {
    folder: TempDir,
    watcher: Child,
    guards: Vec<Pid>,
}

impl Supervisor {
    /// A new folder in `place`, watched over.
    pub fn start(place: &Path) -> io::Result<Supervisor> {
        let folder = tempfile::Builder::new().prefix("local-cloud-").tempdir_in(place)?;
        let watcher = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "local-cloud-supervisor"])
            .arg(folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .process_group(0) // the terminal's ctrl-c is the engine's to act on
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Supervisor { folder, watcher, guards: vec![] })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A group of processes began: a guard, which ends by itself, or one that must be ended.
    pub fn began(&mut self, group: u32, guarded: bool) {
        match guarded {
            true => {
                self.guards.retain(|guard| !gone(*guard, WaitIdOptions::NOHANG));
                self.guards.extend(i32::try_from(group).ok().and_then(Pid::from_raw));
            }
            false => self.tell(&format!("+{group}\n")),
        }
    }

    /// Processes that it started end with it.
    pub fn ended(&mut self, group: u32, guarded: bool) {
        if guarded {
            return;
        }
        if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
            // Mostly nothing is left of it.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.tell(&format!("-{group}\n"));
    }

    /// A watcher that somebody has ended watches no more; the functions go on.
    fn tell(&mut self, word: &str) {
        if let Some(Err(error)) = self.watcher.stdin.as_mut().map(|pipe| pipe.write_all(word.as_bytes())) {
            tracing::warn!("telling the functions' supervisor: {error}");
            self.watcher.stdin = None;
        }
    }
}

/// Waits for guards whose sockets are closed: they end now, and with them what they guard. Those that have not by then are killed.
fn end(guards: &[Pid], within: Duration) {
    let until = Instant::now() + within;
    for guard in guards {
        while !gone(*guard, WaitIdOptions::NOHANG) && Instant::now() < until {
            std::thread::sleep(PAUSE);
        }
        if !gone(*guard, WaitIdOptions::NOHANG) {
            tracing::warn!("a function's guard does not end and is killed; what it guards may go on");
            // It may end just now.
            let _ = kill_process(*guard, Signal::KILL);
            gone(*guard, WaitIdOptions::empty());
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        end(&self.guards, END_LIMIT);
        self.watcher.stdin = None;
        // It ends now that its pipe is closed; one that cannot be waited for is gone already.
        let _ = self.watcher.wait();
    }
}

/// Has the guard ended? Without `NOHANG`, waits until it has. Whoever started it learns of it too.
fn gone(guard: Pid, options: WaitIdOptions) -> bool {
    let ended = waitid(WaitId::Pid(guard), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | options);
    !matches!(ended, Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_guard_that_does_not_end_is_killed() {
        let mut guard = Command::new("/bin/sh").args(["-c", "exec sleep 1000"]).spawn().expect("a shell");
        end(&[Pid::from_child(&guard)], Duration::ZERO);
        assert_eq!(guard.wait().expect("it is ours").signal(), Some(Signal::KILL.as_raw()));
    }
}
