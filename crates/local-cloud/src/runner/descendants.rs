//! Ends all descendants of this process, however they hide.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// How often children are looked for, which is quick, before all processes are, which finds those whose parents are alive.
const QUICK_LOOKS: usize = 16;

/// Kills until this process has no child. It adopts orphans, so that every descendant has one of its children among its ancestors:
/// the kernel's word that there is no child is true of a descendant too that forks faster than it is found, and that no list shows.
pub fn end() {
    let own = getpid().as_raw_nonzero().get();
    while bury() {
        kill_found(own);
        std::thread::yield_now();
    }
}

/// Reaps the children that have ended. Is any left?
fn bury() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn kill_found(own: i32) {
    for _ in 0..QUICK_LOOKS {
        children(own).into_iter().for_each(kill);
    }
    let mut processes = processes();
    let mut family = vec![own];
    while let Some(parent) = family.pop() {
        for child in processes.extract_if(.., |process| process.parent == parent) {
            family.push(child.id);
            if !child.ended {
                kill(child.id);
            }
        }
    }
}

fn kill(id: i32) {
    // It may have ended by itself.
    let _ = Pid::from_raw(id).map(|id| kill_process(id, Signal::KILL));
}

struct Process {
    id: i32,
    parent: i32,
    ended: bool,
}

fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// `ID (NAME) STATE PARENT ..`, where the name may hold anything.
fn process(id: i32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{id}/stat")).ok()?;
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(stat.get(after_name..)?).ok()?.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    Some(Process { id, parent: fields.next()?.parse().ok()?, ended })
}

/// The children of all threads of this process, as far as the kernel lists them.
fn children(own: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{own}/task")).into_iter().flatten().flatten();
    let listed = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    listed.flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>()).collect()
}
