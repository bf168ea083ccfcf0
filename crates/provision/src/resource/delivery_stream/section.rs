//! The section `deliveries`: where records come from and where they go.

use aws_facts::firehose::{
    DELIVERY_STREAM_NAME, MAX_PREFIX_WRITTEN, MIN_PARTITION_BUFFER_MIB, MIN_PARTITION_INTERVAL_S, zones,
};
use aws_facts::s3::MAX_KEY_BYTES;

use super::{Backup, Buffer, DeliveryStream, Partitioning, Ref};
use crate::names::{Address, Names};
use crate::prefix::object_key::shortest_key;
use crate::prefix::{Prefix, has_expressions};
use crate::resource::bucket::Bucket;
use crate::resource::bucket_prefix::BucketPrefix;
use crate::resource::role::RoleRef;
use crate::resource::stream::Stream;
use crate::resource::{Resource, role};
use crate::section::{Lower, Section};
use crate::source::samples::{self, Samples};
use crate::yaml::collection::Either;
use crate::yaml::diagnostic::Span;
use crate::yaml::scalar::{Size, Text, Time};
use crate::yaml::shape::{At, Record, said};

mod error_log;
mod fields;
mod prefixes;
mod processors;
mod source;

use error_log::{read_log, written_log};
pub(crate) use fields::DeliveryFields;
use fields::*;
use prefixes::{Use, check};
use processors::{read_processors, read_transform};
use source::{read_source, written_source_encryption};

impl Section for DeliveryStream {
    type Fields = DeliveryFields;
    type Name = DeliveryName;
    type Id = DeliveryId;
    const NOUN: &'static str = "a delivery";
    const NAME_MAX: usize = DELIVERY_STREAM_NAME.max;

    fn read(lower: &mut Lower, key: &At<String>, name: &str, written: DeliveryFields) -> Option<DeliveryStream> {
        lower.need(&written, "bucket", written.bucket.is_some(), key.at, "the key of a bucket");
        let source = written.from.as_ref().map(|from| lower.reference::<Stream>(from));
        let bucket = written.bucket.as_ref().and_then(|bucket| lower.reference::<Bucket>(bucket));
        let object = (name, written.extension().0);
        let none = At { value: Text(String::new()), at: key.at, varies: false };
        let good = read_prefix(lower, Some(written.good.as_ref().unwrap_or(&none)), Use::Good, &object);
        let bad = read_prefix(lower, written.bad.as_ref(), Use::Bad, &object);
        check_error_prefix(lower, &written, "bad", written.good.as_ref(), bad.is_some(), key.at);
        let buffer = read_buffer(lower, &written);
        let transform = written.transform.as_ref().map(|transform| read_transform(lower, transform));
        let processors = read_processors(lower, key, &written);
        let partitioning = read_partitioning(lower, key, &written, buffer);
        let backup = written.backup.as_ref().map(|backup| read_backup(lower, backup, name, bucket.as_ref()));
        let log = read_log(lower, written.logs.as_ref(), name);
        check_time_zone(lower, &written);
        let role = role::section::read(lower, written.role.as_ref(), RoleRef::of_delivery(&key.value, name));
        let (source_role, source_encryption) = read_source(lower, &written, key, name);
        Some(DeliveryStream {
            source: transpose(source)?,
            bucket: bucket?,
            good: good?,
            bad,
            markers: written.markers(),
            buffer,
            compression: written.compression(),
            file_extension: written.extension().0,
            time_zone: written.time_zone().0,
            encryption: written.encryption.as_ref().map(|arn| arn.value.0.clone()),
            transform: transpose(transform)?,
            processors,
            partitioning,
            backup: transpose(backup)?,
            log,
            role,
            source_role,
            source_encryption,
            samples: read_samples(lower, &written),
        })
    }

    fn fields(&self) -> DeliveryFields {
        DeliveryFields {
            from: self.source.as_ref().and_then(Ref::key),
            transform: self
                .transform
                .as_ref()
                .and_then(|transform| said(Either::Record(processors::written(transform)))),
            bucket: self.bucket.key(),
            good: said(Text(self.good.clone())).filter(|_| !self.good.is_empty()),
            bad: self.bad.as_ref().and_then(|bad| said(Text(bad.clone()))),
            markers: said(self.markers),
            buffer: said(BufferFields {
                size: said(Size(self.buffer.size_mib)),
                interval: said(Time(self.buffer.interval_s)),
                ..BufferFields::default()
            }),
            compression: said(self.compression),
            extension: said(Extension(self.file_extension.clone())),
            time_zone: said(ZoneName(self.time_zone.clone())),
            encryption: self.encryption.as_ref().and_then(|arn| said(KeyArn(arn.clone()))),
            partitioning: self.partitioning.and_then(|partitioning| {
                let retry = said(Time(partitioning.retry_s));
                said(Either::Record(PartitioningFields { retry, ..PartitioningFields::default() }))
            }),
            backup: self.backup.as_ref().and_then(|backup| said(written_backup(backup))),
            logs: written_log(self.log.as_ref()),
            role: role::section::fields(&self.role),
            source_role: self.source_role.as_ref().and_then(role::section::fields),
            source_encryption: self.source_encryption.as_ref().and_then(written_source_encryption),
            samples: self.samples.as_ref().and_then(samples::written),
            ..processors::fields(&self.processors)
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.delivery_stream_arn(name)
    }

    fn outputs(&self) -> Vec<(&'static str, String)> {
        let bucket = self.bucket.id.rsplit(':').next().unwrap_or_default();
        let good = ("good", format!("s3://{bucket}/{}", self.good));
        let bad = self.bad.as_ref().map(|bad| ("bad", format!("s3://{bucket}/{bad}")));
        [good].into_iter().chain(bad).collect()
    }

    /// A claim must be older than what is written under it.
    fn after(&self, key: &str) -> Vec<Address> {
        let claim = |(what, ..): (&str, &Ref<Bucket>, &str)| Address::new(BucketPrefix::KIND, format!("{key}-{what}"));
        self.places().into_iter().filter(|(_, bucket, _)| bucket.managed).map(claim).collect()
    }
}

/// Checked, and as it is in this environment. `object`: the delivery stream, and the extension of its objects.
fn read_prefix<const MIN: usize>(
    lower: &mut Lower,
    written: Option<&At<Text<MIN, MAX_PREFIX_WRITTEN>>>,
    purpose: Use,
    (delivery_stream, extension): &(&str, String),
) -> Option<String> {
    let written = written?.map(|text| text.0.clone());
    check(&written.value, purpose, written.at, lower.mistakes);
    let prefix = match &lower.environment {
        Some(environment) => environment.prefix(&written, lower.mistakes),
        None => written.value,
    };
    if prefix.chars().count() > MAX_PREFIX_WRITTEN {
        let expected = format!("at most {MAX_PREFIX_WRITTEN} characters");
        lower.error(written.at, "this prefix is too long in this environment", expected);
    }
    let bytes = Prefix::parse(&prefix).map_or(0, |prefix| shortest_key(&prefix, delivery_stream, extension));
    if bytes > MAX_KEY_BYTES {
        let what = format!("the keys of its objects have at least {bytes} bytes");
        let expected = format!("a shorter prefix: S3 takes at most {MAX_KEY_BYTES} bytes, with the object's name");
        lower.error(written.at, what, expected);
    }
    Some(prefix)
}

/// A prefix with expressions needs one for what failed.
fn check_error_prefix<const MIN: usize>(
    lower: &mut Lower,
    record: &impl Record,
    key: &str,
    good: Option<&At<Text<MIN, MAX_PREFIX_WRITTEN>>>,
    has_bad: bool,
    at: Span,
) {
    if good.is_some_and(|good| has_expressions(&good.value.0)) {
        let expected = "a prefix with expressions needs another for what failed";
        lower.need(record, key, has_bad, at, expected);
    }
}

fn read_samples(lower: &mut Lower, written: &DeliveryFields) -> Option<Samples> {
    let samples = written.samples.as_ref()?;
    if written.from.is_some() {
        lower.error(samples.at, "the records of this delivery come from a stream", "move `samples` to the stream");
        return None;
    }
    samples::read(lower, samples)
}

fn read_buffer(lower: &mut Lower, written: &DeliveryFields) -> Buffer {
    let buffer = written.buffer.clone().map(|buffer| buffer.value).unwrap_or_default();
    if let Some(interval) = buffer.interval.as_ref().filter(|interval| interval.value.0 < 60) {
        let why = "under 60 s, Firehose uploads in parts: more PUT requests, which cost";
        lower.warn(interval.at, "a short interval costs", why);
    }
    Buffer { size_mib: buffer.size().0, interval_s: buffer.interval().0 }
}

/// <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html>
fn read_partitioning(
    lower: &mut Lower,
    key: &At<String>,
    written: &DeliveryFields,
    buffer: Buffer,
) -> Option<Partitioning> {
    let good = written.good.as_ref().map_or("", |good| good.value.0.as_str());
    let has_keys = Prefix::parse(good).unwrap_or_default().partition_keys().next().is_some();
    let good_at = written.good.as_ref().map_or(key.at, |good| good.at);
    let retry_s = match written.partitioning.as_ref().map(|said| &said.value) {
        None | Some(Either::Word(false)) => {
            if has_keys {
                lower.error(good_at, "partition keys need dynamic partitioning", "add `partitioning: true`");
            }
            return None;
        }
        Some(Either::Word(true)) => PartitioningFields::default().retry().0,
        Some(Either::Record(partitioning)) => partitioning.retry().0,
    };
    if !has_keys && !written.is_wrong("good") {
        let expected = "add a `!{partitionKeyFromQuery:KEY}` or `!{partitionKeyFromLambda:KEY}`";
        lower.error(good_at, "dynamic partitioning without a partition key", expected);
    }
    let buffer_at = written.buffer.as_ref().map_or(key.at, |buffer| buffer.at);
    if buffer.size_mib < MIN_PARTITION_BUFFER_MIB || buffer.interval_s < MIN_PARTITION_INTERVAL_S {
        let what = format!("a buffer of {} MiB and {} s is too small", buffer.size_mib, buffer.interval_s);
        let least = format!("{MIN_PARTITION_BUFFER_MIB} MiB and {MIN_PARTITION_INTERVAL_S} s");
        lower.error(buffer_at, what, format!("dynamic partitioning needs at least {least}"));
    }
    Some(Partitioning { retry_s })
}

fn read_backup(
    lower: &mut Lower,
    backup: &At<BackupFields>,
    name: &str,
    bucket: Option<&Ref<Bucket>>,
) -> Option<Backup> {
    let object = (name, String::new());
    let BackupFields { bucket: own_bucket, prefix, bad, encryption, .. } = &backup.value;
    lower.need(&backup.value, "prefix", prefix.is_some(), backup.at, "a prefix");
    let bad = read_prefix(lower, bad.as_ref(), Use::Bad, &object);
    check_error_prefix(lower, &backup.value, "bad", prefix.as_ref(), bad.is_some(), backup.at);
    let prefix = read_prefix(lower, prefix.as_ref(), Use::Backup, &object);
    let bucket = match own_bucket {
        Some(own) => lower.reference::<Bucket>(own),
        None => bucket.cloned(),
    };
    let buffer = backup.value.buffer.clone().map(|buffer| buffer.value).unwrap_or_default();
    Some(Backup {
        bucket: bucket?,
        prefix: prefix?,
        bad,
        buffer: Buffer { size_mib: buffer.size().0, interval_s: buffer.interval().0 },
        compression: backup.value.compression(),
        encryption: encryption.as_ref().map(|arn| arn.value.0.clone()),
    })
}

fn check_time_zone(lower: &mut Lower, written: &DeliveryFields) {
    let name = written.time_zone().0;
    let Some(zone) = zones::zone(&name) else {
        let at = written.time_zone.as_ref().expect("UTC, the default, is known").at;
        let what = format!("Firehose knows no time zone `{name}`");
        return lower.error(at, what, "an IANA time zone by its older name: Europe/Berlin, Asia/Calcutta");
    };
    let good = written.good.as_ref().map(|good| (good.at, &good.value.0));
    let bad = written.bad.as_ref().map(|bad| (bad.at, &bad.value.0));
    for (at, prefix) in [good, bad].into_iter().flatten() {
        let parsed = Prefix::parse(prefix).unwrap_or_default();
        if let Some((field, why)) = parsed.unknown(&zone) {
            lower.warn(at, format!("the built-in emulator does not evaluate `{field}`"), why);
        }
    }
}

fn written_backup(backup: &Backup) -> BackupFields {
    BackupFields {
        bucket: backup.bucket.key(),
        prefix: said(Text(backup.prefix.clone())),
        bad: backup.bad.as_ref().and_then(|bad| said(Text(bad.clone()))),
        buffer: said(BackupBufferFields {
            size: said(Size(backup.buffer.size_mib)),
            interval: said(Time(backup.buffer.interval_s)),
            ..BackupBufferFields::default()
        }),
        compression: said(backup.compression),
        encryption: backup.encryption.as_ref().and_then(|arn| said(KeyArn(arn.clone()))),
        ..BackupFields::default()
    }
}

/// Absent is fine; there and wrong is not.
fn transpose<T>(there: Option<Option<T>>) -> Option<Option<T>> {
    match there {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}
