//! `provision schema`: the JSON Schema of specs, for editors.

use crate::event::Event;
use crate::exit::Exit;
use crate::report::Printed;
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> (Printed, Exit) {
    let text = spec::schema();
    let event = Event::Schema { schema: serde_json::from_str(&text).expect("a schema is JSON") };
    (Printed { text, event }, Exit::Done)
}
