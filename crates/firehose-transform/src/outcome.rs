//! The answer to one record.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::buffer;
use crate::values;

/// The answer to one record: kept, dropped or failed. Firehose calls these `Ok`, `Dropped` and `ProcessingFailed`; see
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered to the destination.
    Keep(Kept),
    /// Processed and intentionally not delivered. A source backup still gets the original.
    Dropped,
    /// Not processed: Firehose stores the original under the error prefix. The text is the reason, which is logged.
    Failed(String),
}

/// The data that is delivered, and its partition keys. Made by the functions of [`Outcome`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub(crate) data: Data,
    pub(crate) newline: bool,
    pub(crate) partition_keys: Vec<(Cow<'static, str>, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// The payload as received. Its base64 is copied instead of being encoded again.
    Original,
    Bytes(Vec<u8>),
}

impl Outcome {
    /// Delivers the payload as received. Costs less than [`bytes`](Outcome::bytes), because the base64 of the event is copied.
    pub fn unchanged() -> Outcome {
        Outcome::keep(Data::Original)
    }

    /// Delivers these bytes.
    ///
    /// All answers of a batch together must fit into [`MAX_RESPONSE_BYTES`](crate::MAX_RESPONSE_BYTES) as base64. An answer that
    /// does not fit fails its record; [`Runner::put_back`](crate::Runner::put_back) can change that. This holds for every function
    /// here.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Outcome {
        Outcome::keep(Data::Bytes(bytes.into()))
    }

    /// Delivers this text as UTF-8.
    pub fn text(text: impl Into<String>) -> Outcome {
        Outcome::bytes(text.into())
    }

    /// Delivers this value as compact JSON, on one line.
    ///
    /// The outcome is [`Failed`](Outcome::Failed) if serde cannot write the value as JSON, such as a map whose keys are
    /// structs. A float that is not finite is written as `null`, as serde_json does.
    pub fn json(value: &impl Serialize) -> Outcome {
        let mut bytes = buffer::take();
        match values::write(&mut bytes, value) {
            Ok(()) => Outcome::bytes(bytes),
            Err(cause) => Outcome::failed(format_args!("writing the answer as JSON: {cause}")),
        }
    }

    /// Delivers what `write` appends to the buffer, which is empty at first. The buffer is reused from record to record, so that
    /// this allocates nothing once it has grown.
    pub fn write(write: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        let mut bytes = buffer::take();
        write(&mut bytes);
        Outcome::bytes(bytes)
    }

    /// Does not deliver the record. This is not an error: Firehose counts the record as processed.
    pub fn dropped() -> Outcome {
        Outcome::Dropped
    }

    /// Fails the record. The reason is for people: it is logged with the record's id and not sent to Firehose.
    pub fn failed(reason: impl fmt::Display) -> Outcome {
        Outcome::Failed(reason.to_string())
    }

    /// Appends a newline to the delivered data, because Firehose joins records without a separator. Has no effect on a record that
    /// is dropped or failed.
    #[must_use]
    pub fn with_newline(mut self) -> Outcome {
        if let Outcome::Keep(kept) = &mut self {
            kept.newline = true;
        }
        self
    }

    /// Sets a key for dynamic partitioning, which the prefix reads as `!{partitionKeyFromLambda:name}`. Setting a name again
    /// replaces its value. Has no effect on a record that is dropped or failed.
    ///
    /// Firehose fails a record that lacks a key of the prefix. See
    /// <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-partitioning-keys.html>.
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

/// A type that a transform may return: an [`Outcome`], an `Option` (`None` drops the record), or a `Result` (an error fails the
/// record).
pub trait IntoOutcome {
    /// The outcome that this value stands for.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    #[inline]
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl<O: IntoOutcome, E: fmt::Display> IntoOutcome for Result<O, E> {
    /// An error fails the record. Its reason is the error's alternate form (`{:#}`), with which error types such as `anyhow`'s
    /// print their causes too.
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_or_else(|error| Outcome::Failed(format!("{error:#}")), O::into_outcome)
    }
}

impl<O: IntoOutcome> IntoOutcome for Option<O> {
    /// `None` drops the record.
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_or(Outcome::Dropped, O::into_outcome)
    }
}
