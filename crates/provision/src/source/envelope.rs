//! Records that hold several others, as CloudWatch Logs and the Kinesis Producer Library make them.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use local_cloud::delivery::aggregate;
use serde_json::json;

use super::{Record, Records};

/// The form in which records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Envelope {
    /// Each record by itself
    #[default]
    None,
    /// As CloudWatch Logs sends log events: ten in a compressed document
    CloudwatchLogs,
    /// As the Kinesis Producer Library puts records together: ten in an aggregated record
    Kpl,
}

/// The records of one envelope.
const TOGETHER: usize = 10;

impl Envelope {
    /// One record that holds these. `account`: the owner of the log group. `at_ms`: the time of the log events.
    pub fn wrap(self, records: &[Record], account: &str, at_ms: i64) -> Record {
        let first = records.first().cloned().unwrap_or_else(|| Record::new(1, ""));
        let data = match self {
            Envelope::None => return first,
            Envelope::CloudwatchLogs => log_events(records, account, at_ms),
            Envelope::Kpl => {
                let keys: Vec<String> =
                    records.iter().map(|one| one.key.clone().unwrap_or_else(|| one.number.to_string())).collect();
                aggregate(&keys.iter().zip(records).map(|(key, one)| (key.as_str(), &one.data)).collect::<Vec<_>>())
            }
        };
        Record { data: data.into(), ..first }
    }

    /// These records in envelopes. A record that cannot be read stays outside.
    pub fn over(self, records: Records, account: String, at_ms: i64) -> Records {
        if self == Envelope::None {
            return records;
        }
        let mut records = records.peekable();
        let mut wrapped = 0;
        Box::new(std::iter::from_fn(move || {
            if let Some(unread) = records.next_if(Result::is_err) {
                return Some(unread);
            }
            let mut together = vec![];
            while together.len() < TOGETHER
                && let Some(Ok(record)) = records.next_if(Result::is_ok)
            {
                together.push(record);
            }
            wrapped += 1;
            (!together.is_empty()).then(|| Ok(Record { number: wrapped, ..self.wrap(&together, &account, at_ms) }))
        }))
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>
fn log_events(records: &[Record], account: &str, at_ms: i64) -> Vec<u8> {
    let event = |record: &Record| {
        let message = String::from_utf8_lossy(&record.data);
        json!({ "id": format!("{:056}", record.number), "timestamp": at_ms, "message": message })
    };
    let document = json!({
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": "/provision/records",
        "logStream": "records",
        "subscriptionFilters": ["records"],
        "logEvents": records.iter().map(event).collect::<Vec<_>>(),
    });
    let mut gzip = GzBuilder::new().write(vec![], Compression::default());
    gzip.write_all(document.to_string().as_bytes()).and_then(|()| gzip.finish()).expect("a vector is written")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::source::Unread;

    fn records(count: u64) -> Vec<Record> {
        (1..=count).map(|number| Record::new(number, format!("r{number}"))).collect()
    }

    #[test]
    fn log_events_are_a_compressed_document() {
        let wrapped = Envelope::CloudwatchLogs.wrap(&records(2), "123456789012", 7);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&wrapped.data[..]).read_to_string(&mut text).expect("gzip");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&document["owner"], &document["messageType"]), (&json!("123456789012"), &json!("DATA_MESSAGE")));
        assert_eq!(document["logEvents"][1]["message"], "r2");
        assert_eq!(document["logEvents"][1]["timestamp"], 7);
    }

    #[test]
    fn ten_records_are_together_and_what_cannot_be_read_stays_outside() {
        let unread = Unread { place: "line 4".into(), why: "x".into() };
        let source = records(23).into_iter().map(Ok).chain([Err(unread.clone())]);
        let over: Vec<_> = Envelope::Kpl.over(Box::new(source), "1".into(), 0).collect();
        assert_eq!(over.len(), 4);
        assert_eq!(over[3], Err(unread));
        let numbers: Vec<u64> = over[..3].iter().map(|one| one.as_ref().unwrap().number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert!(over[2].as_ref().unwrap().data.starts_with(&[0xf3, 0x89, 0x9a, 0xc2]));
        let plain: Vec<_> = Envelope::None.over(Box::new(records(2).into_iter().map(Ok)), "1".into(), 0).collect();
        assert_eq!(plain.len(), 2);
    }
}
