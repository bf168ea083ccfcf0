//! The section `buckets`.

use super::Bucket;
use crate::names::Names;
use crate::section::{Lower, Section};
use crate::yaml::scalar::{Days, choices, patterns};
use crate::yaml::shape::{At, record, said};

patterns! {
    BucketName[usize::MAX] = "[a-z0-9.-]+", "a bucket's name: lower-case letters, digits, `.` and `-`";
    BucketId[usize::MAX] = "arn:aws[a-z-]*:s3:::[a-z0-9.-]+|[a-z0-9.-]+", "a bucket's name or ARN";
}

/// What to do about a bucket that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Create {
    IfMissing,
    Never,
}

choices!(Create {
    "if-missing" => Create::IfMissing,
    "never" => Create::Never,
});

record! {
    /// An S3 bucket.
    BucketFields {
        /// What to do when it is not there.
        create: Create = "if-missing";
        /// Objects under this stack's prefixes expire after this time. Only in a bucket that this stack made. Default: never.
        expire: Days<1, 36500>;
    }
}

impl Section for Bucket {
    type Fields = BucketFields;
    type Name = BucketName;
    type Id = BucketId;
    const NOUN: &'static str = "a bucket";
    const NAME_MAX: usize = 63;
    const NAMED_BY_ENVIRONMENT: bool = false;

    fn check_name(name: &str) -> Result<(), &'static str> {
        refused(name)
    }

    fn read(lower: &mut Lower, _: &At<String>, _: &str, fields: BucketFields) -> Option<Bucket> {
        let create = fields.create() == Create::IfMissing;
        if let (false, Some(expire)) = (create, &fields.expire) {
            lower.error(
                expire.at,
                "only in a bucket that this stack made can objects expire",
                "not with `create: never`",
            );
        }
        let expire_days = fields.expire.map(|expire| expire.value.0);
        Some(Bucket { create, expire_days, prefixes: Vec::new() })
    }

    fn fields(&self) -> BucketFields {
        BucketFields {
            create: said(if self.create { Create::IfMissing } else { Create::Never }),
            expire: self.expire_days.and_then(|days| said(crate::yaml::scalar::Time(days))),
            ..BucketFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.bucket_arn(name)
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn refused(name: &str) -> Result<(), &'static str> {
    const HEADS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const TAILS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    match name {
        n if !(3..=63).contains(&n.len()) => Err("3 to 63 characters"),
        n if !n.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)) => {
            Err("lower-case letters, digits, `.` and `-`")
        }
        n if !edge(n.chars().next()) || !edge(n.chars().last()) => Err("a letter or digit at both ends"),
        n if n.contains("..") => Err("no two dots in a row"),
        n if n.parse::<std::net::Ipv4Addr>().is_ok() => Err("not an IP address"),
        n if HEADS.iter().any(|head| n.starts_with(head)) => Err("this beginning is reserved"),
        n if TAILS.iter().any(|tail| n.ends_with(tail)) => Err("this end is reserved"),
        _ => Ok(()),
    }
}
