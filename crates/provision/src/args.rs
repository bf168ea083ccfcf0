//! Arguments that several commands take.

use std::path::PathBuf;

use clap::Args;

use crate::cloud::Target;
use crate::environment_name;
use crate::exit::Stop;
use crate::spec::LoadOptions;

/// The environment that a command works on, and the destination of its calls.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// The destination of a command's calls.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct CloudArgs {
    /// AWS region, where the spec names none
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this endpoint instead of AWS
    #[arg(long, value_name = "URL", conflicts_with = "local")]
    pub endpoint: Option<String>,
    /// Trust the certificates in this PEM file too (also: AWS_CA_BUNDLE)
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
    /// Use the built-in AWS emulator: no AWS account is needed, and data flows through it
    #[arg(long, conflicts_with_all = ["profile", "ca_bundle"])]
    pub local: bool,
}

impl CloudArgs {
    /// As `cloud::connect` takes it.
    pub fn target(&self) -> Target {
        let CloudArgs { region, profile, endpoint, ca_bundle, .. } = self.clone();
        Target { region, profile, endpoint, ca_bundle }
    }

    /// Refuses the flags that choose a cloud, where none is reached.
    pub fn refuse_a_cloud(&self, because: &str) -> Result<(), Stop> {
        let CloudArgs { region: _, profile, endpoint, ca_bundle, local } = self;
        let useless = [
            ("--profile", profile.is_some()),
            ("--endpoint", endpoint.is_some()),
            ("--ca-bundle", ca_bundle.is_some()),
            ("--local", *local),
        ];
        refuse_useless(&useless, because)
    }
}

/// The values of a spec's variables.
#[derive(Debug, Clone, Default, Args)]
pub struct Variables {
    /// An isolated copy of the stack, for example pr-42 (also: PROVISION_ENV). Any text becomes a valid name; auto names it after
    /// the pull request, the branch or the run of the CI job
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Set a variable of the spec; overrides the environment variable
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

/// A flag that would do nothing is a mistake of the caller: exit code 64.
pub fn refuse_useless(flags: &[(&str, bool)], because: &str) -> Result<(), Stop> {
    match flags.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Stop::Usage(format!("{flag} does nothing here: {because}"))),
    }
}

impl Variables {
    /// The environment that is meant: the flag's, else that of `PROVISION_ENV`.
    pub fn env(&self) -> Result<Option<String>, Stop> {
        let set = || std::env::var("PROVISION_ENV").ok().filter(|env| !env.is_empty());
        self.env.clone().or_else(set).map(|env| env_named(&env)).transpose()
    }

    /// With the variables of this process. One that is not UTF-8 is as good as unset.
    pub fn options(&self) -> Result<LoadOptions, Stop> {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Ok(LoadOptions { env: self.env()?, set: self.set.clone(), variables: variables.collect(), place: None })
    }
}

/// The name that `--env TEXT` means.
pub fn env_named(text: &str) -> Result<String, Stop> {
    if text != "auto" {
        return Ok(environment_name::normalised(text));
    }
    environment_name::auto(|name| std::env::var(name).ok(), pull_request).map_err(Stop::Usage)
}

/// The number of the pull request in GitHub's file about the event.
fn pull_request(path: &str) -> Option<u64> {
    let event: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    event["pull_request"]["number"].as_u64()
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
