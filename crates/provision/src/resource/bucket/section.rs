//! The section `buckets`.

use aws_facts::s3::{MAX_BUCKET_NAME, check_bucket_name};

use std::collections::BTreeMap;

use super::Bucket;
use crate::names::{Names, shorten};
use crate::section::words::Key;
use crate::section::{Lower, Ref, Section};
use crate::yaml::diagnostic::Span;
use crate::yaml::scalar::{Days, Text, choices, patterns};
use crate::yaml::shape::{At, record, said};

patterns! {
    BucketName[usize::MAX] = "[a-z0-9.-]+", "a bucket's name: lower-case letters, digits, `.` and `-`";
    BucketId[usize::MAX] = "arn:aws[a-z-]*:s3:::[a-z0-9.-]+|[a-z0-9.-]+", "a bucket's name or ARN";
    BucketKey[512] = r"sse-s3|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[a-zA-Z0-9/_-]+",
        "`sse-s3`, or the ARN of a KMS key";
}

/// Whether a missing bucket is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Create {
    IfMissing,
    Never,
}

choices!(Create {
    "if-missing" => Create::IfMissing,
    "never" => Create::Never,
});

/// Becomes of the data that this stack's deliveries wrote, when the environment is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeleteData {
    Never,
    WithStack,
}

choices!(DeleteData {
    "never" => DeleteData::Never,
    "with-stack" => DeleteData::WithStack,
});

record! {
    /// An S3 bucket.
    BucketFields {
        /// Whether it is created when it is missing.
        create: Create = "if-missing";
        /// Objects under this stack's prefixes expire after this time. Only in a bucket that this stack made. Default: never.
        expire: Days<1, 36500>;
        /// Delete the data with the environment, without `down --purge-data`: exactly what its deliveries wrote. The consent is given
        /// by the next `up`, and taken back by the `up` after the line is removed.
        delete_data: DeleteData = "never";
        /// S3's own keys, or the ARN of a KMS key: for objects that do not say otherwise, with bucket keys.
        encryption: BucketKey = "sse-s3";
        /// Keep older versions of objects.
        versioning: bool = "false";
        /// Refuse every request without TLS, by a statement in the bucket's policy.
        tls_only: bool = "false";
        /// Where S3 writes who accessed the bucket.
        access_logs: AccessLogFields;
    }
}

record! {
    /// Where S3 writes who accessed the bucket.
    AccessLogFields {
        /// Key of the bucket that takes the logs. It lets S3 write if this stack made it; otherwise its owner has to.
        bucket: Key;
        /// Prefix of the logs' keys.
        prefix: Text<0, 512> = "";
    }
}

/// Where S3 writes who accessed a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogs {
    pub bucket: Ref<Bucket>,
    pub prefix: String,
}

impl Section for Bucket {
    type Fields = BucketFields;
    type Name = BucketName;
    type Id = BucketId;
    const NOUN: &'static str = "a bucket";
    const NAME_MAX: usize = MAX_BUCKET_NAME;
    const NAMED_BY_ENVIRONMENT: bool = false;

    /// Bucket names are unique across AWS.
    fn generated_name(lower: &mut Lower, key: &str) -> String {
        lower.names_by_place = true;
        let (account, region) = &lower.place;
        let name = format!("{}-{key}-{account}-{region}", lower.stack).to_lowercase().replace('_', "-");
        shorten(&name, MAX_BUCKET_NAME)
    }

    fn check_name(name: &str) -> Result<(), &'static str> {
        check_bucket_name(name)
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
        if !create {
            for (option, at) in set(&fields) {
                let what = format!("`{option}` can be set only on a bucket that this stack made");
                lower.error(at, what, "not with `create: never`");
            }
        }
        let encryption = Some(fields.encryption().0).filter(|key| key != SSE_S3);
        let access_logs = fields.access_logs.as_ref().and_then(|logs| read_logs(lower, logs));
        let delete_data = fields.delete_data() == DeleteData::WithStack;
        let expire_days = fields.expire.as_ref().map(|expire| expire.value.0);
        Some(Bucket {
            create,
            expire_days,
            delete_data,
            encryption,
            versioning: fields.versioning(),
            tls_only: fields.tls_only(),
            access_logs,
            logs_of: BTreeMap::new(),
            prefixes: Vec::new(),
        })
    }

    fn fields(&self) -> BucketFields {
        BucketFields {
            create: said(if self.create { Create::IfMissing } else { Create::Never }),
            delete_data: said(if self.delete_data { DeleteData::WithStack } else { DeleteData::Never }),
            expire: self.expire_days.and_then(|days| said(crate::yaml::scalar::Time(days))),
            encryption: said(BucketKey(self.encryption.clone().unwrap_or_else(|| SSE_S3.into()))),
            versioning: said(self.versioning),
            tls_only: said(self.tls_only),
            access_logs: self.access_logs.as_ref().and_then(|logs| {
                let (bucket, prefix) = (logs.bucket.key(), said(Text(logs.prefix.clone())));
                said(AccessLogFields { bucket, prefix, ..AccessLogFields::default() })
            }),
            ..BucketFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.bucket_arn(name)
    }
}

impl BucketKey {
    pub(crate) fn is_kms(&self) -> bool {
        self.0 != SSE_S3
    }
}

/// S3's own keys.
const SSE_S3: &str = "sse-s3";

/// The options that are set to something that not every bucket has, and where.
fn set(fields: &BucketFields) -> Vec<(&'static str, Span)> {
    let key = fields.encryption.as_ref().filter(|key| key.value.is_kms()).map(|key| ("encryption", key.at));
    let versioning = fields.versioning.as_ref().filter(|on| on.value).map(|on| ("versioning", on.at));
    let tls_only = fields.tls_only.as_ref().filter(|on| on.value).map(|on| ("tls_only", on.at));
    let logs = fields.access_logs.as_ref().map(|logs| ("access_logs", logs.at));
    [key, versioning, tls_only, logs].into_iter().flatten().collect()
}

/// The bucket is known by its key only: its entry may not have been read yet.
fn read_logs(lower: &mut Lower, logs: &At<AccessLogFields>) -> Option<AccessLogs> {
    lower.need(&logs.value, "bucket", logs.value.bucket.is_some(), logs.at, "the key of a bucket");
    let key = logs.value.bucket.as_ref()?;
    let id = lower.reference::<Bucket>(key).map(|bucket| bucket.id).unwrap_or_default();
    let bucket = Ref::new(&key.value.0, id, false);
    Some(AccessLogs { bucket, prefix: logs.value.prefix().0 })
}
