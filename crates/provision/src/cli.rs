//! The command line: its commands and what all of them take.

use clap::{Parser, Subcommand};

use crate::command;
use crate::report::{Detail, Output};

/// Stands up and removes streaming test environments: a Kinesis stream, the delivery streams that read it, their roles,
/// bucket prefixes and transform Lambdas. No state file; `--local` needs no AWS account.
#[derive(Debug, Parser)]
#[command(name = "provision", version, arg_required_else_help = true, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Output format: text, or one JSON event per line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Output,
    /// Also print each step as it starts, unchanged resources, and every AWS call
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print only results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Cli {
    pub fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Usual,
        }
    }
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failed and nothing was changed, 2 changes found (plan --detailed-exitcode), \
3 the spec is invalid, 4 failed after something was changed, 5 confirmation is missing, 6 down, gc or with finished and left something, \
7 another run asked this one to stop, 64 usage, 130 or 143 interrupted.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what `up` would do; changes nothing
    Plan(command::plan::PlanArgs),
    /// Create or update everything in the spec
    Up(command::up::UpArgs),
    /// Delete what provision created
    Down(command::down::DownArgs),
    /// Bring an environment up, run a command in it, and remove it
    #[command(after_help = command::with::EXIT_CODE)]
    With(command::with::WithArgs),
    /// Put records into a stream: from files, standard input or the spec's samples
    Put(command::put::PutArgs),
    /// Show the records of a stream, or those that a delivery stream has stored
    Tail(command::tail::TailArgs),
    /// Show the records in objects: those with this key or under this prefix
    Cat(command::cat::CatArgs),
    /// Show the logs of functions and delivery streams in one order of time
    Logs(command::logs::LogsArgs),
    /// Deliver the records that failed once more, through the function as it is deployed
    Replay(command::replay::ReplayArgs),
    /// Deliver at once what the delivery streams of the built-in emulator have buffered
    Flush(command::flush::FlushArgs),
    /// Send records through the stack and account for every one of them
    Verify(command::verify::VerifyArgs),
    /// Run a function of the spec on this machine, on records, and show each result; changes nothing
    Invoke(command::invoke::InvokeArgs),
    /// Run two versions of a function over the same records, and show which answers differ
    DiffData(command::diff_data::DiffDataArgs),
    /// Test a transform against Firehose's contract with generated batches; changes nothing
    TestTransform(command::test_transform::TestArgs),
    /// Show which resources of the stack exist
    Status(command::status::StatusArgs),
    /// Show the runs of an environment: what was changed, when and by whom
    History(command::history::HistoryArgs),
    /// List the environments in the account and region
    List(command::list::ListArgs),
    /// Delete expired environments
    Gc(command::gc::GcArgs),
    /// Print names, ARNs and prefixes
    Outputs(command::outputs::OutputsArgs),
    /// Check credentials, permissions, tools and quotas before the first run; changes nothing
    Doctor(command::doctor::DoctorArgs),
    /// Print the minimal IAM policy for running provision, or the trust policy for CI; makes no AWS call
    Permissions(command::permissions::PermissionsArgs),
    /// Check specs; makes no AWS call
    Validate(command::validate::Args),
    /// Print the spec with variables, defaults and the environment applied
    Render(command::render::Args),
    /// Print the JSON Schema of specs, or of events
    Schema(command::schema::Args),
    /// Write a commented starter spec and a transform
    Init(command::init::Args),
    /// The built-in AWS emulator
    #[command(subcommand)]
    Local(command::local::LocalCommand),
    /// Print shell completions
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}
