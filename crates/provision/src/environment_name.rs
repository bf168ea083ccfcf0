//! The name of an environment from any text, and from what a CI system says of its job. Pure.

use sha2::{Digest, Sha256};

/// As the spec and the record take it.
const MAX: usize = 31;
/// The length of a hash: ten characters of base 32 are 50 bits.
const HASHED: usize = 10;

/// `text` where it is a valid name; else the valid name nearest to it, with a hash of the text, so that no two texts share one.
pub fn normalised(text: &str) -> String {
    match is_valid(text) || text.is_empty() {
        true => text.to_owned(),
        false => hashed(text),
    }
}

fn is_valid(text: &str) -> bool {
    let taken = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= MAX && !text.starts_with('-') && !text.is_empty() && text.chars().all(taken)
}

fn hashed(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c.is_ascii_alphanumeric() {
            true => slug.push(c),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    slug.truncate(MAX - HASHED - 1);
    let slug = slug.trim_end_matches('-');
    let digits = Sha256::digest(text.as_bytes());
    let hash =
        digits.iter().take(HASHED).map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]));
    let hash: String = hash.collect();
    if slug.is_empty() { format!("env-{hash}") } else { format!("{slug}-{hash}") }
}

/// The environment that `--env auto` means in a job with these variables: the pull request, else the branch, else the run. `event` reads the
/// number of the pull request from GitHub's file of that name.
///
/// # Errors
/// Why nothing can be said.
pub fn auto(variable: impl Fn(&str) -> Option<String>, event: impl Fn(&str) -> Option<u64>) -> Result<String, String> {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let is_branch = |kind: &str| said(kind).as_deref() == Some("branch");
    let (request, branch, run) = if said("GITHUB_ACTIONS").is_some() {
        let pull = said("GITHUB_EVENT_NAME").is_some_and(|event| event.starts_with("pull_request"));
        // GITHUB_REF names the base branch once a pull request is merged, and always for pull_request_target.
        // <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>
        let request = match pull {
            false => None,
            true => Some(
                said("GITHUB_EVENT_PATH")
                    .and_then(|path| event(&path))
                    .ok_or("--env auto: this is a pull request, and the file in GITHUB_EVENT_PATH does not say which")?
                    .to_string(),
            ),
        };
        (request, said("GITHUB_REF_NAME").filter(|_| is_branch("GITHUB_REF_TYPE")), said("GITHUB_RUN_ID"))
    } else if said("GITLAB_CI").is_some() {
        (said("CI_MERGE_REQUEST_IID"), said("CI_COMMIT_BRANCH"), said("CI_PIPELINE_ID"))
    } else if said("BUILDKITE").is_some() {
        let request = said("BUILDKITE_PULL_REQUEST").filter(|number| number != "false");
        let branch = said("BUILDKITE_BRANCH").filter(|_| said("BUILDKITE_TAG").is_none());
        (request, branch, said("BUILDKITE_BUILD_NUMBER"))
    } else if said("CIRCLECI").is_some() {
        let of_url = |url: String| url.rsplit('/').next().map(str::to_owned);
        let request = said("CIRCLE_PR_NUMBER").or_else(|| said("CIRCLE_PULL_REQUEST").and_then(of_url));
        (request, said("CIRCLE_BRANCH"), said("CIRCLE_WORKFLOW_ID"))
    } else {
        return Err("--env auto: no variable of GitHub Actions, GitLab CI, Buildkite or CircleCI is set".into());
    };
    match (request, branch, run) {
        (Some(number), ..) => Ok(normalised(&format!("pr-{number}"))),
        // A branch that is called pr-12 is no pull request.
        (None, Some(branch), _) if branch.starts_with("pr-") || branch.starts_with("run-") => Ok(hashed(&branch)),
        (None, Some(branch), _) => Ok(normalised(&branch)),
        (None, None, Some(run)) => Ok(normalised(&format!("run-{run}"))),
        (None, None, None) => Err("--env auto: the CI system names neither pull request, branch nor run".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_text_becomes_a_valid_name_and_a_valid_one_stays() {
        let long = "a".repeat(31);
        for text in ["pr-42", "0", "a--b", "main-", &long] {
            assert_eq!(normalised(text), text);
        }
        for (text, slug) in [
            ("PR-12", "pr-12-"),
            ("feature/ABC-1", "feature-abc-1-"),
            ("-a", "a-"),
            ("ÄÖ", "env-"),
            ("//", "env-"),
            (&"x".repeat(63), "xxxxxxxxxxxxxxxxxxxx-"),
            ("aaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbb", "aaaaaaaaaaaaaaaaaaa-"),
        ] {
            let name = normalised(text);
            assert!(name.starts_with(slug) && name.len() == slug.len() + HASHED && is_valid(&name), "{text}: {name}");
        }
    }

    proptest! {
        #[test]
        fn two_texts_never_share_a_name(texts in prop::collection::hash_set("[a-cA-C/_-]{1,4}|[a-z]{28,40}|\\PC{1,70}", 2..60)) {
            let mut names = HashMap::new();
            for text in texts {
                let name = normalised(&text);
                prop_assert!(is_valid(&name), "{text}: {name}");
                prop_assert_eq!(&normalised(&name), &name);
                if let Some(other) = names.insert(name.clone(), text.clone()) {
                    prop_assert!(false, "{other} and {text} are both {name}");
                }
            }
        }
    }

    type Case = (&'static [(&'static str, &'static str)], Result<&'static str, &'static str>);

    #[test]
    fn auto_is_the_pull_request_else_the_branch_else_the_run() {
        let table: &[Case] = &[
            (
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", "pull_request"),
                    ("GITHUB_EVENT_PATH", "event"),
                    ("GITHUB_REF_NAME", "main"),
                    ("GITHUB_REF_TYPE", "branch"),
                ],
                Ok("pr-7"),
            ),
            (
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", "pull_request_target"),
                    ("GITHUB_EVENT_PATH", "nothing"),
                    ("GITHUB_REF_NAME", "main"),
                    ("GITHUB_REF_TYPE", "branch"),
                ],
                Err("does not say which"),
            ),
            (
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", "push"),
                    ("GITHUB_REF_NAME", "main"),
                    ("GITHUB_REF_TYPE", "branch"),
                    ("GITHUB_RUN_ID", "9"),
                ],
                Ok("main"),
            ),
            (
                &[
                    ("GITHUB_ACTIONS", "true"),
                    ("GITHUB_EVENT_NAME", "push"),
                    ("GITHUB_REF_NAME", "v1"),
                    ("GITHUB_REF_TYPE", "tag"),
                    ("GITHUB_RUN_ID", "9"),
                ],
                Ok("run-9"),
            ),
            (&[("GITLAB_CI", "true"), ("CI_MERGE_REQUEST_IID", "12"), ("CI_PIPELINE_ID", "3")], Ok("pr-12")),
            (&[("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "fix"), ("CI_PIPELINE_ID", "3")], Ok("fix")),
            (&[("GITLAB_CI", "true"), ("CI_PIPELINE_ID", "3")], Ok("run-3")),
            (&[("BUILDKITE", "true"), ("BUILDKITE_PULL_REQUEST", "5"), ("BUILDKITE_BRANCH", "fix")], Ok("pr-5")),
            (&[("BUILDKITE", "true"), ("BUILDKITE_PULL_REQUEST", "false"), ("BUILDKITE_BRANCH", "fix")], Ok("fix")),
            (
                &[
                    ("BUILDKITE", "true"),
                    ("BUILDKITE_PULL_REQUEST", "false"),
                    ("BUILDKITE_BRANCH", "v1"),
                    ("BUILDKITE_TAG", "v1"),
                    ("BUILDKITE_BUILD_NUMBER", "4"),
                ],
                Ok("run-4"),
            ),
            (&[("CIRCLECI", "true"), ("CIRCLE_PULL_REQUEST", "https://github.com/a/b/pull/31")], Ok("pr-31")),
            (&[("CIRCLECI", "true"), ("CIRCLE_BRANCH", "fix"), ("CIRCLE_WORKFLOW_ID", "w")], Ok("fix")),
            (&[("CIRCLECI", "true"), ("CIRCLE_WORKFLOW_ID", "ab-c")], Ok("run-ab-c")),
            (&[("CIRCLECI", "true")], Err("neither")),
            (&[("GITHUB_ACTIONS", "")], Err("no variable of GitHub Actions")),
        ];
        for (variables, expected) in table {
            let variable =
                |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            let found = auto(variable, |path| (path == "event").then_some(7));
            match expected {
                Ok(name) => assert_eq!(found.as_deref(), Ok(*name), "{variables:?}"),
                Err(why) => assert!(found.as_ref().is_err_and(|said| said.contains(why)), "{variables:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_branch_is_never_taken_for_a_pull_request_or_a_run() {
        for branch in ["pr-12", "run-12"] {
            let variable = |name: &str| match name {
                "GITLAB_CI" => Some("true".to_owned()),
                "CI_COMMIT_BRANCH" => Some(branch.to_owned()),
                _ => None,
            };
            let name = auto(variable, |_| None).expect("a branch");
            assert!(name.starts_with(branch) && name.len() > branch.len() + HASHED, "{name}");
        }
    }
}
