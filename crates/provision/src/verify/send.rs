//! Puts the records of a run, several requests at once, until every one is accepted.

use std::io;
use std::time::{Duration, Instant};

use aws_sdk_firehose::primitives::Blob as FirehoseBlob;
use aws_sdk_firehose::types::Record;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::verify::fed::Into;
use crate::verify::input::Input;
use crate::verify::placed::Placed;

/// PutRecords and PutRecordBatch take 500 records, and 4 MiB at the least.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;
/// Requests at once.
const AT_ONCE: usize = 4;
/// A record that is refused is put again this often before it is given up.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How records are put.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Records a second at most.
    pub rate: Option<u32>,
    /// How many partition keys there are. `None`: each record has its own.
    pub partition_keys: Option<u32>,
}

/// The place of an accepted record: shard and sequence number. `None` in a delivery stream.
type At = Option<(String, String)>;
/// Records with their numbers.
type Batch = Vec<(u32, Bytes)>;

/// Puts all records, and takes note of where and when each was accepted. `progress` is told how many are.
pub async fn put(
    cx: &Cx,
    into: &Into<'_>,
    input: &Input,
    how: How,
    placed: &mut Placed,
    progress: impl Fn(usize),
) -> Result<()> {
    let doing = || format!("putting records into {into}");
    let began = Instant::now();
    let batches = batches(input, how.rate).map(|batch| batch.map_err(|e| Error::new("reading the records", e)));
    let puts = stream::iter(batches).map(async |batch: Result<Batch>| {
        let batch = batch?;
        if let (Some(rate), Some((first, _))) = (how.rate, batch.first()) {
            let due = Duration::from_secs_f64(f64::from(*first) / f64::from(rate));
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
        }
        let sizes: Vec<(u32, usize)> = batch.iter().map(|(number, data)| (*number, data.len())).collect();
        let places = until_accepted(batch, async |batch: &Batch| match into {
            Into::Stream(name) => to_stream(cx, name, batch, how.partition_keys).await,
            Into::Delivery(name) => to_delivery_stream(cx, name, batch).await,
        });
        let places = places.await?.map_err(|left| {
            let why = format!("{left} records were still throttled or failed after {ATTEMPTS} attempts");
            Error::new(doing(), why).hint("give the stream more shards, or pass a lower --rate")
        })?;
        Ok::<_, Error>((sizes, places, cx.calls.now()))
    });
    let mut puts = std::pin::pin!(puts.buffer_unordered(AT_ONCE));
    while let Some((sizes, places, now_s)) = puts.try_next().await? {
        let sizes: std::collections::HashMap<u32, usize> = sizes.into_iter().collect();
        for (number, at) in places {
            let at = at.as_ref().map(|(shard, sequence)| (shard.as_str(), sequence.as_str()));
            let kept = placed.accepted(number, at, now_s, sizes[&number]);
            kept.map_err(|e| Error::new("keeping the places of the records", e))?;
        }
        progress(placed.count());
    }
    Ok(())
}

/// Batches within the limits of a request, and of a fifth of a second at a rate.
fn batches(input: &Input, rate: Option<u32>) -> impl Iterator<Item = io::Result<Batch>> {
    let most = rate.map_or(BATCH, |rate| (rate as usize / 5).clamp(1, BATCH));
    let (mut next, mut kept): (u32, Option<Bytes>) = (0, None);
    std::iter::from_fn(move || {
        let (mut batch, mut bytes) = (vec![], 0);
        while next < input.count() && batch.len() < most {
            let record = match kept.take().map_or_else(|| input.record(next), Ok) {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            if !batch.is_empty() && bytes + record.len() > BATCH_BYTES {
                kept = Some(record);
                break;
            }
            bytes += record.len();
            batch.push((next, record));
            next += 1;
        }
        (!batch.is_empty()).then_some(Ok(batch))
    })
}

async fn to_stream(cx: &Cx, stream: &str, batch: &Batch, partition_keys: Option<u32>) -> Result<Vec<Option<At>>> {
    let entry = |(number, data): &(u32, Bytes)| {
        let key = partition_keys.map_or(*number, |keys| number % keys).to_string();
        let data = Blob::new(data.to_vec());
        PutRecordsRequestEntry::builder().partition_key(key).data(data).build().expect("key and data are set")
    };
    let put = cx.kinesis().put_records().stream_name(stream).set_records(Some(batch.iter().map(entry).collect()));
    let answer = put.send().await.map_err(|e| Error::aws(format!("putting records into stream {stream}"), e))?;
    Ok(answer.records.into_iter().map(|result| Some(Some((result.shard_id?, result.sequence_number?)))).collect())
}

async fn to_delivery_stream(cx: &Cx, name: &str, batch: &Batch) -> Result<Vec<Option<At>>> {
    let record = |(_, data): &(u32, Bytes)| {
        Record::builder().data(FirehoseBlob::new(data.to_vec())).build().expect("data is set")
    };
    let put = cx.firehose().put_record_batch().delivery_stream_name(name);
    let put = put.set_records(Some(batch.iter().map(record).collect()));
    let answer = put.send().await.map_err(|e| Error::aws(format!("putting records into delivery stream {name}"), e))?;
    Ok(answer.request_responses.iter().map(|result| result.error_code.is_none().then_some(None)).collect())
}

/// Puts a batch, and again what was refused of it. `put` gives the place of each record, `None` for one that was refused. Gives the
/// places by number, or how many records were refused to the end.
async fn until_accepted(
    mut left: Batch,
    put: impl AsyncFn(&Batch) -> Result<Vec<Option<At>>>,
) -> Result<std::result::Result<Vec<(u32, At)>, usize>> {
    let mut places = Vec::with_capacity(left.len());
    let mut pause = PAUSE;
    for attempt in 1..=ATTEMPTS {
        let mut results = put(&left).await?.into_iter();
        left.retain(|(number, _)| match results.next().flatten() {
            Some(at) => {
                places.push((*number, at));
                false
            }
            None => true,
        });
        if left.is_empty() {
            return Ok(Ok(places));
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
    Ok(Err(left.len()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::verify::input::Made;

    fn batch(numbers: std::ops::Range<u32>) -> Batch {
        numbers.map(|number| (number, Bytes::new())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_refused_is_put_again() {
        let put: Mutex<Vec<Vec<u32>>> = Mutex::default();
        let done = until_accepted(batch(0..9), async |batch: &Batch| {
            let mut put = put.lock().expect("nobody panics here");
            put.push(batch.iter().map(|(number, _)| *number).collect());
            let first = put.len() == 1;
            Ok(batch.iter().map(|(number, _)| (!first || number % 4 != 0).then_some(None)).collect())
        });
        let numbers: Vec<u32> = done.await.unwrap().unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [1, 2, 3, 5, 6, 7, 0, 4, 8]);
        assert_eq!(put.into_inner().expect("nobody panics here")[1], [0, 4, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_always_refused_is_given_up() {
        let done = until_accepted(batch(1..3), async |batch: &Batch| {
            Ok(batch.iter().map(|(number, _)| (*number != 2).then_some(None)).collect())
        });
        assert_eq!(done.await.unwrap(), Err(1));
    }

    #[test]
    fn a_batch_has_at_most_500_records_and_4_mib() {
        let sizes = |count, size, rate| -> Vec<usize> {
            let input = Input::Made(Made { count, size, ..Made::default() });
            batches(&input, rate).map(|batch| batch.unwrap().len()).collect()
        };
        assert_eq!(sizes(1_001, 0, None), [500, 500, 1]);
        assert_eq!(sizes(5, 2 << 20, None), [2, 2, 1]);
        assert_eq!(sizes(5, 0, Some(10)), [2, 2, 1]);
    }
}
