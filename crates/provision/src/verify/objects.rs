//! Reads back what delivery streams have stored since a moment.

use std::io::Read;

use aws_sdk_s3::primitives::DateTime;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// Objects read at once.
const AT_ONCE: usize = 8;

/// One object, decompressed.
#[derive(Debug, Clone)]
pub struct Object {
    pub key: String,
    pub bytes: Vec<u8>,
    pub stored: DateTime,
}

/// Everything under a prefix that was stored since `since` (seconds of the bucket's own time).
pub async fn since(cx: &Cx, bucket: &str, prefix: &str, since: i64) -> Result<Vec<Object>> {
    let client = cx.s3();
    let doing = || format!("listing s3://{bucket}/{prefix}");
    let mut pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let mut keys = vec![];
    while let Some(page) = pages.next().await {
        for object in page.map_err(|e| Error::aws(doing(), e))?.contents.unwrap_or_default() {
            let (Some(key), Some(stored)) = (object.key, object.last_modified) else { continue };
            if stored.secs() >= since && object.size != Some(0) {
                keys.push((key, stored));
            }
        }
    }
    stream::iter(keys)
        .map(|(key, stored)| {
            let client = &client;
            async move {
                let doing = || format!("reading s3://{bucket}/{key}");
                let answer = client.get_object().bucket(bucket).key(&key).send().await;
                let answer = answer.map_err(|e| Error::aws(doing(), e))?;
                let encoding = answer.content_encoding.clone();
                let bytes = answer.body.collect().await.map_err(|e| Error::new(doing(), e))?.to_vec();
                let bytes = decompress(&key, encoding.as_deref(), bytes).map_err(|e| Error::new(doing(), e))?;
                Ok(Object { key, bytes, stored })
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
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
            return Err(std::io::Error::other(format!(
                "objects with Content-Encoding {other} cannot be read by verify"
            )));
        }
        _ => return Ok(bytes),
    }
    Ok(plain)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorRecord {
    raw_data: String,
}

/// The original records in an object of error records: one JSON object a line, `rawData` in base64.
pub fn failed(object: &Object) -> Vec<Vec<u8>> {
    let lines = object.bytes.split(|byte| *byte == b'\n');
    let records = lines.filter_map(|line| serde_json::from_slice::<ErrorRecord>(line).ok());
    records.filter_map(|record| base64_simd::STANDARD.decode_to_vec(record.raw_data).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_error_records() {
        fuzz::over("error_records", |bytes| {
            let stored = DateTime::from_secs(0);
            let records = failed(&Object { key: String::new(), bytes: bytes.to_vec(), stored });
            assert!(records.iter().map(Vec::len).sum::<usize>() <= bytes.len());
        });
    }
}
