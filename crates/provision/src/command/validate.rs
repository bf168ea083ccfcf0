//! `validate`: reports all errors and warnings in specs. Makes no AWS call.

use std::path::{Path, PathBuf};

use crate::args::Variables;
use crate::event::{Event, Events};
use crate::exit::{Exit, Stop};
use crate::spec::{self, Diagnostics};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Specs; without any provision.yaml, or the only one in stacks/
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
}

/// Reports the errors and warnings of each spec.
pub fn run(args: Args, events: &Events) -> Result<Exit, Stop> {
    let files = match args.files.is_empty() {
        false => args.files,
        true => vec![spec::find(None, Path::new("."))?],
    };
    let options = args.variables.options()?;
    let mut exit = Exit::Done;
    for path in files {
        let file = path.display().to_string();
        let (mistakes, warnings) = match spec::load(&path, &options) {
            Ok(loaded) => (Diagnostics::none(&file), loaded.warnings),
            Err(wrong) => (wrong, Diagnostics::none(&file)),
        };
        if !mistakes.is_empty() {
            exit = Exit::Spec;
        }
        events.say(Event::Validated { file, mistakes, warnings });
    }
    Ok(exit)
}
