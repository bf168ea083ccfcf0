//! Dynamic partitioning: by its keys a record finds the object it belongs to.

use std::collections::BTreeMap;

use super::config::Config;
use super::failure::Failure;
use super::object::Slot;
use super::prefix::{PartitionKey, PartitionKeys};

/// Keys and values, as a function or a query gave them.
pub type Found = BTreeMap<String, String>;

/// Every key that the prefix names must be there.
pub fn slot(config: &Config, data: &[u8], from_lambda: &Found) -> Result<Slot, Failure> {
    if !config.partitioned {
        return Ok(Slot::Good(PartitionKeys::new()));
    }
    let from_query = config.query.as_ref().map(|query| query.extract(data)).transpose()?.unwrap_or_default();
    let value = |key: &PartitionKey| match key {
        PartitionKey::FromLambda(name) => from_lambda.get(name),
        PartitionKey::FromQuery(name) => from_query.get(name),
    };
    let mut keys = PartitionKeys::new();
    for key in config.store.prefix.partition_keys() {
        let Some(value) = value(key).filter(|value| !value.is_empty()) else {
            let message = "partitionKeys values must not be null or empty";
            return Err(Failure::new("DynamicPartitioning.MetadataExtractionFailed", message));
        };
        keys.insert(key.clone(), value.clone());
    }
    Ok(Slot::Good(keys))
}
