//! S3's protocol, with the types of `s3s`, over our store.
//!
//! These modules do what `s3s` does not know (tags of a new bucket) or leaves to its user: the owner and region of a bucket,
//! whether the body is whole, the signature and the `aws-chunked` coding that belongs to it. [`crate::exchange`] puts it
//! together.

pub mod acls;
pub mod buckets;
pub mod checksum;
pub mod context;
pub mod convert;
pub mod documents;
pub mod incoming;
#[cfg(test)]
mod inputs;
pub mod lists;
pub mod logging;
pub mod objects;
pub mod read;
pub mod refusal;
mod unsupported;
pub mod uploads;
pub mod versions;

/// Does this body, which makes a bucket, give it tags?
pub fn new_bucket_has_tags(body: &[u8]) -> bool {
    !convert::bucket_tags(body).is_empty()
}
