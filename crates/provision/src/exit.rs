//! Exit codes, and the errors that stop a command before it changes anything.

use crate::error::Error;
use crate::spec::Diagnostics;

/// The table in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// Nothing was changed.
    Failed,
    /// `plan --detailed-exitcode` found changes.
    Changes,
    /// The spec is wrong.
    Spec,
    /// Something was changed before the failure.
    FailedHalfWay,
    /// Confirmation is missing.
    Consent,
    /// `down`, `gc` or `with` finished, but something remains that should have been deleted.
    Kept,
    /// Another run asked this one to stop: a `down`, or a newer run of the same pull request. Or it was paused, and another one took over.
    Stopped,
    /// The command line is wrong.
    Usage,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The exit code of the command that `with` ran.
    Command(u8),
}

impl Exit {
    /// The number that the caller sees.
    pub const fn code(self) -> i32 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes => 2,
            Exit::Spec => 3,
            Exit::FailedHalfWay => 4,
            Exit::Consent => 5,
            Exit::Kept => 6,
            Exit::Stopped => 7,
            Exit::Usage => 64,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
            Exit::Command(code) => code as i32,
        }
    }
}

/// Why a command stops.
#[derive(Debug)]
pub enum Stop {
    /// Everything that is wrong with the spec.
    Spec(Diagnostics),
    Errors(Vec<Error>),
    /// A mistake in the command line.
    Usage(String),
    /// Already reported; only the exit code is left.
    Said(Exit),
}

impl From<Diagnostics> for Stop {
    fn from(wrong: Diagnostics) -> Stop {
        Stop::Spec(wrong)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Errors(vec![error])
    }
}

impl From<Vec<Error>> for Stop {
    fn from(errors: Vec<Error>) -> Stop {
        Stop::Errors(errors)
    }
}
