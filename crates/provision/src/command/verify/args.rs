//! The arguments of `verify`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::args::TargetArgs;
use crate::command::ready::Ready;

#[derive(Debug, Clone, Default, clap::Args)]
pub struct VerifyArgs {
    /// The spec; without it provision.yaml, or the only file in stacks/
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// How many records to send into each stream: the spec's samples, or made-up ones. Or a file of records: one a line, or .json; - is
    /// standard input
    #[arg(long, value_name = "N|FILE", default_value_t = Given::default())]
    pub records: Given,
    /// Bytes of each made-up record, at least
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub size: Option<u32>,
    /// Send at most this many records a second into each stream
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Use this many partition keys, instead of one for each record
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub partition_keys: Option<u32>,
    /// Compare outputs by this field or jq expression; for functions that answer the same record differently each time
    #[arg(long, value_name = "FIELD|JQ")]
    pub identity: Option<String>,
    /// Wait at most this long, in seconds of the target's clock, instead of five minutes beyond the buffers
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Send at once (active), or when each new delivery stream has stored a canary record (data) [default: data; active at the built-in
    /// emulator, which reads records from the start]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub ready: Option<Ready>,
    /// Delete the objects that hold nothing but this run's records
    #[arg(long)]
    pub clean: bool,
    /// Also write the results to this file as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also write the results to this file as a page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// The records to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    Count(u32),
    File(PathBuf),
}

impl Default for Given {
    fn default() -> Given {
        Given::Count(1000)
    }
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Given::Count(count) => write!(f, "{count}"),
            Given::File(path) => write!(f, "{}", path.display()),
        }
    }
}

const MOST_RECORDS: u32 = 100_000_000;

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Given, String> {
        match text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            true => match text.parse() {
                Ok(count @ 1..=MOST_RECORDS) => Ok(Given::Count(count)),
                _ => Err(format!("a number of records is from 1 to {MOST_RECORDS}")),
            },
            false => Ok(Given::File(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_a_number_or_a_file() {
        for (text, expected) in [
            ("7", Ok(Given::Count(7))),
            ("-", Ok(Given::File("-".into()))),
            ("orders.jsonl", Ok(Given::File("orders.jsonl".into()))),
            ("0", Err("a number of records is from 1 to 100000000".to_owned())),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }
}
