//! The circumstances of one operation.

use crate::service::s3::{Checksum, Sums};
use crate::time::Millis;

/// The context of an operation, beside its input.
pub struct Context<'a> {
    pub now: Millis,
    pub account: &'a str,
    pub region: &'a str,
    pub id: &'a str,
    pub checksum: Option<&'a Checksum>,
    /// The header `Expires`, as it was written.
    pub expires: Option<&'a str>,
    /// Made before the turn.
    pub sums: &'a Sums,
}
