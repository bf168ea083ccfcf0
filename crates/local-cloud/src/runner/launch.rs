//! Starts a function's program: under a guard where this program offers them, and otherwise as a child of the engine.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::request::FunctionImage;

use super::environment::{self, Entrypoint};
use super::guard;
use super::start_order::StartOrder;

/// How long a guard may take to end everything before it is killed itself.
pub const END_LIMIT: Duration = Duration::from_secs(30);

/// A started process.
#[derive(Debug)]
pub struct Launched {
    /// The function's process, or its guard.
    pub child: Child,
    /// The function's process.
    pub pid: u32,
    /// Closing it makes the guard end everything.
    tether: Option<guard::Tether>,
}

pub async fn launch(
    function: &FunctionImage,
    entrypoint: Entrypoint,
    task_root: &Path,
    api_port: u16,
) -> io::Result<Launched> {
    let Entrypoint { program, arguments } = entrypoint;
    let order = StartOrder {
        program,
        arguments,
        variables: environment::variables(function, task_root, api_port),
        folder: task_root.to_owned(),
    };
    if guard::offered() {
        let (child, tether, pid) = guard::start(&order).await?;
        return Ok(Launched { child, pid, tether: Some(tether) });
    }
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).env_clear().envs(&order.variables).current_dir(&order.folder);
    let child = spawn(own_group(&mut command).stdin(Stdio::null()).kill_on_drop(true)).await?;
    Ok(Launched { pid: child.id().unwrap_or_default(), child, tether: None })
}

impl Launched {
    pub fn guarded(&self) -> bool {
        self.tether.is_some()
    }

    /// Ends it and waits until it is gone, with its descendants as far as there is a guard.
    pub async fn end(&mut self) {
        if self.tether.take().is_some() && tokio::time::timeout(END_LIMIT, self.child.wait()).await.is_ok() {
            return;
        }
        // Already gone is what is wanted.
        let _ = self.child.kill().await;
    }
}

/// The terminal's ctrl-c is the engine's to act on, and what is written the engine's to read.
pub fn own_group(command: &mut Command) -> &mut Command {
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// A file just written may still be open in a child that another thread has forked and that has not yet become its
/// program; starting it then fails, for an instant, as "text file busy".
async fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..50 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done => return done,
        }
    }
    command.spawn()
}
