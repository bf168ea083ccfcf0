//! `provision schema`: the JSON Schema of specs, for editors, and of events.

use crate::event::Event;
use crate::exit::Exit;
use crate::report::{Printed, json};
use crate::spec;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the schema of the events of `--output json` instead
    #[arg(long)]
    pub events: bool,
}

pub fn run(args: Args) -> (Printed, Exit) {
    let text = if args.events { json::SCHEMA.to_owned() } else { spec::schema() };
    let event = Event::Schema { schema: serde_json::from_str(&text).expect("a schema is JSON") };
    (Printed { text, event }, Exit::Done)
}
