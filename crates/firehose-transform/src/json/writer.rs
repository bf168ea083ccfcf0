//! Writing an object.

use serde::Serialize;

use super::{Field, Number};
use crate::buffer;
use crate::digits;
use crate::outcome::{IntoOutcome, Outcome};

/// An object in the making, in a buffer that is used again from record to record. Turn it into the answer with `into()`, or
/// return it as it is.
#[derive(Debug)]
pub struct ObjectWriter {
    pub(super) out: Vec<u8>,
    pub(super) failed: Option<String>,
}

impl ObjectWriter {
    /// An object without fields.
    pub fn new() -> ObjectWriter {
        let mut out = buffer::take();
        out.push(b'{');
        ObjectWriter { out, failed: None }
    }

    /// The field as it is.
    #[inline]
    pub fn copy(&mut self, field: &Field<'_>) {
        self.key(field);
        self.out.extend_from_slice(field.value);
    }

    /// The field's key with another value.
    #[inline]
    pub fn put(&mut self, field: &Field<'_>, value: &impl Serialize) {
        self.key(field);
        self.value(value);
    }

    /// The same for a number, which costs less than what serde knows of it.
    #[inline]
    pub fn put_number(&mut self, field: &Field<'_>, number: Number) {
        self.key(field);
        self.number(number);
    }

    /// A field of the author's own.
    pub fn add(&mut self, key: &str, value: &impl Serialize) {
        self.comma();
        self.value(&key);
        self.out.push(b':');
        self.value(value);
    }

    #[inline]
    fn key(&mut self, field: &Field<'_>) {
        if field.glued && self.out.len() > 1 {
            buffer::append_start(&mut self.out, field.text, field.spelled);
        } else {
            self.comma();
            self.out.extend_from_slice(field.quoted());
            self.out.push(b':');
        }
    }

    #[inline]
    pub(super) fn number(&mut self, number: Number) {
        match number {
            Number::Integer(short @ 0..APPENDABLE) => digits::append(&mut self.out, short as u64),
            other => self.value(&other),
        }
    }

    #[inline]
    fn comma(&mut self) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
    }

    #[inline]
    fn value(&mut self, value: &impl Serialize) {
        if let Err(cause) = serde_json::to_writer(&mut self.out, value) {
            self.failed.get_or_insert_with(|| unwritable(&cause));
        }
    }
}

#[cold]
pub(super) fn unwritable(cause: &serde_json::Error) -> String {
    format!("writing the answer as JSON: {cause}")
}

pub(super) const APPENDABLE: i128 = digits::APPENDABLE as i128;

impl Default for ObjectWriter {
    fn default() -> ObjectWriter {
        ObjectWriter::new()
    }
}

/// A value that JSON cannot express has failed the record.
impl From<ObjectWriter> for Outcome {
    fn from(mut writer: ObjectWriter) -> Outcome {
        writer.out.push(b'}');
        match writer.failed {
            None => Outcome::bytes(writer.out),
            Some(reason) => Outcome::Failed(reason),
        }
    }
}

impl IntoOutcome for ObjectWriter {
    fn into_outcome(self) -> Outcome {
        self.into()
    }
}
