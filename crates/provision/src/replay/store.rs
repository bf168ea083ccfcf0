//! The manifest of one error object in the bucket, and the objects that it names.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::manifest::{Manifest, Pending};
use super::outputs::Object;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::verify::objects::MANIFEST_END;

pub struct Store<'a> {
    cx: &'a Cx,
    bucket: String,
    key: String,
    /// That of the manifest as it was read or written last. `None`: there is none.
    etag: Option<String>,
    pub manifest: Manifest,
}

impl<'a> Store<'a> {
    /// Reads the manifest of an error object.
    pub async fn open(cx: &'a Cx, bucket: &str, error_object: &str) -> Result<Store<'a>> {
        let key = format!("{error_object}{MANIFEST_END}");
        let doing = || format!("reading the manifest s3://{bucket}/{key}");
        let read = cx.s3().get_object().bucket(bucket).key(&key).send().await.map_err(|e| Error::aws(doing(), e));
        let (etag, manifest) = match read {
            Ok(read) => {
                let etag = read.e_tag.clone();
                let text = read.body.collect().await.map_err(|e| Error::new(doing(), e))?.to_vec();
                (etag, Manifest::parse(&text).map_err(|why| Error::new(doing(), why))?)
            }
            Err(error) if error.code() == Some("NoSuchKey") => (None, Manifest::new(error_object)),
            Err(error) => return Err(error),
        };
        Ok(Store { cx, bucket: bucket.to_owned(), key, etag, manifest })
    }

    /// Notes what is about to be written, after deleting what a run that was killed had begun to write.
    pub async fn begin(&mut self, pending: Pending) -> Result<()> {
        let begun = self.manifest.pending.take().map(|before| before.objects).unwrap_or_default();
        for key in begun.iter().filter(|key| !pending.objects.contains(key)) {
            self.delete(key).await?;
        }
        self.manifest.begin(pending);
        self.write().await
    }

    pub async fn put(&self, object: Object) -> Result<()> {
        let put = self.cx.s3().put_object().bucket(&self.bucket).key(&object.key).body(ByteStream::from(object.body));
        let encryption = object.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms);
        let put = put.set_server_side_encryption(encryption).set_ssekms_key_id(object.kms_key);
        let put = put.set_content_encoding(object.content_encoding.map(str::to_owned)).send().await;
        put.map_err(|e| Error::aws(format!("writing s3://{}/{}", self.bucket, object.key), e)).map(drop)
    }

    /// Notes that everything is written.
    pub async fn end(&mut self) -> Result<()> {
        self.manifest.end();
        self.write().await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let deleted = self.cx.s3().delete_object().bucket(&self.bucket).key(key).send().await;
        deleted.map_err(|e| Error::aws(format!("deleting s3://{}/{key}", self.bucket), e)).map(drop)
    }

    /// Writes the manifest, if no other run has written it since.
    async fn write(&mut self) -> Result<()> {
        let put = self.cx.s3().put_object().bucket(&self.bucket).key(&self.key);
        let put = put.body(ByteStream::from(self.manifest.text()));
        let put = match &self.etag {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        let doing = || format!("writing the manifest s3://{}/{}", self.bucket, self.key);
        let put = put.send().await.map_err(|e| Error::aws(doing(), e)).map_err(|error| match error.code() {
            Some("PreconditionFailed" | "ConditionalRequestConflict") => {
                error.hint("another replay works on the same records; run this one again when it has ended")
            }
            _ => error,
        })?;
        self.etag = put.e_tag;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use local_cloud::{Engine, Settings};

    use super::*;
    use crate::cloud;
    use crate::names::Names;

    #[tokio::test]
    async fn of_two_replays_of_the_same_records_one_gives_way() {
        let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
        let names = Names {
            stack: "s".into(),
            env: None,
            account: "000000000000".into(),
            region: "us-east-1".into(),
            tag_prefix: "provision".into(),
            iam_path: "/".into(),
        };
        let cx = Cx::new(cloud::within(engine.http_client(), "us-east-1"), names);
        cx.s3().create_bucket().bucket("lake").send().await.expect("it is created");
        let mut one = Store::open(&cx, "lake", "bad/a").await.expect("there is no manifest");
        let mut other = Store::open(&cx, "lake", "bad/a").await.expect("there is no manifest");
        let pending = |key: &str| Pending { records: [1].into(), objects: vec![key.to_owned()] };
        one.begin(pending("good/a")).await.expect("nobody else writes it");
        let refused = other.begin(pending("good/a")).await.expect_err("the first has begun");
        assert!(refused.what_next().is_some_and(|hint| hint.starts_with("another replay works")), "{refused}");
        one.put(Object {
            key: "good/a".into(),
            body: b"a".to_vec(),
            content_encoding: None,
            kms_key: None,
            records: 1,
        })
        .await
        .expect("it is written");

        // The first is killed here. What it has begun is deleted, and its manifest may not be written any more.
        let mut next = Store::open(&cx, "lake", "bad/a").await.expect("the manifest is read");
        assert_eq!(next.manifest.finished.len(), 0);
        next.begin(pending("good/b")).await.expect("nobody else writes it");
        let gone = cx.s3().head_object().bucket("lake").key("good/a").send().await;
        assert!(gone.is_err_and(|error| error.into_service_error().is_not_found()));
        assert!(one.end().await.is_err());
        next.end().await.expect("nobody else writes it");
        assert_eq!(Store::open(&cx, "lake", "bad/a").await.expect("it is read").manifest.objects, ["good/b"]);
    }
}
