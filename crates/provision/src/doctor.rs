//! Finds what would make the first run fail: this machine, the credentials, what they may do, and what is in the
//! account already. Makes no changing call.

use serde::Serialize;

pub mod account;
pub mod machine;
pub mod permitted;
pub mod room;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// A word: `credentials`.
    pub about: &'static str,
    pub state: State,
    pub found: String,
    /// How to fix it.
    pub remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// It may or may not be a problem.
    Care,
    Failed,
    /// It could not be checked.
    Unchecked,
}

impl Check {
    pub fn good(about: &'static str, found: impl Into<String>) -> Check {
        Check { about, state: State::Good, found: found.into(), remedy: None }
    }

    pub fn care(about: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { about, state: State::Care, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub fn failed(about: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { about, state: State::Failed, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub fn unchecked(about: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { about, state: State::Unchecked, found: found.into(), remedy: Some(remedy.into()) }
    }
}
