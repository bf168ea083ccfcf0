//! Amazon resource names.

/// `aws`, `aws-cn` or `aws-us-gov`, as the region says.
pub fn partition(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
pub fn regional(service: &str, region: &str, account: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{region}:{account}:{resource}", partition(region))
}

/// The ARN of what has no region: the region only says which partition.
pub fn global(service: &str, region: &str, account: &str, resource: &str) -> String {
    format!("arn:{}:{service}::{account}:{resource}", partition(region))
}
