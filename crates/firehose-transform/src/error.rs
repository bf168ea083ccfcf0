//! What can be wrong with one record, and with a whole event.

use std::fmt;

/// Why a record could not be read as what the transform asked for. Returned from the transform, it fails that record.
#[derive(Debug)]
pub enum Error {
    /// The payload is not UTF-8.
    NotText(std::str::Utf8Error),
    /// The payload is not JSON, or not JSON of the shape that was asked for.
    NotJson(serde_json::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotText(cause) => write!(f, "the payload is not UTF-8: {cause}"),
            Error::NotJson(cause) => write!(f, "the payload is not the expected JSON: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

/// Why a whole event could not be answered: it is not a Firehose transform event.
#[derive(Debug)]
pub enum EventError {
    /// The event is not JSON, or lacks what every Firehose event has, such as a record's id.
    Malformed(serde_json::Error),
    /// Not even an answer that fails every record fits into Lambda's response.
    TooManyRecords { records: usize },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventError::Malformed(cause) => write!(f, "reading the event: not a Firehose transform event: {cause}"),
            EventError::TooManyRecords { records } => {
                write!(f, "answering the event: the ids of its {records} records alone outgrow Lambda's response")
            }
        }
    }
}

impl std::error::Error for EventError {}
