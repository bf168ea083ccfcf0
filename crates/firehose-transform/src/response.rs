//! The response, written into one buffer that never exceeds Lambda's limit.

use std::borrow::Cow;
use std::fmt;
use std::io;

use base64_simd::STANDARD;
use serde::Serialize;

use crate::buffer;
use crate::error::Error;
use crate::event::{Event, Text};
use crate::outcome::{Data, Kept};
use crate::output::Output;
use crate::record::Record;

/// The most bytes that Lambda returns from one synchronous invocation: 6 MiB and 100 bytes.
///
/// One byte more fails the whole batch with "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
/// Lambda's documentation says 6 MB: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

const OPEN: &[u8] = br#"{"records":["#;
const CLOSE: &[u8] = b"]}";
const RECORD: &[u8] = br#"{"recordId":""#;
const FAILED: &[u8] = br#"","result":"ProcessingFailed"}"#;
const DROPPED: &[u8] = br#"","result":"Dropped"}"#;
/// As long as `FAILED`, which it is written over.
const DROPPED_LATE: &[u8] = br#"","result":"Dropped"         }"#;
const OK: &[u8] = br#"","result":"Ok","data":""#;
const END: &[u8] = br#""}"#;

/// A response that is being written. The room to fail every record that is still to come is reserved from the start.
pub(crate) struct Response<'o> {
    out: Output<'o>,
    reserved: usize,
}

/// An answer that did not fit. Its record was answered with `ProcessingFailed` instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) needed: usize,
    pub(crate) left: usize,
    /// The position in the response where that failure ends.
    pub(crate) end: usize,
}

/// Why a record failed that the transform wanted to keep.
#[derive(Debug)]
pub(crate) enum Refused {
    Failed(String),
    Overflow(Overflow),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Failed(reason) => f.write_str(reason),
            Refused::Overflow(Overflow { needed, left, .. }) => write!(
                f,
                "the answer takes {needed} bytes and the response has {left} left: reduce the buffer size of the \
                 delivery stream's transform"
            ),
        }
    }
}

impl<'o> Response<'o> {
    /// `None` if failing every record would already exceed the limit.
    pub(crate) fn to(event: &Event<'_>, out: &'o mut Vec<u8>) -> Option<Response<'o>> {
        let ids = event.index.slots.iter().filter_map(|slot| event.text(slot.id));
        let reserved = CLOSE.len() + ids.map(failed_len).sum::<usize>();
        if OPEN.len() + reserved > MAX_RESPONSE_BYTES {
            return None;
        }
        let mut out = Output::over(out, MAX_RESPONSE_BYTES);
        out.append(OPEN);
        Some(Response { out, reserved })
    }

    pub(crate) fn keep(&mut self, record: &Record<'_>, kept: Kept) -> Result<(), Refused> {
        let Kept { data, newline, partition_keys } = kept;
        match (data, newline) {
            (Data::Original, false) => self.write_original(record, &partition_keys),
            (Data::Original, true) => {
                let payload = record.payload().map_err(|error| self.refuse(record, error))?;
                let mut bytes = buffer::take();
                bytes.extend_from_slice(payload);
                self.write_bytes(record, bytes, true, &partition_keys)
            }
            (Data::Bytes(bytes), newline) => self.write_bytes(record, bytes, newline, &partition_keys),
        }
    }

    pub(crate) fn dropped(&mut self, record: &Record<'_>) {
        self.begin(record.raw_id());
        self.out.append(DROPPED);
    }

    pub(crate) fn failed(&mut self, record: &Record<'_>) {
        self.begin(record.raw_id());
        self.out.append(FAILED);
    }

    /// Turns a failure into `Dropped`, because the record was put back into its source.
    pub(crate) fn drop_late(&mut self, overflow: &Overflow) {
        self.out.replace(overflow.end, DROPPED_LATE);
    }

    pub(crate) fn finish(mut self) {
        self.out.append(CLOSE);
    }

    /// Passes the payload on. Its base64 is checked while it is copied, unless the transform has read the payload.
    #[inline]
    fn write_original(&mut self, record: &Record<'_>, partition_keys: &PartitionKeys) -> Result<(), Refused> {
        let Some(data) = record.data() else { return Err(self.refuse(record, Error::NotBase64)) };
        let written = self.write_kept(record, data.len(), partition_keys, |out| {
            if record.is_decoded() || !out.append_base64(data) {
                record.check()?;
                out.append(data);
            }
            Ok(())
        });
        let Err(Refused::Overflow(overflow)) = written else { return written };
        // To one that cannot be passed on it makes no difference that there was no room.
        Err(record.check().map_or_else(|error| Refused::Failed(error.to_string()), |()| Refused::Overflow(overflow)))
    }

    fn write_bytes(
        &mut self,
        record: &Record<'_>,
        mut bytes: Vec<u8>,
        newline: bool,
        partition_keys: &PartitionKeys,
    ) -> Result<(), Refused> {
        if newline {
            bytes.push(b'\n');
        }
        let encoded = STANDARD.encoded_length(bytes.len());
        let written = self.write_kept(record, encoded, partition_keys, |out| {
            out.encode(&bytes);
            Ok(())
        });
        buffer::give_back(bytes);
        written
    }

    #[inline]
    fn write_kept(
        &mut self,
        record: &Record<'_>,
        data_len: usize,
        partition_keys: &PartitionKeys,
        write_data: impl FnOnce(&mut Output<'_>) -> Result<(), Error>,
    ) -> Result<(), Refused> {
        let id = record.raw_id();
        let start = self.out.len();
        let metadata_len =
            if partition_keys.is_empty() { 0 } else { METADATA.len() + json_len(&Metadata(partition_keys)) };
        let needed = 1 + RECORD.len() + id_len(id) + OK.len() + data_len + metadata_len + END.len();
        let left = MAX_RESPONSE_BYTES - start - (self.reserved - failed_len(id));
        if needed > left {
            self.failed(record);
            return Err(Refused::Overflow(Overflow { needed, left, end: self.out.len() }));
        }
        self.begin(id);
        self.out.append(OK);
        if let Err(error) = write_data(&mut self.out) {
            self.out.truncate(start);
            self.reserved += failed_len(id);
            return Err(self.refuse(record, error));
        }
        if partition_keys.is_empty() {
            self.out.append(END);
        } else {
            self.out.append(METADATA);
            write_json(&mut self.out, &Metadata(partition_keys));
            self.out.append(b"}}");
        }
        Ok(())
    }

    fn refuse(&mut self, record: &Record<'_>, error: Error) -> Refused {
        self.failed(record);
        Refused::Failed(error.to_string())
    }

    /// Starts a record's answer and gives up the room that was reserved to fail it.
    #[inline]
    fn begin(&mut self, id: Text<'_>) {
        self.reserved -= failed_len(id);
        if self.out.len() > OPEN.len() {
            self.out.append(b",");
        }
        self.out.append(RECORD);
        match id {
            Text::Plain(plain) => self.out.append(plain),
            Text::Unescaped(text) => {
                self.out.truncate(self.out.len() - 1); // the quote, which is written with the text
                write_json(&mut self.out, text);
                self.out.truncate(self.out.len() - 1);
            }
        }
    }
}

type PartitionKeys = [(Cow<'static, str>, String)];

const METADATA: &[u8] = br#"","metadata":{"partitionKeys":"#;

struct Metadata<'a>(&'a PartitionKeys);

impl Serialize for Metadata<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The length of `,{"recordId":"…","result":"ProcessingFailed"}`.
#[inline]
fn failed_len(id: Text<'_>) -> usize {
    1 + RECORD.len() + id_len(id) + FAILED.len()
}

#[inline]
fn id_len(id: Text<'_>) -> usize {
    match id {
        Text::Plain(plain) => plain.len(),
        Text::Unescaped(text) => json_len(text) - 2,
    }
}

fn json_len(value: &(impl Serialize + ?Sized)) -> usize {
    let mut length = Length(0);
    write_json(&mut length, value);
    length.0
}

fn write_json(out: impl io::Write, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("text is always JSON, and neither an Output nor a Length refuses a write");
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
