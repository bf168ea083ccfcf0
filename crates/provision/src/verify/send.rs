//! Numbered records of a run of their own, put until every one is accepted.

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// PutRecords takes 500 records.
const BATCH: usize = 500;
/// A throttled batch is put again this often before it is given up.
const ATTEMPTS: u32 = 30;

/// The records of a run: JSON objects of two numbers, so that any transform of numbers has something to do.
pub fn records(run: u32, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!(r#"{{"run":{run},"n":{n}}}"#).into_bytes()).collect()
}

/// Puts all into a stream, in batches within the limits; entries that were refused are put again.
pub async fn to_stream(cx: &Cx, stream: &str, records: &[Vec<u8>]) -> Result<()> {
    let client = cx.kinesis();
    let doing = || format!("putting records into stream {stream}");
    for (batch, chunk) in records.chunks(BATCH).enumerate() {
        let mut left: Vec<PutRecordsRequestEntry> =
            chunk.iter().enumerate().map(|(i, data)| entry(batch * BATCH + i, data)).collect();
        for attempt in 0..ATTEMPTS {
            let put = client.put_records().stream_name(stream).set_records(Some(left.clone()));
            let answer = put.send().await.map_err(|e| Error::aws(doing(), e))?;
            let refused = answer.records.iter().map(|result| result.error_code.is_some());
            left = left.into_iter().zip(refused).filter(|(_, refused)| *refused).map(|(entry, _)| entry).collect();
            if left.is_empty() {
                break;
            }
            if attempt + 1 == ATTEMPTS {
                let why = format!("{} records were refused {ATTEMPTS} times, as throttled or failed", left.len());
                return Err(Error::new(doing(), why).hint("give the stream more shards, or send fewer --records"));
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }
    Ok(())
}

fn entry(number: usize, data: &[u8]) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder()
        .partition_key(number.to_string())
        .data(Blob::new(data))
        .build()
        .expect("key and data are set")
}
