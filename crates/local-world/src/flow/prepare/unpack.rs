//! Unpacks the records of CloudWatch Logs: compressed documents, from which the messages can be taken.
//! <https://docs.aws.amazon.com/firehose/latest/dev/Message_extraction.html>

use std::borrow::Cow;
use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Unpack;
use crate::flow::failure::Failure;

/// More than any document of CloudWatch Logs: what would be larger is no such document.
const LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow)]
    log_events: Vec<LogEvent<'a>>,
}

#[derive(Deserialize)]
struct LogEvent<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// The document, or each of its messages followed by a newline.
pub fn unpack(data: &[u8], how: Unpack) -> Result<Bytes, Failure> {
    let unpacked = gunzip(data, LIMIT).and_then(|plain| match how {
        Unpack::Decompress => serde_json::from_slice::<IgnoredAny>(&plain).is_ok().then(|| plain.into()),
        Unpack::DecompressAndExtract => messages(&plain),
    });
    unpacked.ok_or_else(|| Failure::new("Decompression failed.", "The record is not what CloudWatch Logs sends."))
}

fn gunzip(data: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut plain = vec![];
    MultiGzDecoder::new(data).take(limit + 1).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= limit).then_some(plain)
}

fn messages(plain: &[u8]) -> Option<Bytes> {
    let document: Document = serde_json::from_slice(plain).ok()?;
    match &*document.message_type {
        "CONTROL_MESSAGE" => Some(Bytes::new()),
        "DATA_MESSAGE" => {
            Some(document.log_events.iter().flat_map(|event| [&event.message, "\n"]).collect::<String>().into())
        }
        _ => None,
    }
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use super::*;

    pub fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn documents_and_messages_come_out() {
        let data = r#"{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{"id":"1","timestamp":1,"message":"a\"ü"},{"message":""}]}"#;
        let control = r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE"}]}"#;
        // (document, what it is without and with extraction)
        let table = [
            (data, Some(data), Some("a\"ü\n\n")),
            (control, Some(control), Some("")),
            ("{}", Some("{}"), None),
            (r#"{"messageType":"OTHER","logEvents":[]}"#, Some(r#"{"messageType":"OTHER","logEvents":[]}"#), None),
            ("{", None, None),
            ("", None, None),
        ];
        for (document, plain, extracted) in table {
            let packed = gzip(document.as_bytes());
            let told = |how| unpack(&packed, how).ok().map(|data| String::from_utf8(data.to_vec()).unwrap());
            assert_eq!(told(Unpack::Decompress).as_deref(), plain, "{document}");
            assert_eq!(told(Unpack::DecompressAndExtract).as_deref(), extracted, "{document}");
        }
    }

    #[test]
    fn what_is_not_gzip_or_far_too_large_fails() {
        let failure = unpack(b"{}", Unpack::Decompress).unwrap_err();
        assert_eq!(failure.code, "Decompression failed.");
        assert!(unpack(&gzip(b"{}")[..12], Unpack::Decompress).is_err(), "cut off");
        let packed = gzip(&[b' '; 1000]);
        assert_eq!(
            (gunzip(&packed, 1000).map(|plain| plain.len()), gunzip(&packed, 999)),
            (Some(1000), None),
            "a bomb"
        );
    }
}
