//! One file per command.

pub mod cat;
mod chosen;
pub mod diff_data;
pub mod doctor;
pub mod down;
pub mod drain;
pub mod flush;
pub mod gc;
pub mod history;
pub mod init;
pub mod invoke;
pub mod list;
pub mod local;
pub mod logs;
pub mod outputs;
mod passing;
pub mod permissions;
pub mod plan;
pub mod put;
pub mod ready;
pub mod render;
pub mod replay;
pub mod schema;
pub mod select;
mod showing;
pub mod status;
pub mod tail;
pub mod test_transform;
pub mod up;
pub mod validate;
pub mod verify;
pub mod with;

use crate::job::Job;

/// As the CI system or this machine's session says.
pub(crate) fn whoever_runs_this() -> Option<String> {
    let told = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "USER"];
    told.iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}

/// The CI job or the machine that this runs on.
pub(crate) fn job(user: Option<String>) -> Job {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let host = ["RUNNER_NAME", "BUILDKITE_AGENT_NAME", "HOSTNAME"].iter().find_map(|name| said(name)).or_else(host);
    Job::here(user, host, said)
}
