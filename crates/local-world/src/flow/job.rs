//! The part of a delivery stream's configuration that the data plane needs.

use serde::{Deserialize, Serialize};

use super::config::Config;
use crate::time::Millis;

/// One way of a delivery stream's records: to the destination, or to the backup.
#[derive(Debug, Clone)]
pub struct Job {
    /// `region/name` of the delivery stream.
    pub stream: String,
    /// The key of this way's progress. Destination and backup have one each.
    pub lane: String,
    pub name: String,
    pub arn: String,
    pub region: String,
    /// `VersionId`: part of each object's key.
    pub version: u64,
    /// `None` where records are put directly.
    pub source: Option<Source>,
    pub config: Config,
}

/// The stream that is read: the very one that was there at the time, not a later one of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub stream_arn: String,
    /// `region/name`
    pub stream_key: String,
    pub stream_created: Millis,
    pub role_arn: String,
}

/// A job of a delivery stream without processors, for tests.
#[cfg(test)]
pub fn sample(source: Option<Source>) -> Job {
    let destination = serde_json::json!({ "RoleARN": "r", "BucketARN": "arn:aws:s3:::b" });
    let destination: crate::flow::destination::Destination = serde_json::from_value(destination).unwrap();
    Job {
        stream: "us-east-1/d".into(),
        lane: "us-east-1/d".into(),
        name: "d".into(),
        arn: "arn:d".into(),
        region: "us-east-1".into(),
        version: 1,
        source,
        config: Config::parse(&destination.filled()).unwrap(),
    }
}
