//! Rules for the tags of resources.
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>

/// Tags of one resource: stream, delivery stream, function, role, policy, log group or bucket.
pub const MAX_TAGS: usize = 50;
/// Tags of one object in S3. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
pub const MAX_OBJECT_TAGS: usize = 10;
/// Characters of a tag's key. It has one at least.
pub const MAX_KEY_CHARS: usize = 128;
/// Characters of a tag's value. It may be empty.
pub const MAX_VALUE_CHARS: usize = 256;
/// Begins the keys of tags that only AWS sets.
pub const RESERVED_PREFIX: &str = "aws:";
