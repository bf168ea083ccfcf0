//! The file that `provision init --ci` writes: a workflow that tests each pull request in an environment of its own.

/// The CI system that a workflow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ci {
    Github,
    Gitlab,
}

/// The values in a workflow.
pub struct Tested<'a> {
    /// The spec, from the root of the repository.
    pub spec: &'a str,
    pub stack: &'a str,
    pub region: &'a str,
}

/// The path of the workflow, from the root of the repository.
pub fn path(ci: Ci) -> &'static str {
    match ci {
        Ci::Github => ".github/workflows/provision.yml",
        Ci::Gitlab => ".gitlab/provision.yml",
    }
}

pub fn workflow(ci: Ci, tested: &Tested<'_>) -> String {
    let Tested { spec, stack, region } = tested;
    let template = match ci {
        Ci::Github => include_str!("github.yml"),
        Ci::Gitlab => include_str!("gitlab.yml"),
    };
    template.replace("@SPEC@", spec).replace("@STACK@", stack).replace("@REGION@", region)
}

/// The path and text of the file that includes the workflow, where a CI system needs one.
pub fn includer(ci: Ci) -> Option<(&'static str, &'static str)> {
    (ci == Ci::Gitlab).then_some((".gitlab-ci.yml", "include:\n  - local: .gitlab/provision.yml\n"))
}
