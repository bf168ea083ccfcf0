//! Does every record come out? Numbered records go in; what must become of each is known beforehand; the objects are read
//! back; and each delivery stream has to account for all.

pub mod account;
pub mod expect;
pub mod fed;
pub mod objects;
pub mod send;

use serde::Serialize;

/// The result for one delivery stream, as it is told.
#[derive(Debug, Clone, Serialize)]
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
    /// Where to look for the reason, if records are missing.
    pub hint: Option<String>,
}
