//! JSON to values and back through serde: what serde_json does, with the same results and in less time for usual payloads.
//!
//! The reader gives up on everything unusual, and on every mistake. Then serde_json reads the payload from its start, so that rare
//! forms, limits and error messages are always serde_json's. The writer leaves numbers and rare keys to serde_json.

mod reader;
mod skip;
mod text;
mod writer;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

#[cfg(feature = "fields")]
pub(crate) use skip::{leading_digits, number_length, value_end};
#[cfg(feature = "fields")]
pub(crate) use text::{is_ascii, special, until_special};

pub(crate) use text::utf8;

/// Whether serde_json treats a type of this name in a way of its own.
fn is_special(name: &str) -> bool {
    name.starts_with("$serde_json::")
}

/// Whether serde_json keeps the text of floats. Any crate can turn this on, by serde_json's feature `arbitrary_precision`.
fn keeps_text() -> bool {
    static KEEPS: OnceLock<bool> = OnceLock::new();
    *KEEPS.get_or_init(|| serde_json::from_str::<serde_json::Number>("1.00").is_ok_and(|one| one.to_string() == "1.00"))
}

/// The only value in the JSON.
///
/// # Errors
/// As `serde_json::from_slice`.
pub(crate) fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, serde_json::Error> {
    match utf8(json).and_then(reader::read) {
        Some(value) => Ok(value),
        None => serde_json::from_slice(json),
    }
}

/// Whether the bytes are one value of usual JSON. Does not check that they are UTF-8.
#[cfg(feature = "fields")]
pub(crate) fn is_value(json: &[u8]) -> bool {
    let end = value_end(json, skip::after_space(json, 0));
    end.is_some_and(|end| skip::after_space(json, end) == json.len())
}

/// Appends the value as compact JSON.
///
/// # Errors
/// As `serde_json::to_writer`. Something may have been appended.
pub(crate) fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), serde_json::Error> {
    value.serialize(writer::Writer::new(out))
}
