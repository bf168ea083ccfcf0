//! Nothing is left of a runner, not even after `kill -9`: a small process sees its pipe close, ends what still runs and
//! removes the code.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("supervisor.sh");

/// A folder for code, and the process that watches over it. Dropping it removes both.
#[derive(Debug)]
pub struct Supervisor {
    folder: TempDir,
    watcher: Child,
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
        Ok(Supervisor { folder, watcher })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn began(&mut self, group: u32) {
        self.tell(&format!("+{group}\n"));
    }

    /// What the process started itself ends with it.
    pub fn ended(&mut self, group: u32) {
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

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.watcher.stdin = None;
        // It ends now that its pipe is closed; one that cannot be waited for is gone already.
        let _ = self.watcher.wait();
    }
}
