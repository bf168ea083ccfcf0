//! Objects: their keys and bodies.

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzEncoder;
use jiff::{Timestamp, Zoned};
use zip::write::SimpleFileOptions;

use super::config::Compression;
use super::failure::PROCESSING_FAILED;
use super::ident;
use super::item::Output;
use super::job::Job;
use super::prefix::{Facts, PartitionKeys};
use crate::settings::Millis;

/// What goes into one object: records that were delivered, by their partition keys, or failures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Good(PartitionKeys),
    Failed,
}

/// `<prefix><stream>-<version>-<date and time>-<uuid><extension>`
pub fn key(job: &Job, slot: &Slot, items: &[Output], now: Millis) -> String {
    let store = &job.config.store;
    let oldest = items.iter().map(|item| item.arrival).min().unwrap_or(now);
    let time = zoned(oldest, job);
    let first = items.first().map_or_else(String::new, |item| format!("{:?}", item.origin));
    let uuid = ident::uuid(&[&job.arn, &first, &now.to_string()]);
    let (prefix, error_type, keys) = match slot {
        Slot::Good(keys) => (&store.prefix, None, keys),
        Slot::Failed => (&store.error_prefix, Some(PROCESSING_FAILED), &PartitionKeys::new()),
    };
    let prefix = prefix.evaluate(Facts { time: &time, error_type, partition_keys: keys, seed: &uuid });
    let time = time.strftime("%Y-%m-%d-%H-%M-%S");
    format!("{prefix}{}-{}-{time}-{uuid}{}", job.name, job.version, store.extension)
}

fn zoned(time: Millis, job: &Job) -> Zoned {
    let time = i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
    time.unwrap_or(Timestamp::MAX).to_zoned(job.config.store.time_zone.clone())
}

/// The records, joined and compressed.
pub fn body(job: &Job, slot: &Slot, items: &[Output]) -> Bytes {
    let none = Bytes::new();
    let delimiter = if matches!(slot, Slot::Failed) { &none } else { &job.config.delimiter };
    let plain = join(items, delimiter);
    match job.config.store.compression {
        Compression::Uncompressed => plain.into(),
        Compression::Gzip => gzip(&plain).into(),
        Compression::Zip => archive(&plain, &job.arn).into(),
    }
}

fn join(items: &[Output], delimiter: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.iter().map(|item| item.data.len() + delimiter.len()).sum());
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(delimiter);
        }
        out.extend_from_slice(&item.data);
    }
    out
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

/// One entry, named with a UUID.
fn archive(plain: &[u8], seed: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let name = ident::uuid(&[seed, &plain.len().to_string()]);
    archive.start_file(name, SimpleFileOptions::default()).expect("the first entry of an archive in memory");
    archive.write_all(plain).expect("writing to memory does not fail");
    archive.finish().expect("writing to memory does not fail").into_inner()
}
