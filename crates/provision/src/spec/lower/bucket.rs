//! Buckets.

use std::collections::{BTreeMap, BTreeSet};

use super::super::grammar::Bucket;

use super::super::shape::At;
use super::super::stack::{Entry, Stack};
use super::super::words::Create;
use super::Lower;
use crate::prefix::literal;
use crate::resource::bucket;

impl Lower<'_> {
    pub(super) fn bucket(&mut self, _: &At<String>, written: Bucket) -> Option<bucket::Bucket> {
        let create = written.create() == Create::IfMissing;
        if let (false, Some(expire)) = (create, &written.expire) {
            self.error(
                expire.at,
                "only in a bucket that this stack made can objects expire",
                "not with `create: never`",
            );
        }
        let expire_days = written.expire.map(|expire| expire.value.0);
        Some(bucket::Bucket { create, expire_days, prefixes: Vec::new() })
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

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
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
