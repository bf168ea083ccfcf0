//! Records that people send: from files, standard input, recorded events, or templates in the spec. All commands that take records
//! take them from here.

pub mod bounded;
pub mod compact;
pub mod envelope;
pub mod input;
pub mod key;
pub mod samples;
pub mod template;

use bytes::Bytes;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub data: Bytes,
    /// The partition key, where its source has one.
    pub key: Option<String>,
    /// Its position in its source, from 1.
    pub number: u64,
    /// The line in a file of lines, from 1. Other sources have no lines.
    pub line: Option<u64>,
}

impl Record {
    pub fn new(number: u64, data: impl Into<Bytes>) -> Record {
        Record { data: data.into(), key: None, number, line: None }
    }

    /// For people: `line 7`, or `record 7` where there are no lines.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("line {line}"),
            None => format!("record {}", self.number),
        }
    }
}

/// Records one after another. An error is one record that cannot be read, or the end of a source that cannot be read on.
pub type Records = Box<dyn Iterator<Item = Result<Record, Unread>> + Send>;

/// A record that its source could not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// `line 7`, with the file where there are several.
    pub place: String,
    pub why: String,
}
