//! Errors of one record, and of a whole event.

use std::fmt;

/// Why a record could not be read or answered. If the transform returns it, that record fails and the reason is logged.
///
/// Text becomes an error by itself, so that `?` and `into()` work on it:
///
/// ```
/// use firehose_transform::{Error, Outcome, Record};
///
/// fn tenant<'r>(record: &'r Record<'_>) -> Result<&'r str, Error> {
///     let (tenant, _) = record.text()?.split_once(':').ok_or("the payload has no tenant")?;
///     if tenant.len() > 8 {
///         return Err(format!("the tenant {tenant} is too long").into());
///     }
///     Ok(tenant)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The event's `data` is missing or not base64. Firehose does not send such events. The record fails whatever the transform
    /// returns.
    NotBase64,
    /// The payload is not UTF-8.
    NotText(std::str::Utf8Error),
    /// The payload is not JSON, or does not match the requested type. The cause says where, with line and column.
    NotJson(serde_json::Error),
    /// The transform's own reason, from [`Error::new`] or from text.
    Other(String),
}

impl Error {
    /// An error with any text: `Error::new(format_args!("{id} is unknown"))`.
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

impl From<&str> for Error {
    fn from(reason: &str) -> Error {
        Error::Other(reason.to_owned())
    }
}

impl From<String> for Error {
    fn from(reason: String) -> Error {
        Error::Other(reason)
    }
}

/// Why a whole event could not be answered. The invocation fails, and Firehose retries it three times by default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The event is not JSON, or lacks a part that every Firehose event has, such as a record's id.
    Malformed {
        /// The position in the event, in bytes from its start.
        at: usize,
        /// The expected value.
        expected: &'static str,
    },
    /// Even an answer that fails every record would exceed [`MAX_RESPONSE_BYTES`](crate::MAX_RESPONSE_BYTES).
    TooManyRecords {
        /// The number of records in the event.
        records: usize,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventError::Malformed { at, expected } => {
                write!(f, "reading the event: not a Firehose transform event: {expected} was expected at byte {at}")
            }
            EventError::TooManyRecords { records } => {
                write!(f, "answering the event: the ids of its {records} records alone exceed Lambda's response limit")
            }
        }
    }
}

impl std::error::Error for EventError {}
