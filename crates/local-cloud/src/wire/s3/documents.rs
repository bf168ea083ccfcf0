//! Documents that a bucket carries and that say how it is to be used: kept and shown, and where none was put, what AWS gives
//! every new bucket. Encryption decides what objects say of themselves, the policy who may do what, the public access block
//! which policy may be put, ownership which ACLs; the others are not acted on.

use s3s::dto::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::request::AwsError;
use crate::service::iam;
use crate::service::s3::{Encryption, State, refusal};

pub use crate::service::s3::POLICY;
pub use crate::service::s3::bucket::ENCRYPTION;

pub const ACL: &str = "acl";
pub const PUBLIC_ACCESS: &str = "publicAccessBlock";
pub const LOGGING: &str = "logging";
pub const OWNERSHIP: &str = "ownershipControls";
pub const LEAST_TRANSITION: &str = "leastTransition";
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html>
const MOST_POLICY_BYTES: usize = 20 << 10;
const OWNERSHIPS: [&str; 3] =
    [ObjectOwnership::BUCKET_OWNER_ENFORCED, ObjectOwnership::BUCKET_OWNER_PREFERRED, ObjectOwnership::OBJECT_WRITER];

/// Keeps a document; that there is none (`None`) is kept too.
pub fn keep(state: &mut State, bucket: &str, name: &str, document: &impl Serialize) -> Result<(), AwsError> {
    let document = serde_json::to_value(document).expect("documents of strings and numbers serialise");
    state.bucket_mut(bucket)?.documents.insert(name.to_owned(), document);
    Ok(())
}

/// Back to what a new bucket has.
pub fn forget(state: &mut State, bucket: &str, name: &str) -> Result<(), AwsError> {
    state.bucket_mut(bucket)?.documents.remove(name);
    Ok(())
}

/// Reads a document that was kept. The inner value says if it was kept that there is none.
pub fn kept<T: DeserializeOwned>(state: &State, bucket: &str, name: &str) -> Result<Option<T>, AwsError> {
    let document = state.bucket(bucket)?.documents.get(name).cloned();
    document.map(serde_json::from_value).transpose().map_err(|error| {
        AwsError::new("InternalError", format!("reading {name} of {bucket}: {error}")).with_status(500)
    })
}

/// Every bucket has this encryption since January 2023: keys managed by S3.
pub fn encryption(state: &State, bucket: &str) -> Result<GetBucketEncryptionOutput, AwsError> {
    let own = || {
        let algorithm = ServerSideEncryption::from_static(ServerSideEncryption::AES256);
        let by_default = ServerSideEncryptionByDefault { kms_master_key_id: None, sse_algorithm: algorithm };
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(by_default),
            bucket_key_enabled: Some(false),
        };
        ServerSideEncryptionConfiguration { rules: vec![rule] }
    };
    let configuration = kept(state, bucket, ENCRYPTION)?.unwrap_or_else(own);
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

/// Every new bucket blocks all four since April 2023.
pub fn public_access_block(state: &State, bucket: &str) -> Result<GetPublicAccessBlockOutput, AwsError> {
    let all = PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    };
    let configuration: Option<PublicAccessBlockConfiguration> =
        kept(state, bucket, PUBLIC_ACCESS)?.unwrap_or(Some(all));
    if configuration.is_none() {
        let message = "The public access block configuration was not found";
        return Err(refusal::unset("NoSuchPublicAccessBlockConfiguration", message, bucket));
    }
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: configuration })
}

/// The size from which objects move to other storage classes, as it was given with the rules.
pub fn least_transition(state: &State, bucket: &str) -> Result<Option<TransitionDefaultMinimumObjectSize>, AwsError> {
    let word: Option<Option<String>> = kept(state, bucket, LEAST_TRANSITION)?;
    let word = word.flatten().unwrap_or_else(|| TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K.into());
    Ok(Some(TransitionDefaultMinimumObjectSize::from(word)))
}

/// Every new bucket has this ownership: no ACLs. The document is one rule, which is one word.
pub fn ownership(state: &State, bucket: &str) -> Result<GetBucketOwnershipControlsOutput, AwsError> {
    let word: Option<Option<String>> = kept(state, bucket, OWNERSHIP)?;
    let word = word.unwrap_or_else(|| Some(ObjectOwnership::BUCKET_OWNER_ENFORCED.into()));
    let word = word.ok_or_else(|| {
        refusal::unset("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", bucket)
    })?;
    let rule = OwnershipControlsRule { object_ownership: word.into() };
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

pub fn set_ownership(state: &mut State, bucket: &str, controls: &OwnershipControls) -> Result<(), AwsError> {
    let [rule] = controls.rules.as_slice() else {
        return Err(refusal::malformed_xml());
    };
    let word = rule.object_ownership.as_str();
    if !OWNERSHIPS.contains(&word) {
        return Err(refusal::malformed_xml());
    }
    keep(state, bucket, OWNERSHIP, &word)
}

/// Do objects belong to the bucket's owner, without ACLs?
pub fn is_owner_enforced(state: &State, bucket: &str) -> Result<bool, AwsError> {
    let word: Option<Option<String>> = kept(state, bucket, OWNERSHIP)?;
    Ok(word.is_none_or(|word| word.as_deref() == Some(ObjectOwnership::BUCKET_OWNER_ENFORCED)))
}

/// The canned list that was put, if any.
pub fn acl(state: &State, bucket: &str) -> Result<Option<String>, AwsError> {
    kept(state, bucket, ACL)
}

pub fn blocks_public_acls(state: &State, bucket: &str) -> Result<bool, AwsError> {
    blocks(state, bucket, |block| block.block_public_acls)
}

/// Is one of the four set, as all are of a new bucket?
fn blocks(
    state: &State,
    bucket: &str,
    which: fn(PublicAccessBlockConfiguration) -> Option<bool>,
) -> Result<bool, AwsError> {
    let block: Option<Option<PublicAccessBlockConfiguration>> = kept(state, bucket, PUBLIC_ACCESS)?;
    Ok(block.is_none_or(|block| block.and_then(which) == Some(true)))
}

/// The object ownership that a new bucket is created with.
pub fn ownership_header(asked: Option<&ObjectOwnership>) -> Result<Option<&str>, AwsError> {
    match asked.map(ObjectOwnership::as_str) {
        Some(word) if !OWNERSHIPS.contains(&word) => {
            let refused = AwsError::new("InvalidArgument", format!("Invalid x-amz-object-ownership header: {word}"));
            Err(refused.with_detail("ArgumentName", "x-amz-object-ownership"))
        }
        word => Ok(word),
    }
}

pub fn policy(state: &State, bucket: &str) -> Result<String, AwsError> {
    let missing = || refusal::unset("NoSuchBucketPolicy", "The bucket policy does not exist", bucket);
    kept(state, bucket, POLICY)?.ok_or_else(missing)
}

pub fn policy_status(state: &State, bucket: &str) -> Result<GetBucketPolicyStatusOutput, AwsError> {
    let is_public = Some(iam::is_public(&policy(state, bucket)?));
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public }) })
}

pub fn set_policy(state: &mut State, bucket: &str, text: &str) -> Result<(), AwsError> {
    state.bucket(bucket)?;
    // The documentation names the limit and no error; white space does not count, as was seen.
    if text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum::<usize>() > MOST_POLICY_BYTES {
        return Err(AwsError::new("PolicyTooLarge", "Policy exceeds the maximum allowed document size."));
    }
    if let Some(message) = malformed(text) {
        return Err(AwsError::new("MalformedPolicy", message));
    }
    if iam::is_public(text) && blocks(state, bucket, |block| block.block_public_policy)? {
        return Err(refusal::access_denied());
    }
    keep(state, bucket, POLICY, &text)
}

/// Why a policy is malformed, in S3's words.
fn malformed(text: &str) -> Option<&'static str> {
    let no_object = "Policies must be valid JSON and the first byte must be '{'";
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else { return Some(no_object) };
    if !policy.contains_key("Statement") {
        return Some("Missing required field Statement");
    }
    (!iam::is_policy(text)).then_some(no_object)
}

/// How an object is to be encrypted: as the members of its writer's input say, or else as its bucket does.
///
/// # Errors
/// `InvalidArgument` for a key without an algorithm that takes one, `InvalidEncryptionAlgorithmError` for an unknown algorithm.
pub fn encryption_of(
    state: &State,
    bucket: &str,
    algorithm: Option<&ServerSideEncryption>,
    key: Option<String>,
    bucket_key: Option<bool>,
) -> Result<Encryption, AwsError> {
    let bucket = state.bucket(bucket)?;
    let by_default = bucket.default_encryption();
    let algorithm = algorithm.map(ServerSideEncryption::as_str);
    let takes_key = matches!(algorithm, Some(ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE));
    if let (Some(key), false) = (&key, takes_key) {
        let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
                       aws:kms";
        return Err(refusal::invalid_argument(message, "x-amz-server-side-encryption-aws-kms-key-id", key));
    }
    match algorithm {
        Some(ServerSideEncryption::AES256) => Ok(Encryption::default()),
        Some(algorithm) if takes_key => {
            Ok(Encryption::of(algorithm, key, bucket_key.unwrap_or(bucket.has_bucket_keys())))
        }
        // <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
        Some(_) => {
            let message = "The encryption request that you specified is not valid.";
            Err(AwsError::new("InvalidEncryptionAlgorithmError", message))
        }
        None => {
            let bucket_key = bucket_key.unwrap_or(by_default.bucket_key);
            Ok(by_default.with_bucket_key(bucket_key))
        }
    }
}

/// The members in which answers say how an object is encrypted.
macro_rules! with_encryption {
    ($output:expr, $encryption:expr) => {{
        let encryption: &$crate::service::s3::Encryption = $encryption;
        let mut output = $output;
        output.server_side_encryption = Some(ServerSideEncryption::from_static(encryption.algorithm()));
        output.ssekms_key_id = encryption.kms_key.clone();
        output.bucket_key_enabled = encryption.bucket_key.then_some(true);
        output
    }};
}
pub(super) use with_encryption;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_an_object_with_statements() {
        let no_object = Some("Policies must be valid JSON and the first byte must be '{'");
        let good = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}"#;
        for (text, expected) in [
            ("", no_object),
            ("invalid json", no_object),
            ("[]", no_object),
            ("{}", Some("Missing required field Statement")),
            (good, None),
        ] {
            assert_eq!(malformed(text), expected, "{text}");
        }
    }
}
