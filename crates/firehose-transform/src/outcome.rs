//! The answer to one record.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::buffer;

/// What becomes of a record: kept, dropped, or failed. Firehose's `Ok`, `Dropped` and `ProcessingFailed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Goes to the destination.
    Keep(Kept),
    /// Handled, and not delivered. It still reaches a source backup.
    Dropped,
    /// Firehose stores the original under the error prefix. The reason is logged.
    Failed(String),
}

/// What is delivered, and by which keys it is partitioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub(crate) data: Data,
    pub(crate) newline: bool,
    pub(crate) partition_keys: Vec<(Cow<'static, str>, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// The payload as it came: its base64 is copied and not made again.
    Original,
    Bytes(Vec<u8>),
}

impl Outcome {
    /// Keep the payload as it came.
    pub fn unchanged() -> Outcome {
        Outcome::keep(Data::Original)
    }

    /// Keep these bytes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Outcome {
        Outcome::keep(Data::Bytes(bytes.into()))
    }

    /// Keep this text.
    pub fn text(text: impl Into<String>) -> Outcome {
        Outcome::bytes(text.into())
    }

    /// Keep this value as compact JSON. A value that JSON cannot express, such as a map with keys of bytes, fails the
    /// record.
    pub fn json(value: &impl Serialize) -> Outcome {
        let mut bytes = buffer::take();
        match serde_json::to_writer(&mut bytes, value) {
            Ok(()) => Outcome::bytes(bytes),
            Err(cause) => Outcome::failed(format_args!("writing the answer as JSON: {cause}")),
        }
    }

    /// Keep what is written here, into a buffer that is used again from record to record.
    pub fn write(write: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        let mut bytes = buffer::take();
        write(&mut bytes);
        Outcome::bytes(bytes)
    }

    /// Not an error, and not delivered.
    pub fn dropped() -> Outcome {
        Outcome::Dropped
    }

    /// The reason is for people: it is logged with the record's id and not sent to Firehose.
    pub fn failed(reason: impl fmt::Display) -> Outcome {
        Outcome::Failed(reason.to_string())
    }

    /// End what is kept with a newline, because Firehose joins records byte to byte. Nothing else changes.
    #[must_use]
    pub fn with_newline(mut self) -> Outcome {
        if let Outcome::Keep(kept) = &mut self {
            kept.newline = true;
        }
        self
    }

    /// Name a key for dynamic partitioning, read as `!{partitionKeyFromLambda:name}`. The last value of a name holds.
    /// Nothing to do unless kept.
    #[must_use]
    pub fn with_partition_key(mut self, name: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Outcome {
        if let Outcome::Keep(kept) = &mut self {
            let name = name.into();
            kept.partition_keys.retain(|(other, _)| *other != name);
            kept.partition_keys.push((name, value.to_string()));
        }
        self
    }

    fn keep(data: Data) -> Outcome {
        Outcome::Keep(Kept { data, newline: false, partition_keys: Vec::new() })
    }
}

/// What a transform may return: an [`Outcome`], or a `Result` whose error fails the record.
pub trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    #[inline]
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl<O: IntoOutcome, E: fmt::Display> IntoOutcome for Result<O, E> {
    /// The alternate form, because error types that carry their causes print the whole chain with it.
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_or_else(|error| Outcome::Failed(format!("{error:#}")), O::into_outcome)
    }
}

impl<O: IntoOutcome> IntoOutcome for Option<O> {
    /// Nothing is kept of what is dropped.
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_or(Outcome::Dropped, O::into_outcome)
    }
}
