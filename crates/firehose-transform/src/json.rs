//! JSON objects field by field: read, copied, changed and extended without building them in memory. Needs the feature `fields`, which is
//! on by default.
//!
//! For whole values use serde: `record.json::<T>()` and `Outcome::json(&value)`. This module is for transforms that look at a few
//! fields and pass the others on. Those keep their order and spelling, and cost no allocation:
//!
//! ```
//! use firehose_transform::json::ObjectWriter;
//! use firehose_transform::testing::{Answer, transform};
//! use firehose_transform::{Error, Outcome, Record};
//!
//! /// Removes `secret`, rounds `price`, adds `seen`.
//! fn clean(record: &Record<'_>) -> Result<Outcome, Error> {
//!     let mut clean = ObjectWriter::new();
//!     for field in record.fields()? {
//!         let field = field?;
//!         match &*field.key() {
//!             "secret" => {}
//!             "price" => clean.put(&field, &field.number()?.as_f64().round()),
//!             _ => clean.copy(&field),
//!         }
//!     }
//!     clean.add("seen", &true);
//!     Ok(clean.into())
//! }
//!
//! let answers = transform([r#"{"id": 1.0, "price": 2.6, "secret": "x", "tags": ["a",  "b"]}"#], clean);
//! assert_eq!(answers, [Answer::ok(r#"{"id":1.0,"price":3.0,"tags":["a",  "b"],"seen":true}"#)]);
//! ```
//!
//! To add fields only, start with [`Record::object`](crate::Record::object), which copies the payload as it is. To change one field, this
//! takes a third of the work of reading the payload as a `serde_json::Value` and writing that. To change nested fields, use [`Value`].
//!
//! If all values are numbers, [`Fields::map_numbers`] replaces them in less time.
//!
//! A key that occurs twice is read twice. A transform that copies both leaves it to the next reader which of them counts.

mod digits;
mod fields;
mod number;
mod rewrite;
mod value;
mod writer;

pub use fields::{Field, Fields};
pub use number::Number;
pub use value::Value;
pub use writer::ObjectWriter;
