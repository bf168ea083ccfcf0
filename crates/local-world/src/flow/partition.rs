//! Dynamic partitioning: by its keys a record finds the object it belongs to.

use std::collections::BTreeMap;

use super::failure::{ErrorType, Failure};
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

    /// The object that a record belongs to. Every key that the prefix names must have a value, and the object's key must not be too
    /// long.
    ///
    /// # Errors
    /// Why the record has no object, and the error type under which it is filed instead.
    pub fn slot(&mut self, data: &[u8], from_lambda: &Found, arrival: Millis) -> Result<Slot, (ErrorType, Failure)> {
        let config = &self.job.config;
        if !config.partitioned {
            return Ok(Slot::Good(PartitionKeys::new()));
        }
        let extracted = self.query.as_mut().map(|query| query.keys(data)).transpose();
        let from_query = extracted.map_err(|failure| (ErrorType::MetadataExtraction, failure))?.unwrap_or_default();
        let value = |key: &PartitionKey| match key {
            PartitionKey::FromLambda(name) => from_lambda.get(name),
            PartitionKey::FromQuery(name) => from_query.get(name),
        };
        let mut keys = PartitionKeys::new();
        for key in config.store.prefix.partition_keys() {
            let Some(value) = value(key).filter(|value| !value.is_empty()) else {
                let error_type = match key {
                    PartitionKey::FromLambda(_) => ErrorType::Partitioning,
                    PartitionKey::FromQuery(_) => ErrorType::MetadataExtraction,
                };
                return Err((error_type, failed("partitionKeys values must not be null or empty")));
            };
            keys.insert(key.clone(), value.clone());
        }
        match object::too_long(self.job, &keys, arrival) {
            Some(why) => Err((ErrorType::MetadataExtraction, failed(&why))),
            None => Ok(Slot::Good(keys)),
        }
    }
}

fn failed(message: &str) -> Failure {
    Failure::new("DynamicPartitioning.MetadataExtractionFailed", message)
}
