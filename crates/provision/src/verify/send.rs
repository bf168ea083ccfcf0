//! Numbered records of a run of their own, put until every one is accepted.

use std::time::Duration;

use aws_sdk_firehose::primitives::Blob as FirehoseBlob;
use aws_sdk_firehose::types::Record;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// PutRecords and PutRecordBatch take 500 records, and 4 MiB at the least: ours are far smaller.
const BATCH: usize = 500;
/// A throttled batch is put again this often before it is given up.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(200);

/// The records of a run: JSON objects of two numbers, so that any transform of numbers has something to do.
pub fn records(run: u32, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!(r#"{{"run":{run},"n":{n}}}"#).into_bytes()).collect()
}

/// Puts all into a stream.
pub async fn to_stream(cx: &Cx, stream: &str, records: &[Vec<u8>]) -> Result<()> {
    let client = cx.kinesis();
    let doing = || format!("putting records into stream {stream}");
    let entries: Vec<_> = records.iter().enumerate().map(|(number, data)| entry(number, data)).collect();
    let put = async |batch: Vec<PutRecordsRequestEntry>| {
        let put = client.put_records().stream_name(stream).set_records(Some(batch));
        let answer = put.send().await.map_err(|e| Error::aws(doing(), e))?;
        Ok(answer.records.iter().map(|result| result.error_code.is_some()).collect())
    };
    let put = until_accepted(&entries, put).await?;
    put.map_err(|left| refused(doing(), left).hint("give the stream more shards, or send fewer --records"))
}

/// Puts all into a delivery stream that no stream feeds.
pub async fn to_delivery_stream(cx: &Cx, name: &str, records: &[Vec<u8>]) -> Result<()> {
    let client = cx.firehose();
    let doing = || format!("putting records into delivery stream {name}");
    let record = |data: &Vec<u8>| Record::builder().data(FirehoseBlob::new(data.as_slice())).build();
    let entries: Vec<_> = records.iter().map(|data| record(data).expect("data is set")).collect();
    let put = async |batch: Vec<Record>| {
        let put = client.put_record_batch().delivery_stream_name(name).set_records(Some(batch));
        let answer = put.send().await.map_err(|e| Error::aws(doing(), e))?;
        Ok(answer.request_responses.iter().map(|result| result.error_code.is_some()).collect())
    };
    let put = until_accepted(&entries, put).await?;
    put.map_err(|left| refused(doing(), left).hint("send fewer --records"))
}

/// Puts in batches within the limits; what was refused is put again. `put` says of each entry whether it was refused. Gives
/// how many were refused to the end.
async fn until_accepted<E: Clone>(
    entries: &[E],
    put: impl AsyncFn(Vec<E>) -> Result<Vec<bool>>,
) -> Result<std::result::Result<(), usize>> {
    for batch in entries.chunks(BATCH) {
        let mut left = batch.to_vec();
        for attempt in 1..=ATTEMPTS {
            let refused = put(left.clone()).await?;
            left = left.into_iter().zip(refused).filter(|(_, refused)| *refused).map(|(entry, _)| entry).collect();
            if left.is_empty() {
                break;
            }
            if attempt == ATTEMPTS {
                return Ok(Err(left.len()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(Ok(()))
}

fn refused(doing: String, left: usize) -> Error {
    Error::new(doing, format!("{left} records were still throttled or failed after {ATTEMPTS} attempts"))
}

fn entry(number: usize, data: &[u8]) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder()
        .partition_key(number.to_string())
        .data(Blob::new(data))
        .build()
        .expect("key and data are set")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_was_refused_is_put_again_and_a_batch_has_at_most_500() {
        let put: Mutex<Vec<Vec<u32>>> = Mutex::default();
        let entries: Vec<u32> = (0..501).collect();
        let done = until_accepted(&entries, async |batch: Vec<u32>| {
            let mut put = put.lock().expect("nobody panics here");
            put.push(batch.clone());
            let first = put.len() == 1;
            Ok(batch.iter().map(|entry| first && *entry == 7).collect())
        });
        assert_eq!(done.await.unwrap(), Ok(()));
        let put = put.into_inner().expect("nobody panics here");
        assert_eq!(put.iter().map(Vec::len).collect::<Vec<_>>(), [500, 1, 1]);
        assert_eq!((put[1][0], put[2][0]), (7, 500));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_always_refused_is_given_up() {
        let done = until_accepted(&[1, 2], async |batch: Vec<u32>| Ok(batch.iter().map(|entry| *entry == 2).collect()));
        assert_eq!(done.await.unwrap(), Err(1));
    }
}
