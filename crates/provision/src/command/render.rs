//! `provision render`: the spec as it is understood.

use std::path::{Path, PathBuf};

use crate::cli::Variables;
use crate::exit::{Exit, Stop};
use crate::secret;
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Spec; without one provision.yaml, or the only one in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
}

/// The resolved spec as YAML.
pub fn run(args: Args) -> Result<(String, Exit), Stop> {
    let file = spec::find(args.spec.as_deref(), Path::new("."))?;
    let loaded = spec::load(&file, &args.variables.options())?;
    secret::keep(&loaded.secrets);
    Ok((spec::render(&loaded.stack, &loaded.secrets), Exit::Done))
}
