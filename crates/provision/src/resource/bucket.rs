//! An S3 bucket: found, or created where it is missing. Only a bucket that we made is ever changed, and it is deleted only
//! when empty.

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Create it where it is missing? Otherwise its absence is an error.
    pub create: bool,
    /// Objects under our prefixes expire after this many days. At least 1.
    pub expire_days: Option<u32>,
    /// The key prefixes that deliveries write to in this bucket: what the expiry is for.
    pub prefixes: Vec<String>,
}
