//! The arguments, and nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command;
use crate::report::Output;
use crate::spec::LoadOptions;

/// Stands up and removes streaming test environments: a Kinesis stream, the delivery streams that read it, their roles,
/// bucket prefixes and transform Lambdas. No state file; `--local` needs no AWS account.
#[derive(Debug, Parser)]
#[command(name = "provision", version, arg_required_else_help = true, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// How results are shown: for people, or one JSON event a line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Output,
    /// Say more: what begins, what stays as it is, and every call to AWS
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed with nothing changed, 2 changes found (plan --detailed-exitcode), \
3 the spec is wrong, 4 failed after something changed, 5 consent is missing, 64 usage, 130 or 143 interrupted.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what `up` would do; changes nothing
    Plan(command::up::PlanArgs),
    /// Make everything in the spec be there, as the spec says
    Up(command::up::UpArgs),
    /// Remove what is ours
    Down(command::down::DownArgs),
    /// Send records through the stack and account for every one of them
    Verify(command::verify::VerifyArgs),
    /// Run a function of the spec here, on records, and show each answer; changes nothing
    Invoke(command::invoke::InvokeArgs),
    /// Try to break a transform: Firehose's contract over batches made for it; changes nothing
    TestTransform(command::test_transform::TestArgs),
    /// Show what of the stack is there
    Status(command::status::StatusArgs),
    /// Show what was done to an environment, when and by whom
    History(command::history::HistoryArgs),
    /// Show every environment in the account and region
    List(command::list::ListArgs),
    /// Remove the environments whose time is over
    Gc(command::gc::GcArgs),
    /// Print names, ARNs and prefixes
    Outputs(command::outputs::OutputsArgs),
    /// Check what would make the first run fail, and say what to do about it; changes nothing
    Doctor(command::doctor::DoctorArgs),
    /// Print the smallest policy for whoever runs this, or what CI needs to assume its role; reaches no cloud
    Permissions(command::permissions::PermissionsArgs),
    /// Check specs; reaches no cloud
    Validate(command::validate::Args),
    /// Print the spec as it is understood: variables, defaults and the environment applied
    Render(command::render::Args),
    /// Print the JSON Schema of specs
    Schema(command::schema::Args),
    /// Write a commented starter spec and a transform
    Init(command::init::Args),
    /// The engine that is AWS in this process
    #[command(subcommand)]
    Local(command::local::LocalCommand),
    /// Print completions for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}

/// Where a command reaches out to.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    #[command(flatten)]
    pub variables: Variables,
    /// AWS region, where the spec names none
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Speak to this endpoint instead of AWS
    #[arg(long, value_name = "URL", conflicts_with = "local")]
    pub endpoint: Option<String>,
    /// Trust the certificates in this PEM file too (also: AWS_CA_BUNDLE)
    #[arg(long, value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
    /// Use the local engine: no AWS account, the data really flows
    #[arg(long)]
    pub local: bool,
}

/// What a spec is filled in with.
#[derive(Debug, Clone, Default, Args)]
pub struct Variables {
    /// An isolated copy of the stack, for example pr-42
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Set a variable of the spec, over the environment's
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

impl Variables {
    /// With the variables of this process. One that is not UTF-8 is as good as unset.
    pub fn options(&self) -> LoadOptions {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        LoadOptions { env: self.env.clone(), set: self.set.clone(), variables: variables.collect() }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
