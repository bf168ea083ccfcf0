//! Which records go into one object.

use super::failure::ErrorType;
use super::prefix::PartitionKeys;

/// The kind of object that records go into: delivered records are separated by their partition keys, failures by their kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Good(PartitionKeys),
    Failed(ErrorType),
}
