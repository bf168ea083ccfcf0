//! The calls that put records, for a stream and for a delivery stream.

use aws_facts::kinesis::MAX_RECORD_KIB;
use aws_sdk_firehose::primitives::Blob as FirehoseBlob;
use aws_sdk_firehose::types::Record as FirehoseRecord;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use super::queue::{Entry, Limits};
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::resource::stream::Stream;
use crate::spec::stack;

/// A stream, or a delivery stream that no stream feeds, by its name on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `max_record_bytes`: the largest record that this stream takes, with its partition key.
    Stream {
        name: String,
        max_record_bytes: usize,
    },
    DeliveryStream {
        name: String,
    },
}

/// The answer for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With the place in the stream, where there is one.
    Accepted(Option<Position>),
    /// AWS's code and message.
    Refused(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub shard: String,
    pub sequence_number: String,
}

/// The largest record of a delivery stream. <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
const MAX_DIRECT_BYTES: usize = 1_000 * 1_024;
/// Both PutRecords and PutRecordBatch take 500 records.
const MAX_RECORDS: usize = 500;
/// PutRecordBatch takes 4 MiB, PutRecords 10 MiB: smaller requests share several shards better.
const MAX_BYTES: usize = 4 << 20;

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Stream { name, .. } => write!(f, "stream {name}"),
            Target::DeliveryStream { name } => write!(f, "delivery stream {name}"),
        }
    }
}

impl Target {
    /// A stream of the spec. One of somebody else is taken to have the usual limit.
    pub(crate) fn of(entry: &stack::Entry<Stream>) -> Target {
        let kib = entry.managed().map_or(MAX_RECORD_KIB.min, |managed| managed.desired.max_record_kib);
        let name = entry.physical().rsplit('/').next().unwrap_or_default().to_owned();
        Target::Stream { name, max_record_bytes: kib as usize * 1_024 }
    }

    pub fn limits(&self) -> Limits {
        Limits { records: MAX_RECORDS, bytes: MAX_BYTES }
    }

    /// Why this record is not put, if it is too large.
    pub fn too_large(&self, entry: &Entry) -> Option<String> {
        let data = entry.record.data.len();
        let (bytes, most, what) = match self {
            Target::Stream { max_record_bytes, .. } => (data + entry.key.len(), *max_record_bytes, "this stream takes"),
            Target::DeliveryStream { .. } => (data, MAX_DIRECT_BYTES, "Firehose takes"),
        };
        (bytes > most).then(|| format!("it has {bytes} bytes; {what} at most {most}"))
    }

    /// Puts one batch. The answers are in the order of the entries.
    pub async fn put(&self, cx: &Cx, entries: &[Entry]) -> Result<Vec<Answer>> {
        match self {
            Target::Stream { name, .. } => to_stream(cx, name, entries).await,
            Target::DeliveryStream { name } => to_delivery_stream(cx, name, entries).await,
        }
    }
}

async fn to_stream(cx: &Cx, name: &str, entries: &[Entry]) -> Result<Vec<Answer>> {
    let entry = |entry: &Entry| {
        let put =
            PutRecordsRequestEntry::builder().partition_key(&entry.key).data(Blob::new(entry.record.data.clone()));
        put.build().expect("key and data are set")
    };
    let put = cx.kinesis().put_records().stream_name(name).set_records(Some(entries.iter().map(entry).collect()));
    let put = put.send().await.map_err(|e| Error::aws(format!("putting records into stream {name}"), e))?;
    let answers = put.records.into_iter().map(|answer| match answer.error_code {
        Some(code) => Answer::Refused(format!("{} ({code})", answer.error_message.unwrap_or_default())),
        None => Answer::Accepted(
            answer
                .shard_id
                .zip(answer.sequence_number)
                .map(|(shard, sequence_number)| Position { shard, sequence_number }),
        ),
    });
    Ok(answers.collect())
}

async fn to_delivery_stream(cx: &Cx, name: &str, entries: &[Entry]) -> Result<Vec<Answer>> {
    let record = |entry: &Entry| {
        let record = FirehoseRecord::builder().data(FirehoseBlob::new(entry.record.data.clone()));
        record.build().expect("data is set")
    };
    let records = entries.iter().map(record).collect();
    let put = cx.firehose().put_record_batch().delivery_stream_name(name).set_records(Some(records));
    let put = put.send().await.map_err(|e| Error::aws(format!("putting records into delivery stream {name}"), e))?;
    let answers = put.request_responses.into_iter().map(|answer| match answer.error_code {
        Some(code) => Answer::Refused(format!("{} ({code})", answer.error_message.unwrap_or_default())),
        None => Answer::Accepted(None),
    });
    Ok(answers.collect())
}
