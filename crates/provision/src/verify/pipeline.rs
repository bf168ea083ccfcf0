//! The steps of a delivery stream around its function: what it takes apart before, and which partition keys it needs after. They are
//! the engine's own, so that a record is expected where Firehose puts it.

use std::collections::BTreeMap;

use aws_facts::firehose::prefix::PartitionKeys;
use bytes::Bytes;
use local_cloud::delivery::query::{Extraction, Query};
use local_cloud::delivery::{Part, Preparation, Split, Unpack, parts};

use crate::error::{Error, Result};
use crate::prefix::{PartitionKey, Prefix};
use crate::resource::delivery_stream::{Deaggregate, DeliveryStream};

pub struct Pipeline {
    preparation: Preparation,
    from_stream: bool,
    query: Option<Query>,
    /// Keys that must have a value.
    keys: Vec<PartitionKey>,
    /// Put behind each record.
    pub delimiter: Vec<u8>,
}

impl Pipeline {
    /// # Errors
    /// The query cannot be evaluated here.
    pub fn of(delivery: &DeliveryStream) -> Result<Pipeline> {
        let processors = &delivery.processors;
        let unpack = processors.decompress.map(|decompress| match decompress.extract_messages {
            true => Unpack::DecompressAndExtract,
            false => Unpack::Decompress,
        });
        let split = processors.deaggregate.as_ref().map(|how| match how {
            Deaggregate::Json => Split::Json,
            Deaggregate::Delimited(delimiter) => Split::Delimited(delimiter.clone().into()),
        });
        let query = processors.metadata_query.as_deref().filter(|_| delivery.partitioning.is_some());
        let query = query.map(parsed).transpose()?;
        let prefix = Prefix::parse(&delivery.good).unwrap_or_default();
        let keys = if delivery.partitioning.is_some() { prefix.partition_keys().cloned().collect() } else { vec![] };
        let delimiter = processors.delimiter.as_deref().unwrap_or_default();
        Ok(Pipeline {
            preparation: Preparation { unpack, split },
            from_stream: delivery.source.is_some(),
            query,
            keys,
            delimiter: delimiter.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").into(),
        })
    }

    /// The parts of a record that the function or an object gets.
    pub fn parts(&self, data: Bytes) -> Vec<Part> {
        parts(&self.preparation, self.from_stream, data)
    }

    /// Whether a record may have any other number of parts than one. A record that the producer library put together has many.
    pub fn takes_apart(&self) -> bool {
        self.preparation != Preparation::default()
    }

    /// Checks partition keys, for some records: each query has a limit of time.
    pub fn placing(&self) -> Placing<'_> {
        Placing { pipeline: self, query: self.query.as_ref().map(Extraction::of) }
    }
}

fn parsed(text: &str) -> Result<Query> {
    Query::parse(text).map_err(|_| {
        Error::msg(format!("the query {text} cannot be evaluated here"))
            .hint("verify and the built-in emulator take no definitions (def) in queries")
    })
}

pub struct Placing<'a> {
    pipeline: &'a Pipeline,
    query: Option<Extraction<'a>>,
}

impl Placing<'_> {
    /// Whether an output has all partition keys; if not, Firehose's error code.
    pub fn place(&mut self, output: &[u8], from_lambda: &BTreeMap<String, String>) -> std::result::Result<(), String> {
        self.keys(output, from_lambda).map(drop)
    }

    /// The partition keys of an output; if one is missing, Firehose's error code.
    pub fn keys(
        &mut self,
        output: &[u8],
        from_lambda: &BTreeMap<String, String>,
    ) -> std::result::Result<PartitionKeys, String> {
        if self.pipeline.keys.is_empty() {
            return Ok(PartitionKeys::new());
        }
        let found = self.query.as_mut().map(|query| query.keys(output)).transpose();
        let from_query = found.map_err(|failure| failure.code)?.unwrap_or_default();
        let value = |key: &PartitionKey| {
            let value = match key {
                PartitionKey::FromLambda(name) => from_lambda.get(name),
                PartitionKey::FromQuery(name) => from_query.get(name),
            };
            Some((key.clone(), value.filter(|value| !value.is_empty())?.clone()))
        };
        let values: Option<PartitionKeys> = self.pipeline.keys.iter().map(value).collect();
        values.ok_or_else(|| "DynamicPartitioning.MetadataExtractionFailed".into())
    }
}
