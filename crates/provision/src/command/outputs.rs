//! `outputs`: what a stack offers to whoever uses it.

use std::path::PathBuf;

use crate::cli::TargetArgs;
use crate::cloud::Options;
use crate::event::Events;
use crate::exit::{Exit, Stop};
use crate::outputs;
use crate::session;

#[derive(Debug, clap::Args)]
pub struct OutputsArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// For people, for programs, or for a shell to read
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum Format {
    #[default]
    Human,
    Json,
    Dotenv,
}

/// Gives the text to print: it goes to standard output as it is, to be read by other programs.
pub async fn run(args: OutputsArgs, events: &Events) -> Result<(String, Exit), Stop> {
    let session = session::open(args.spec.as_deref(), &args.target, Options::default(), events).await?;
    let stack = session.stack.as_ref().expect("`outputs` was given a spec");
    let outputs = outputs::outputs(stack, &session.cx.names);
    session.close(events).await;
    let text = match args.format {
        Format::Human => outputs.human(),
        Format::Json => serde_json::to_string_pretty(&outputs).expect("our own outputs serialise") + "\n",
        Format::Dotenv => outputs.dotenv(),
    };
    Ok((text, Exit::Done))
}
