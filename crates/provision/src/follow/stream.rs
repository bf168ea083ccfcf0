//! Reads the records of a stream, shard by shard, through reshards.

use std::time::Duration;

use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::ShardIteratorType;
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};

use super::shards::{Shard, Shards};
use crate::cloud::Cx;
use crate::error::{Error, Result};

/// A shard gives five reads a second, to all its readers. <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html>
const PAUSE: Duration = Duration::from_millis(250);
/// Between two reads of a shard that has nothing new.
const IDLE: Duration = Duration::from_secs(1);

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub data: Bytes,
    pub shard: String,
    pub sequence_number: String,
    pub partition_key: String,
    /// When it arrived, in milliseconds since the epoch.
    pub arrived_ms: i64,
}

/// Where reading begins and ends.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// In seconds of the endpoint's time.
    pub since_s: i64,
    /// Goes on with records that come.
    pub follow: bool,
}

/// Reads all shards at once and gives the records, as they are read, to `take`, until it says that it has enough.
///
/// # Errors
/// The stream cannot be read.
pub async fn read(cx: &Cx, stream: &str, span: Span, take: &mut (dyn FnMut(Vec<Read>) -> bool + Send)) -> Result<()> {
    let mut shards = Shards::default();
    shards.know(list(cx, stream).await?);
    let mut reading = FuturesUnordered::new();
    loop {
        for shard in shards.ready() {
            let iterator = begin(cx, stream, &shard, span.since_s).await?;
            reading.push(page(cx, stream, shard, iterator, Duration::ZERO));
        }
        let Some(page_read) = reading.next().await else { return Ok(()) };
        let Page { shard, records, next, behind_ms, children } = page_read?;
        let none = records.is_empty();
        if !none && !take(records) {
            return Ok(());
        }
        match next {
            None => {
                shards.ended(&shard);
                shards.know(children);
            }
            Some(next) if span.follow || behind_ms > 0 => {
                let pause = if none && behind_ms == 0 { IDLE } else { PAUSE };
                reading.push(page(cx, stream, shard, next, pause));
            }
            Some(_) => {}
        }
    }
}

async fn list(cx: &Cx, stream: &str) -> Result<Vec<Shard>> {
    let client = cx.kinesis();
    let mut found = vec![];
    let mut next: Option<String> = None;
    loop {
        // A token stands for the stream.
        let list = match next {
            Some(token) => client.list_shards().next_token(token),
            None => client.list_shards().stream_name(stream),
        };
        let page = list.send().await.map_err(|e| Error::aws(format!("listing the shards of stream {stream}"), e))?;
        found.extend(page.shards.unwrap_or_default().into_iter().map(|shard| Shard {
            parents: [shard.parent_shard_id, shard.adjacent_parent_shard_id].into_iter().flatten().collect(),
            id: shard.shard_id,
        }));
        next = page.next_token;
        if next.is_none() {
            return Ok(found);
        }
    }
}

async fn begin(cx: &Cx, stream: &str, shard: &str, since_s: i64) -> Result<String> {
    let doing = || format!("reading shard {shard} of stream {stream}");
    let from = cx.kinesis().get_shard_iterator().stream_name(stream).shard_id(shard);
    let from = from.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(DateTime::from_secs(since_s.max(0)));
    let from = from.send().await.map_err(|e| Error::aws(doing(), e))?;
    from.shard_iterator.ok_or_else(|| Error::new(doing(), "AWS gave no iterator"))
}

struct Page {
    shard: String,
    records: Vec<Read>,
    /// `None`: the shard is closed, and this was its end.
    next: Option<String>,
    behind_ms: i64,
    children: Vec<Shard>,
}

async fn page(cx: &Cx, stream: &str, shard: String, iterator: String, pause: Duration) -> Result<Page> {
    tokio::time::sleep(pause).await;
    let read = cx.kinesis().get_records().shard_iterator(iterator).send().await;
    let read = read.map_err(|e| Error::aws(format!("reading shard {shard} of stream {stream}"), e))?;
    let records = read.records.into_iter().map(|record| Read {
        data: record.data.into_inner().into(),
        shard: shard.clone(),
        sequence_number: record.sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        arrived_ms: record.approximate_arrival_timestamp.and_then(|at| at.to_millis().ok()).unwrap_or_default(),
    });
    let children = read.child_shards.unwrap_or_default().into_iter();
    Ok(Page {
        records: records.collect(),
        next: read.next_shard_iterator,
        behind_ms: read.millis_behind_latest.unwrap_or_default(),
        children: children.map(|child| Shard { id: child.shard_id, parents: child.parent_shards }).collect(),
        shard,
    })
}
