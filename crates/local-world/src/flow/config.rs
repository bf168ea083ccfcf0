//! The configuration of a destination as the data plane needs it, parsed once. A destination that cannot be parsed is refused.

use std::sync::Arc;

use aws_facts::firehose::{MIN_PARTITION_BUFFER_MIB, MIN_PARTITION_INTERVAL_S};
use bytes::Bytes;

pub use self::store::Store;
use super::prefix::PartitionKey;
use super::prepare::Preparation;
use super::processors::{self, Lambda};
use super::query::Query;
use super::refused::{invalid, not_here};
use crate::flow::destination::Destination;
use crate::request::AwsError;

mod store;

const MIB: u64 = 1 << 20;
const LEAST_PARTITION_BYTES: u64 = MIN_PARTITION_BUFFER_MIB as u64 * MIB;
/// The shortest interval of a backup, and with dynamic partitioning.
const LEAST_INTERVAL_MS: u64 = MIN_PARTITION_INTERVAL_S as u64 * 1_000;

const NAMESPACES_WITHOUT_PARTITIONING: &str =
    "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is enabled.";

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub store: Store,
    pub preparation: Preparation,
    pub lambda: Option<Lambda>,
    /// Takes partition keys from records.
    pub query: Option<Arc<Query>>,
    /// Put between the records of an object.
    pub delimiter: Bytes,
    /// Objects by partition keys. Every key that the prefix names must be there.
    pub partitioned: bool,
}

impl Config {
    /// Parses a destination that is filled with its defaults.
    pub fn parse(destination: &Destination) -> Result<Config, AwsError> {
        let partitioning = destination.dynamic_partitioning_configuration.as_ref();
        let partitioned = partitioning.is_some_and(|partitioning| partitioning.enabled);
        refuse_conversion(destination)?;
        let steps = processors::parse(destination.processing_configuration.as_ref())?;
        let store = Store::parse(destination)?;
        let config = Config {
            store,
            preparation: steps.preparation,
            lambda: steps.lambda,
            query: steps.query,
            delimiter: steps.delimiter,
            partitioned,
        };
        config.check_partitioning()?;
        Ok(config)
    }

    /// Parses the backup of the original records, where there is one.
    pub fn parse_backup(destination: &Destination) -> Result<Option<Config>, AwsError> {
        if !destination.is_backed_up() {
            return Ok(None);
        }
        let backup = destination.s3_backup.as_ref();
        let backup = backup
            .ok_or_else(|| invalid("S3 backup destination configuration is required when enabling S3 backup."))?;
        let store = Store::parse(backup)?;
        if store.prefix.partition_keys().next().is_some() {
            return Err(invalid(NAMESPACES_WITHOUT_PARTITIONING));
        }
        if store.hints.interval_ms < LEAST_INTERVAL_MS {
            // The words are ours.
            return Err(invalid("BufferingHints.IntervalInSeconds of a backup must be at least 60."));
        }
        Ok(Some(Config {
            store,
            preparation: Preparation::default(),
            lambda: None,
            query: None,
            delimiter: Bytes::new(),
            partitioned: false,
        }))
    }

    fn check_partitioning(&self) -> Result<(), AwsError> {
        let keys = || self.store.prefix.partition_keys();
        let from_query = keys().any(|key| matches!(key, PartitionKey::FromQuery(_)));
        let from_lambda = keys().any(|key| matches!(key, PartitionKey::FromLambda(_)));
        let processor_needs_it = [
            (self.preparation.split.is_some(), "RecordDeAggregationProcessor"),
            (self.query.is_some(), "MetadataExtractionProcessor"),
        ];
        if !self.partitioned {
            if keys().next().is_some() {
                return Err(invalid(NAMESPACES_WITHOUT_PARTITIONING));
            }
            return match processor_needs_it.iter().find(|(there, _)| *there) {
                Some((_, class)) => Err(invalid(format!(
                    "class com.amazonaws.services.firehose.internal.model.{class} can only be present when Dynamic \
                     Partitioning is enabled."
                ))),
                None => Ok(()),
            };
        }
        let wrong = [
            (
                keys().next().is_none(),
                "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled",
            ),
            (
                self.query.is_none() && self.lambda.is_none(),
                "Processing Configuration is not enabled when DataPartitioning is enabled",
            ),
            (
                from_query && self.query.is_none(),
                "MetadataExtraction processor should be present when S3 Prefix has partitionKeyFromQuery namespace",
            ),
            (
                self.query.as_ref().is_some_and(|query| query.keys().iter().any(|key| !self.store.prefix.queries(key))),
                "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression",
            ),
            (
                from_lambda && self.lambda.is_none(),
                "Lambda should be present when S3 Prefix contains keys from partitionKeyFromLambda namespace",
            ),
            (
                (self.store.hints.size_bytes as u64) < LEAST_PARTITION_BYTES,
                "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled.",
            ),
            (
                self.store.hints.interval_ms < LEAST_INTERVAL_MS,
                "BufferingHints.IntervalInSeconds must be at least 60 seconds when Dynamic Partitioning is enabled.",
            ),
        ];
        wrong.iter().find(|(wrong, _)| *wrong).map_or(Ok(()), |(_, message)| Err(invalid(*message)))
    }
}

fn refuse_conversion(destination: &Destination) -> Result<(), AwsError> {
    let conversion = destination.data_format_conversion_configuration.as_ref();
    if conversion.is_some_and(|conversion| conversion["Enabled"] != false) {
        return Err(not_here("DataFormatConversionConfiguration"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_delivered_is_refused_when_it_is_asked_for() {
        // (members, part of the message; none where it is possible)
        let table = [
            (json!({}), None),
            (json!({ "Prefix": "!{timestamp:yyyy}/" }), Some("ErrorOutputPrefix cannot be null or empty when Prefix")),
            (json!({ "Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": "" }), Some("cannot be null or empty")),
            (json!({ "Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": "bad/" }), None),
            (
                json!({ "ErrorOutputPrefix": "!{timestamp:yyyy}/" }),
                Some("must contain at least one occurrence of !{firehose:error-output-type}"),
            ),
            (json!({ "Prefix": "!{firehose:error-output-type}" }), Some("Prefix must not contain")),
            (
                json!({ "Prefix": "!{partitionKeyFromLambda:k}/", "ErrorOutputPrefix": "e/" }),
                Some("Namespaces can only"),
            ),
            (
                json!({ "Prefix": "!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": "e/" }),
                Some("Namespaces can only"),
            ),
            (json!({ "CompressionFormat": "HADOOP_SNAPPY" }), None),
            (json!({ "DataFormatConversionConfiguration": {} }), Some("not supported by the built-in emulator")),
            (json!({ "DataFormatConversionConfiguration": { "Enabled": false } }), None),
            (
                json!({ "Prefix": "!{time:yyyy}/" }),
                Some("constraint: Namespace to the left of colon (time) is an invalid"),
            ),
            (
                json!({ "ErrorOutputPrefix": "!{partitionKeyFromQuery:k}/" }),
                Some("Dynamic Partitioning Namespaces can't be part of an error prefix expression"),
            ),
            (json!({ "CustomTimeZone": "EST" }), Some("limited to UTC and non-3-letter")),
            (json!({ "CustomTimeZone": "Europe/Berlin" }), None),
            (json!({ "CustomTimeZone": "Europe/Kyiv" }), Some("custom time zone is not supported")),
            (json!({ "BufferingHints": { "SizeInMBs": 0, "IntervalInSeconds": 0 } }), Some("1 to 128 MBs")),
            (json!({ "CloudWatchLoggingOptions": { "Enabled": true } }), Some("CloudWatch Log Group Name is required")),
            (json!({ "BucketARN": "b" }), Some("not the ARN of a bucket")),
        ];
        for (members, expected) in table {
            let base: Destination =
                serde_json::from_value(json!({ "RoleARN": "r", "BucketARN": "arn:aws:s3:::b" })).unwrap();
            let destination = base.merged(serde_json::from_value(members.clone()).unwrap()).filled();
            match (Config::parse(&destination), expected) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => assert!(error.message.contains(part), "{members}: {error}"),
                (result, _) => panic!("{members}: {result:?}"),
            }
        }
    }

    #[test]
    fn a_prefix_has_its_length_when_it_is_set_and_no_more_when_it_is_read_again() {
        let (error_prefix, now) = ("!{firehose:error-output-type}/", 1_783_951_509_000);
        // (prefix, error prefix, is it set)
        let table = [
            ("p".repeat(512), error_prefix.to_owned(), true),
            ("p".repeat(513), error_prefix.to_owned(), false),
            ("é".repeat(512), error_prefix.to_owned(), true),
            ("\u{1f600}".repeat(257), error_prefix.to_owned(), false),
            ("p".into(), "p".repeat(513), false),
            ("p".into(), format!("{}{error_prefix}", "p".repeat(495)), false),
            (format!("!{{timestamp:'{}'}}", "q".repeat(990)), error_prefix.to_owned(), false),
            (format!("!{{timestamp:{}}}", "n-".repeat(500)), error_prefix.to_owned(), false),
            (format!("!{{timestamp:{}}}", "yyyy/".repeat(102)), error_prefix.to_owned(), true),
            ("!{firehose:random-string}".repeat(40), error_prefix.to_owned(), true),
        ];
        for (prefix, error_prefix, expected) in table {
            let destination = json!({ "RoleARN": "r", "BucketARN": "arn:aws:s3:::b", "Prefix": prefix, "ErrorOutputPrefix": error_prefix });
            let destination = serde_json::from_value::<Destination>(destination).unwrap().filled();
            let store = Config::parse(&destination).expect(&prefix).store;
            assert_eq!(store.check_evaluated(now).is_ok(), expected, "{prefix:.60} {error_prefix:.60}");
        }
    }

    #[test]
    fn dynamic_partitioning_needs_what_it_works_with() {
        let lambda =
            || json!({ "Type": "Lambda", "Parameters": [{ "ParameterName": "LambdaArn", "ParameterValue": "f" }] });
        let query = || {
            json!({ "Type": "MetadataExtraction", "Parameters": [
            { "ParameterName": "MetadataExtractionQuery", "ParameterValue": "{k: .k}" },
            { "ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6" },
        ] })
        };
        let split = || {
            json!({ "Type": "RecordDeAggregation", "Parameters": [
            { "ParameterName": "SubRecordType", "ParameterValue": "JSON" },
        ] })
        };
        let large = || json!({ "SizeInMBs": 64, "IntervalInSeconds": 60 });
        let (from_query, from_lambda) = ("!{partitionKeyFromQuery:k}/", "!{partitionKeyFromLambda:k}/");
        let both = format!("{from_query}{from_lambda}");
        // (partitioned, prefix, hints, processors, part of the message; none where it is possible)
        let table = [
            (true, from_query, large(), vec![query()], None),
            (true, from_query, large(), vec![split(), query(), lambda()], None),
            (true, from_lambda, large(), vec![lambda()], None),
            (true, from_query, large(), vec![lambda()], Some("MetadataExtraction processor should be present")),
            (
                true,
                from_lambda,
                large(),
                vec![query()],
                Some("can't contain keys that are not present in the S3 Prefix"),
            ),
            (true, &both, large(), vec![query()], Some("Lambda should be present")),
            (true, from_query, large(), vec![split()], Some("Processing Configuration is not enabled")),
            (true, "plain/", large(), vec![query()], Some("S3 Prefix should contain Dynamic Partitioning")),
            (true, from_query, json!({ "SizeInMBs": 63, "IntervalInSeconds": 60 }), vec![query()], Some("at least 64")),
            (true, from_query, json!({ "SizeInMBs": 64, "IntervalInSeconds": 59 }), vec![query()], Some("at least 60")),
            (false, "plain/", large(), vec![query()], Some("MetadataExtractionProcessor can only be present")),
            (false, "plain/", large(), vec![split()], Some("RecordDeAggregationProcessor can only be present")),
        ];
        for (partitioned, prefix, hints, processors, expected) in table {
            let destination = json!({
                "RoleARN": "r", "BucketARN": "arn:aws:s3:::b", "Prefix": prefix, "ErrorOutputPrefix": "e/",
                "BufferingHints": hints, "DynamicPartitioningConfiguration": { "Enabled": partitioned },
                "ProcessingConfiguration": { "Enabled": true, "Processors": processors },
            });
            let parsed = Config::parse(&serde_json::from_value::<Destination>(destination.clone()).unwrap().filled());
            match (parsed, expected) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => assert!(error.message.contains(part), "{destination}: {error}"),
                (result, _) => panic!("{destination}: {result:?}"),
            }
        }
    }

    #[test]
    fn a_backup_has_rules_of_its_own() {
        let backup = |members: serde_json::Value| {
            let mut backup = json!({ "RoleARN": "r", "BucketARN": "arn:aws:s3:::b" });
            backup.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            json!({ "S3BackupMode": "Enabled", "S3BackupConfiguration": backup })
        };
        // (members, part of the message; none where it is possible)
        let table = [
            (json!({ "S3BackupMode": "Enabled" }), Some("S3 backup destination configuration is required")),
            (backup(json!({ "CompressionFormat": "GZIP" })), None),
            (backup(json!({ "BufferingHints": { "SizeInMBs": 1, "IntervalInSeconds": 59 } })), Some("at least 60")),
            (backup(json!({ "Prefix": "!{timestamp:yyyy}/" })), Some("ErrorOutputPrefix cannot be null")),
            (
                backup(json!({ "Prefix": "!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": "e/" })),
                Some("Dynamic Partitioning Namespaces"),
            ),
        ];
        for (members, expected) in table {
            let base: Destination =
                serde_json::from_value(json!({ "RoleARN": "r", "BucketARN": "arn:aws:s3:::b" })).unwrap();
            let destination = base.merged(serde_json::from_value(members.clone()).unwrap()).filled();
            match (Config::parse_backup(&destination), expected) {
                (Ok(Some(_)), None) => {}
                (Err(error), Some(part)) => assert!(error.message.contains(part), "{members}: {error}"),
                (result, _) => panic!("{members}: {result:?}"),
            }
        }
    }
}
