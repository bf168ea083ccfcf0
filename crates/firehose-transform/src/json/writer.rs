//! Writing a JSON object.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::{Field, Fields, Number, digits};
use crate::buffer;
use crate::error::Error;
use crate::outcome::{IntoOutcome, Outcome};
use crate::values;

/// Writes a JSON object into a buffer that is reused from record to record. Return it from the transform, or turn it into an
/// [`Outcome`] with `into()`. See the [module](crate::json) for an example.
///
/// A value that serde cannot write as JSON makes the outcome [`Failed`](Outcome::Failed).
#[derive(Debug)]
pub struct ObjectWriter {
    pub(super) out: Vec<u8>,
    pub(super) failed: Option<String>,
}

impl ObjectWriter {
    /// Starts an object without fields.
    pub fn new() -> ObjectWriter {
        let mut out = buffer::take();
        out.push(b'{');
        ObjectWriter { out, failed: None }
    }

    /// Starts with everything in this object. It is checked to be valid unless `is_json` says that it is.
    pub(crate) fn of_utf8(object: &[u8], is_json: bool) -> Result<ObjectWriter, Error> {
        Fields::of_utf8(object)?;
        if !is_json && !values::is_value(object) {
            serde_json::from_slice::<IgnoredAny>(object)?;
        }
        let mut writer = ObjectWriter::new();
        if let [b'{', inside @ .., b'}'] = object.trim_ascii() {
            writer.out.extend_from_slice(inside.trim_ascii());
        }
        Ok(writer)
    }

    /// Adds a field of the payload as it is.
    #[inline]
    pub fn copy(&mut self, field: &Field<'_>) {
        if field.glued && self.out.len() > 1 {
            return self.out.extend_from_slice(&field.text[..field.spelled + field.value.len()]);
        }
        self.key(field);
        self.out.extend_from_slice(field.value);
    }

    /// Adds the key of a field of the payload with another value, in compact JSON.
    #[inline]
    pub fn put(&mut self, field: &Field<'_>, value: &impl Serialize) {
        self.key(field);
        self.value(value);
    }

    /// Like [`put`](ObjectWriter::put) for a number. Costs less than serde. A float that is not finite fails the record.
    #[inline]
    pub fn put_number(&mut self, field: &Field<'_>, number: Number) {
        self.key(field);
        self.number(number);
    }

    /// Adds a new field. The key is not checked to be unique.
    pub fn add(&mut self, key: &str, value: &impl Serialize) {
        self.comma();
        self.value(&key);
        self.out.push(b':');
        self.value(value);
    }

    #[inline]
    fn key(&mut self, field: &Field<'_>) {
        if field.glued && self.out.len() > 1 {
            append_start(&mut self.out, field.text, field.spelled);
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
        if let Err(cause) = values::write(&mut self.out, value) {
            self.failed.get_or_insert_with(|| unwritable(&cause));
        }
    }
}

/// Appends the first `length` bytes. If they are few, with more behind them, sixteen are stored and the rest is cut off again, which
/// costs less than a call of memcpy.
#[inline]
fn append_start(out: &mut Vec<u8>, bytes: &[u8], length: usize) {
    match bytes.first_chunk::<16>() {
        Some(start) if length <= start.len() => {
            let end = out.len() + length;
            out.extend_from_slice(start);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&bytes[..length]),
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
