//! Checks that every record is delivered. Numbered records are sent, the expected result of each is computed, and the objects of
//! each delivery stream are read back and compared.

pub mod account;
pub mod expect;
pub mod fed;
pub mod objects;
pub mod send;

use serde::Serialize;

/// The result for one delivery stream.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verified {
    pub delivery: String,
    pub sent: usize,
    pub delivered: usize,
    pub dropped: usize,
    pub failed: usize,
    pub missing: usize,
    pub duplicated: usize,
    /// Keys of the objects that were read.
    pub objects: Vec<String>,
    /// When the first and the last object of this run were stored, RFC 3339.
    pub first: Option<String>,
    pub last: Option<String>,
    pub accounted: bool,
    /// How to find the reason, if records are missing.
    pub hint: Option<String>,
}
