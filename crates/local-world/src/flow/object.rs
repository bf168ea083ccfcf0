//! Objects: their keys and bodies.

use aws_facts::firehose::MAX_PREFIX_EVALUATED;
use aws_facts::s3::MAX_KEY_BYTES;
use bytes::Bytes;
use jiff::Zoned;
use md5::{Digest, Md5};
use uuid::Uuid;

use super::ident;
use super::item::Output;
use super::job::Job;
use super::pieces::Pieces;
use super::prefix::{Facts, PartitionKeys, random_string};
use super::progress::Finished;
use super::slot::Slot;
use crate::time::Millis;

/// An object, ready to be stored.
#[derive(Debug, Clone)]
pub struct Object {
    pub key: String,
    pub body: Bytes,
    /// MD5 of the body.
    pub etag: String,
    /// The records in it, which are finished once it is stored.
    pub finished: Finished,
}

pub fn pack(job: &Job, slot: &Slot, items: &Pieces<Output>, now: Millis) -> Object {
    let oldest = items.iter().map(|item| item.arrival).min().unwrap_or(now);
    let first = items.iter().next().map_or_else(String::new, |item| format!("{:?}", item.origin));
    let uuid = ident::uuid(&[&job.lane, &first, &now.to_string()]);
    let key = key(job, slot, &job.config.store.zoned(oldest), &uuid);
    let none = Bytes::new();
    let delimiter = if matches!(slot, Slot::Failed(_)) { &none } else { &job.config.delimiter };
    let body = job.config.store.compression.compress(join(items, delimiter), &uuid);
    let etag = hex::encode(Md5::digest(&body));
    let finished = items.iter().map(|item| item.origin).collect();
    Object { key, body: body.into(), etag, finished }
}

/// Why records that arrive at a time cannot be in an object of these keys.
pub fn too_long(job: &Job, keys: &PartitionKeys, time: Millis) -> Option<String> {
    let time = &job.config.store.zoned(time);
    let facts = Facts { time, error_type: None, partition_keys: keys, random_string: &random_string("") };
    if job.config.store.prefix.length(facts) > MAX_PREFIX_EVALUATED {
        return Some(format!("Length of evaluated prefix cannot be greater than {MAX_PREFIX_EVALUATED}"));
    }
    let key = key(job, &Slot::Good(keys.clone()), time, &Uuid::nil().to_string());
    // The words are ours.
    (key.len() > MAX_KEY_BYTES).then(|| format!("The object's key would have more than {MAX_KEY_BYTES} bytes"))
}

/// `<prefix><stream>-<version>-<date and time>-<uuid><extension>`
fn key(job: &Job, slot: &Slot, time: &Zoned, uuid: &str) -> String {
    let store = &job.config.store;
    let (prefix, error_type, keys) = match slot {
        Slot::Good(keys) => (&store.prefix, None, keys),
        Slot::Failed(kind) => (&store.error_prefix, Some(kind.name()), &PartitionKeys::new()),
    };
    let prefix = prefix.evaluate(Facts { time, error_type, partition_keys: keys, random_string: &random_string(uuid) });
    prefix + &name(&job.name, job.version, time, uuid, &store.extension)
}

/// The name of an object behind its prefix. `time` is that of the oldest record in it, in the delivery stream's time zone.
/// <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>
pub fn name(delivery_stream: &str, version: u64, time: &Zoned, uuid: &str, extension: &str) -> String {
    format!("{delivery_stream}-{version}-{}-{uuid}{extension}", time.strftime("%Y-%m-%d-%H-%M-%S"))
}

fn join(items: &Pieces<Output>, delimiter: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.iter().map(|item| item.data.len() + delimiter.len()).sum());
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(delimiter);
        }
        out.extend_from_slice(&item.data);
    }
    out
}
