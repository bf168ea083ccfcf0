//! The code that is uploaded, and its hash, which decides whether it is.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use aws_sdk_lambda::operation::update_function_code::builders::UpdateFunctionCodeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::FunctionCode;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Code, Function, short};
use crate::artifact::{self, Artifact, Source, Target, cpu};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::resource::shared::answer;
use crate::waits::Task;

/// Code, ready to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Base64, as Lambda tells it: of the zip's bytes.
    pub sha256: String,
    pub upload: Upload,
    /// For people: `crate handler`.
    pub from: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    Zip(Bytes),
    S3 { bucket: String, key: String, version: Option<String> },
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", short(&self.sha256), self.from)
    }
}

impl Package {
    pub(super) fn function_code(&self) -> FunctionCode {
        let code = FunctionCode::builder();
        match &self.upload {
            Upload::Zip(zip) => code.zip_file(Blob::new(zip.to_vec())).build(),
            Upload::S3 { bucket, key, version } => {
                code.s3_bucket(bucket).s3_key(key).set_s3_object_version(version.clone()).build()
            }
        }
    }

    pub(super) fn update(&self, call: UpdateFunctionCodeFluentBuilder) -> UpdateFunctionCodeFluentBuilder {
        match &self.upload {
            Upload::Zip(zip) => call.zip_file(Blob::new(zip.to_vec())),
            Upload::S3 { bucket, key, version } => {
                call.s3_bucket(bucket).s3_key(key).set_s3_object_version(version.clone())
            }
        }
    }
}

/// Builds, zips or fetches the function's code, as far as its hash needs it.
pub(super) async fn prepare(function: &Function, cx: &Cx) -> Result<Package> {
    match &function.code {
        Code::Ready(package) => Ok(package.clone()),
        Code::S3 { bucket, key, version } => stored(cx, bucket, key, version.as_deref()).await,
        Code::Zip { path } => built(function, cx, Source::Zip(path)).await,
        Code::Dir { path } => built(function, cx, Source::Dir(path)).await,
        Code::Crate { path, bin } => built(function, cx, Source::Crate { path, bin: bin.as_deref() }).await,
    }
}

async fn built(function: &Function, cx: &Cx, source: Source<'_>) -> Result<Package> {
    let target = Target {
        architecture: function.architecture,
        runtime: function.runtime.clone(),
        handler: function.handler.clone(),
        layers: !function.layers.is_empty(),
    };
    let cache: &Path = &cx.options.work_dir.join("artifacts");
    let (began, mut worked) = (Instant::now(), false);
    let (doing, done) = words(&source);
    let tell = |text: &str, is_done| cx.work_on(Task { name: &doing, text, elapsed: began.elapsed(), is_done });
    // Cargo says only that it has finished where there was nothing to do.
    let mut progress = |line: &str| {
        if !line.starts_with("Finished") {
            worked = true;
            tell(line, false);
        }
    };
    let Artifact { zip, sha256_base64, from } = artifact::build(source, &target, cache, &mut progress).await?;
    if worked {
        tell(&done, true);
    }
    if cx.options.runs_here {
        cpu::check_here(&from, &zip)?;
    }
    Ok(Package { sha256: sha256_base64, upload: Upload::Zip(zip), from })
}

/// The work that a source may take, and its result.
fn words(source: &Source<'_>) -> (String, String) {
    let (doing, done, path) = match source {
        Source::Crate { path, .. } => ("building crate", "built crate", path),
        Source::Zip(path) => ("reading", "read", path),
        Source::Dir(path) => ("installing packages for", "installed packages for", path),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (format!("{doing} {name}"), format!("{done} {name}"))
}

/// Lambda tells the hash of what it runs, and S3 that of an object only sometimes: so the object is read through.
async fn stored(cx: &Cx, bucket: &str, key: &str, version: Option<&str>) -> Result<Package> {
    let from = format!("s3://{bucket}/{key}");
    let doing = format!("reading {from}");
    let call = cx.s3().get_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
    let mut object = answer(&doing, call.send().await)?;
    let mut hash = Sha256::new();
    while let Some(part) = object.body.next().await {
        hash.update(part.map_err(|e| Error::new(&doing, e))?);
    }
    let upload = Upload::S3 { bucket: bucket.to_owned(), key: key.to_owned(), version: version.map(str::to_owned) };
    Ok(Package { sha256: base64_simd::STANDARD.encode_to_string(hash.finalize()), upload, from })
}
