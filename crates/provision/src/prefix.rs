//! The places that delivery streams write to, and the keys of the objects there. Plain data, no IO. The grammar of prefixes is
//! Firehose's: [`aws_facts::firehose::prefix`].

use std::fmt;

use aws_facts::firehose::MAX_PREFIX_WRITTEN;
pub use aws_facts::firehose::prefix::{PartitionKey, Piece, Prefix};

pub mod object_key;
pub mod overlapping;

pub use object_key::overlap;

/// The part before the first expression: all objects' keys begin with it.
pub fn literal(prefix: &str) -> &str {
    prefix.split("!{").next().unwrap_or(prefix)
}

/// The prefix that Firehose uses when none is given. <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>
const NO_PREFIX: &str = "!{timestamp:yyyy/MM/dd/HH}/";

/// The prefix that the objects of a delivery stream with this one have: not the whole bucket where there is none.
pub fn of_objects(prefix: &str) -> &str {
    if prefix.is_empty() { NO_PREFIX } else { prefix }
}

pub fn has_expressions(prefix: &str) -> bool {
    prefix.contains("!{")
}

/// The kind of a [`Place`] in addresses.
pub const KIND: &str = "prefix";

/// The place that one delivery stream writes to: what the plan calls a prefix. Its physical name is its display,
/// `lake/data/!{timestamp:yyyy}/ by raw`: two delivery streams that write under one prefix write to two places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub bucket: String,
    /// As written in the destination, expressions and all.
    pub prefix: String,
    /// The delivery stream's name on AWS, which each object's name begins with.
    pub delivery: String,
}

/// In bytes: a record may say anything.
const LONGEST: usize = MAX_PREFIX_WRITTEN * 4;

/// Between the prefix and the delivery stream. No name of a delivery stream has a space.
const BY: &str = " by ";

impl Place {
    /// `None` if the text is not the name of a place.
    pub fn parse(physical: &str) -> Option<Place> {
        let (path, delivery) = physical.rsplit_once(BY)?;
        let (bucket, prefix) = path.split_once('/')?;
        let named = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let is_name = |name: &str| !name.is_empty() && name.chars().all(named);
        let sound = is_name(bucket) && is_name(delivery) && prefix.len() <= LONGEST && Prefix::parse(prefix).is_ok();
        sound.then(|| Place { bucket: bucket.into(), prefix: prefix.into(), delivery: delivery.into() })
    }

    /// The folder that a marker object can stand for: the text before the first expression, where it ends with `/`.
    pub fn folder(&self) -> Option<&str> {
        Some(literal(&self.prefix)).filter(|literal| literal.len() > 1 && literal.ends_with('/'))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{BY}{}", self.bucket, self.prefix, self.delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_a_prefix_and_the_delivery_stream_that_writes_there() {
        for (physical, place) in [
            ("lake/data/raw/ by raw", Some(("lake", "data/raw/", "raw"))),
            ("lake/a by b/!{timestamp:yyyy}/ by raw-1", Some(("lake", "a by b/!{timestamp:yyyy}/", "raw-1"))),
            ("lake/ by raw", Some(("lake", "", "raw"))),
            ("lake/data/raw/", None),
            ("lake by raw", None),
            ("/data/ by raw", None),
            ("lake/data/ by ", None),
            ("lake/!{nothing}/ by raw", None),
        ] {
            let found = Place::parse(physical);
            let parts = found.as_ref().map(|p| (p.bucket.as_str(), p.prefix.as_str(), p.delivery.as_str()));
            assert_eq!(parts, place, "{physical}");
            assert_eq!(found.map(|place| place.to_string()), place.map(|_| physical.to_owned()));
        }
    }

    #[test]
    fn a_marker_stands_only_for_a_folder() {
        let folder = |prefix: &str| {
            let place = Place { bucket: "lake".into(), prefix: prefix.into(), delivery: "raw".into() };
            place.folder().map(str::to_owned)
        };
        assert_eq!(folder("data/raw/!{timestamp:yyyy}/"), Some("data/raw/".into()));
        for none in ["", "/", "raw-", "year=!{timestamp:yyyy}/", "!{timestamp:yyyy}/data/"] {
            assert_eq!(folder(none), None, "{none}");
        }
    }
}
