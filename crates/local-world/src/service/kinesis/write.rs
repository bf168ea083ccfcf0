//! The answers of the hot path, written straight into one buffer: serialising tries every character of the data for escapes,
//! which base64 has none of.

use base64_simd::STANDARD as BASE64;

use crate::record::Record;
use crate::record::sequence::Sequence;
use crate::time::Millis;

/// JSON under way.
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    /// A text that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    pub fn number(&mut self, value: u64) {
        self.padded(value, 1);
    }

    /// A string, with its quotes and the escapes that it needs.
    pub fn string(&mut self, text: &str) {
        serde_json::to_writer(&mut self.0, text).expect("a string is written to memory");
    }

    fn padded(&mut self, mut value: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        while value > 0 {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.0.extend_from_slice(&digits[at.min(digits.len() - width)..]);
    }

    /// Where a record went.
    pub fn placed(&mut self, sequence: Sequence, shard: u32) {
        self.raw(r#""SequenceNumber":""#);
        self.raw(sequence.digits().as_str());
        self.raw(r#"","ShardId":"shardId-"#);
        self.padded(shard.into(), 12);
        self.raw("\"");
    }

    /// The member `Records` as it is read.
    pub fn records(&mut self, records: &[Record], encryption_type: Option<&str>) {
        self.raw(r#""Records":["#);
        for (i, record) in records.iter().enumerate() {
            self.raw(if i == 0 { "" } else { "," });
            self.record(record, encryption_type);
        }
        self.raw("]");
    }

    fn record(&mut self, record: &Record, encryption_type: Option<&str>) {
        self.raw(r#"{"SequenceNumber":""#);
        self.raw(record.sequence.digits().as_str());
        self.raw(r#"","ApproximateArrivalTimestamp":"#);
        self.seconds(record.arrival);
        self.raw(r#","Data":""#);
        BASE64.encode_append(&record.data, &mut self.0);
        self.raw(r#"","PartitionKey":"#);
        self.string(&record.partition_key);
        self.encryption_type(encryption_type);
        self.raw("}");
    }

    pub fn encryption_type(&mut self, encryption_type: Option<&str>) {
        if let Some(encryption_type) = encryption_type {
            self.raw(r#","EncryptionType":""#);
            self.raw(encryption_type);
            self.raw("\"");
        }
    }

    /// Epoch seconds with three decimals.
    fn seconds(&mut self, time: Millis) {
        self.number(time / 1000);
        self.raw(".");
        self.padded(time % 1000, 3);
    }
}

/// An upper bound of a record's size in an answer: base64, names and quotes.
pub fn record_bound(record: &Record) -> usize {
    record.data.len().div_ceil(3) * 4 + record.partition_key.len() + 200
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_written_is_json() {
        let record = Record {
            sequence: Sequence::of_record(1_700_000_000, 7, 41, 1_700_000_100),
            partition_key: "a \"quoted\" ключ\n".into(),
            data: vec![0, 255, 254].into(),
            arrival: 1_783_951_509_007,
        };
        let mut writer = Writer::with_capacity(0);
        writer.record(&record, Some("KMS"));
        assert!(writer.0.len() <= record_bound(&record));
        let read: Value = serde_json::from_slice(&writer.0).expect("it is JSON");
        let expected = json!({
            "SequenceNumber": record.sequence.to_string(), "ApproximateArrivalTimestamp": 1_783_951_509.007,
            "Data": "AP/+", "PartitionKey": "a \"quoted\" ключ\n", "EncryptionType": "KMS",
        });
        assert_eq!(read, expected);

        let mut writer = Writer::with_capacity(0);
        writer.placed(record.sequence, 7);
        let placed = format!(r#""SequenceNumber":"{}","ShardId":"shardId-000000000007""#, record.sequence);
        assert_eq!(String::from_utf8(writer.0), Ok(placed));
    }
}
