//! The section `buckets`.

use aws_facts::s3::{MAX_BUCKET_NAME, check_bucket_name};

use super::Bucket;
use crate::names::{Names, shorten};
use crate::section::{Lower, Section};
use crate::yaml::scalar::{Days, choices, patterns};
use crate::yaml::shape::{At, record, said};

patterns! {
    BucketName[usize::MAX] = "[a-z0-9.-]+", "a bucket's name: lower-case letters, digits, `.` and `-`";
    BucketId[usize::MAX] = "arn:aws[a-z-]*:s3:::[a-z0-9.-]+|[a-z0-9.-]+", "a bucket's name or ARN";
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
    }
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
        let delete_data = fields.delete_data() == DeleteData::WithStack;
        let expire_days = fields.expire.map(|expire| expire.value.0);
        Some(Bucket { create, expire_days, delete_data, prefixes: Vec::new() })
    }

    fn fields(&self) -> BucketFields {
        BucketFields {
            create: said(if self.create { Create::IfMissing } else { Create::Never }),
            delete_data: said(if self.delete_data { DeleteData::WithStack } else { DeleteData::Never }),
            expire: self.expire_days.and_then(|days| said(crate::yaml::scalar::Time(days))),
            ..BucketFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.bucket_arn(name)
    }
}
