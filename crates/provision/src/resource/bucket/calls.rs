//! A bucket itself on AWS: listed, seen, made, deleted.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag};

use super::{ABSENT, DENIED};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Name, Tags};
use crate::resource::shared::Created;
use crate::send::{self, found};

const NOT_EMPTY: &str = "BucketNotEmpty";

pub async fn create(cx: &Cx, name: &Name, tags: &Tags) -> Result<Created> {
    let call = cx.s3().create_bucket().bucket(&name.physical);
    let with = |tags| call.clone().create_bucket_configuration(configuration(&cx.names.region, tags));
    let mut created = send::create(cx, name, format!("creating {name}"), || with(tags).send()).await;
    if created.as_ref().is_err_and(refuses_tags) {
        let plain = Tags::new();
        created = send::create(cx, name, format!("creating {name}"), || with(&plain).send()).await;
    }
    match created {
        Ok(_) => Ok(Created::Now),
        Err(error) if error.says("BucketAlreadyOwnedByYou", "") => Ok(Created::Already),
        Err(error) if error.says("BucketAlreadyExists", "") => {
            Err(error.hint("bucket names are unique across AWS: choose another"))
        }
        Err(error) => Err(error),
    }
}

/// Does S3 create no bucket with tags here, or not for these credentials? Then the tags are set after it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html>
/// <https://github.com/hashicorp/terraform-provider-aws/issues/45684>
fn refuses_tags(error: &Error) -> bool {
    error.says(DENIED, "s3:TagResource") || error.says("UnsupportedArgument", "") || error.says("NotImplemented", "")
}

/// The names of the region's buckets.
pub async fn all(cx: &Cx) -> Result<Vec<String>> {
    let mut buckets = cx.s3().list_buckets().into_paginator().items().send();
    let mut names = vec![];
    while let Some(bucket) = buckets.next().await {
        let bucket = bucket.map_err(|error| Error::aws("listing the buckets", error))?;
        let elsewhere = bucket.bucket_region.is_some_and(|region| region != cx.names.region);
        names.extend(bucket.name.filter(|_| !elsewhere));
    }
    Ok(names)
}

/// `false` where it is not empty. Absence is success.
pub async fn delete_empty(cx: &Cx, name: &Name) -> Result<bool> {
    let call = cx.s3().delete_bucket().bucket(&name.physical).expected_bucket_owner(&cx.names.account);
    let deleted = send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await;
    found(deleted, NOT_EMPTY).map(|deleted| deleted.is_some())
}

/// In us-east-1 no location may be given, elsewhere it must be.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
fn configuration(region: &str, tags: &Tags) -> CreateBucketConfiguration {
    let location = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    CreateBucketConfiguration::builder().set_location_constraint(location).set_tags(Some(sdk_tags(tags))).build()
}

pub fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are set");
    tags.iter().map(tag).collect()
}

pub async fn head(cx: &Cx, name: &Name) -> Result<bool> {
    match cx.s3().head_bucket().bucket(&name.physical).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(false),
        Err(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let error = Error::aws(format!("reading {name}"), error);
            Err(match status {
                Some(403) => error.hint(format!(
                    "bucket {} belongs to another account, or these credentials cannot access it",
                    name.physical
                )),
                Some(301) => error.hint(format!("bucket {} is in another region", name.physical)),
                _ => error,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_given_everywhere_but_in_us_east_1() {
        assert_eq!(configuration("us-east-1", &Tags::new()).location_constraint(), None);
        let elsewhere = configuration("eu-west-1", &Tags::new());
        assert_eq!(elsewhere.location_constraint().map(|l| l.as_str()), Some("eu-west-1"));
    }
}
