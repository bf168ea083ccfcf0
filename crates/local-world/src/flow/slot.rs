//! Which records go into one object.

use super::failure::ErrorType;
use super::prefix::{PartitionKey, PartitionKeys};

/// The kind of object that records go into: delivered records are separated by their partition keys, failures by their kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Good(PartitionKeys),
    Failed(ErrorType),
}

impl Slot {
    /// The folder of failures; `None` of records that are delivered.
    pub fn error(&self) -> Option<&'static str> {
        match self {
            Slot::Good(_) => None,
            Slot::Failed(kind) => Some(kind.name()),
        }
    }

    /// The partition keys or the kind of failure, as a person reads them; empty where there is nothing to say.
    pub fn label(&self) -> String {
        match self {
            Slot::Good(keys) => {
                let named = keys.iter().map(|(PartitionKey::FromLambda(key) | PartitionKey::FromQuery(key), value)| {
                    format!("{key}={value}")
                });
                named.collect::<Vec<_>>().join(", ")
            }
            Slot::Failed(kind) => kind.name().to_owned(),
        }
    }
}
