//! Which records go into one object.

use super::failure::ErrorType;
use super::prefix::PartitionKeys;

/// What goes into one object: records that were delivered, by their partition keys, or failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Good(PartitionKeys),
    Failed(ErrorType),
}
