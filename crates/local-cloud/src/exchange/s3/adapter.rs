//! `s3s`'s trait over the store: read the body, one turn of the world, answer. Operations that are not here are
//! `NotImplemented`.

use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use crate::arn;
use crate::drive::Engine;
use crate::request::{AwsError, Request};
use crate::service::s3::bucket::Tags;
use crate::service::s3::{Checksum, State, Sums, refusal};
use crate::wire::s3::context::Context;
use crate::wire::s3::convert::{self, Tagged};
use crate::wire::s3::read::WithHeaders;
use crate::wire::s3::{acls, buckets, documents, lists, logging, objects, read, uploads, versions};

/// The context of an operation, beside its input.
pub struct Adapter {
    pub engine: Engine,
    /// The request without its body, with its signature.
    pub caller: Request,
    /// By its name the turn is counted.
    pub operation: String,
    pub region: String,
    pub id: String,
    /// Tags in the body of a request that creates a bucket.
    pub bucket_tags: Vec<Tag>,
    /// The body's checksum, as the client sent it. It has been verified.
    pub checksum: Option<Checksum>,
    /// The header `Expires`. S3 takes any text, and the library only a date.
    pub expires: Option<String>,
    /// Why the operation failed. The library's own error has no room for the details.
    pub refused: Arc<OnceLock<AwsError>>,
}

impl Adapter {
    /// Acts on the store in one turn of the world. What was due before happens before.
    fn act<T>(&self, act: impl FnOnce(&mut State, &Context) -> Result<T, AwsError>) -> S3Result<S3Response<T>> {
        self.act_with(&Sums::default(), act)
    }

    /// The same, with the sums of a body that were made before.
    fn act_with<T>(
        &self,
        sums: &Sums,
        act: impl FnOnce(&mut State, &Context) -> Result<T, AwsError>,
    ) -> S3Result<S3Response<T>> {
        let acted = self.engine.turn(&self.operation, |world, turn| {
            world.tick(turn);
            let account = world.settings.account.clone();
            let (region, id, checksum) = (self.region.as_str(), self.id.as_str(), self.checksum.as_ref());
            let expires = self.expires.as_deref();
            let context = Context { now: turn.now, account: &account, region, id, checksum, expires, sums };
            act(&mut world.s3, &context)
        });
        acted.and_then(|result| result).map(S3Response::new).map_err(|error| self.refuse(error))
    }

    /// For each key that is to be deleted, why the caller may not delete it.
    fn refusals(&self, input: &DeleteObjectsInput) -> Vec<Option<AwsError>> {
        let partition = arn::partition(&self.region);
        self.engine.look(&self.operation, |world| {
            let ask = |object: &ObjectIdentifier| {
                let versioned = object.version_id.is_some();
                let action = if versioned { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
                let object = format!("arn:{partition}:s3:::{}/{}", input.bucket, object.key);
                world.access(self.engine.now()).refusal(&self.caller, action, &object)
            };
            input.delete.objects.iter().map(ask).collect()
        })
    }

    /// The error is told by who called the library.
    fn refuse(&self, error: AwsError) -> S3Error {
        // One operation fails once.
        let _ = self.refused.set(error);
        S3Error::new(S3ErrorCode::InternalError)
    }

    /// The error of a setting that no bucket here has.
    fn unset<T>(&self, bucket: &str, code: &'static str, message: &str) -> S3Result<S3Response<T>> {
        self.act(|state, _| {
            state.bucket(bucket)?;
            Err(refusal::unset(code, message, bucket))
        })
    }
}

/// The answer with a header for which the library has no member.
fn with_header<T>(mut answer: S3Response<T>, name: &'static str, value: &str) -> S3Response<T> {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers.insert(name, value);
    }
    answer
}

fn with_headers<T>(answer: S3Response<WithHeaders<T>>) -> S3Response<T> {
    let S3Response { output: (output, headers), .. } = answer;
    headers.into_iter().fold(S3Response::new(output), |answer, (name, value)| with_header(answer, name, &value))
}

type Answer<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl S3 for Adapter {
    async fn create_bucket(&self, r: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let arn = format!("arn:aws:s3:::{}", r.input.bucket);
        let done = self.act(|state, cx| buckets::create(state, cx, r.input, self.bucket_tags.clone()))?;
        Ok(with_header(done, "x-amz-bucket-arn", &arn))
    }

    async fn head_bucket(&self, r: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        let done = self.act(|state, _| buckets::head(state, &r.input.bucket))?;
        Ok(with_header(done, "x-amz-bucket-arn", &format!("arn:aws:s3:::{}", r.input.bucket)))
    }

    async fn delete_bucket(&self, r: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        let done = self.act(|state, _| state.delete_bucket(&r.input.bucket))?;
        Ok(done.map_output(|()| DeleteBucketOutput {}))
    }

    async fn list_buckets(&self, r: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        self.act(|state, cx| buckets::list(state, cx, r.input))
    }

    async fn get_bucket_location(&self, r: S3Request<GetBucketLocationInput>) -> Answer<GetBucketLocationOutput> {
        self.act(|state, _| buckets::location(state, &r.input.bucket))
    }

    async fn get_bucket_tagging(&self, r: S3Request<GetBucketTaggingInput>) -> Answer<GetBucketTaggingOutput> {
        self.act(|state, _| buckets::tagging(state, &r.input.bucket))
    }

    async fn put_bucket_tagging(&self, r: S3Request<PutBucketTaggingInput>) -> Answer<PutBucketTaggingOutput> {
        let done = self.act(|state, _| {
            let tags = convert::tags(r.input.tagging.tag_set, Tagged::Bucket)?;
            buckets::set_tags(state, &r.input.bucket, tags)
        })?;
        Ok(done.map_output(|()| PutBucketTaggingOutput {}))
    }

    async fn delete_bucket_tagging(&self, r: S3Request<DeleteBucketTaggingInput>) -> Answer<DeleteBucketTaggingOutput> {
        let done = self.act(|state, _| buckets::set_tags(state, &r.input.bucket, Tags::new()))?;
        Ok(done.map_output(|()| DeleteBucketTaggingOutput {}))
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        r: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> Answer<GetBucketLifecycleConfigurationOutput> {
        let found = self.act(|state, _| buckets::lifecycle(state, &r.input.bucket))?;
        let (rules, least) = found.output;
        let rules = buckets::shown_lifecycle(&r.input.bucket, rules, least);
        rules.map(S3Response::new).map_err(|error| self.refuse(error))
    }

    async fn put_bucket_lifecycle_configuration(
        &self,
        mut r: S3Request<PutBucketLifecycleConfigurationInput>,
    ) -> Answer<PutBucketLifecycleConfigurationOutput> {
        let rules = buckets::new_lifecycle(&self.id, &mut r.input).map_err(|error| self.refuse(error))?;
        self.act(|state, _| buckets::set_lifecycle(state, r.input, rules))
    }

    async fn delete_bucket_lifecycle(
        &self,
        r: S3Request<DeleteBucketLifecycleInput>,
    ) -> Answer<DeleteBucketLifecycleOutput> {
        self.act(|state, _| {
            state.bucket_mut(&r.input.bucket)?.set_lifecycle(None);
            Ok(DeleteBucketLifecycleOutput {})
        })
    }

    async fn get_bucket_acl(&self, r: S3Request<GetBucketAclInput>) -> Answer<GetBucketAclOutput> {
        self.act(|state, cx| acls::of_bucket(state, cx, &r.input.bucket))
    }

    async fn put_bucket_acl(&self, r: S3Request<PutBucketAclInput>) -> Answer<PutBucketAclOutput> {
        self.act(|state, _| acls::set_of_bucket(state, &r.input))
    }

    async fn get_object_acl(&self, r: S3Request<GetObjectAclInput>) -> Answer<GetObjectAclOutput> {
        self.act(|state, cx| acls::of_object(state, cx, &r.input))
    }

    async fn put_object_acl(&self, r: S3Request<PutObjectAclInput>) -> Answer<PutObjectAclOutput> {
        self.act(|state, _| acls::set_of_object(state, &r.input))
    }

    async fn get_bucket_versioning(&self, r: S3Request<GetBucketVersioningInput>) -> Answer<GetBucketVersioningOutput> {
        self.act(|state, _| versions::status(state, &r.input.bucket))
    }

    async fn put_bucket_versioning(&self, r: S3Request<PutBucketVersioningInput>) -> Answer<PutBucketVersioningOutput> {
        self.act(|state, _| versions::set(state, r.input))
    }

    async fn get_bucket_encryption(&self, r: S3Request<GetBucketEncryptionInput>) -> Answer<GetBucketEncryptionOutput> {
        self.act(|state, _| documents::encryption(state, &r.input.bucket))
    }

    async fn put_bucket_encryption(&self, r: S3Request<PutBucketEncryptionInput>) -> Answer<PutBucketEncryptionOutput> {
        self.act(|state, _| {
            documents::keep(
                state,
                &r.input.bucket,
                documents::ENCRYPTION,
                &r.input.server_side_encryption_configuration,
            )?;
            Ok(PutBucketEncryptionOutput {})
        })
    }

    async fn delete_bucket_encryption(
        &self,
        r: S3Request<DeleteBucketEncryptionInput>,
    ) -> Answer<DeleteBucketEncryptionOutput> {
        let done = self.act(|state, _| documents::forget(state, &r.input.bucket, documents::ENCRYPTION))?;
        Ok(done.map_output(|()| DeleteBucketEncryptionOutput {}))
    }

    async fn get_public_access_block(
        &self,
        r: S3Request<GetPublicAccessBlockInput>,
    ) -> Answer<GetPublicAccessBlockOutput> {
        self.act(|state, _| documents::public_access_block(state, &r.input.bucket))
    }

    async fn put_public_access_block(
        &self,
        r: S3Request<PutPublicAccessBlockInput>,
    ) -> Answer<PutPublicAccessBlockOutput> {
        self.act(|state, _| {
            let block = Some(&r.input.public_access_block_configuration);
            documents::keep(state, &r.input.bucket, documents::PUBLIC_ACCESS, &block)?;
            Ok(PutPublicAccessBlockOutput {})
        })
    }

    async fn delete_public_access_block(
        &self,
        r: S3Request<DeletePublicAccessBlockInput>,
    ) -> Answer<DeletePublicAccessBlockOutput> {
        let none = None::<&PublicAccessBlockConfiguration>;
        let done = self.act(|state, _| documents::keep(state, &r.input.bucket, documents::PUBLIC_ACCESS, &none))?;
        Ok(done.map_output(|()| DeletePublicAccessBlockOutput {}))
    }

    async fn get_bucket_ownership_controls(
        &self,
        r: S3Request<GetBucketOwnershipControlsInput>,
    ) -> Answer<GetBucketOwnershipControlsOutput> {
        self.act(|state, _| documents::ownership(state, &r.input.bucket))
    }

    async fn put_bucket_ownership_controls(
        &self,
        r: S3Request<PutBucketOwnershipControlsInput>,
    ) -> Answer<PutBucketOwnershipControlsOutput> {
        self.act(|state, _| {
            documents::set_ownership(state, &r.input.bucket, &r.input.ownership_controls)?;
            Ok(PutBucketOwnershipControlsOutput {})
        })
    }

    async fn delete_bucket_ownership_controls(
        &self,
        r: S3Request<DeleteBucketOwnershipControlsInput>,
    ) -> Answer<DeleteBucketOwnershipControlsOutput> {
        let none = None::<&str>;
        let done = self.act(|state, _| documents::keep(state, &r.input.bucket, documents::OWNERSHIP, &none))?;
        Ok(done.map_output(|()| DeleteBucketOwnershipControlsOutput {}))
    }

    async fn get_bucket_policy(&self, r: S3Request<GetBucketPolicyInput>) -> Answer<GetBucketPolicyOutput> {
        self.act(|state, _| {
            let policy = Some(documents::policy(state, &r.input.bucket)?);
            Ok(GetBucketPolicyOutput { policy })
        })
    }

    async fn get_bucket_policy_status(
        &self,
        r: S3Request<GetBucketPolicyStatusInput>,
    ) -> Answer<GetBucketPolicyStatusOutput> {
        self.act(|state, _| documents::policy_status(state, &r.input.bucket))
    }

    async fn put_bucket_policy(&self, r: S3Request<PutBucketPolicyInput>) -> Answer<PutBucketPolicyOutput> {
        let done = self.act(|state, _| documents::set_policy(state, &r.input.bucket, &r.input.policy))?;
        Ok(done.map_output(|()| PutBucketPolicyOutput {}))
    }

    async fn delete_bucket_policy(&self, r: S3Request<DeleteBucketPolicyInput>) -> Answer<DeleteBucketPolicyOutput> {
        let done = self.act(|state, _| documents::forget(state, &r.input.bucket, documents::POLICY))?;
        Ok(done.map_output(|()| DeleteBucketPolicyOutput {}))
    }

    async fn get_bucket_cors(&self, r: S3Request<GetBucketCorsInput>) -> Answer<GetBucketCorsOutput> {
        self.unset(&r.input.bucket, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
    }

    async fn get_bucket_notification_configuration(
        &self,
        r: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> Answer<GetBucketNotificationConfigurationOutput> {
        self.act(|state, _| state.bucket(&r.input.bucket).map(|_| GetBucketNotificationConfigurationOutput::default()))
    }

    async fn get_bucket_logging(&self, r: S3Request<GetBucketLoggingInput>) -> Answer<GetBucketLoggingOutput> {
        self.act(|state, _| logging::status(state, &r.input.bucket))
    }

    async fn put_bucket_logging(&self, r: S3Request<PutBucketLoggingInput>) -> Answer<PutBucketLoggingOutput> {
        self.act(|state, _| logging::set(state, r.input))
    }

    async fn get_bucket_request_payment(
        &self,
        r: S3Request<GetBucketRequestPaymentInput>,
    ) -> Answer<GetBucketRequestPaymentOutput> {
        self.act(|state, _| {
            state.bucket(&r.input.bucket)?;
            Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) })
        })
    }

    async fn get_bucket_accelerate_configuration(
        &self,
        r: S3Request<GetBucketAccelerateConfigurationInput>,
    ) -> Answer<GetBucketAccelerateConfigurationOutput> {
        self.act(|state, _| state.bucket(&r.input.bucket).map(|_| GetBucketAccelerateConfigurationOutput::default()))
    }

    async fn get_bucket_website(&self, r: S3Request<GetBucketWebsiteInput>) -> Answer<GetBucketWebsiteOutput> {
        let message = "The specified bucket does not have a website configuration";
        self.unset(&r.input.bucket, "NoSuchWebsiteConfiguration", message)
    }

    async fn get_bucket_replication(
        &self,
        r: S3Request<GetBucketReplicationInput>,
    ) -> Answer<GetBucketReplicationOutput> {
        let message = "The replication configuration was not found";
        self.unset(&r.input.bucket, "ReplicationConfigurationNotFoundError", message)
    }

    async fn get_object_lock_configuration(
        &self,
        r: S3Request<GetObjectLockConfigurationInput>,
    ) -> Answer<GetObjectLockConfigurationOutput> {
        let message = "Object Lock configuration does not exist for this bucket";
        self.unset(&r.input.bucket, "ObjectLockConfigurationNotFoundError", message)
    }

    async fn put_object(&self, mut r: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let body = convert::collect(r.input.body.take()).await?;
        let (sums, _kept) = self.before_put(&body);
        self.act_with(&sums, |state, cx| objects::put(state, cx, r.input, body))
    }

    async fn get_object(&self, r: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let input = &r.input;
        let sums = match input.checksum_mode {
            Some(_) => self.before_read(&input.bucket, &input.key, input.version_id.as_deref()),
            None => Sums::default(),
        };
        Ok(with_headers(self.act_with(&sums, |state, cx| read::get(state, cx, input))?))
    }

    async fn head_object(&self, r: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let input = &r.input;
        let sums = match input.checksum_mode {
            Some(_) => self.before_read(&input.bucket, &input.key, input.version_id.as_deref()),
            None => Sums::default(),
        };
        Ok(with_headers(self.act_with(&sums, |state, cx| read::head(state, cx, input))?))
    }

    async fn delete_object(&self, r: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.act(|state, cx| versions::delete(state, cx, &r.input))
    }

    async fn delete_objects(&self, r: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        let refused = self.refusals(&r.input);
        self.act(|state, cx| versions::delete_many(state, cx, r.input, refused))
    }

    async fn copy_object(&self, r: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let (sums, _kept) = self.before_copy(&r.input);
        self.act_with(&sums, |state, cx| objects::copy(state, cx, r.input, convert::precondition_headers(&r.headers)?))
    }

    async fn list_objects_v2(&self, r: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        self.act(|state, cx| lists::list_v2(state, cx, r.input))
    }

    async fn list_objects(&self, r: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        self.act(|state, cx| lists::list_v1(state, cx, r.input))
    }

    async fn list_object_versions(&self, r: S3Request<ListObjectVersionsInput>) -> Answer<ListObjectVersionsOutput> {
        self.act(|state, cx| versions::list(state, cx, r.input))
    }

    async fn get_object_attributes(&self, r: S3Request<GetObjectAttributesInput>) -> Answer<GetObjectAttributesOutput> {
        let sums = self.before_read(&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        self.act_with(&sums, |state, cx| read::attributes(state, cx, &r.input))
    }

    async fn get_object_tagging(&self, r: S3Request<GetObjectTaggingInput>) -> Answer<GetObjectTaggingOutput> {
        self.act(|state, _| objects::tagging(state, &r.input))
    }

    async fn put_object_tagging(&self, r: S3Request<PutObjectTaggingInput>) -> Answer<PutObjectTaggingOutput> {
        let (bucket, key, version) = (&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        let set = self.act(|state, _| {
            let tags = convert::tags(r.input.tagging.tag_set, Tagged::Object)?;
            objects::set_tags(state, bucket, key, version, tags)
        })?;
        Ok(set.map_output(|version_id| PutObjectTaggingOutput { version_id }))
    }

    async fn delete_object_tagging(&self, r: S3Request<DeleteObjectTaggingInput>) -> Answer<DeleteObjectTaggingOutput> {
        let (bucket, key, version) = (&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        let set = self.act(|state, _| objects::set_tags(state, bucket, key, version, Tags::new()))?;
        Ok(set.map_output(|version_id| DeleteObjectTaggingOutput { version_id }))
    }

    async fn create_multipart_upload(
        &self,
        r: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        self.act(|state, cx| uploads::begin(state, cx, r.input))
    }

    async fn upload_part(&self, mut r: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let body = convert::collect(r.input.body.take()).await?;
        let (sums, _kept) = self.before_part(&r.input, &body);
        self.act_with(&sums, |state, cx| uploads::put_part(state, cx, r.input, body))
    }

    async fn upload_part_copy(&self, r: S3Request<UploadPartCopyInput>) -> Answer<UploadPartCopyOutput> {
        let (sums, _kept) = self.before_part_copy(&r.input);
        self.act_with(&sums, |state, cx| uploads::copy_part(state, cx, r.input))
    }

    async fn complete_multipart_upload(
        &self,
        r: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let (input, completion) = uploads::completion(r.input).map_err(|error| self.refuse(error))?;
        let (joined, _kept) = self.before_completion(&input, &completion.parts, completion.checksum.as_ref());
        self.act(|state, cx| uploads::complete(state, cx, input, completion, &joined))
    }

    async fn abort_multipart_upload(
        &self,
        r: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = r.input;
        let done = self.act(|state, _| state.abort_upload(&input.upload_id, &input.bucket, &input.key))?;
        Ok(done.map_output(|()| AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, r: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        self.act(|state, cx| uploads::parts(state, cx, r.input))
    }

    async fn list_multipart_uploads(
        &self,
        r: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        self.act(|state, cx| uploads::list(state, cx, r.input))
    }

    async fn post_object(&self, _: S3Request<PostObjectInput>) -> Answer<PostObjectOutput> {
        // The library's own default would write a form's object by way of `put_object`, without its policy.
        Err(s3_error!(NotImplemented))
    }
}
