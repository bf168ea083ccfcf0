//! Buckets: names, regions, tags, lifecycle.
//!
//! Rules for regions and names: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aws_facts::s3::check_bucket_name;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lifecycle::{self, Rule};
use super::{Encryption, State, error, refusal};
use crate::request::AwsError;
use crate::time::Millis;

/// Tags of a bucket or object, by key.
pub type Tags = BTreeMap<String, String>;

/// Among a bucket's documents, the default encryption. Its members are spelled as the protocol layer's types spell them.
pub const ENCRYPTION: &str = "encryption";

/// The name of eu-west-1 when there was no other region in Europe.
pub const EU: &str = "EU";

/// A bucket, without its objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The region that it is in.
    pub region: String,
    /// Is it said to be in `EU`, as its maker called the region?
    #[serde(default)]
    pub in_eu: bool,
    /// When it was created, in the world's time.
    pub created: Millis,
    /// Its tags.
    pub tags: Tags,
    /// The lifecycle rules as the protocol layer reads and writes them.
    lifecycle: Option<Value>,
    #[serde(skip)]
    rules: Rules,
    /// The other documents (policy, encryption, ...) by the name of their subresource, likewise.
    #[serde(default)]
    pub documents: BTreeMap<String, Value>,
    /// `None` until it is first set: then it can be suspended, and never taken back.
    #[serde(default)]
    pub versioning: Option<Versioning>,
}

/// Whether an object stays when another is put under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// It stays, as an older version.
    Enabled,
    /// It stays if it has a version id of its own; the null version is replaced.
    Suspended,
}

/// The parsed lifecycle rules, once somebody asked for them: there may be 1,000 rules, and every write asks.
#[derive(Debug, Clone, Default)]
struct Rules(OnceLock<Vec<Rule>>);

impl PartialEq for Rules {
    fn eq(&self, _: &Rules) -> bool {
        // The documents are compared.
        true
    }
}

impl Bucket {
    /// The document with its lifecycle rules.
    pub fn lifecycle(&self) -> Option<&Value> {
        self.lifecycle.as_ref()
    }

    /// Replaces the document with its lifecycle rules.
    pub fn set_lifecycle(&mut self, document: Option<Value>) {
        self.lifecycle = document;
        self.rules = Rules::default();
    }

    /// How objects are encrypted that do not say so themselves.
    pub fn default_encryption(&self) -> Encryption {
        let rule = self.documents.get(ENCRYPTION).and_then(|document| document.pointer("/rules/0"));
        let Some(rule) = rule else { return Encryption::default() };
        let by_default = &rule["apply_server_side_encryption_by_default"];
        let key = by_default["kms_master_key_id"].as_str().map(str::to_owned);
        let algorithm = by_default["sse_algorithm"].as_str().unwrap_or_default();
        Encryption::of(algorithm, key, self.has_bucket_keys())
    }

    /// Do objects that are encrypted with a key of KMS get a bucket key, unless they say otherwise?
    pub fn has_bucket_keys(&self) -> bool {
        let rule = self.documents.get(ENCRYPTION).and_then(|document| document.pointer("/rules/0"));
        rule.is_some_and(|rule| rule["bucket_key_enabled"] == true)
    }

    /// The lifecycle rules that are acted on.
    pub fn rules(&self) -> &[Rule] {
        self.rules.0.get_or_init(|| self.lifecycle.as_ref().map_or_else(Vec::new, lifecycle::rules))
    }
}

impl State {
    /// Creates a bucket, called through the endpoint of `region`.
    ///
    /// Making one's own bucket again succeeds in us-east-1, unless other tags are asked for, and nowhere else.
    pub fn create_bucket(
        &mut self,
        now: Millis,
        region: &str,
        name: &str,
        constraint: Option<&str>,
        tags: Tags,
    ) -> Result<(), AwsError> {
        if check_bucket_name(name).is_err() {
            return Err(refusal::invalid_bucket_name(name));
        }
        let placed = place(region, constraint)?;
        if let Some(there) = self.buckets.get(name) {
            let again = placed == "us-east-1" && there.region == placed && (tags.is_empty() || tags == there.tags);
            let owned = "Your previous request to create the named bucket succeeded and you already own it.";
            let refused = || error("BucketAlreadyOwnedByYou", 409, owned).with_detail("BucketName", name);
            return if again { Ok(()) } else { Err(refused()) };
        }
        let bucket = Bucket {
            region: placed,
            in_eu: constraint == Some(EU),
            created: now,
            tags,
            lifecycle: None,
            rules: Rules::default(),
            documents: BTreeMap::new(),
            versioning: None,
        };
        self.buckets.insert(name, bucket);
        Ok(())
    }

    /// The bucket of this name.
    ///
    /// # Errors
    /// `NoSuchBucket`
    pub fn bucket(&self, name: &str) -> Result<&Bucket, AwsError> {
        self.buckets.get(name).ok_or_else(|| refusal::no_such_bucket(name))
    }

    /// The bucket to be changed.
    pub fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, AwsError> {
        self.buckets.get_mut(name).ok_or_else(|| refusal::no_such_bucket(name))
    }

    /// Deletes an empty bucket. Unfinished uploads go with it, as they do on AWS.
    pub fn delete_bucket(&mut self, name: &str) -> Result<(), AwsError> {
        self.bucket(name)?;
        let inside = format!("{name}/");
        let refused = |message: &str| error("BucketNotEmpty", 409, message).with_detail("BucketName", name);
        if self.history.with_prefix(&inside).next().is_some() {
            let message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
            return Err(refused(message));
        }
        if self.objects.with_prefix(&inside).next().is_some() {
            return Err(refused("The bucket you tried to delete is not empty"));
        }
        for id in self.upload_ids(name) {
            self.forget_upload(&id);
        }
        self.buckets.remove(name);
        Ok(())
    }

    /// Name and bucket, in the order of names.
    pub fn buckets(&self) -> impl Iterator<Item = (&str, &Bucket)> {
        self.buckets.iter()
    }
}

/// Where a bucket comes to be. The endpoint of us-east-1 makes buckets anywhere, the others only in their own region.
fn place(endpoint: &str, constraint: Option<&str>) -> Result<String, AwsError> {
    const ILLEGAL: &str = "IllegalLocationConstraintException";
    let endpoint_wants =
        "location constraint is incompatible for the region specific endpoint this request was sent to.";
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if endpoint == "us-east-1" => Ok(endpoint.to_owned()),
        None => Err(error(ILLEGAL, 400, format!("The unspecified {endpoint_wants}"))),
        Some(asked) if endpoint == "us-east-1" && (asked == endpoint || !may_be_region(asked)) => {
            let refused = error("InvalidLocationConstraint", 400, "The specified location-constraint is not valid");
            Err(refused.with_detail("LocationConstraint", asked))
        }
        Some(EU) if matches!(endpoint, "us-east-1" | "eu-west-1") => Ok("eu-west-1".into()),
        Some(asked) if asked == endpoint || endpoint == "us-east-1" => Ok(asked.to_owned()),
        Some(asked) => Err(error(ILLEGAL, 400, format!("The {asked} {endpoint_wants}"))),
    }
}

/// `eu-west-1` and the like; [`EU`] is the old name of that.
fn may_be_region(word: &str) -> bool {
    word == EU || word.contains('-') && word.ends_with(|last: char| last.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_placed_by_endpoint_and_constraint() {
        for (endpoint, constraint, expected) in [
            ("us-east-1", None, Ok("us-east-1")),
            ("us-east-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("us-east-1", Some("us-east-1"), Err("InvalidLocationConstraint")),
            ("us-east-1", Some("aws-global"), Err("InvalidLocationConstraint")),
            ("us-east-1", Some("EU"), Ok("eu-west-1")),
            ("eu-west-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("eu-west-1", Some("EU"), Ok("eu-west-1")),
            ("eu-west-1", None, Err("IllegalLocationConstraintException")),
            ("eu-west-1", Some("us-west-2"), Err("IllegalLocationConstraintException")),
        ] {
            let placed = place(endpoint, constraint);
            assert_eq!(placed.as_deref().map_err(|error| error.code), expected, "{endpoint} {constraint:?}");
        }
    }

    #[test]
    fn ones_own_bucket_is_made_again_in_us_east_1_only_and_with_the_same_tags() {
        let mut state = State::default();
        let tags = |value: &str| Tags::from([("team".to_owned(), value.to_owned())]);
        let mut make = |region: &str, name: &str, constraint, tags| {
            state.create_bucket(0, region, name, constraint, tags).map_err(|error| error.code)
        };
        assert_eq!(make("us-east-1", "lake", None, tags("a")), Ok(()));
        assert_eq!(make("us-east-1", "lake", None, Tags::new()), Ok(()));
        assert_eq!(make("us-east-1", "lake", None, tags("b")), Err("BucketAlreadyOwnedByYou"));
        assert_eq!(make("eu-west-1", "pond", Some("eu-west-1"), Tags::new()), Ok(()));
        assert_eq!(make("eu-west-1", "pond", Some("eu-west-1"), Tags::new()), Err("BucketAlreadyOwnedByYou"));
        assert_eq!(make("us-east-1", "pond", None, Tags::new()), Err("BucketAlreadyOwnedByYou"));
    }
}
