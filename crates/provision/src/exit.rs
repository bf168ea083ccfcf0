//! How a command ends: the exit codes, and the errors that stop it before anything changed.

use crate::error::Error;
use crate::spec::Diagnostics;

/// The table in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// Nothing was changed.
    Failed = 1,
    /// `plan --detailed-exitcode` found changes.
    Changes = 2,
    /// The spec is wrong.
    Spec = 3,
    /// Something was changed before the failure.
    FailedHalfWay = 4,
    /// A flag or an answer is missing.
    Consent = 5,
    /// `down` or `gc` is done, and something of ours stays that should have gone.
    Kept = 6,
    /// The command line is wrong.
    Usage = 64,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

/// Why a command stops.
#[derive(Debug)]
pub enum Stop {
    /// Everything that is wrong with the spec.
    Spec(Diagnostics),
    Errors(Vec<Error>),
    /// What is wrong with the command line.
    Usage(String),
    /// Said already; only the code is left.
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
