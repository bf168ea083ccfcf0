//! The manifest of one error object in the bucket, and the objects that it names.

use std::collections::BTreeSet;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::manifest::{Manifest, Pending};
use super::outputs::Object;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::verify::objects::MANIFEST_END;

/// A run that puts records notes them much more often than that.
const BUSY_S: i64 = 60;

pub struct Store<'a> {
    cx: &'a Cx,
    bucket: String,
    key: String,
    /// ARN of the KMS key that the delivery stream encrypts its objects with. The manifest may hold what is in them.
    kms_key: Option<String>,
    /// That of the manifest as it was read or written last. `None`: there is none.
    etag: Option<String>,
    /// When it was written that was read, in seconds of the bucket's time.
    written_s: i64,
    run: String,
    pub manifest: Manifest,
}

impl<'a> Store<'a> {
    /// Reads the manifest of an error object.
    pub async fn open(cx: &'a Cx, bucket: &str, error_object: &str, kms_key: Option<&str>) -> Result<Store<'a>> {
        let mut store = Store {
            cx,
            bucket: bucket.to_owned(),
            key: format!("{error_object}{MANIFEST_END}"),
            kms_key: kms_key.map(str::to_owned),
            etag: None,
            written_s: 0,
            run: format!("{:016x}", fastrand::u64(..)),
            manifest: Manifest::new(error_object),
        };
        if let Some((etag, written_s, manifest)) = store.read().await? {
            (store.etag, store.written_s, store.manifest) = (etag, written_s, manifest);
        }
        Ok(store)
    }

    /// Refuses to replay what another run is putting into the stream, as far as one can know.
    pub fn refuse_if_busy(&self, now_s: i64) -> Result<()> {
        let age_s = now_s - self.written_s;
        if self.manifest.putting.is_empty() || age_s >= BUSY_S {
            return Ok(());
        }
        let what = format!(
            "another replay is putting records of s3://{}/{} into the stream, or was killed while it did",
            self.bucket, self.manifest.error_object
        );
        Err(Error::msg(what).hint("run this one again when it has ended, or a few minutes after it was killed"))
    }

    /// Finishes what an earlier run has begun to write. It may still be writing, too: it writes the same.
    pub async fn finish_begun(&mut self) -> Result<()> {
        match self.manifest.pending {
            Some(_) => self.finish().await,
            None => Ok(()),
        }
    }

    /// Writes objects, and notes which records are finished.
    pub async fn deliver(&mut self, pending: Pending) -> Result<()> {
        let writes = !pending.objects.is_empty();
        self.manifest.pending = Some(pending);
        if writes {
            self.write().await?;
        }
        self.finish().await
    }

    /// Notes which records are in the stream, which are being put, and which may be there or not.
    pub async fn put(
        &mut self,
        finished: &BTreeSet<usize>,
        putting: BTreeSet<usize>,
        unsure: &BTreeSet<usize>,
    ) -> Result<()> {
        self.manifest.putting = putting;
        self.manifest.unsure.extend(unsure);
        self.manifest.finished.extend(finished);
        self.write().await
    }

    async fn finish(&mut self) -> Result<()> {
        for object in self.manifest.pending.iter().flat_map(|pending| &pending.objects) {
            self.store(object).await?;
        }
        self.manifest.end();
        self.write().await
    }

    async fn store(&self, object: &Object) -> Result<()> {
        let Object { key, body, content_encoding, kms_key, .. } = object;
        let put = self.cx.s3().put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body.clone()));
        let put = put.set_server_side_encryption(kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms));
        let put = put.set_ssekms_key_id(kms_key.clone()).set_content_encoding(content_encoding.clone()).send().await;
        put.map_err(|e| Error::aws(format!("writing s3://{}/{key}", self.bucket), e)).map(drop)
    }

    /// The manifest, its etag, and when it was written.
    async fn read(&self) -> Result<Option<(Option<String>, i64, Manifest)>> {
        let doing = || format!("reading the manifest s3://{}/{}", self.bucket, self.key);
        let read = self.cx.s3().get_object().bucket(&self.bucket).key(&self.key).send().await;
        match read.map_err(|e| Error::aws(doing(), e)) {
            Ok(read) => {
                let (etag, written_s) = (read.e_tag.clone(), read.last_modified.map_or(0, |written| written.secs()));
                let text = read.body.collect().await.map_err(|e| Error::new(doing(), e))?.to_vec();
                Ok(Some((etag, written_s, Manifest::parse(&text).map_err(|why| Error::new(doing(), why))?)))
            }
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the manifest, if no other run has written it since.
    async fn write(&mut self) -> Result<()> {
        self.manifest.run.clone_from(&self.run);
        let Err(error) = self.write_once().await else { return Ok(()) };
        if !matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict")) {
            return Err(error);
        }
        // A request whose answer was lost or not waited for may have been this run's own.
        match self.read().await? {
            Some((etag, _, written)) if written.run == self.run => {
                self.etag = etag;
                if written == self.manifest { Ok(()) } else { self.write_once().await }
            }
            _ => Err(error.hint("another replay works on the same records; run this one again when it has ended")),
        }
    }

    async fn write_once(&mut self) -> Result<()> {
        let put = self.cx.s3().put_object().bucket(&self.bucket).key(&self.key);
        let put = put.body(ByteStream::from(self.manifest.text()));
        let put = put.set_server_side_encryption(self.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms));
        let put = put.set_ssekms_key_id(self.kms_key.clone());
        let put = match &self.etag {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        let doing = format!("writing the manifest s3://{}/{}", self.bucket, self.key);
        self.etag = put.send().await.map_err(|e| Error::aws(doing, e))?.e_tag;
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
        let open = || async { Store::open(&cx, "lake", "bad/a", None).await.expect("the manifest is read") };
        let object = |key: &str, body: &'static str| Object {
            key: key.into(),
            body: body.into(),
            content_encoding: None,
            kms_key: None,
            records: 1,
        };
        let (mut one, mut other) = (open().await, open().await);
        let refused = |error: Error| error.what_next().is_some_and(|hint| hint.starts_with("another replay works"));
        one.manifest.pending = Some(Pending { records: [1].into(), objects: vec![object("good/a", "a")] });
        one.write().await.expect("nobody else writes it");
        let pending = Pending { records: [1].into(), objects: vec![object("good/b", "b")] };
        assert!(refused(other.deliver(pending).await.expect_err("the first has begun")));

        // The first is killed here. The next finishes what it has begun.
        let mut next = open().await;
        assert_eq!(next.manifest.finished.len(), 0);
        next.finish_begun().await.expect("nobody else writes it");
        assert!(refused(one.finish().await.expect_err("another has finished it")));
        let manifest = open().await.manifest;
        assert_eq!((manifest.objects.as_slice(), manifest.finished), (&["good/a".to_owned()][..], [1].into()));
        let listed = cx.s3().list_objects_v2().bucket("lake").prefix("good/").send().await.expect("it is listed");
        assert_eq!(listed.key_count, Some(1));
    }
}
