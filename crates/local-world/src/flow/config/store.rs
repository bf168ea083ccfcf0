//! Where and how objects are written: bucket, prefixes, buffers, compression, time zone, log.

use aws_facts::bounds::Bounds;
use aws_facts::firehose::{
    BUFFER_INTERVAL_S, BUFFER_MIB, DEFAULT_BUFFER_INTERVAL_S, DEFAULT_BUFFER_MIB, MAX_PREFIX_EVALUATED, zones,
};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::super::refused::{invalid, not_here};
use crate::flow::buffer::Hints;
use crate::flow::compression::Compression;
use crate::flow::destination::{BufferingHints, CloudWatchLoggingOptions, Destination};
use crate::flow::failure::ErrorType;
use crate::flow::prefix::{self, Facts, Misused, PartitionKeys, Prefix, Role};
use crate::request::AwsError;
use crate::time::Millis;

const MIB: u64 = 1 << 20;

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
    /// ARN of the key that objects are encrypted with. `None`: the bucket's default applies.
    pub kms_key: Option<String>,
}

impl Store {
    pub(super) fn parse(destination: &Destination) -> Result<Store, AwsError> {
        let prefix = parse_prefix("Prefix", destination.prefix.as_deref())?;
        let given = destination.error_output_prefix.as_deref().filter(|prefix| !prefix.is_empty());
        let error_prefix = parse_prefix("ErrorOutputPrefix", given)?;
        check_prefixes(&prefix, given.map(|_| &error_prefix))?;
        let error_prefix = if given.is_some() { error_prefix } else { prefix.clone() };
        let compression = Compression::parse(destination.compression_format.as_deref())?;
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
            kms_key: destination.kms_key().map(str::to_owned),
        })
    }

    /// Whether the prefixes can be evaluated here and are short enough, with the shortest partition keys that there can be. Asked when a
    /// prefix is set, and not when the journal is read: what was set may have become too long since, and the engine starts with it.
    pub fn check_evaluated(&self, now: Millis) -> Result<(), AwsError> {
        if let Some((field, why)) = [&self.prefix, &self.error_prefix].iter().find_map(|it| it.unknown(&self.time_zone))
        {
            return Err(not_here(&format!("{field} in a time stamp ({why})")));
        }
        let keys: PartitionKeys = self.prefix.partition_keys().map(|key| (key.clone(), "k".to_owned())).collect();
        let random_string = &prefix::random_string("");
        let facts = Facts { time: &self.zoned(now), error_type: None, partition_keys: &keys, random_string };
        let failed = Facts { error_type: Some(ErrorType::Processing.name()), ..facts };
        if self.prefix.length(facts).max(self.error_prefix.length(failed)) > MAX_PREFIX_EVALUATED {
            return Err(unmet(&format!("Length of evaluated prefix cannot be greater than {MAX_PREFIX_EVALUATED}")));
        }
        Ok(())
    }

    pub fn zoned(&self, time: Millis) -> Zoned {
        let time = i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
        time.unwrap_or(Timestamp::MAX).to_zoned(self.time_zone.clone())
    }
}

fn parse_prefix(member: &str, text: Option<&str>) -> Result<Prefix, AwsError> {
    Prefix::parse(text.unwrap_or_default()).map_err(|mistake| unmet(&prefix::told(&mistake, member)))
}

fn unmet(constraint: &str) -> AwsError {
    // The typo is the service's.
    invalid(format!("Ths supplied prefix(es) do not satisfy the following constraint: {constraint}"))
}

fn check_prefixes(good: &Prefix, error_prefix: Option<&Prefix>) -> Result<(), AwsError> {
    let of_error = error_prefix.iter().flat_map(|prefix| prefix.misused(Role::ErrorOutputPrefix));
    match good.misused(Role::Prefix).into_iter().chain(of_error).next() {
        Some(key @ Misused::KeyInErrorPrefix) => Err(invalid(prefix::told_of_use(key))),
        Some(misused) => Err(unmet(prefix::told_of_use(misused))),
        None if good.has_expressions() && error_prefix.is_none() => {
            Err(unmet("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"))
        }
        None => Ok(()),
    }
}

fn parse_hints(hints: BufferingHints) -> Result<Hints, AwsError> {
    let size = hints.size_in_mbs.unwrap_or(DEFAULT_BUFFER_MIB.into());
    let interval = hints.interval_in_seconds.unwrap_or(DEFAULT_BUFFER_INTERVAL_S.into());
    let admits = |bounds: Bounds, number: u64| u32::try_from(number).is_ok_and(|number| bounds.admit(number));
    if admits(BUFFER_MIB, size) && admits(BUFFER_INTERVAL_S, interval) {
        return Ok(Hints { size_bytes: (size * MIB) as usize, interval_ms: interval * 1000 });
    }
    // AWS's own message is not known: the service model's bounds are checked first, except of members that an update merges.
    Err(invalid(format!(
        "BufferingHints must be {} to {} MBs and {} to {} seconds, not {size} MBs and {interval} seconds",
        BUFFER_MIB.min, BUFFER_MIB.max, BUFFER_INTERVAL_S.min, BUFFER_INTERVAL_S.max
    )))
}

fn parse_time_zone(name: Option<&str>) -> Result<TimeZone, AwsError> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(TimeZone::UTC) };
    zones::zone(name).ok_or_else(|| {
        invalid(
            "Provided custom time zone is not supported. Custom time zones are limited to UTC and non-3-letter IANA time \
             zones.",
        )
    })
}

fn parse_logging(options: CloudWatchLoggingOptions) -> Result<CloudWatchLoggingOptions, AwsError> {
    let lacks = match (&options.log_group_name, &options.log_stream_name) {
        _ if !options.enabled => return Ok(options),
        (Some(_), Some(_)) => return Ok(options),
        (None, _) => "Group",
        (Some(_), None) => "Stream",
    };
    Err(invalid(format!("CloudWatch Log {lacks} Name is required if CloudWatch Logging is enabled")))
}
