//! The trust policy of the role for CI: jobs of a repository assume it with a token from GitHub or GitLab. No key is stored.
//!
//! <https://docs.github.com/en/actions/reference/security/oidc>,
//! <https://docs.gitlab.com/ci/cloud_services/aws/>

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::names::Names;

/// The jobs that may assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Host and path of the issuer: how the provider is called in IAM, and its keys in conditions.
    provider: &'static str,
    audience: &'static str,
    /// The required `sub` of the token, with `*` for any text.
    subject: String,
}

const FORMS: &str =
    "write github:OWNER/REPO, github:OWNER/REPO:main, github:OWNER/REPO:environment:prod or gitlab:GROUP/PROJECT:main";

impl Trusted {
    /// `github:OWNER/REPO[:REF]` or `gitlab:GROUP/PROJECT[:REF]`. A ref is a branch or `refs/tags/TAG`; for
    /// GitHub also `pull_request` or `environment:NAME`.
    ///
    /// # Errors
    /// If it has none of these forms.
    pub fn parse(text: &str) -> Result<Trusted> {
        let wrong = || Error::msg(format!("--trust {text}: not a repository, or not a ref, of that host")).hint(FORMS);
        let (host, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (path, of) = rest.split_once(':').map_or((rest, None), |(path, of)| (path, Some(of)));
        let names: Vec<&str> = path.split('/').collect();
        let is_name =
            |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-@".contains(c));
        if names.len() < 2 || !names.iter().all(is_name) || of.is_some_and(str::is_empty) {
            return Err(wrong());
        }
        match host {
            "github" if names.len() == 2 => Ok(Trusted {
                provider: "token.actions.githubusercontent.com",
                audience: "sts.amazonaws.com",
                subject: format!("repo:{path}:{}", of.map_or("*".into(), of_github)),
            }),
            // Claims of their own there, and not in the subject.
            "gitlab" if of.is_some_and(|of| of == "pull_request" || of.starts_with("environment:")) => Err(wrong()),
            "gitlab" => Ok(Trusted {
                provider: "gitlab.com",
                audience: "https://gitlab.com",
                subject: format!("project_path:{path}:{}", of.map_or("*".into(), of_gitlab)),
            }),
            _ => Err(wrong()),
        }
    }

    /// The trust policy of the role. The account is that of the role.
    pub fn document(&self, names: &Names) -> Value {
        let Trusted { provider, audience, subject } = self;
        let key = |name: &str| format!("{provider}:{name}");
        let mut condition = json!({"StringEquals": {key("aud"): audience}});
        let like = if subject.contains('*') { "StringLike" } else { "StringEquals" };
        condition[like][key("sub")] = json!(subject);
        let federated = format!("arn:{}:iam::{}:oidc-provider/{provider}", names.partition(), names.account);
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": federated},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }]})
    }

    /// Repositories that were made or renamed since July 2026 have numbers in the subject.
    /// <https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/>
    pub fn caution(&self) -> Option<&'static str> {
        (self.subject.starts_with("repo:") && !self.subject.contains('@')).then_some(
            "a repository that was made or renamed since 15 July 2026, or that asked for it, has immutable subjects: write \
             github:OWNER@OWNER_ID/REPO@REPO_ID for it",
        )
    }
}

fn of_github(of: &str) -> String {
    match of.split(':').next().unwrap_or_default() {
        "pull_request" | "environment" | "ref" => of.to_owned(),
        _ if of.starts_with("refs/") => format!("ref:{of}"),
        _ => format!("ref:refs/heads/{of}"),
    }
}

fn of_gitlab(of: &str) -> String {
    match of.split_once("refs/tags/") {
        Some(("", tag)) => format!("ref_type:tag:ref:{tag}"),
        _ if of.starts_with("ref_type:") => of.to_owned(),
        _ => format!("ref_type:branch:ref:{}", of.trim_start_matches("refs/heads/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_and_what_of_it_is_trusted_are_the_subject() {
        for (text, subject) in [
            ("github:octo/demo", "repo:octo/demo:*"),
            ("github:octo/demo:main", "repo:octo/demo:ref:refs/heads/main"),
            ("github:octo/demo:release/*", "repo:octo/demo:ref:refs/heads/release/*"),
            ("github:octo/demo:refs/tags/v1", "repo:octo/demo:ref:refs/tags/v1"),
            ("github:octo/demo:pull_request", "repo:octo/demo:pull_request"),
            ("github:octo/demo:environment:prod", "repo:octo/demo:environment:prod"),
            ("github:octo@12/demo@34:main", "repo:octo@12/demo@34:ref:refs/heads/main"),
            ("gitlab:group/sub/demo", "project_path:group/sub/demo:*"),
            ("gitlab:group/demo:main", "project_path:group/demo:ref_type:branch:ref:main"),
            ("gitlab:group/demo:refs/tags/v1", "project_path:group/demo:ref_type:tag:ref:v1"),
        ] {
            assert_eq!(Trusted::parse(text).map(|trusted| trusted.subject).unwrap_or_default(), subject, "{text}");
        }
        for text in [
            "octo/demo",
            "github:octo",
            "github:*/*",
            "github:octo/",
            "github:a/b/c",
            "hub:a/b",
            "github:a/b:",
            "gitlab:a/b:pull_request",
            "gitlab:a/b:environment:prod",
        ] {
            let error = Trusted::parse(text).expect_err(text);
            assert!(error.what_next().is_some(), "{error}");
        }
    }
}
