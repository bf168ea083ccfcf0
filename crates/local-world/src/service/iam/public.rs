//! Is a bucket's policy public? Pure.
//!
//! "The meaning of public" in
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>: what it allows, it must allow
//! to fixed values only, of principals or of some keys. A wildcard and a policy variable are not fixed.

use std::net::IpAddr;

use serde_json::Value;

use super::condition::{self, texts};
use super::policy::Document;

/// The keys of whose values one says who is meant; in lower case.
const IDENTIFYING: [&str; 9] = [
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Operators that hold for nothing but what they name; one with `IfExists` or `ForAllValues` holds for who has no such key too.
const NAMING: [&str; 5] = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];

/// Does any statement allow something to everybody?
pub fn is_public(policy: &Document) -> bool {
    let allowing = policy.statements().iter().filter(|statement| statement["Effect"] == "Allow");
    allowing.into_iter().any(|statement| !names_principals(statement) && !is_limited(&statement["Condition"]))
}

fn names_principals(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    let all_fixed = |kinds: &serde_json::Map<String, Value>| kinds.values().flat_map(texts).all(|name| is_fixed(&name));
    principal.as_object().is_some_and(all_fixed)
}

fn is_limited(conditions: &Value) -> bool {
    condition::each(conditions).any(|(operator, key, expected)| {
        let (operator, key, expected) = (operator.to_ascii_lowercase(), key.to_ascii_lowercase(), texts(expected));
        match (operator.strip_prefix("foranyvalue:").unwrap_or(&operator), key.as_str()) {
            ("ipaddress", "aws:sourceip") => expected.iter().all(|block| is_narrow(block)),
            // The name of an access point may be any, if it is one account's.
            ("arnlike" | "stringlike", "s3:dataaccesspointarn") => expected.iter().all(|arn| is_of_one_account(arn)),
            (operator, key) if NAMING.contains(&operator) && IDENTIFYING.contains(&key) => {
                expected.iter().all(|value| is_fixed(value))
            }
            _ => false,
        }
    })
}

fn is_fixed(value: &str) -> bool {
    !value.contains(['*', '?']) && !value.contains("${")
}

/// `arn:aws:s3:region:account:accesspoint/name`
fn is_of_one_account(arn: &str) -> bool {
    arn.split(':').nth(4).is_some_and(|account| !account.is_empty() && is_fixed(account))
}

/// Addresses that share as many first bits as the guide asks for: 8, of the newer kind 32.
fn is_narrow(block: &str) -> bool {
    let (base, bits) = block.split_once('/').map_or((block, None), |(base, bits)| (base, Some(bits)));
    let least: u32 = match base.parse() {
        Ok(IpAddr::V4(_)) => 8,
        Ok(IpAddr::V6(_)) => 32,
        Err(_) => return false,
    };
    bits.is_none_or(|bits| bits.parse::<u32>().is_ok_and(|bits| bits >= least))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::000000000000:role/r";

    #[test]
    fn a_policy_is_public_unless_it_allows_to_fixed_values_only() {
        for (principal, condition, expected) in [
            (json!("*"), json!({}), true),
            (json!({ "AWS": "*" }), json!({}), true),
            (json!({ "AWS": [ROLE, "*"] }), json!({}), true),
            (json!({ "AWS": ROLE }), json!({}), false),
            (json!({ "AWS": "000000000000", "Service": "logs.amazonaws.com" }), json!({}), false),
            (json!("*"), json!({ "StringEquals": { "aws:SourceAccount": "000000000000" } }), false),
            (json!("*"), json!({ "StringEqualsIfExists": { "aws:SourceAccount": "000000000000" } }), true),
            (json!("*"), json!({ "ForAllValues:StringEquals": { "aws:SourceAccount": "000000000000" } }), true),
            (json!("*"), json!({ "StringNotEquals": { "aws:SourceVpc": "vpc-1" } }), true),
            (json!("*"), json!({ "StringLike": { "aws:SourceVpc": "vpc-*" } }), true),
            (json!("*"), json!({ "StringEquals": { "aws:SourceVpc": "vpc-91237329" } }), false),
            (json!("*"), json!({ "StringEquals": { "aws:userid": "${aws:userid}" } }), true),
            (json!("*"), json!({ "StringEquals": { "s3:prefix": "a" } }), true),
            (json!("*"), json!({ "ArnLike": { "s3:DataAccessPointArn": "arn:aws:s3:*:0:accesspoint/*" } }), false),
            (json!("*"), json!({ "ArnLike": { "s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/a" } }), true),
            (json!("*"), json!({ "IpAddress": { "aws:SourceIp": ["203.0.113.7", "10.0.0.0/8"] } }), false),
            (json!("*"), json!({ "IpAddress": { "aws:SourceIp": "0.0.0.0/1" } }), true),
            (json!("*"), json!({ "IpAddress": { "aws:SourceIp": "2001:db8::/31" } }), true),
            (json!("*"), json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }), true),
        ] {
            let allow = json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*",
                "Condition": condition });
            let mut deny = allow.clone();
            deny["Effect"] = json!("Deny");
            assert_eq!(
                is_public(&Document::of([deny.clone(), allow].into_iter())),
                expected,
                "{principal} {condition}"
            );
            assert!(!is_public(&Document::of([deny].into_iter())), "{principal} {condition}");
        }
        let others = json!({ "Effect": "Allow", "NotPrincipal": { "AWS": ROLE }, "Action": "*", "Resource": "*" });
        assert!(is_public(&Document::of([others].into_iter())));
    }
}
