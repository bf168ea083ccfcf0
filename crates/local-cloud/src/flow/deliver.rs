//! Closed buffers become objects. Storing one and counting its records as finished are one change.

use super::failure::Failure;
use super::object;
use super::pump::{Pump, Sealed};
use super::report;
use crate::request::AwsError;
use crate::service::{iam, s3};
use crate::settings::Millis;
use crate::world::World;

/// Between two tries to store an object, in milliseconds.
const RETRY_MS: Millis = 5_000;

/// Stores what waits to be stored. What cannot be stored is kept, and its key and body are made anew for the next try: by
/// then the destination may be another.
pub fn store(world: &mut World, now: Millis, key: &str, pump: &mut Pump) {
    for mut sealed in std::mem::take(&mut pump.sealed) {
        if sealed.not_before > now {
            pump.sealed.push(sealed);
            continue;
        }
        match put(world, now, pump, &sealed) {
            Ok(()) => world.firehose.finish(key, sealed.items.iter().map(|item| item.origin).collect()),
            Err(error) => {
                report::failure(world, now, pump, &Failure::new(&format!("S3.{}", error.code), error.message));
                sealed.not_before = now + RETRY_MS;
                pump.sealed.push(sealed);
            }
        }
    }
}

fn put(world: &mut World, now: Millis, pump: &Pump, sealed: &Sealed) -> Result<(), AwsError> {
    let (job, store) = (&pump.job, &pump.job.config.store);
    let object_key = object::key(job, &sealed.slot, &sealed.items, now);
    let arn = format!("arn:{}:s3:::{}/{object_key}", crate::service::arn::partition(&job.region), store.bucket);
    let role = &store.role_arn;
    let assumed = iam::assumable(world, role, super::PRINCIPAL, now).is_ok();
    if !assumed || !iam::allows(world, role, "s3:PutObject", &arn, now) {
        let message =
            format!("Access was denied. Ensure that the trust policy and the policy of {role} allow s3:PutObject");
        return Err(AwsError::new("AccessDenied", message).with_status(403));
    }
    let body = object::body(job, &sealed.slot, &sealed.items);
    s3::store(world, now, &store.bucket, &object_key, body, store.compression.content_encoding())
}
