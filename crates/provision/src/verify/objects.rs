//! Reads what a delivery stream has stored, one object at a time.

use std::collections::HashSet;
use std::io::Read;

use serde::Deserialize;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::prefix::object_key::Keys;
use crate::prefix::{self, Place, literal};
use crate::resource::delivery_stream::{Compression, DeliveryStream};

/// One object, decompressed.
#[derive(Debug, Clone)]
pub struct Object {
    pub key: String,
    pub bytes: Vec<u8>,
    /// Epoch seconds.
    pub stored_s: i64,
    /// Before it was decompressed.
    pub stored_bytes: u64,
}

/// The objects that one delivery stream can have written since a moment, each once.
pub struct Objects {
    bucket: String,
    good: Keys,
    /// `None`: failed records lie beside the delivered ones.
    bad: Option<Keys>,
    /// The parts of the prefixes before their first expressions.
    under: Vec<String>,
    since_s: i64,
    seen: HashSet<String>,
}

/// An object that was not read yet.
#[derive(Debug, Clone)]
pub struct Listed {
    pub key: String,
    stored_s: i64,
    /// Whether its key is one of error records. `None`: its key does not say.
    pub of_errors: Option<bool>,
}

/// The end of the key of a manifest beside an error object, which `replay` writes.
pub const MANIFEST_END: &str = ".replayed";

impl Objects {
    /// Whether this module can decompress them.
    pub fn can_be_read(delivery: &DeliveryStream) -> bool {
        !matches!(delivery.compression, Compression::Snappy | Compression::HadoopSnappy)
    }

    /// `since_s` is in the bucket's time.
    pub fn of(delivery: &DeliveryStream, name: &str, since_s: i64) -> Objects {
        let bucket = delivery.bucket.id.rsplit(':').next().unwrap_or_default().to_owned();
        let place =
            |prefix: &str| Place { bucket: bucket.clone(), prefix: prefix.to_owned(), delivery: name.to_owned() };
        let good = prefix::of_objects(&delivery.good);
        let mut under = vec![literal(good).to_owned()];
        under.extend(delivery.bad.as_deref().map(literal).map(str::to_owned));
        // An object under the longer prefix lies under the shorter one, too.
        under.sort();
        under.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
        Objects {
            good: Keys::of(&place(good)),
            bad: delivery.bad.as_deref().map(|bad| Keys::of(&place(bad))),
            bucket,
            under,
            since_s,
            seen: HashSet::new(),
        }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The objects that were not listed before.
    pub async fn new_ones(&mut self, cx: &Cx) -> Result<Vec<Listed>> {
        let (client, mut found) = (cx.s3(), vec![]);
        for prefix in &self.under {
            let doing = || format!("listing s3://{}/{prefix}", self.bucket);
            let mut pages = client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
            while let Some(page) = pages.next().await {
                for object in page.map_err(|e| Error::aws(doing(), e))?.contents.unwrap_or_default() {
                    let (Some(key), Some(stored)) = (object.key, object.last_modified) else { continue };
                    let (is_good, is_bad) =
                        (self.good.can_be(&key), self.bad.as_ref().is_some_and(|bad| bad.can_be(&key)));
                    if stored.secs() < self.since_s
                        || object.size == Some(0)
                        || !(is_good || is_bad)
                        || key.ends_with(MANIFEST_END)
                    {
                        continue;
                    }
                    let of_errors = if self.bad.is_none() || is_good && is_bad { None } else { Some(is_bad) };
                    if self.seen.insert(key.clone()) {
                        found.push(Listed { key, stored_s: stored.secs(), of_errors });
                    }
                }
            }
        }
        Ok(found)
    }

    /// Reads an object, and the error records in it if it holds such.
    pub async fn read(&self, cx: &Cx, listed: &Listed) -> Result<(Object, Option<Vec<ErrorRecord>>)> {
        let object = fetch(cx, &self.bucket, &listed.key, listed.stored_s).await?;
        let errors = match listed.of_errors {
            Some(false) => None,
            Some(true) => Some(errors(&object.bytes).unwrap_or_default()),
            None => errors(&object.bytes),
        };
        Ok((object, errors))
    }

    /// Deletes an object.
    pub async fn delete(&self, cx: &Cx, key: &str) -> Result<()> {
        let delete = cx.s3().delete_object().bucket(&self.bucket).key(key).send().await;
        delete.map_err(|e| Error::aws(format!("deleting s3://{}/{key}", self.bucket), e)).map(drop)
    }
}

/// Reads an object and decompresses it.
pub async fn fetch(cx: &Cx, bucket: &str, key: &str, stored_s: i64) -> Result<Object> {
    let doing = || format!("reading s3://{bucket}/{key}");
    let answer = cx.s3().get_object().bucket(bucket).key(key).send().await.map_err(|e| Error::aws(doing(), e))?;
    let encoding = answer.content_encoding.clone();
    let bytes = answer.body.collect().await.map_err(|e| Error::new(doing(), e))?.to_vec();
    let stored_bytes = bytes.len() as u64;
    let bytes = decompress(key, encoding.as_deref(), bytes).map_err(|e| Error::new(doing(), e))?;
    Ok(Object { key: key.to_owned(), bytes, stored_s, stored_bytes })
}

fn decompress(key: &str, encoding: Option<&str>, bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut plain = vec![];
    match encoding {
        _ if key.ends_with(".zip") || encoding == Some("zip") => {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(std::io::Error::other)?;
            for index in 0..archive.len() {
                archive.by_index(index).map_err(std::io::Error::other)?.read_to_end(&mut plain)?;
            }
        }
        Some("gzip") => {
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
        }
        Some(other) if !other.is_empty() && other != "aws-chunked" => {
            return Err(std::io::Error::other(format!("objects with Content-Encoding {other} cannot be read here")));
        }
        _ => return Ok(bytes),
    }
    Ok(plain)
}

/// A record that failed, as Firehose writes it under the error prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRecord {
    /// As it was put.
    pub raw: Vec<u8>,
    pub code: String,
    pub message: String,
    /// In milliseconds since the epoch; 0 where Firehose does not say.
    pub arrived_ms: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    raw_data: String,
    #[serde(alias = "lastErrorCode")]
    error_code: String,
    #[serde(default, alias = "lastErrorMessage")]
    error_message: String,
    #[serde(default)]
    arrival_timestamp: i64,
}

/// The error records in an object: one JSON object a line, `rawData` in base64. `None` if it holds something else.
pub fn errors(bytes: &[u8]) -> Option<Vec<ErrorRecord>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let record = |line: &[u8]| {
        let line: Line = serde_json::from_slice(line).ok()?;
        let raw = base64_simd::STANDARD.decode_to_vec(&line.raw_data).ok()?;
        let Line { error_code: code, error_message: message, arrival_timestamp: arrived_ms, .. } = line;
        Some(ErrorRecord { raw, code, message, arrived_ms })
    };
    lines.map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_error_records() {
        fuzz::over("error_records", |bytes| {
            let records = errors(bytes).unwrap_or_default();
            assert!(records.iter().map(|record| record.raw.len()).sum::<usize>() <= bytes.len());
        });
    }

    #[test]
    fn error_records_are_told_from_others() {
        let line = r#"{"rawData":"YQ==","errorCode":"S3.X","errorMessage":"why","attemptsMade":1}"#;
        let found = errors(format!("{line}\n{line}\n").as_bytes()).unwrap();
        assert_eq!((found.len(), found[0].raw.as_slice(), found[0].code.as_str()), (2, &b"a"[..], "S3.X"));
        assert_eq!(errors(b"{\"n\":1}\n"), None);
    }
}
