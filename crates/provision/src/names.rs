//! Physical names, ARNs and tags: pure functions of stack, environment, account, region and partition.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

/// The tag of what is protected.
pub const PROTECT: &str = "protect";

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Where a thing stands in the spec: `stream.events`. Derived things have addresses too: `role.delivery-raw`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    pub kind: &'static str,
    pub logical: String,
}

impl Address {
    pub fn new(kind: &'static str, logical: impl Into<String>) -> Address {
        Address { kind, logical: logical.into() }
    }

    /// Where the record keeps an earlier physical name: `stream.events@1`. No key of a spec has an `@`.
    pub fn former(&self, number: usize) -> Address {
        Address::new(self.kind, format!("{}@{number}", self.current().logical))
    }

    /// Itself, or the address of which this was a former name.
    pub fn current(&self) -> Address {
        Address::new(self.kind, self.logical.split('@').next().unwrap_or_default())
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.logical)
    }
}

/// An address and the name AWS knows it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Name {
    #[cfg_attr(test, schemars(with = "String"))]
    pub address: Address,
    /// The name on AWS; for a bucket prefix `bucket/prefix`.
    pub physical: String,
}

impl Name {
    pub fn new(kind: &'static str, logical: impl Into<String>, physical: impl Into<String>) -> Name {
        Name { address: Address::new(kind, logical), physical: physical.into() }
    }
}

impl fmt::Display for Name {
    /// `stream events`, for sentences.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address.kind.replace('_', " "), self.address.logical)
    }
}

/// Stack, environment, account and region: all that names and ARNs follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub stack: String,
    pub env: Option<String>,
    pub account: String,
    pub region: String,
    /// Before the slash of the tags that say whose a resource is: `provision`.
    pub tag_prefix: String,
    /// `/` or begins and ends with `/`: the outer path of our roles.
    pub iam_path: String,
}

impl Names {
    /// The partition that the region is in.
    pub fn partition(&self) -> &'static str {
        partition(&self.region)
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    pub fn stream_arn(&self, stream: &str) -> String {
        self.arn("kinesis", &format!("stream/{stream}"))
    }

    pub fn delivery_stream_arn(&self, name: &str) -> String {
        self.arn("firehose", &format!("deliverystream/{name}"))
    }

    pub fn function_arn(&self, name: &str) -> String {
        self.arn("lambda", &format!("function:{name}"))
    }

    pub fn log_group_arn(&self, name: &str) -> String {
        self.arn("logs", &format!("log-group:{name}"))
    }

    pub fn bucket_arn(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition())
    }

    /// `path` begins and ends with `/`.
    pub fn role_arn(&self, path: &str, role: &str) -> String {
        format!("arn:{}:iam::{}:role{path}{role}", self.partition(), self.account)
    }

    /// The path of this environment's roles. IAM is global, so it carries the region.
    pub fn role_path(&self) -> String {
        let env = self.env.as_deref().unwrap_or("-");
        format!("{}provision/{}/{}/{env}/", self.iam_path, self.stack, self.region)
    }

    /// The name of the role of `user`, a service and the name of a resource of it, which is the only one of this name in its
    /// account and region. Roles are global, so it carries the region. At most 64 characters, as IAM wants it.
    pub fn role_name(&self, user: &str) -> String {
        shorten(&format!("{user}-{}", self.region), 64)
    }

    /// The log group that is this environment's record.
    pub fn record(&self) -> String {
        format!("/provision/{}/{}", self.stack, self.env.as_deref().unwrap_or("-"))
    }

    /// A tag key of ours: `provision/stack`.
    pub fn tag_key(&self, word: &str) -> String {
        format!("{}/{word}", self.tag_prefix)
    }

    /// The tags that make a resource ours: stack, environment and address.
    pub fn ownership(&self, address: &Address) -> Tags {
        Tags::from([
            (self.tag_key("stack"), self.stack.clone()),
            (self.tag_key("env"), self.env.clone().unwrap_or_else(|| "-".into())),
            (self.tag_key("name"), address.to_string()),
        ])
    }

    /// The same for a kind that all environments of a stack share.
    pub fn stack_ownership(&self, address: &Address) -> Tags {
        let mut tags = self.ownership(address);
        tags.remove(&self.tag_key("env"));
        tags
    }

    /// Do these tags say that it may be neither replaced nor deleted? For whoever has no spec that says so.
    pub fn protects(&self, tags: &Tags) -> bool {
        tags.contains_key(&self.tag_key(PROTECT))
    }

    /// Do these tags say that the resource belongs to this stack and environment?
    pub fn owns(&self, tags: &Tags) -> bool {
        let env = self.env.as_deref().unwrap_or("-");
        self.owns_for_stack(tags) && tags.get(&self.tag_key("env")).map(String::as_str) == Some(env)
    }

    /// Do these tags say that the resource belongs to this stack, whatever the environment?
    pub fn owns_for_stack(&self, tags: &Tags) -> bool {
        tags.get(&self.tag_key("stack")) == Some(&self.stack)
    }
}

/// ` --env pr-1`, or nothing: for a command line that is shown.
pub fn env_flag(env: Option<&str>) -> String {
    env.map(|env| format!(" --env {env}")).unwrap_or_default()
}

/// `1 object`, `2 objects`
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// AWS's partitions, by the beginnings of their regions' names.
/// <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>
const PARTITIONS: &[(&str, &str)] = &[
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("eusc-", "aws-eusc"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isof-", "aws-iso-f"),
];

/// The partition that a region is in: `aws` for most.
pub fn partition(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(begins, _)| region.starts_with(begins)).map_or("aws", |(_, partition)| partition)
}

/// The name itself, or, past `limit` characters, its beginning with a hash of all of it: never longer than `limit`, and
/// different for different names.
pub fn shorten(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let keep = name.char_indices().map(|(i, _)| i).take_while(|i| *i < limit - 9).last().unwrap_or(0);
    format!("{}-{}", &name[..keep], hash(name))
}

/// A logical name made from a name on AWS: letters, digits, `_` and `-`.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// Eight hexadecimal digits of the text's SHA-256.
pub fn hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::names;

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(partition(region), expected, "{region}");
        }
    }

    #[test]
    fn a_short_name_stays_and_a_long_one_keeps_its_beginning_and_differs() {
        assert_eq!(shorten("events", 64), "events");
        let (a, b) = (shorten(&"a".repeat(65), 64), shorten(&"a".repeat(66), 64));
        assert!(a.len() <= 64 && b.len() <= 64, "{a} {b}");
        assert!(a.starts_with(&"a".repeat(54)) && a != b);
        assert!(shorten(&"ä".repeat(40), 64).len() <= 64);
    }

    #[test]
    fn a_role_is_named_after_its_user_and_region_and_its_path_tells_the_environment() {
        let names = Names { env: Some("pr-42".into()), ..names() };
        assert_eq!(names.role_name("firehose-test-delivery1-pr-42"), "firehose-test-delivery1-pr-42-us-east-1");
        assert_eq!(names.role_path(), "/provision/kinesis-test/us-east-1/pr-42/");
    }
}
