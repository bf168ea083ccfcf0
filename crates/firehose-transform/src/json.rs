//! A JSON object field by field: read, copied, changed and added to, without building it.
//!
//! Serde (`record.json::<T>()`, `Outcome::json(&value)`) is the way to whole values. This is for transforms that look at a few
//! fields and pass the rest on, which here cost no allocation and keep their order and their spelling:
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
//! Where all values are numbers, [`Fields::map_numbers`] replaces them faster still.
//!
//! A key that stands twice is read twice; what copies both leaves the choice to the next reader, as the producer did.

mod fields;
mod number;
mod rewrite;
mod writer;

pub use fields::{Field, Fields};
pub use number::Number;
pub use writer::ObjectWriter;
