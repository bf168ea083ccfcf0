//! The answer to one record.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

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
    pub(crate) partition_keys: BTreeMap<String, String>,
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
        match serde_json::to_vec(value) {
            Ok(bytes) => Outcome::bytes(bytes),
            Err(cause) => Outcome::failed(format_args!("writing the answer as JSON: {cause}")),
        }
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
    pub fn with_newline(mut self) -> Outcome {
        if let Outcome::Keep(kept) = &mut self {
            kept.newline = true;
        }
        self
    }

    /// Name a key for dynamic partitioning, read as `!{partitionKeyFromLambda:name}`. Nothing to do unless kept.
    pub fn with_partition_key(mut self, name: impl Into<String>, value: impl fmt::Display) -> Outcome {
        if let Outcome::Keep(kept) = &mut self {
            kept.partition_keys.insert(name.into(), value.to_string());
        }
        self
    }

    fn keep(data: Data) -> Outcome {
        Outcome::Keep(Kept { data, newline: false, partition_keys: BTreeMap::new() })
    }
}

/// What a transform may return: an [`Outcome`], or a `Result` whose error fails the record.
pub trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl<E: fmt::Display> IntoOutcome for Result<Outcome, E> {
    /// The alternate form, because error types that carry their causes print the whole chain with it.
    fn into_outcome(self) -> Outcome {
        self.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")))
    }
}
