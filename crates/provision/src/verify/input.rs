//! The records of a run, by their number. They are made when they are needed, or lie in a file, so that memory does not grow with their
//! number.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::source::envelope::Envelope;
use crate::source::{Record, Records, Unread};
use crate::verify::fit::Field;

/// Records that can be read again and again. Clones share what lies in a file.
#[derive(Clone)]
pub enum Input {
    Made(Made),
    Given(Spool),
}

impl Input {
    pub fn count(&self) -> u32 {
        match self {
            Input::Made(made) => made.count,
            Input::Given(spool) => spool.count(),
        }
    }

    /// All of them, to be put. They are numbered from 1 there.
    pub fn records(self) -> Records {
        let count = self.count();
        let read = move |number: u32| {
            let data = self.record(number);
            let number = u64::from(number) + 1;
            data.map(|data| Record::new(number, data))
                .map_err(|error| Unread { place: format!("record {number}"), why: error.to_string() })
        };
        Box::new((0..count).map(read))
    }

    /// The record of this number, which is smaller than the count.
    pub fn record(&self, number: u32) -> io::Result<Bytes> {
        match self {
            Input::Made(made) => Ok(made.record(number)),
            Input::Given(spool) => spool.record(number),
        }
    }
}

/// Numbered records: JSON objects of two numbers, so that any transform of numbers has something to do, and of the fields that a
/// query of a delivery stream reads.
#[derive(Debug, Clone, Default)]
pub struct Made {
    pub run: u32,
    pub count: u32,
    pub fields: Vec<Field>,
    /// Bytes that each record has at least.
    pub size: usize,
    /// Each is a compressed document as CloudWatch Logs sends them, and the object is its message.
    pub as_logs: bool,
}

impl Made {
    pub fn record(&self, number: u32) -> Bytes {
        let mut record = format!(r#"{{"run":{},"n":{number}}}"#, self.run);
        if !self.fields.is_empty() {
            let mut object = Map::from_iter([("run".to_owned(), self.run.into()), ("n".to_owned(), number.into())]);
            self.fields.iter().for_each(|field| field.put(&mut object, number));
            record = Value::Object(object).to_string();
        }
        const EMPTY: usize = r#","pad":"""#.len();
        if let Some(padding) = self.size.checked_sub(record.len() + EMPTY) {
            record.pop();
            record.push_str(&format!(r#","pad":"{}"}}"#, "x".repeat(padding)));
        }
        if !self.as_logs {
            return record.into();
        }
        let message = Record::new(u64::from(number) + 1, record);
        Envelope::CloudwatchLogs.wrap(&[message], "000000000000", LOGGED_MS).data
    }
}

/// The time of made-up log events. Any will do.
const LOGGED_MS: i64 = 1_700_000_000_000;

/// Records in a file without a name. Clones share it.
#[derive(Clone)]
pub struct Spool {
    data: Arc<File>,
    ends: Ends,
}

/// Where each record ends.
#[derive(Clone)]
struct Ends {
    file: Arc<File>,
    len: u32,
    last: u64,
}

impl Spool {
    /// Keeps these records.
    pub fn of<E: From<io::Error>>(
        records: impl IntoIterator<Item = std::result::Result<Bytes, E>>,
    ) -> std::result::Result<Spool, E> {
        let (data, file) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut ends = Ends { file: Arc::new(file.try_clone()?), len: 0, last: 0 };
        let (mut to_data, mut to_ends) = (io::BufWriter::new(data.try_clone()?), io::BufWriter::new(file));
        for record in records {
            let record = record?;
            to_data.write_all(&record)?;
            ends.last += record.len() as u64;
            to_ends.write_all(&ends.last.to_le_bytes())?;
            ends.len =
                ends.len.checked_add(1).ok_or_else(|| io::Error::other("there are more than 4,294,967,295 records"))?;
        }
        to_data.flush()?;
        to_ends.flush()?;
        drop(to_ends);
        Ok(Spool { data: Arc::new(data), ends })
    }

    pub fn count(&self) -> u32 {
        self.ends.len
    }

    fn record(&self, number: u32) -> io::Result<Bytes> {
        let mut ends = [0; 16];
        let from = match number {
            0 => {
                self.ends.file.read_exact_at(&mut ends[8..], 0)?;
                0
            }
            _ => {
                self.ends.file.read_exact_at(&mut ends, (u64::from(number) - 1) * 8)?;
                u64::from_le_bytes(ends[..8].try_into().expect("eight bytes"))
            }
        };
        let to = u64::from_le_bytes(ends[8..].try_into().expect("eight bytes"));
        let mut record = vec![0; (to - from) as usize];
        self.data.read_exact_at(&mut record, from)?;
        Ok(record.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_records_are_read_by_their_number() {
        let texts = ["a", "", "ccc"];
        let spool = Spool::of(texts.map(|text| Ok::<_, io::Error>(Bytes::from(text)))).unwrap();
        let input = Input::Given(spool);
        assert_eq!(input.count(), 3);
        for (number, text) in (0..).zip(texts) {
            assert_eq!(input.record(number).unwrap(), text);
        }
    }

    #[test]
    fn a_made_record_has_the_size_and_the_fields_that_are_wanted() {
        let made = Made { run: 7, count: 1, ..Made::default() };
        assert_eq!(made.record(3), r#"{"run":7,"n":3}"#);
        let padded = Made { size: 100, ..made.clone() }.record(3);
        assert!(padded.len() == 100 && serde_json::from_slice::<Value>(&padded).is_ok(), "{padded:?}");
        let logs = Made { as_logs: true, ..made }.record(3);
        assert!(logs.starts_with(&[0x1f, 0x8b]));
    }
}
