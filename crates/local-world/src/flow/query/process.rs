//! Evaluates a query beside the engine, in this very program started again with the word [`WORD`].
//!
//! Whatever a query does, the kernel bounds it: a process that takes more memory or processor time than it may, or whose stack
//! ends, dies alone, and its record fails. The engine waits for an answer or for the end of the socket, and one of them comes, since
//! processor time runs out. An evaluator ends when its input does: none outlives the engine by more than one record's time.
//!
//! In a program that does not call [`enter`] queries are evaluated in the program itself. Then depth and steps are bounded and
//! memory is not.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::bounds::{DEEP_STACK_BYTES, Undone, on_a_deep_stack};
use super::{Evaluated, Query};

/// The first argument of an evaluator.
const WORD: &str = "local-cloud-query";
/// Many times what a record of 10 MiB takes. The stack counts in full.
const MEMORY_BYTES: u64 = (512 << 20) + DEEP_STACK_BYTES as u64;
/// Processor time for one record. The kernel counts whole seconds, so a record has between one and two.
const SECONDS: u64 = 2;
/// The most that a record takes.
pub(super) const MOST: Duration = Duration::from_secs(SECONDS);

/// A path that is the running program's, even if its file has been replaced.
pub const PROGRAM: &str = "/proc/self/exe";

/// The words with which this program, started again, is an evaluator, once it has promised that.
static OFFERED: OnceLock<Vec<String>> = OnceLock::new();

/// Is an evaluator, and never returns, where this program was started as one.
pub fn enter() {
    if std::env::args_os().nth(1).is_some_and(|word| word == WORD) {
        serve();
    }
    offer(&[WORD]);
}

/// From now on this process evaluates queries beside itself, in this program started with these words. It must call [`serve`] then.
pub fn offer(words: &[&str]) {
    // If words were offered before, those stay.
    let _ = OFFERED.set(words.iter().map(|word| (*word).to_owned()).collect());
}

/// Are queries evaluated beside this process?
pub fn offered() -> bool {
    OFFERED.get().is_some()
}

/// Is an evaluator, with the engine at the other end of its standard input.
pub fn serve() -> ! {
    std::process::exit(match answer_all() {
        Ok(()) => 0,
        Err(_) => 1,
    })
}

/// A process that evaluates one query.
pub struct Evaluator {
    query: String,
    child: Child,
    socket: BufReader<UnixStream>,
}

impl Evaluator {
    /// One that has compiled the query: of whatever it dies from then on is not the machine's lack of something.
    pub fn start(query: &str) -> io::Result<Evaluator> {
        let (ours, its) = UnixStream::pair()?;
        let child = Command::new(program()?)
            .args(OFFERED.get().into_iter().flatten())
            .env_clear()
            .current_dir("/")
            .process_group(0) // the terminal's ctrl-c is the engine's to act on
            .stdin(Stdio::from(OwnedFd::from(its)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut evaluator = Evaluator { query: query.to_owned(), child, socket: BufReader::new(ours) };
        write(evaluator.socket.get_mut(), query.as_bytes())?;
        read(&mut evaluator.socket)?.ok_or(ErrorKind::UnexpectedEof)?;
        Ok(evaluator)
    }

    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    /// Itself, unless somebody has ended it.
    pub fn if_alive(mut self) -> Option<Evaluator> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    /// The result for a record, or an error if the evaluator died of it or of something else.
    pub(super) fn ask(&mut self, record: &[u8]) -> io::Result<Evaluated> {
        write(self.socket.get_mut(), record)?;
        let answer = read(&mut self.socket)?.ok_or(ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// As somebody else may.
    #[cfg(test)]
    pub fn kill(&mut self) {
        self.child.kill().expect("it is ours");
    }

    /// Why evaluating the record ended the process, in our own words; `Err` when something else ended it.
    pub fn cause_of_death(mut self) -> Result<&'static str, String> {
        // It is dead already, or of no use.
        let _ = self.child.kill();
        cause(self.child.wait().map_err(|error| error.to_string())?)
    }
}

impl Drop for Evaluator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that somebody kills, or the system where memory is short, has done nothing wrong, and neither has its record.
fn cause(status: ExitStatus) -> Result<&'static str, String> {
    let signals =
        |signals: &[Signal]| status.signal().is_some_and(|s| signals.iter().any(|signal| signal.as_raw() == s));
    if signals(&[Signal::XCPU]) {
        return Ok("The query takes more than a second of processor time");
    }
    // How Rust and the kernel end a process that gets no memory, or that has come to the end of its stack.
    if signals(&[Signal::ABORT, Signal::SEGV, Signal::BUS, Signal::ILL]) {
        return Ok("The query takes more than 512 MiB of memory, or its values nest too deeply");
    }
    Err(format!("the process ended with {status}"))
}

#[cfg(target_os = "linux")]
fn program() -> io::Result<PathBuf> {
    Ok(PROGRAM.into())
}

#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

fn answer_all() -> io::Result<()> {
    bound(Resource::Core, 0)?;
    bound(Resource::Data, MEMORY_BYTES)?;
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    on_a_deep_stack(|| answer_each(socket)).unwrap_or_else(|undone| match undone {
        Undone::NoThread(error) => Err(error),
        Undone::Panicked => Err(ErrorKind::Other.into()),
    })
}

fn answer_each(mut engine: UnixStream) -> io::Result<()> {
    let mut asked = BufReader::new(engine.try_clone()?);
    let text = read(&mut asked)?.ok_or(ErrorKind::UnexpectedEof)?;
    let query = Query::compile(&String::from_utf8_lossy(&text)).ok_or(ErrorKind::InvalidInput)?;
    write(&mut engine, b"ready")?;
    while let Some(record) = read(&mut asked)? {
        bound(Resource::Cpu, clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64 + SECONDS)?;
        write(&mut engine, &serde_json::to_vec(&query.timed(&record))?)?;
    }
    Ok(())
}

/// The soft limit: the one that counts, and can be raised again.
fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let current = Some(maximum.map_or(most, |maximum| most.min(maximum)));
    Ok(setrlimit(resource, Rlimit { current, maximum })?)
}

/// Bytes behind their length.
fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// `None` at the end.
fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_answers_for_what_its_evaluation_does_and_for_nothing_else() {
        for signal in [Signal::ABORT, Signal::SEGV] {
            assert!(cause(ExitStatus::from_raw(signal.as_raw())).is_ok_and(|cause| cause.contains("memory")));
        }
        assert!(cause(ExitStatus::from_raw(Signal::XCPU.as_raw())).is_ok_and(|cause| cause.contains("processor")));
        for signal in [Signal::KILL, Signal::TERM, Signal::HUP] {
            assert!(cause(ExitStatus::from_raw(signal.as_raw())).is_err(), "{signal:?}");
        }
        for code in [0, 1] {
            assert!(cause(ExitStatus::from_raw(code << 8)).is_err(), "{code}");
        }
    }
}
