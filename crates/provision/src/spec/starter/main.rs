//! A Firehose transform: text in, the same text in capitals out, a record a line.

use std::process::ExitCode;

use firehose_transform::{Error, Outcome, Record, run};

fn main() -> ExitCode {
    run(transform)
}

fn transform(record: &Record<'_>) -> Result<Outcome, Error> {
    Ok(Outcome::text(record.text()?.to_uppercase()).with_newline())
}
