//! A key prefix in a bucket: no object of AWS's, but a zero-byte marker that makes it visible, unless that is not wanted.
//! Whose it is follows from the environment's record.

/// Desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    pub bucket: String,
    /// Ends with `/`: the part before the first expression.
    pub prefix: String,
    /// Write the marker object?
    pub marker: bool,
    /// Is the bucket one of this spec's own (then it is made first)? Its logical name.
    pub bucket_logical: Option<String>,
}
