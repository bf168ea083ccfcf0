//! Dynamic partitioning: by its keys a record finds the object it belongs to.

use std::collections::BTreeMap;

use super::failure::Failure;
use super::job::Job;
use super::object;
use super::prefix::{PartitionKey, PartitionKeys};
use super::query::Extraction;
use super::slot::Slot;
use crate::time::Millis;

/// Keys and values, as a function or a query gave them.
pub type Found = BTreeMap<String, String>;

/// Finds the objects of a batch's records.
pub struct Placing<'a> {
    job: &'a Job,
    query: Option<Extraction<'a>>,
}

impl<'a> Placing<'a> {
    pub fn of(job: &'a Job) -> Placing<'a> {
        Placing { job, query: job.config.query.as_deref().map(Extraction::of) }
    }

    /// Every key that the prefix names must be there, and the object's key fit.
    pub fn slot(&mut self, data: &[u8], from_lambda: &Found, arrival: Millis) -> Result<Slot, Failure> {
        let config = &self.job.config;
        if !config.partitioned {
            return Ok(Slot::Good(PartitionKeys::new()));
        }
        let from_query = self.query.as_mut().map(|query| query.keys(data)).transpose()?.unwrap_or_default();
        let value = |key: &PartitionKey| match key {
            PartitionKey::FromLambda(name) => from_lambda.get(name),
            PartitionKey::FromQuery(name) => from_query.get(name),
        };
        let mut keys = PartitionKeys::new();
        for key in config.store.prefix.partition_keys() {
            let Some(value) = value(key).filter(|value| !value.is_empty()) else {
                let message = "partitionKeys values must not be null or empty";
                return Err(failed(message));
            };
            keys.insert(key.clone(), value.clone());
        }
        match object::too_long(self.job, &keys, arrival) {
            Some(why) => Err(failed(&why)),
            None => Ok(Slot::Good(keys)),
        }
    }
}

fn failed(message: &str) -> Failure {
    Failure::new("DynamicPartitioning.MetadataExtractionFailed", message)
}
