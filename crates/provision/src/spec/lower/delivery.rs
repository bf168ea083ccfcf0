//! Deliveries: where records come from and where they go.

use std::collections::HashMap;

use aws_facts::firehose::zones;

use super::super::collection::Either;
use super::super::diagnostic::Span;
use super::super::grammar::{Backup as WrittenBackup, Delivery, Log, Spec};
use super::super::index::Index;
use super::super::prefix::{Use, check};
use super::super::scalar::Text;
use super::super::shape::{At, Record};
use super::Lower;
use crate::prefix::object_key::shortest_key;
use crate::prefix::overlapping::{Writer, overlapping};
use crate::prefix::{Prefix, has_expressions, literal};
use crate::resource::delivery_stream::{Backup, Buffer, DeliveryStream, Partitioning, Ref};
use crate::resource::function::LogRef;
use crate::resource::role::RoleRef;

/// Of a shard, in reads a second: each delivery takes one.
const READS_OF_A_SHARD: usize = 5;

impl Lower<'_> {
    pub(super) fn delivery(
        &mut self,
        key: &At<String>,
        name: &str,
        written: Delivery,
        index: &Index,
    ) -> Option<DeliveryStream> {
        self.need(&written, "bucket", written.bucket.is_some(), key.at, "the key of a bucket");
        self.need(&written, "good", written.good.is_some(), key.at, "a prefix");
        let source = written.from.as_ref().map(|from| index.stream(from, self.mistakes));
        let bucket = written.bucket.as_ref().and_then(|bucket| index.bucket(bucket, self.mistakes));
        let object = (name, written.extension().0);
        let good = self.prefix(written.good.as_ref(), Use::Good, &object);
        let bad = self.prefix(written.bad.as_ref(), Use::Bad, &object);
        self.error_prefix(&written, "bad", written.good.as_ref(), bad.is_some(), key.at);
        let buffer = self.buffer(&written);
        let transform = written.transform.as_ref().map(|transform| self.transform(transform, index));
        let processors = self.processors(key, &written);
        let partitioning = self.partitioning(key, &written, buffer);
        let backup = written.backup.as_ref().map(|backup| self.backup(backup, name, bucket.as_ref(), index));
        let log = written.logs.as_ref().and_then(|logs| self.delivery_log(logs));
        self.time_zone(&written);
        let role = self.role(written.role.as_ref(), RoleRef::of_delivery(&key.value, name));
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
        })
    }

    /// Checked, and as it is in this environment. `object`: the delivery stream, and the extension of its objects.
    fn prefix(
        &mut self,
        written: Option<&At<Text<1, 1024>>>,
        purpose: Use,
        (delivery_stream, extension): &(&str, String),
    ) -> Option<String> {
        let written = written?.map(|text| text.0.clone());
        check(&written.value, purpose, written.at, self.mistakes);
        let prefix = match &self.environment {
            Some(environment) => environment.prefix(&written, self.mistakes),
            None => written.value,
        };
        if prefix.chars().count() > 1024 {
            self.error(written.at, "this prefix is too long in this environment", "at most 1024 characters");
        }
        let bytes = Prefix::parse(&prefix).map_or(0, |prefix| shortest_key(&prefix, delivery_stream, extension));
        if bytes > 1024 {
            let what = format!("the keys of its objects have at least {bytes} bytes");
            self.error(written.at, what, "a shorter prefix: S3 takes at most 1024 bytes, with the object's name");
        }
        Some(prefix)
    }

    /// A prefix with expressions needs one for what failed.
    fn error_prefix(
        &mut self,
        record: &impl Record,
        key: &str,
        good: Option<&At<Text<1, 1024>>>,
        has_bad: bool,
        at: Span,
    ) {
        if good.is_some_and(|good| has_expressions(&good.value.0)) {
            let expected = "a prefix with expressions needs another for what failed";
            self.need(record, key, has_bad, at, expected);
        }
    }

    fn buffer(&mut self, written: &Delivery) -> Buffer {
        let buffer = written.buffer.clone().map(|buffer| buffer.value).unwrap_or_default();
        if let Some(interval) = buffer.interval.as_ref().filter(|interval| interval.value.0 < 60) {
            let why = "under 60 s, Firehose uploads in parts: more PUT requests, which cost";
            self.warn(interval.at, "a short interval costs", why);
        }
        Buffer { size_mib: buffer.size().0, interval_s: buffer.interval().0 }
    }

    /// <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html>
    fn partitioning(&mut self, key: &At<String>, written: &Delivery, buffer: Buffer) -> Option<Partitioning> {
        let good = written.good.as_ref().map_or("", |good| good.value.0.as_str());
        let has_keys = Prefix::parse(good).unwrap_or_default().partition_keys().next().is_some();
        let good_at = written.good.as_ref().map_or(key.at, |good| good.at);
        let retry_s = match written.partitioning.as_ref().map(|said| &said.value) {
            None | Some(Either::Word(false)) => {
                if has_keys {
                    self.error(good_at, "partition keys need dynamic partitioning", "add `partitioning: true`");
                }
                return None;
            }
            Some(Either::Word(true)) => super::super::grammar::Partitioning::default().retry().0,
            Some(Either::Record(partitioning)) => partitioning.retry().0,
        };
        if !has_keys && written.good.is_some() {
            let expected = "add a `!{partitionKeyFromQuery:KEY}` or `!{partitionKeyFromLambda:KEY}`";
            self.error(good_at, "dynamic partitioning without a partition key", expected);
        }
        let buffer_at = written.buffer.as_ref().map_or(key.at, |buffer| buffer.at);
        if buffer.size_mib < 64 || buffer.interval_s < 60 {
            let what = format!("a buffer of {} MiB and {} s is too small", buffer.size_mib, buffer.interval_s);
            self.error(buffer_at, what, "dynamic partitioning needs at least 64 MiB and 60 s");
        }
        Some(Partitioning { retry_s })
    }

    fn backup(
        &mut self,
        backup: &At<WrittenBackup>,
        name: &str,
        bucket: Option<&Ref>,
        index: &Index,
    ) -> Option<Backup> {
        let object = (name, String::new());
        let WrittenBackup { bucket: own_bucket, prefix, bad, encryption, .. } = &backup.value;
        self.need(&backup.value, "prefix", prefix.is_some(), backup.at, "a prefix");
        let bad = self.prefix(bad.as_ref(), Use::Bad, &object);
        self.error_prefix(&backup.value, "bad", prefix.as_ref(), bad.is_some(), backup.at);
        let prefix = self.prefix(prefix.as_ref(), Use::Backup, &object);
        let bucket = match own_bucket {
            Some(own) => index.bucket(own, self.mistakes),
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

    fn delivery_log(&mut self, logs: &At<Either<bool, Log>>) -> Option<LogRef> {
        match &logs.value {
            Either::Word(false) => None,
            Either::Word(true) => Some(LogRef::Derived { retention_days: None }),
            Either::Record(log) => Some(self.log(&logs.map(|_| log.clone()))),
        }
    }

    fn time_zone(&mut self, written: &Delivery) {
        let name = written.time_zone().0;
        let Some(zone) = zones::zone(&name) else {
            let at = written.time_zone.as_ref().expect("UTC, the default, is known").at;
            let what = format!("Firehose knows no time zone `{name}`");
            return self.error(at, what, "an IANA time zone by its older name: Europe/Berlin, Asia/Calcutta");
        };
        for prefix in [&written.good, &written.bad].into_iter().flatten() {
            let parsed = Prefix::parse(&prefix.value.0).unwrap_or_default();
            if let Some((field, why)) = parsed.unknown(&zone) {
                self.warn(prefix.at, format!("the local engine does not evaluate `{field}`"), why);
            }
        }
    }

    /// What surprises only when all deliveries are seen together.
    pub(super) fn surprises(&mut self, spec: &Spec, defaults: Option<&At<Delivery>>) {
        let entries = spec.deliveries.iter().flat_map(|section| &section.value.pairs);
        let ours = entries.filter(|(_, entry)| entry.value.id.existing.is_none());
        let whole = |body: &Delivery| defaults.map_or(body.clone(), |defaults| body.clone().or(&defaults.value));
        let deliveries: Vec<(&At<String>, Delivery)> =
            ours.map(|(key, entry)| (key, whole(&entry.value.body))).collect();
        let mut readers: HashMap<&str, usize> = HashMap::new();
        for (_, delivery) in &deliveries {
            if let Some(from) = &delivery.from {
                let readers = readers.entry(&from.value.0).or_default();
                *readers += 1;
                if *readers == READS_OF_A_SHARD {
                    let why = "each polls every shard once a second, and a shard gives five reads";
                    self.warn(from.at, format!("more than four deliveries read `{}`", from.value.0), why);
                }
            }
            self.expiring_everything(spec, delivery);
        }
        let places: Vec<(Writer, Span)> =
            deliveries.iter().flat_map(|(key, delivery)| written_prefixes(key, delivery)).collect();
        let writers: Vec<Writer> = places.iter().map(|(writer, _)| *writer).collect();
        for (one, other) in overlapping(&writers) {
            let (one, at, other) = (writers[one], places[one].1, writers[other]);
            let what = match one.prefix == other.prefix {
                true => format!("`{}` and `{}` write to the same prefix", other.delivery, one.delivery),
                false => format!("`{}` writes to `{}`, which overlaps this", other.delivery, other.prefix),
            };
            self.warn(at, what, "who lists one prefix finds the other's objects too");
        }
    }
}

/// Every prefix of a delivery, and where it stands.
fn written_prefixes<'s>(key: &'s At<String>, delivery: &'s Delivery) -> Vec<(Writer<'s>, Span)> {
    type Prefix = At<Text<1, 1024>>;
    let all = |bucket: Option<&'s str>, prefixes: [Option<&'s Prefix>; 2]| {
        let writer = |bucket, prefix: &'s Prefix| {
            (Writer { bucket, prefix: prefix.value.0.as_str(), delivery: key.value.as_str() }, prefix.at)
        };
        prefixes.into_iter().flatten().filter_map(|prefix| Some(writer(bucket?, prefix))).collect::<Vec<_>>()
    };
    let own = delivery.bucket.as_ref().map(|bucket| bucket.value.0.as_str());
    let mut places = all(own, [delivery.good.as_ref(), delivery.bad.as_ref()]);
    if let Some(backup) = delivery.backup.as_ref().map(|backup| &backup.value) {
        let bucket = backup.bucket.as_ref().map(|bucket| bucket.value.0.as_str()).or(own);
        places.extend(all(bucket, [backup.prefix.as_ref(), backup.bad.as_ref()]));
    }
    places
}

impl Lower<'_> {
    /// Objects expire by prefix: a delivery without one would make the whole bucket expire.
    fn expiring_everything(&mut self, spec: &Spec, delivery: &Delivery) {
        let (Some(bucket), Some(good)) = (&delivery.bucket, &delivery.good) else { return };
        let mut buckets = spec.buckets.iter().flat_map(|section| &section.value.pairs);
        let expires = buckets.any(|(key, entry)| key.value == bucket.value.0 && entry.value.body.expire.is_some());
        if expires && literal(&good.value.0).is_empty() {
            let what = format!("the whole bucket `{}` would expire", bucket.value.0);
            self.error(good.at, what, "objects expire by prefix: begin it with plain text");
        }
    }
}

/// Absent is fine; there and wrong is not.
fn transpose<T>(there: Option<Option<T>>) -> Option<Option<T>> {
    match there {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}
