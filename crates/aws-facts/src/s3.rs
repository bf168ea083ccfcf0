//! S3's rules for names.

/// Bytes of an object's key. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub const MAX_KEY_BYTES: usize = 1_024;
/// Characters of a bucket's name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub const MAX_BUCKET_NAME: usize = 63;
/// Characters of the id of a lifecycle rule.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>
pub const MAX_RULE_ID: usize = 255;

/// Whether a bucket may be created with a name. The error is the rule that it breaks. Some endings and beginnings are reserved:
/// buckets with such names exist, but others make them (access point aliases, directory buckets).
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub fn check_bucket_name(name: &str) -> Result<(), &'static str> {
    const HEADS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const TAILS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    check_bucket_characters(name)?;
    match name {
        n if HEADS.iter().any(|head| n.starts_with(head)) => Err("this beginning is reserved"),
        n if TAILS.iter().any(|tail| n.ends_with(tail)) => Err("this end is reserved"),
        _ => Ok(()),
    }
}

/// Whether a name can be that of a bucket: its length and its characters. The error is the rule that it breaks.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub fn check_bucket_characters(name: &str) -> Result<(), &'static str> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    match name {
        n if !(3..=MAX_BUCKET_NAME).contains(&n.len()) => Err("3 to 63 characters"),
        n if !n.chars().all(|c| edge(Some(c)) || ".-".contains(c)) => Err("lower-case letters, digits, `.` and `-`"),
        n if !edge(n.chars().next()) || !edge(n.chars().last()) => Err("a letter or digit at both ends"),
        n if n.contains("..") => Err("no two dots in a row"),
        n if n.parse::<std::net::Ipv4Addr>().is_ok() => Err("not an IP address"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_keep_the_rules() {
        for (name, good) in [
            ("eq-sanhe-for-everything", true),
            ("a.b-c", true),
            ("ab", false),
            ("Lake", false),
            ("-lake", false),
            ("lake.", false),
            ("la..ke", false),
            ("192.168.0.1", false),
            ("la_ke", false),
            ("xn--lake", false),
            ("lake--x-s3", false),
        ] {
            assert_eq!(check_bucket_name(name).is_ok(), good, "{name}");
        }
    }
}
