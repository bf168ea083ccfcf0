//! `provision validate`: all mistakes and warnings of specs. Reaches no cloud.

use std::path::{Path, PathBuf};

use crate::cli::Variables;
use crate::exit::{Exit, Stop};
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Specs; without any provision.yaml, or the only one in stacks/
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
}

/// What there is to say about each spec. Colours are in it: whoever prints takes them out where they do not belong.
pub fn run(args: Args) -> Result<(String, Exit), Stop> {
    let files = match args.files.is_empty() {
        false => args.files,
        true => vec![spec::find(None, Path::new("."))?],
    };
    let options = args.variables.options();
    let (mut said, mut exit) = (String::new(), Exit::Done);
    for file in files {
        match spec::load(&file, &options) {
            Ok(loaded) if loaded.warnings.is_empty() => said += &format!("{}: no mistakes\n", file.display()),
            Ok(loaded) => {
                let count = loaded.warnings.len();
                said += &format!(
                    "{}\n\n{}: no mistakes, {count} to think about\n",
                    loaded.warnings.render(true),
                    file.display()
                );
            }
            Err(wrong) => {
                exit = Exit::Spec;
                said += &format!("{}\n\n{}: {} wrong\n", wrong.render(true), file.display(), wrong.len());
            }
        }
    }
    Ok((said, exit))
}
