//! The environment of the command. Pure.

use std::path::Path;

use crate::exports::Variables;

/// The destination of the calls that the command itself makes.
pub enum Reached<'a> {
    /// An engine of its own, which takes any credentials.
    Local,
    /// As the flags say; the rest is inherited.
    Cloud { profile: Option<&'a str>, ca_bundle: Option<&'a Path> },
}

/// Would lead the SDKs elsewhere than to the engine, or have them ask somebody for credentials.
const ASTRAY: [&str; 8] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
];
/// A profile goes before keys: these would win over it.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Names and values over those that are inherited; `None` takes a variable away.
pub fn environment(
    outputs: Variables,
    env: Option<&str>,
    reached: &Reached<'_>,
    inherited: impl Iterator<Item = String>,
) -> Vec<(String, Option<String>)> {
    let set = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let mut variables: Vec<_> = outputs.into_iter().map(|(name, value)| (name, Some(value))).collect();
    variables.extend(env.map(|env| set("PROVISION_ENV", env)));
    match reached {
        Reached::Local => {
            let endpoints = inherited.filter(|name| name.starts_with("AWS_ENDPOINT_URL_"));
            variables.extend(endpoints.chain(ASTRAY.map(str::to_owned)).map(|name| (name, None)));
            variables.extend([set("AWS_ACCESS_KEY_ID", "local"), set("AWS_SECRET_ACCESS_KEY", "local")]);
        }
        Reached::Cloud { profile, ca_bundle } => {
            if let Some(profile) = profile {
                variables.extend(KEYS.map(|name| (name.to_owned(), None)));
                variables.push(set("AWS_PROFILE", profile));
            }
            variables.extend(ca_bundle.map(|file| set("AWS_CA_BUNDLE", &file.to_string_lossy())));
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(reached: &Reached<'_>, inherited: &[&str]) -> String {
        let outputs = vec![("AWS_REGION".to_owned(), "us-east-1".to_owned())];
        let inherited = inherited.iter().map(|name| (*name).to_owned());
        let variables = environment(outputs, Some("pr-1"), reached, inherited);
        let text = |(name, value): (String, Option<String>)| match value {
            Some(value) => format!("{name}={value}"),
            None => format!("-{name}"),
        };
        variables.into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_command_reaches_what_was_brought_up_and_nothing_else() {
        let local = told(&Reached::Local, &["AWS_ENDPOINT_URL_S3", "PATH"]);
        assert!(
            local.starts_with("AWS_REGION=us-east-1 PROVISION_ENV=pr-1 -AWS_ENDPOINT_URL_S3 -AWS_PROFILE "),
            "{local}"
        );
        assert!(local.ends_with(" AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"), "{local}");
        let inherited = ["AWS_ENDPOINT_URL_S3"];
        let own = told(&Reached::Cloud { profile: None, ca_bundle: None }, &inherited);
        assert_eq!(own, "AWS_REGION=us-east-1 PROVISION_ENV=pr-1");
        let flags = Reached::Cloud { profile: Some("ci"), ca_bundle: Some(Path::new("a.pem")) };
        let expected = "AWS_REGION=us-east-1 PROVISION_ENV=pr-1 -AWS_ACCESS_KEY_ID -AWS_SECRET_ACCESS_KEY -AWS_SESSION_TOKEN \
                        AWS_PROFILE=ci AWS_CA_BUNDLE=a.pem";
        assert_eq!(told(&flags, &inherited), expected);
    }
}
