//! One file per command.

pub mod doctor;
pub mod down;
pub mod gc;
pub mod history;
pub mod init;
pub mod invoke;
pub mod list;
pub mod local;
pub mod outputs;
pub mod permissions;
pub mod render;
pub mod schema;
pub mod select;
pub mod status;
pub mod test_transform;
pub mod up;
pub mod validate;
pub mod verify;
pub mod with;

/// As the CI system or this machine's session says.
pub(crate) fn whoever_runs_this() -> Option<String> {
    let told = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CIRCLE_USERNAME", "USER"];
    told.iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty())
}
