//! What a destination asks of the data plane, parsed once. Parsing says which destinations are possible at all.

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::buffer::Hints;
use super::prefix::Prefix;
use super::processors::{self, Lambda};
use crate::request::AwsError;
use crate::service::firehose::destination::{BufferingHints, CloudWatchLoggingOptions, Destination};

const MIB: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub store: Store,
    pub lambda: Option<Lambda>,
    /// Put between the records of an object.
    pub delimiter: Bytes,
    /// Objects by partition keys. Every key that the prefix names must be there.
    pub partitioned: bool,
}

/// Where and how objects are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    pub role_arn: String,
    pub bucket: String,
    pub prefix: Prefix,
    /// Where none is set, failures go under the prefix.
    pub error_prefix: Prefix,
    pub hints: Hints,
    pub compression: Compression,
    /// `.gz`, or the one that is set.
    pub extension: String,
    pub time_zone: TimeZone,
    pub logging: CloudWatchLoggingOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Uncompressed,
    Gzip,
    Zip,
}

impl Config {
    /// Of a destination that is filled with its defaults.
    pub fn parse(destination: &Destination) -> Result<Config, AwsError> {
        let partitioning = destination.dynamic_partitioning_configuration.as_ref();
        let partitioned = partitioning.is_some_and(|partitioning| partitioning.enabled);
        refuse_what_is_not_built(destination)?;
        let steps = processors::parse(destination.processing_configuration.as_ref())?;
        let store = Store::parse(destination)?;
        check_partitioning(&store, partitioned, steps.lambda.is_some())?;
        Ok(Config { store, lambda: steps.lambda, delimiter: steps.delimiter, partitioned })
    }
}

fn refuse_what_is_not_built(destination: &Destination) -> Result<(), AwsError> {
    if destination.s3_backup_mode.as_deref() == Some("Enabled") {
        return Err(not_here("S3BackupMode Enabled"));
    }
    let conversion = destination.data_format_conversion_configuration.as_ref();
    if conversion.is_some_and(|conversion| conversion["Enabled"] != false) {
        return Err(not_here("DataFormatConversionConfiguration"));
    }
    Ok(())
}

fn check_partitioning(store: &Store, partitioned: bool, transformed: bool) -> Result<(), AwsError> {
    let keyed = store.prefix.partition_keys().next().is_some();
    match (partitioned, keyed) {
        (false, false) => Ok(()),
        (false, true) => Err(invalid("Dynamic Partitioning must be enabled when Prefix contains partition keys.")),
        (true, false) => Err(invalid("Prefix must contain partition keys when Dynamic Partitioning is enabled.")),
        (true, true) if !transformed => Err(invalid("partitionKeyFromLambda needs a Lambda processor.")),
        (true, true) if (store.hints.size_bytes as u64) < 64 * MIB => {
            Err(invalid("BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled."))
        }
        (true, true) if store.hints.interval_ms < 60_000 => {
            Err(invalid("BufferingHints.IntervalInSeconds must be at least 60 when Dynamic Partitioning is enabled."))
        }
        (true, true) => Ok(()),
    }
}

impl Store {
    fn parse(destination: &Destination) -> Result<Store, AwsError> {
        let prefix = parse_prefix("Prefix", destination.prefix.as_deref())?;
        let given = destination.error_output_prefix.as_deref().filter(|prefix| !prefix.is_empty());
        let error_prefix = parse_prefix("ErrorOutputPrefix", given)?;
        check_prefixes(&prefix, given.map(|_| &error_prefix))?;
        let error_prefix = if given.is_some() { error_prefix } else { prefix.clone() };
        let compression = parse_compression(destination.compression_format.as_deref())?;
        let extension = destination.file_extension.as_deref().filter(|extension| !extension.is_empty());
        let bucket = destination.bucket_arn.rsplit_once(":::").map_or("", |(_, bucket)| bucket);
        if bucket.is_empty() {
            return Err(invalid(format!("{} is not the ARN of a bucket", destination.bucket_arn)));
        }
        Ok(Store {
            role_arn: destination.role_arn.clone(),
            bucket: bucket.to_owned(),
            prefix,
            error_prefix,
            hints: parse_hints(destination.buffering_hints.unwrap_or_default())?,
            extension: extension.unwrap_or(compression.extension()).to_owned(),
            compression,
            time_zone: parse_time_zone(destination.custom_time_zone.as_deref())?,
            logging: parse_logging(destination.cloud_watch_logging_options.clone().unwrap_or_default())?,
        })
    }
}

fn parse_prefix(member: &str, text: Option<&str>) -> Result<Prefix, AwsError> {
    let wrong = |reason| {
        invalid(format!("Ths supplied prefix(es) do not satisfy the following constraint: {member}: {reason}"))
    };
    Prefix::parse(text.unwrap_or_default()).map_err(wrong)
}

fn check_prefixes(prefix: &Prefix, error_prefix: Option<&Prefix>) -> Result<(), AwsError> {
    let unmet = |constraint: &str| {
        // The typo is the service's.
        Err(invalid(format!("Ths supplied prefix(es) do not satisfy the following constraint: {constraint}")))
    };
    if prefix.names_the_error_type() {
        return unmet("Prefix cannot contain !{firehose:error-output-type}");
    }
    let Some(error_prefix) = error_prefix else {
        if prefix.has_expressions() {
            return unmet("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions");
        }
        return Ok(());
    };
    if error_prefix.partition_keys().next().is_some() {
        return unmet("ErrorOutputPrefix cannot contain partition keys");
    }
    if error_prefix.has_expressions() && !error_prefix.names_the_error_type() {
        return unmet("ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions");
    }
    Ok(())
}

fn parse_compression(format: Option<&str>) -> Result<Compression, AwsError> {
    match format.unwrap_or("UNCOMPRESSED") {
        "UNCOMPRESSED" => Ok(Compression::Uncompressed),
        "GZIP" => Ok(Compression::Gzip),
        "ZIP" => Ok(Compression::Zip),
        other => Err(not_here(&format!("CompressionFormat {other}"))),
    }
}

impl Compression {
    fn extension(self) -> &'static str {
        match self {
            Compression::Uncompressed => "",
            Compression::Gzip => ".gz",
            Compression::Zip => ".zip",
        }
    }

    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Compression::Uncompressed => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zip => Some("zip"),
        }
    }
}

fn parse_hints(hints: BufferingHints) -> Result<Hints, AwsError> {
    match (hints.size_in_mbs.unwrap_or(5), hints.interval_in_seconds.unwrap_or(300)) {
        (size @ 1..=128, interval @ 0..=900) => {
            Ok(Hints { size_bytes: (size * MIB) as usize, interval_ms: interval * 1000 })
        }
        (size, interval) => Err(invalid(format!(
            "BufferingHints must be 1 to 128 MBs and 0 to 900 seconds, not {size} MBs and {interval} seconds"
        ))),
    }
}

fn parse_time_zone(name: Option<&str>) -> Result<TimeZone, AwsError> {
    match name.unwrap_or_default() {
        "" | "UTC" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| invalid(format!("CustomTimeZone {name} is not a time zone"))),
    }
}

fn parse_logging(options: CloudWatchLoggingOptions) -> Result<CloudWatchLoggingOptions, AwsError> {
    if options.enabled && (options.log_group_name.is_none() || options.log_stream_name.is_none()) {
        return Err(invalid("LogGroupName and LogStreamName must be specified when CloudWatch logging is enabled"));
    }
    Ok(options)
}

pub fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidArgumentException", message)
}

/// AWS can; this engine cannot, and says so rather than deliver something else.
pub fn not_here(what: &str) -> AwsError {
    invalid(format!("{what} is not supported by the local engine"))
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
            (json!({ "ErrorOutputPrefix": "!{timestamp:yyyy}/" }), Some("must contain !{firehose:error-output-type}")),
            (json!({ "Prefix": "!{firehose:error-output-type}" }), Some("Prefix cannot contain")),
            (json!({ "Prefix": "!{partitionKeyFromLambda:k}/", "ErrorOutputPrefix": "e/" }), Some("must be enabled")),
            (json!({ "CompressionFormat": "Snappy" }), Some("not supported by the local engine")),
            (json!({ "CompressionFormat": "ZIP" }), None),
            (json!({ "S3BackupMode": "Enabled" }), Some("not supported by the local engine")),
            (json!({ "CustomTimeZone": "Europe/Berlin" }), None),
            (json!({ "CustomTimeZone": "Europe/Nowhere" }), Some("not a time zone")),
            (json!({ "BufferingHints": { "SizeInMBs": 0, "IntervalInSeconds": 0 } }), Some("1 to 128 MBs")),
            (json!({ "CloudWatchLoggingOptions": { "Enabled": true } }), Some("LogGroupName")),
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
}
