//! Rules that concern several sections together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_facts::firehose::MAX_PREFIX_WRITTEN;

use super::grammar::Spec;
use super::stack::{Entry, Stack};
use crate::prefix::overlapping::{Writer, overlapping};
use crate::prefix::{literal, of_objects};
use crate::resource::bucket::{Bucket, BucketFields, DeleteData};
use crate::resource::delivery_stream::DeliveryFields;
use crate::section::{Lower, Ref};
use crate::yaml::diagnostic::Span;
use crate::yaml::scalar::Text;
use crate::yaml::shape::{At, Record};

/// Reads a second that a shard gives: each delivery takes one.
const READS_OF_A_SHARD: usize = 5;

/// Reports what surprises only when all deliveries are seen together.
pub(super) fn check(spec: &Spec, lower: &mut Lower) {
    let defaults = spec.defaults.as_ref().and_then(|defaults| defaults.value.deliveries.as_ref());
    let entries = spec.deliveries.iter().flat_map(|section| &section.value.pairs);
    let ours = entries.filter(|(_, entry)| entry.value.existing.is_none());
    let whole =
        |fields: &DeliveryFields| defaults.map_or(fields.clone(), |defaults| fields.clone().or(&defaults.value));
    let deliveries: Vec<(&At<String>, DeliveryFields)> =
        ours.map(|(key, entry)| (key, whole(&entry.value.fields))).collect();
    let mut readers: HashMap<&str, usize> = HashMap::new();
    for (key, delivery) in &deliveries {
        if let Some(from) = &delivery.from {
            let readers = readers.entry(&from.value.0).or_default();
            *readers += 1;
            if *readers == READS_OF_A_SHARD {
                let why = "each polls every shard once a second, and a shard gives five reads";
                lower.warn(from.at, format!("more than four deliveries read `{}`", from.value.0), why);
            }
        }
        expiring_everything(spec, key.at, delivery, lower);
        deleting_what_nothing_claims(spec, delivery, lower);
    }
    logging_in_circles(spec, lower);
    let places: Vec<(Writer, Span)> =
        deliveries.iter().flat_map(|(key, delivery)| written_prefixes(key, delivery)).collect();
    let writers: Vec<Writer> = places.iter().map(|(writer, _)| *writer).collect();
    for (one, other) in overlapping(&writers) {
        let (one, at, other) = (writers[one], places[one].1, writers[other]);
        let what = match one.prefix == other.prefix {
            true => format!("`{}` and `{}` write to the same prefix", other.delivery, one.delivery),
            false => format!("`{}` writes to `{}`, which overlaps this", other.delivery, other.prefix),
        };
        lower.warn(at, what, "who lists one prefix finds the other's objects too");
    }
}

/// Every prefix of a delivery, and where it stands.
fn written_prefixes<'s>(key: &'s At<String>, delivery: &'s DeliveryFields) -> Vec<(Writer<'s>, Span)> {
    fn place<const MIN: usize>(written: &Option<At<Text<MIN, MAX_PREFIX_WRITTEN>>>) -> Option<(&str, Span)> {
        written.as_ref().map(|prefix| (prefix.value.0.as_str(), prefix.at))
    }
    let all = |bucket: Option<&'s str>, prefixes: [Option<(&'s str, Span)>; 2]| {
        let writer =
            |bucket, (prefix, at)| (Writer { bucket, prefix: of_objects(prefix), delivery: key.value.as_str() }, at);
        prefixes.into_iter().flatten().filter_map(|prefix| Some(writer(bucket?, prefix))).collect::<Vec<_>>()
    };
    let own = delivery.bucket.as_ref().map(|bucket| bucket.value.0.as_str());
    let good = place(&delivery.good).or((!delivery.is_wrong("good")).then_some(("", key.at)));
    let mut places = all(own, [good, place(&delivery.bad)]);
    if let Some(backup) = delivery.backup.as_ref().map(|backup| &backup.value) {
        let bucket = backup.bucket.as_ref().map(|bucket| bucket.value.0.as_str()).or(own);
        places.extend(all(bucket, [place(&backup.prefix), place(&backup.bad)]));
    }
    places
}

/// Objects expire by prefix: a delivery without one would make the whole bucket expire.
fn expiring_everything(spec: &Spec, key_at: Span, delivery: &DeliveryFields, lower: &mut Lower) {
    let Some(bucket) = &delivery.bucket else { return };
    let expires = bucket_fields(spec, &bucket.value.0).is_some_and(|bucket| bucket.expire.is_some());
    if expires && !delivery.is_wrong("good") && literal(&delivery.good().0).is_empty() {
        let what = format!("the whole bucket `{}` would expire", bucket.value.0);
        let at = delivery.good.as_ref().map_or(key_at, |good| good.at);
        lower.error(at, what, "objects expire by prefix: begin it with plain text");
    }
}

/// The consent to delete data stands beside the claim on it.
fn deleting_what_nothing_claims(spec: &Spec, delivery: &DeliveryFields, lower: &mut Lower) {
    let Some(markers) = delivery.markers.as_ref().filter(|markers| !markers.value) else { return };
    let backup = delivery.backup.as_ref().and_then(|backup| backup.value.bucket.as_ref());
    for key in [delivery.bucket.as_ref(), backup].into_iter().flatten() {
        let deletes =
            bucket_fields(spec, &key.value.0).is_some_and(|bucket| bucket.delete_data() == DeleteData::WithStack);
        if deletes {
            let what = "without claims nothing says whose data it is";
            let expected = format!("not with `delete_data: with-stack` on bucket `{}`", key.value.0);
            lower.error(markers.at, what, expected);
        }
    }
}

/// The fields of a bucket of ours, with the defaults.
fn bucket_fields(spec: &Spec, key: &str) -> Option<BucketFields> {
    let defaults = spec.defaults.as_ref().and_then(|defaults| defaults.value.buckets.as_ref());
    let mut buckets = spec.buckets.iter().flat_map(|section| &section.value.pairs);
    let (_, entry) = buckets.find(|(known, entry)| known.value == key && entry.value.existing.is_none())?;
    let fields = entry.value.fields.clone();
    Some(defaults.map_or(fields.clone(), |defaults| fields.or(&defaults.value)))
}

/// Access logs go to another bucket, which has none itself: S3 would log that it writes logs.
fn logging_in_circles(spec: &Spec, lower: &mut Lower) {
    for (key, entry) in spec.buckets.iter().flat_map(|section| &section.value.pairs) {
        let Some(fields) = bucket_fields(spec, &key.value).filter(|_| entry.value.existing.is_none()) else { continue };
        let logs = fields.access_logs.as_ref().map(|logs| &logs.value);
        let Some(to) = logs.and_then(|logs| logs.bucket.as_ref()) else { continue };
        let Some(target) = bucket_fields(spec, &to.value.0) else { continue };
        if target.access_logs.is_some() {
            let what = format!("`{}` has access logs itself", to.value.0);
            lower.error(to.at, what, "a bucket without `access_logs`: S3 would log that it writes logs");
        }
        if target.encryption().is_kms() {
            let what = format!("`{}` is encrypted with a KMS key", to.value.0);
            lower.error(to.at, what, "a bucket with `encryption: sse-s3`: S3 writes access logs to no other");
        }
    }
}

/// Tells each bucket which bucket its access logs go to, and that one whose logs it takes.
pub(super) fn gather_access_logs(stack: &mut Stack) {
    let target = |(key, entry): (&String, &Entry<Bucket>)| {
        let (logical, id) = (key.clone(), entry.physical().to_owned());
        (key.clone(), Ref::new(logical, id, entry.managed().is_some()))
    };
    let targets: BTreeMap<String, Ref<Bucket>> = stack.buckets.iter().map(target).collect();
    let mut taken: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for entry in stack.buckets.values_mut() {
        let Entry::Managed(managed) = entry else { continue };
        let Some(logs) = &mut managed.desired.access_logs else { continue };
        let Some(target) = targets.get(&logs.bucket.logical) else { continue };
        logs.bucket = target.clone();
        let prefix = logs.prefix.clone();
        taken.entry(target.logical.clone()).or_default().insert(managed.physical.clone(), prefix);
    }
    for (key, entry) in &mut stack.buckets {
        if let Entry::Managed(managed) = entry
            && managed.desired.create
        {
            managed.desired.logs_of = taken.remove(key).unwrap_or_default();
        }
    }
}

/// Tells each bucket which prefixes deliveries write to in it.
pub(super) fn gather_prefixes(stack: &mut Stack) {
    let mut written: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for delivery in stack.deliveries.values().filter_map(Entry::managed).map(|managed| &managed.desired) {
        let own = [Some(&delivery.good), delivery.bad.as_ref()];
        let own = own.into_iter().flatten().map(|prefix| (&delivery.bucket, prefix));
        let backup = delivery.backup.iter().flat_map(|backup| {
            let prefixes = [Some(&backup.prefix), backup.bad.as_ref()];
            prefixes.into_iter().flatten().map(|prefix| (&backup.bucket, prefix))
        });
        for (bucket, prefix) in own.chain(backup) {
            written.entry(bucket.logical.clone()).or_default().insert(literal(prefix).to_owned());
        }
    }
    for (key, bucket) in &mut stack.buckets {
        if let Entry::Managed(managed) = bucket {
            managed.desired.prefixes = written.remove(key).unwrap_or_default().into_iter().collect();
        }
    }
}
