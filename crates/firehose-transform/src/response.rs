//! The response, written into one buffer that never outgrows Lambda's limit.

use std::io;

use base64_simd::STANDARD;
use serde::Serialize;

use crate::outcome::{Data, Kept};
use crate::record::WireRecord;

/// The most bytes that Lambda returns from one synchronous invocation; one more fails the whole batch:
/// "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

const OPEN: &[u8] = br#"{"records":["#;
const CLOSE: &[u8] = b"]}";
const RECORD: &[u8] = br#"{"recordId":"#;
const FAILED: &[u8] = br#","result":"ProcessingFailed"}"#;
const DROPPED: &[u8] = br#","result":"Dropped"}"#;
const OK: &[u8] = br#","result":"Ok","data":""#;
const METADATA: &[u8] = br#","metadata":{"partitionKeys":"#;

/// A response in the making. Room to fail every record still to come is kept back from the start.
pub(crate) struct Response {
    out: Vec<u8>,
    reserved: usize,
}

/// An answer that did not fit; its record was failed instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) needed: usize,
    pub(crate) left: usize,
}

impl Response {
    /// `None` when failing every one of these records would already be too long.
    pub(crate) fn to(records: &[WireRecord<'_>]) -> Option<Response> {
        let reserved = CLOSE.len() + records.iter().map(|record| failed_len(&record.record_id)).sum::<usize>();
        (OPEN.len() + reserved <= MAX_RESPONSE_BYTES).then(|| Response { out: OPEN.into(), reserved })
    }

    /// `original` is the payload as it came; its base64 in `record` is valid.
    pub(crate) fn keep(&mut self, record: &WireRecord<'_>, original: &[u8], kept: Kept) -> Result<(), Overflow> {
        let start = self.begin(record);
        self.out.extend_from_slice(OK);
        match (kept.data, kept.newline) {
            (Data::Original, false) => {
                self.out.extend_from_slice(record.data.as_deref().unwrap_or_default().as_bytes())
            }
            (Data::Original, true) => self.encode(&[original, b"\n"].concat()),
            (Data::Bytes(bytes), false) => self.encode(&bytes),
            (Data::Bytes(mut bytes), true) => {
                bytes.push(b'\n');
                self.encode(&bytes);
            }
        }
        self.out.push(b'"');
        if !kept.partition_keys.is_empty() {
            self.out.extend_from_slice(METADATA);
            write_json(&mut self.out, &kept.partition_keys);
            self.out.push(b'}');
        }
        self.out.push(b'}');
        self.fits_or_fails(record, start)
    }

    pub(crate) fn dropped(&mut self, record: &WireRecord<'_>) {
        self.begin(record);
        self.out.extend_from_slice(DROPPED);
    }

    pub(crate) fn failed(&mut self, record: &WireRecord<'_>) {
        self.begin(record);
        self.out.extend_from_slice(FAILED);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(CLOSE);
        self.out
    }

    /// Starts a record's answer, for which nothing more needs to be kept back. Returns where it starts.
    fn begin(&mut self, record: &WireRecord<'_>) -> usize {
        let start = self.out.len();
        self.reserved -= failed_len(&record.record_id);
        if start > OPEN.len() {
            self.out.push(b',');
        }
        self.out.extend_from_slice(RECORD);
        write_json(&mut self.out, &record.record_id);
        start
    }

    fn fits_or_fails(&mut self, record: &WireRecord<'_>, start: usize) -> Result<(), Overflow> {
        if self.out.len() + self.reserved <= MAX_RESPONSE_BYTES {
            return Ok(());
        }
        let overflow = Overflow { needed: self.out.len() - start, left: MAX_RESPONSE_BYTES - self.reserved - start };
        self.out.truncate(start);
        self.reserved += failed_len(&record.record_id);
        self.failed(record);
        Err(overflow)
    }

    fn encode(&mut self, bytes: &[u8]) {
        STANDARD.encode_append(bytes, &mut self.out);
    }
}

/// The length of `,{"recordId":"…","result":"ProcessingFailed"}`.
fn failed_len(id: &str) -> usize {
    let mut quoted = Length(0);
    write_json(&mut quoted, id);
    1 + RECORD.len() + quoted.0 + FAILED.len()
}

fn write_json(out: impl io::Write, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("text is always JSON, and neither a Vec nor a Length refuses a write");
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
