//! Buckets and objects.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier, VersioningConfiguration,
};

use super::target::{Clock, on_aws};

const PART: usize = 5 << 20;

#[test]
fn objects_are_read_back_in_whole_in_part_and_on_conditions() {
    on_aws(
        Clock::Paused,
        async |aws| {
            aws.bucket().await;
            let (s3, bucket) = (aws.cx.s3(), aws.run.as_str());
            let key = "a/ü +%.txt";
            let put = s3
                .put_object()
                .bucket(bucket)
                .key(key)
                .body(ByteStream::from_static(b"hello"))
                .metadata("kind", "greeting");
            let etag = put.send().await.expect("it is stored").e_tag.expect("it has a tag");
            let read = s3.get_object().bucket(bucket).key(key).range("bytes=1-3").send().await.expect("it is there");
            assert_eq!(
                (
                    read.content_range.as_deref(),
                    read.metadata.as_ref().and_then(|all| all.get("kind")).map(String::as_str)
                ),
                (Some("bytes 1-3/5"), Some("greeting"))
            );
            assert_eq!(read.body.collect().await.expect("it comes").to_vec(), b"ell");

            let same = s3.get_object().bucket(bucket).key(key).if_none_match(&etag).send().await.unwrap_err();
            assert_eq!(same.raw_response().map(|response| response.status().as_u16()), Some(304));
            let taken = s3
                .put_object()
                .bucket(bucket)
                .key(key)
                .if_none_match("*")
                .body(ByteStream::from_static(b""))
                .send()
                .await;
            let taken = taken.unwrap_err();
            assert_eq!(
                (
                    taken.raw_response().map(|response| response.status().as_u16()),
                    taken.into_service_error().meta().code()
                ),
                (Some(412), Some("PreconditionFailed"))
            );
            let absent = s3.get_object().bucket(bucket).key("absent").send().await.unwrap_err().into_service_error();
            assert!(absent.is_no_such_key(), "{absent:?}");
            let absent = s3.head_object().bucket(bucket).key("absent").send().await.unwrap_err().into_service_error();
            assert!(absent.is_not_found(), "{absent:?}");

            for key in ["b/1", "b/2", "c"] {
                s3.put_object()
                    .bucket(bucket)
                    .key(key)
                    .body(ByteStream::from_static(b""))
                    .send()
                    .await
                    .expect("it is stored");
            }
            let listed = s3.list_objects_v2().bucket(bucket).delimiter("/").send().await.expect("it is listed");
            let prefixes: Vec<_> = listed.common_prefixes().iter().filter_map(|one| one.prefix()).collect();
            let keys: Vec<_> = listed.contents().iter().filter_map(|one| one.key()).collect();
            assert_eq!((prefixes, keys), (vec!["a/", "b/"], vec!["c"]));
            let full = s3.delete_bucket().bucket(bucket).send().await.unwrap_err().into_service_error();
            assert_eq!(full.meta().code(), Some("BucketNotEmpty"));
            let gone =
                ["b/1", "b/2", "never"].map(|key| ObjectIdentifier::builder().key(key).build().expect("it has a key"));
            let gone = Delete::builder().set_objects(Some(gone.to_vec())).build().expect("it has objects");
            let deleted = s3.delete_objects().bucket(bucket).delete(gone).send().await.expect("they are deleted");
            assert_eq!((deleted.deleted().len(), deleted.errors().len()), (3, 0));
        },
        async |aws| aws.remove_bucket().await,
    );
}

#[test]
fn parts_become_one_object() {
    on_aws(
        Clock::Paused,
        async |aws| {
            aws.bucket().await;
            let (s3, bucket) = (aws.cx.s3(), aws.run.as_str());
            let upload =
                s3.create_multipart_upload().bucket(bucket).key("large").send().await.expect("an upload begins");
            let upload = upload.upload_id.expect("it has an id");
            let mut parts = CompletedMultipartUpload::builder();
            for (number, body) in [(1, vec![1; PART]), (2, vec![2; 10])] {
                let part = s3
                    .upload_part()
                    .bucket(bucket)
                    .key("large")
                    .upload_id(&upload)
                    .part_number(number)
                    .body(body.into());
                let etag = part.send().await.expect("a part is taken").e_tag;
                parts = parts.parts(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
            }
            let complete = s3.complete_multipart_upload().bucket(bucket).key("large").upload_id(&upload);
            let completed = complete.multipart_upload(parts.build()).send().await.expect("it is put together");
            assert!(completed.e_tag.is_some_and(|etag| etag.ends_with("-2\"")));
            let read = s3.get_object().bucket(bucket).key("large").range(format!("bytes={}-", PART - 1)).send().await;
            let read = read.expect("it is there").body.collect().await.expect("it comes").to_vec();
            assert_eq!(read, [&[1][..], &[2; 10]].concat());
            let ended =
                s3.upload_part().bucket(bucket).key("large").upload_id(&upload).part_number(1).body(vec![].into());
            assert_eq!(ended.send().await.unwrap_err().into_service_error().meta().code(), Some("NoSuchUpload"));
        },
        async |aws| aws.remove_bucket().await,
    );
}

#[test]
fn versions_are_kept() {
    on_aws(
        Clock::Paused,
        async |aws| {
            aws.bucket().await;
            let (s3, bucket) = (aws.cx.s3(), aws.run.as_str());
            let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            s3.put_bucket_versioning()
                .bucket(bucket)
                .versioning_configuration(on)
                .send()
                .await
                .expect("versions are kept");
            let put = async |body: &'static [u8]| {
                let put = s3.put_object().bucket(bucket).key("k").body(ByteStream::from_static(body)).send().await;
                put.expect("it is stored").version_id.expect("it has a version")
            };
            let (first, _second) = (put(b"one").await, put(b"two").await);
            let deleted = s3.delete_object().bucket(bucket).key("k").send().await.expect("it is deleted");
            assert_eq!(deleted.delete_marker, Some(true));
            assert!(
                s3.get_object().bucket(bucket).key("k").send().await.unwrap_err().into_service_error().is_no_such_key()
            );
            let read =
                s3.get_object().bucket(bucket).key("k").version_id(&first).send().await.expect("it is still there");
            assert_eq!(read.body.collect().await.expect("it comes").to_vec(), b"one");
            let listed = s3.list_object_versions().bucket(bucket).send().await.expect("they are listed");
            assert_eq!((listed.versions().len(), listed.delete_markers().len()), (2, 1));
        },
        async |aws| aws.remove_bucket().await,
    );
}
