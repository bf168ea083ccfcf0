//! The account of one delivery stream as reports show it. Plain data.

use serde::Serialize;

use crate::firehose_errors;
use crate::verify::latency::Latency;

/// The result for one delivery stream.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verified {
    pub delivery: String,
    /// The stream or delivery stream that the records were put into.
    pub source: String,
    /// The function that transforms the records, by its name on AWS.
    pub function: Option<String>,
    /// The bucket that the delivery stream writes to.
    pub bucket: String,
    /// Records that were put and accepted. Where the delivery stream takes records apart: their parts.
    pub sent: usize,
    /// Delivered with the expected content.
    pub delivered: usize,
    pub dropped: usize,
    pub failed: usize,
    pub missing: usize,
    pub duplicated: usize,
    /// Failed records that should have been delivered or dropped. They are counted in `failed` too.
    pub failed_unexpectedly: usize,
    /// Records that lie in an object behind one that came later into the same shard.
    pub out_of_order: usize,
    /// Numbers of missing records, from 0: `7`, `10-19`. The first hundred ranges.
    pub missing_numbers: Vec<String>,
    /// Records in these objects that are not of this run, or not as expected.
    pub unknown: usize,
    /// The identity by which outputs were compared. `None`: byte for byte.
    pub compared_by: Option<String>,
    pub errors: Vec<ErrorCount>,
    pub shards: Vec<ShardAccount>,
    /// From the acceptance of a record until its object was stored.
    pub latency: Option<Latency>,
    /// Keys of the objects that hold records of this run.
    pub objects: Vec<String>,
    pub object_details: Vec<ObjectTold>,
    /// When the first and the last object of this run were stored, RFC 3339.
    pub first: Option<String>,
    pub last: Option<String>,
    pub accounted: bool,
    /// The reason, if records are missing or failed, as far as it is known.
    pub hint: Option<String>,
}

/// Records that failed with one of Firehose's error codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorCount {
    pub code: String,
    pub records: usize,
    /// Firehose's message for the first of them.
    pub message: String,
    pub cause: Option<&'static str>,
    pub remedy: Option<&'static str>,
}

impl ErrorCount {
    pub fn new(code: &str) -> ErrorCount {
        let known = firehose_errors::find(code);
        let (cause, remedy) = (known.map(|row| row.cause), known.map(|row| row.remedy));
        ErrorCount { code: code.to_owned(), records: 0, message: String::new(), cause, remedy }
    }
}

/// The counts of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShardAccount {
    pub shard: String,
    /// Records, or their parts, as in the whole account.
    pub sent: usize,
    pub delivered: usize,
    pub dropped: usize,
    pub failed: usize,
    pub missing: usize,
    pub out_of_order: usize,
}

/// One object that holds records of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ObjectTold {
    pub key: String,
    /// As it is stored.
    pub bytes: u64,
    /// Records of this run.
    pub records: usize,
    /// Epoch seconds.
    pub stored_s: i64,
}

/// Ranges of record numbers, the first hundred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing(Vec<(u32, u32)>);

const MOST_RANGES: usize = 100;

impl Missing {
    /// Adds a number that is not smaller than those before it.
    pub fn add(&mut self, number: u32) {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| *last == number || *last + 1 == number) {
            *last = number;
        } else if self.0.len() < MOST_RANGES {
            self.0.push((number, number));
        }
    }

    pub fn told(&self) -> Vec<String> {
        let range = |(from, to): &(u32, u32)| if from == to { from.to_string() } else { format!("{from}-{to}") };
        self.0.iter().map(range).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_a_range() {
        let mut missing = Missing::default();
        [3, 4, 4, 5, 9].iter().for_each(|number| missing.add(*number));
        assert_eq!(missing.told(), ["3-5", "9"]);
    }
}
