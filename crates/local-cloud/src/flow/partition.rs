//! Dynamic partitioning: by its keys a record finds the object it belongs to.

use std::collections::BTreeMap;

use super::config::{Config, MAX_PREFIX_LENGTH};
use super::failure::Failure;
use super::object::Slot;
use super::prefix::{PartitionKey, PartitionKeys};
use super::query::Extraction;

/// Keys and values, as a function or a query gave them.
pub type Found = BTreeMap<String, String>;

/// Finds the objects of a batch's records.
pub struct Placing<'a> {
    config: &'a Config,
    query: Option<Extraction<'a>>,
}

impl<'a> Placing<'a> {
    pub fn of(config: &'a Config) -> Placing<'a> {
        Placing { config, query: config.query.as_deref().map(Extraction::of) }
    }

    /// Every key that the prefix names must be there.
    pub fn slot(&mut self, data: &[u8], from_lambda: &Found) -> Result<Slot, Failure> {
        if !self.config.partitioned {
            return Ok(Slot::Good(PartitionKeys::new()));
        }
        let from_query = self.query.as_mut().map(|query| query.keys(data)).transpose()?.unwrap_or_default();
        let value = |key: &PartitionKey| match key {
            PartitionKey::FromLambda(name) => from_lambda.get(name),
            PartitionKey::FromQuery(name) => from_query.get(name),
        };
        let mut keys = PartitionKeys::new();
        let mut length = self.config.store.prefix.least_length();
        for key in self.config.store.prefix.partition_keys() {
            let Some(value) = value(key).filter(|value| !value.is_empty()) else {
                let message = "partitionKeys values must not be null or empty";
                return Err(failed(message));
            };
            length += value.len().saturating_sub(1);
            keys.insert(key.clone(), value.clone());
        }
        if length > MAX_PREFIX_LENGTH {
            return Err(failed(&format!("Length of evaluated prefix cannot be greater than {MAX_PREFIX_LENGTH}")));
        }
        Ok(Slot::Good(keys))
    }
}

fn failed(message: &str) -> Failure {
    Failure::new("DynamicPartitioning.MetadataExtractionFailed", message)
}
