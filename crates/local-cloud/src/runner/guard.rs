//! Stands between the engine and a function's process, so that nothing of it is left and it reads nothing that is not its own.
//!
//! A guard is this very program, started again with the word [`WORD`], and the parent of one function's process. It is told over a
//! socket what to start. When the process ends or the socket closes, because the engine wants it or is gone, by `kill -9` too, it
//! ends every descendant: those in sessions of their own and those whose parents are gone, since orphans become its children.
//!
//! The process runs in a Landlock domain where the kernel has one (Linux 5.19): it can neither read the memory or environment of
//! a process outside nor trace it, and from 6.12 on it cannot signal it either, whoever its user is. Without Landlock what is left is that
//! engine and guard are not dumpable, which keeps their environments from everybody but root.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use landlock::{
    AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
};
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, getrlimit, kill_process,
    set_child_subreaper, set_dumpable_behavior, setrlimit, wait,
};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::descendants;
use super::launch::own_group;
use super::start_order::StartOrder;
use crate::flow::query::process::PROGRAM;

/// The first argument of a guard.
pub const WORD: &str = "local-cloud-guard";

/// File descriptors that a function may have. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const DESCRIPTORS: u64 = 1_024;

/// Has this program promised to be a guard when it is started as one?
static OFFERED: AtomicBool = AtomicBool::new(false);

/// The result of a start order: a process, or why there is none.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Started {
    Process(u32),
    /// The system's number.
    Refused(i32),
    /// An error that the system has no number for, such as one of Landlock's.
    Failed(String),
}

impl Started {
    fn refused(error: &io::Error) -> Started {
        error.raw_os_error().map_or_else(|| Started::Failed(error.to_string()), Started::Refused)
    }
}

/// Is a guard, and never returns, where this program was started as one. A program that wants guards for its functions
/// calls this before anything else; in one that does not, a function's process is ended by its group only.
pub fn enter() {
    if std::env::args_os().nth(1).is_some_and(|word| word == WORD) {
        std::process::exit(guard().unwrap_or(1));
    }
    OFFERED.store(true, Ordering::Relaxed);
}

/// Are functions guarded in this process? From then on it is not dumpable: its environment is nobody else's.
pub fn offered() -> bool {
    let offered = OFFERED.load(Ordering::Relaxed);
    if offered && let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!("hiding the emulator's environment from functions: {error}");
    }
    offered
}

/// The engine's end of the socket.
pub type Tether = tokio::net::UnixStream;

/// Starts a guard, and under it what the order says. Gives the guard, and the process's id.
pub async fn start(order: &StartOrder) -> io::Result<(tokio::process::Child, Tether, u32)> {
    let (ours, its) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut tether = tokio::io::BufReader::new(Tether::from_std(ours)?);
    let mut command = tokio::process::Command::new(PROGRAM);
    command.arg(WORD).env_clear().current_dir("/").stdin(Stdio::from(OwnedFd::from(its)));
    let guard = own_group(&mut command).spawn()?;
    // The command keeps the guard's end open: a guard that ends must be seen.
    drop(command);
    let mut line = serde_json::to_string(order)?;
    line.push('\n');
    tether.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    tether.read_line(&mut answer).await?;
    match serde_json::from_str(&answer)? {
        Started::Process(id) => Ok((guard, tether.into_inner(), id)),
        Started::Refused(number) => Err(io::Error::from_raw_os_error(number)),
        Started::Failed(why) => Err(io::Error::other(why)),
    }
}

fn guard() -> io::Result<i32> {
    set_child_subreaper(Some(getpid()))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit_descriptors()?;
    let mut engine = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut orders = BufReader::new(engine.try_clone()?);
    let mut order = String::new();
    orders.read_line(&mut order)?;
    let order: StartOrder = serde_json::from_str(&order)?;
    // Only the thread that starts it is confined, and so is what it starts.
    let started = std::thread::spawn(move || start_confined(&order)).join();
    let started = started.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    let said = match &started {
        Ok(child) => Started::Process(child.id()),
        Err(error) => Started::refused(error),
    };
    writeln!(engine, "{}", serde_json::to_string(&said)?)?;
    let child = started?;
    std::thread::spawn(move || {
        // Nothing more is said: this waits for the end, and an error is one too.
        let _ = orders.read_line(&mut String::new());
        descendants::end();
        std::process::exit(0);
    });
    let status = outcome(&child);
    descendants::end();
    let status = status?;
    if let Some(signal) = status.terminating_signal().and_then(Signal::from_named_raw) {
        // Ends as it did, so that the engine sees how.
        kill_process(getpid(), signal)?;
    }
    Ok(status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or_default()))
}

/// Lower than the engine's own, which has raised its limit; what this process starts inherits it.
fn limit_descriptors() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let lower = |limit: Option<u64>| Some(limit.map_or(DESCRIPTORS, |limit| limit.min(DESCRIPTORS)));
    Ok(setrlimit(Resource::Nofile, Rlimit { current: lower(limit.current), maximum: lower(limit.maximum) })?)
}

/// Waits for the process, and buries orphans meanwhile.
fn outcome(child: &Child) -> io::Result<WaitStatus> {
    loop {
        match wait(WaitOptions::empty())? {
            Some((pid, status)) if Some(pid) == Pid::from_raw(child.id() as i32) => return Ok(status),
            Some(_) | None => {}
        }
    }
}

fn start_confined(order: &StartOrder) -> io::Result<Child> {
    confine().map_err(io::Error::other)?;
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .envs(&order.variables)
        .current_dir(&order.folder)
        .process_group(0)
        .stdin(Stdio::null());
    // A file just written may still be open in a child that another thread of the engine has forked and that has not yet become
    // its program.
    for _ in 0..50 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
    command.spawn()
}

/// Capabilities that let root read the memory of other processes or of the kernel in spite of this. Other users have none of
/// them.
const DROPPED: CapabilitySet = CapabilitySet::SYS_ADMIN
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::PERFMON)
    .union(CapabilitySet::BPF)
    .union(CapabilitySet::SYS_RAWIO)
    .union(CapabilitySet::SYS_MODULE);

/// Any domain keeps other processes from being read or traced; this one allows what it must say something about: to move files
/// between folders. A kernel that knows less confines less.
fn confine() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for capability in DROPPED.iter() {
        // Only root may, and only root has to.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let everywhere = PathBeneath::new(PathFd::new("/")?, AccessFs::Refer);
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::Refer)?
        .scope(Scope::Signal)?
        .create()?
        .add_rule(everywhere)?
        .restrict_self()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_as_many_descriptors_as_lambda_gives_and_no_more() {
        limit_descriptors().expect("a limit may be lowered");
        let limit = getrlimit(Resource::Nofile);
        assert!(limit.current.max(limit.maximum) <= Some(DESCRIPTORS) && limit.maximum.is_some(), "{limit:?}");
    }

    #[test]
    fn an_error_without_a_number_is_told_in_words() {
        let nul = Command::new("a\0b").spawn().expect_err("no path has a NUL");
        assert_eq!(Started::refused(&nul), Started::Failed(nul.to_string()));
        let absent = Command::new("/nothing/there").spawn().expect_err("there is none");
        assert_eq!(Started::refused(&absent), Started::Refused(2));
    }
}
