//! Evaluates a query beside the engine, in this very program started again with the word [`WORD`].
//!
//! Whatever a query does, the kernel bounds it: a process that takes more memory or processor time than it may, or whose stack
//! ends, dies alone, and its record fails. The engine waits for an answer or for the end of the pipe, and one of them comes, since
//! processor time runs out. An evaluator ends when its input does: none outlives the engine by more than one record's time.
//!
//! In a program that does not call [`enter`] queries are evaluated in the program itself. Then depth and steps are bounded and
//! memory is not.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::Query;
use super::bounds::{DEEP_STACK_BYTES, on_a_deep_stack};
use crate::flow::partition::Found;

/// The first argument of an evaluator.
const WORD: &str = "local-cloud-query";
/// Many times what a record of 10 MiB takes. The stack counts in full.
const MEMORY_BYTES: u64 = (512 << 20) + DEEP_STACK_BYTES as u64;
/// Of processor time, for one record. The kernel counts whole seconds, so that a record has between one and two.
const SECONDS: u64 = 2;

/// Has this program promised to be an evaluator when it is started as one?
static OFFERED: AtomicBool = AtomicBool::new(false);

type Answer = Result<Found, String>;

/// Is an evaluator, and never returns, where this program was started as one.
pub fn enter() {
    if std::env::args_os().nth(1).is_some_and(|word| word == WORD) {
        std::process::exit(serve().map_or(1, |()| 0));
    }
    OFFERED.store(true, Ordering::Relaxed);
}

/// Are queries evaluated beside this process?
pub fn offered() -> bool {
    OFFERED.load(Ordering::Relaxed)
}

/// A process that evaluates one query.
pub struct Evaluator {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Evaluator {
    pub fn start(query: &str) -> io::Result<Evaluator> {
        let mut child = Command::new(program()?)
            .arg(WORD)
            .env_clear()
            .current_dir("/")
            .process_group(0) // the terminal's ctrl-c is the engine's to act on
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (input, output) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        let mut evaluator = Evaluator { child, input, output: BufReader::new(output) };
        write(&mut evaluator.input, query.as_bytes())?;
        Ok(evaluator)
    }

    /// Itself, unless somebody has ended it.
    pub fn if_alive(mut self) -> Option<Evaluator> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    /// What the query finds in a record; an error when the evaluator died of it.
    pub fn ask(&mut self, record: &[u8]) -> io::Result<Answer> {
        write(&mut self.input, record)?;
        let answer = read(&mut self.output)?.ok_or(ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Why it died, in our own words.
    pub fn obituary(mut self) -> String {
        // It is dead already, or of no use.
        let _ = self.child.kill();
        match self.child.wait().ok().and_then(|status| status.signal()) {
            Some(signal) if signal == Signal::XCPU.as_raw() => "The query takes more than a second of processor time",
            _ => "The query takes more than 512 MiB of memory, or its values nest too deeply",
        }
        .into()
    }
}

impl Drop for Evaluator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(target_os = "linux")]
fn program() -> io::Result<PathBuf> {
    Ok(crate::runner::guard::PROGRAM.into())
}

#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

fn serve() -> io::Result<()> {
    bound(Resource::Core, 0)?;
    bound(Resource::Data, MEMORY_BYTES)?;
    on_a_deep_stack(answer_all).unwrap_or_else(|| Err(ErrorKind::OutOfMemory.into()))
}

fn answer_all() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let text = read(&mut input)?.ok_or(ErrorKind::UnexpectedEof)?;
    let query = Query::compile(&String::from_utf8_lossy(&text)).ok_or(ErrorKind::InvalidInput)?;
    while let Some(record) = read(&mut input)? {
        bound(Resource::Cpu, clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64 + SECONDS)?;
        write(&mut output, &serde_json::to_vec(&query.evaluate(&record))?)?;
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
