//! `provision validate`: all mistakes and warnings of specs. Reaches no cloud.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::spec::{self, LoadOptions};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Specs; without any provision.yaml, or the only one in stacks/
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
}

/// What a spec is filled in with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Variables {
    /// As in this environment, for example pr-42
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// Set a variable of the spec, over the environment's
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

impl Variables {
    /// With the variables of this process. One that is not UTF-8 is as good as unset.
    pub(super) fn options(self) -> LoadOptions {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        LoadOptions { env: self.env, set: self.set, variables: variables.collect() }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What there is to say about each spec. Colours are in it: whoever prints takes them out where they do not belong.
pub fn run(args: Args) -> (String, Exit) {
    let files = match args.files.is_empty() {
        false => args.files,
        true => match super::render::find(None) {
            Ok(file) => vec![file],
            Err(said) => return said,
        },
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
    (said, exit)
}
