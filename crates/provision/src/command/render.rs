//! `provision render`: the spec as it is understood.

use std::path::{Path, PathBuf};

use super::validate::Variables;
use crate::exit::Exit;
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Spec; without one provision.yaml, or the only one in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
}

/// The resolved spec as YAML; or what is wrong with it.
pub fn run(args: Args) -> (String, Exit) {
    let file = match find(args.spec.as_deref()) {
        Ok(file) => file,
        Err(said) => return said,
    };
    match spec::load(&file, &args.variables.options()) {
        Ok(loaded) => (spec::render(&loaded.stack), Exit::Done),
        Err(wrong) => (wrong.render(true) + "\n", Exit::Spec),
    }
}

/// The spec that is meant, from the folder we are in.
pub(super) fn find(path: Option<&Path>) -> Result<PathBuf, (String, Exit)> {
    spec::find(path, Path::new(".")).map_err(|error| {
        let hint = error.what_next().map(|hint| format!("\n{hint}")).unwrap_or_default();
        (format!("{error}{hint}\n"), Exit::Failed)
    })
}
