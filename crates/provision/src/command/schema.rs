//! `provision schema`: the JSON Schema of specs, for editors.

use crate::exit::Exit;
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> (String, Exit) {
    (spec::schema(), Exit::Done)
}
