//! A checked spec.

pub use super::grammar::{Iam, Stack, Target};
pub use crate::section::{Entry, Managed};

use crate::resource::bucket::Bucket;

impl Stack {
    /// The bucket of this key, unless the spec only refers to it.
    pub(crate) fn bucket(&self, key: &str) -> Option<&Bucket> {
        Some(&self.buckets.get(key)?.managed()?.desired)
    }
}
