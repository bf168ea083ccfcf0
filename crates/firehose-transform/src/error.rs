//! What can be wrong with one record, and with a whole event.

use std::fmt;

/// Why a record could not be read, or not be answered. Returned from the transform, it fails that record.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The event's `data` is not base64. Firehose does not send such; the record fails whatever it is answered with.
    NotBase64,
    /// The payload is not UTF-8.
    NotText(std::str::Utf8Error),
    /// The payload is not JSON, or not JSON of the shape that was asked for.
    NotJson(serde_json::Error),
    /// The author's own reason.
    Other(String),
}

impl Error {
    /// A reason in the author's own words.
    pub fn new(reason: impl fmt::Display) -> Error {
        Error::Other(reason.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotBase64 => f.write_str("the record's data is not base64"),
            Error::NotText(cause) => write!(f, "the payload is not UTF-8: {cause}"),
            Error::NotJson(cause) => write!(f, "the payload is not the expected JSON: {cause}"),
            Error::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::NotText(cause) => Some(cause),
            Error::NotJson(cause) => Some(cause),
            Error::NotBase64 | Error::Other(_) => None,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Error {
        Error::NotJson(cause)
    }
}

/// Why a whole event could not be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The event is not JSON, or lacks what every Firehose event has, such as a record's id.
    Malformed { at: usize, expected: &'static str },
    /// Not even an answer that fails every record fits into Lambda's response.
    TooManyRecords { records: usize },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventError::Malformed { at, expected } => {
                write!(f, "reading the event: not a Firehose transform event: {expected} was expected at byte {at}")
            }
            EventError::TooManyRecords { records } => {
                write!(f, "answering the event: the ids of its {records} records alone outgrow Lambda's response")
            }
        }
    }
}

impl std::error::Error for EventError {}
