//! An environment of `provision` for a Rust test, deleted when the test is over.
//!
//! ```no_run
//! use provision_test::Environment;
//!
//! // In a #[test], or a #[tokio::test] with any client of AWS.
//! let environment = Environment::local("stack.yaml").start().expect("the stack comes up");
//! let stream = environment.variable("STREAM_EVENTS_NAME");
//! let endpoint = environment.variable("AWS_ENDPOINT_URL");
//! ```
//!
//! It runs the program `provision`, from the PATH or from the variable `PROVISION`, as `provision with SPEC ... -- COMMAND`. The command
//! lives until its standard input ends, which it does when the [`Environment`] is dropped, and also when the test's process is killed:
//! then `provision` deletes the environment.
//!
//! Starting and deleting block the thread. On the emulator that takes less than a second, once the stack's functions are built.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Prints the variables, each ended by a zero byte, and one more of these. Then it waits for the end of its input.
const HOLD: &str = "env -0 && printf '\\0' && exec cat > /dev/null";

/// How an environment is started.
#[derive(Debug, Clone)]
pub struct Builder {
    spec: PathBuf,
    target: Vec<OsString>,
    program: OsString,
    folder: Option<PathBuf>,
}

/// A running environment.
#[derive(Debug)]
pub struct Environment {
    process: Child,
    variables: BTreeMap<String, String>,
    ended: bool,
}

/// Why there is no environment, or why it could not be deleted. `provision` itself has told more on standard error.
#[derive(Debug)]
pub enum Error {
    /// The program could not be run.
    Run(std::io::Error),
    /// It ended with this status.
    Ended(ExitStatus),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Run(error) => write!(f, "running provision: {error}"),
            Error::Ended(status) => write!(f, "provision ended with {status}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Run(error) => Some(error),
            Error::Ended(_) => None,
        }
    }
}

impl Builder {
    fn new(spec: impl AsRef<Path>, target: &[&str]) -> Builder {
        let program = std::env::var_os("PROVISION").unwrap_or_else(|| "provision".into());
        let target = target.iter().map(|word| OsString::from(*word)).collect();
        Builder { spec: spec.as_ref().to_owned(), target, program, folder: None }
    }

    /// The program, where it is not on the PATH.
    pub fn program(self, program: impl AsRef<Path>) -> Builder {
        Builder { program: program.as_ref().as_os_str().to_owned(), ..self }
    }

    /// The folder that it runs in. Default: the test's own, which is that of its package.
    pub fn folder(self, folder: impl AsRef<Path>) -> Builder {
        Builder { folder: Some(folder.as_ref().to_owned()), ..self }
    }

    /// Creates everything in the spec.
    ///
    /// # Errors
    /// If the program cannot be run, or if it fails. Nothing is left then.
    pub fn start(self) -> Result<Environment, Error> {
        let mut command = Command::new(&self.program);
        command.arg("with").arg(&self.spec).args(&self.target).args(["--", "sh", "-c", HOLD]);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Error::Run)?;
        let mut environment = Environment { process, variables: BTreeMap::new(), ended: false };
        environment.variables = environment.read()?;
        Ok(environment)
    }
}

impl Environment {
    /// On the built-in emulator, in memory and at a port of its own. Needs no account.
    pub fn local(spec: impl AsRef<Path>) -> Builder {
        Builder::new(spec, &["--local"])
    }

    /// On AWS, under this name. `auto` names it after the pull request, branch or run of the CI job.
    pub fn on_aws(spec: impl AsRef<Path>, name: &str) -> Builder {
        Builder::new(spec, &["--env", name])
    }

    /// A variable of the environment, for example `STREAM_EVENTS_NAME`, `AWS_REGION`, or on the emulator `AWS_ENDPOINT_URL`.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).unwrap_or_else(|| panic!("the environment has no variable {name}"))
    }

    /// All variables that a command in the environment has.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Deletes the environment. Dropping it does the same, and panics if that fails, unless the test panics already.
    ///
    /// # Errors
    /// If something could not be deleted.
    pub fn down(mut self) -> Result<(), Error> {
        self.end()
    }

    fn read(&mut self) -> Result<BTreeMap<String, String>, Error> {
        let output = self.process.stdout.take().expect("it is piped");
        let mut variables = BTreeMap::new();
        let mut one = vec![];
        for byte in BufReader::new(output).bytes() {
            match byte.map_err(Error::Run)? {
                0 if one.is_empty() => return Ok(variables),
                0 => {
                    let text = String::from_utf8_lossy(&one);
                    variables.extend(text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
                    one.clear();
                }
                byte => one.push(byte),
            }
        }
        self.ended = true;
        Err(Error::Ended(self.process.wait().map_err(Error::Run)?))
    }

    fn end(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        drop(self.process.stdin.take());
        let status = self.process.wait().map_err(Error::Run)?;
        if status.success() { Ok(()) } else { Err(Error::Ended(status)) }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if let Err(error) = self.end()
            && !std::thread::panicking()
        {
            panic!("the environment was not deleted: {error}");
        }
    }
}
