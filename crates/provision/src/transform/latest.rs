//! Reads the newest records of a stream.

use std::time::Duration;

use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::ShardIteratorType;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::transform::event::{Data, Record};

/// The number of reads of one shard before giving up on its newest records.
const READS: usize = 100;
/// A shard gives five reads a second.
const PAUSE: Duration = Duration::from_millis(200);

/// The newest `count` records that came since `since_s` (seconds of the target's own time), oldest first.
pub async fn latest(cx: &Cx, stream: &str, since_s: i64, count: usize) -> Result<Vec<Record>> {
    let doing = || format!("reading stream {stream}");
    let shards = cx.kinesis().list_shards().stream_name(stream).send().await.map_err(|e| Error::aws(doing(), e))?;
    let shards = shards.shards.unwrap_or_default();
    let read = shards.iter().map(|shard| of_shard(cx, stream, shard.shard_id(), since_s, count));
    let mut records: Vec<Record> = futures::future::try_join_all(read).await?.into_iter().flatten().collect();
    records.sort_by_key(|record| record.arrival_ms);
    Ok(records.split_off(records.len().saturating_sub(count)))
}

async fn of_shard(cx: &Cx, stream: &str, shard: &str, since_s: i64, count: usize) -> Result<Vec<Record>> {
    let client = cx.kinesis();
    let doing = || format!("reading shard {shard} of stream {stream}");
    let from = client.get_shard_iterator().stream_name(stream).shard_id(shard);
    let from = from.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(DateTime::from_secs(since_s));
    let mut iterator = from.send().await.map_err(|e| Error::aws(doing(), e))?.shard_iterator;
    let mut records: Vec<Record> = vec![];
    for _ in 0..READS {
        let Some(from) = iterator.take() else { break };
        let read = client.get_records().shard_iterator(from).send().await.map_err(|e| Error::aws(doing(), e))?;
        records.extend(read.records.into_iter().map(|record| given(shard, record)));
        records.drain(..records.len().saturating_sub(count));
        if read.millis_behind_latest.unwrap_or_default() == 0 {
            break;
        }
        iterator = read.next_shard_iterator;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(records)
}

fn given(shard: &str, record: aws_sdk_kinesis::types::Record) -> Record {
    let arrival_ms = record.approximate_arrival_timestamp.and_then(|at| at.to_millis().ok()).unwrap_or_default();
    Record {
        id: format!("{}000000", record.sequence_number),
        data: Data::Bytes(record.data.into_inner().into()),
        arrival_ms: arrival_ms.unsigned_abs(),
        partition_key: record.partition_key.unwrap_or_default(),
        shard: shard.to_owned(),
        sequence_number: record.sequence_number,
    }
}
