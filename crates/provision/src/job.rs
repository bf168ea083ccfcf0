//! The CI job or the machine that a command runs on. Pure.

use crate::names::hash;

/// Where a command runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    pub user: Option<String>,
    pub host: Option<String>,
    /// The page of the CI job.
    pub url: Option<String>,
    pub series: Option<Series>,
}

/// The runs of one workflow for one pull request or branch, and the number of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// A hash of repository, workflow and branch.
    pub name: String,
    pub number: u64,
}

impl Job {
    /// From the variables of a CI system's job.
    pub fn here(user: Option<String>, host: Option<String>, variable: impl Fn(&str) -> Option<String>) -> Job {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (url, names, number) = if said("GITHUB_ACTIONS").is_some() {
            let url = (said("GITHUB_SERVER_URL"), said("GITHUB_REPOSITORY"), said("GITHUB_RUN_ID"));
            let url = match url {
                (Some(server), Some(repository), Some(run)) => {
                    Some(format!("{server}/{repository}/actions/runs/{run}"))
                }
                _ => None,
            };
            (url, ["GITHUB_REPOSITORY", "GITHUB_WORKFLOW", "GITHUB_REF"], "GITHUB_RUN_NUMBER")
        } else if said("GITLAB_CI").is_some() {
            (said("CI_JOB_URL"), ["CI_PROJECT_PATH", "CI_PIPELINE_SOURCE", "CI_COMMIT_REF_NAME"], "CI_PIPELINE_IID")
        } else if said("BUILDKITE").is_some() {
            let names = ["BUILDKITE_ORGANIZATION_SLUG", "BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BRANCH"];
            (said("BUILDKITE_BUILD_URL"), names, "BUILDKITE_BUILD_NUMBER")
        } else if said("CIRCLECI").is_some() {
            let names = ["CIRCLE_PROJECT_USERNAME", "CIRCLE_PROJECT_REPONAME", "CIRCLE_BRANCH"];
            (said("CIRCLE_BUILD_URL"), names, "CIRCLE_PIPELINE_NUMBER")
        } else {
            return Job { user, host, url: None, series: None };
        };
        let name: Option<Vec<String>> = names.into_iter().map(said).collect();
        let number = said(number).and_then(|number| number.parse().ok());
        let series = name.zip(number).map(|(name, number)| Series { name: hash(&name.join("\n")), number });
        Job { user, host, url, series }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_names_the_job_and_the_series_that_its_run_belongs_to() {
        let github = "GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=a/b GITHUB_RUN_ID=7 \
                      GITHUB_WORKFLOW=w GITHUB_REF=r GITHUB_RUN_NUMBER=3";
        let gitlab = "GITLAB_CI=true CI_JOB_URL=https://gitlab/1 CI_PROJECT_PATH=a/b CI_PIPELINE_SOURCE=push \
                      CI_COMMIT_REF_NAME=main CI_PIPELINE_IID=4";
        let buildkite = "BUILDKITE=true BUILDKITE_BUILD_URL=https://bk/1 BUILDKITE_ORGANIZATION_SLUG=a \
                         BUILDKITE_PIPELINE_SLUG=b BUILDKITE_BRANCH=main BUILDKITE_BUILD_NUMBER=5";
        let circle = "CIRCLECI=true CIRCLE_BUILD_URL=https://c/1 CIRCLE_PROJECT_USERNAME=a CIRCLE_PROJECT_REPONAME=b \
                      CIRCLE_BRANCH=main CIRCLE_PIPELINE_NUMBER=6";
        for (variables, url, number) in [
            (github, Some("https://github.com/a/b/actions/runs/7"), Some(3)),
            (gitlab, Some("https://gitlab/1"), Some(4)),
            (buildkite, Some("https://bk/1"), Some(5)),
            (circle, Some("https://c/1"), Some(6)),
            (circle.split(" CIRCLE_PIPELINE").next().unwrap_or_default(), Some("https://c/1"), None),
            ("GITHUB_ACTIONS=true", None, None),
            ("GITHUB_RUN_NUMBER=3", None, None),
        ] {
            let variable = |name: &str| {
                let set = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
                set.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
            };
            let job = Job::here(None, None, variable);
            assert_eq!((job.url.as_deref(), job.series.map(|series| series.number)), (url, number), "{variables}");
        }
    }
}
