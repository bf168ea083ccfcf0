//! `provision render`: the spec as it is understood.

use std::path::{Path, PathBuf};

use crate::args::Variables;
use crate::event::Event;
use crate::exit::{Exit, Stop};
use crate::report::{self, Printed};
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
pub fn run(args: Args) -> Result<(Printed, Exit), Stop> {
    let file = spec::find(args.spec.as_deref(), Path::new("."))?;
    let loaded = spec::load(&file, &args.variables.options()?)?;
    secret::keep(&loaded.secrets);
    let target = &loaded.stack.target;
    if loaded.stack.unplaced.is_some() && (target.account.is_none() || target.region.is_none()) {
        report::warning(
            "names depend on the account or region: where the spec says neither, 000000000000 and us-east-1 stand for them",
        );
    }
    let text = spec::render(&loaded.stack, &loaded.secrets);
    let event = Event::Rendered { spec: serde_yaml::from_str(&text).expect("what was rendered is YAML") };
    Ok((Printed { text, event }, Exit::Done))
}
