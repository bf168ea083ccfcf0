//! Records from files and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use base64_simd::STANDARD;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bounded::{self, Line};
use super::compact::compact;
use super::{Record, Records, Unread};
use crate::error::{Error, Result};

/// The records in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// `json` for a file that ends in .json, else `lines`
    #[default]
    Auto,
    /// One record a line; empty lines are left out
    Lines,
    /// JSON values one after another, or the elements of one array; also a recorded event
    Json,
    /// The file is one record
    Whole,
}

/// The records of these files, one file after another. `-` is standard input. A file compressed with gzip is decompressed, unless it
/// is one record.
///
/// # Errors
/// A file cannot be opened.
pub fn open(files: &[PathBuf], format: Format) -> Result<Records> {
    let several = files.len() > 1;
    let sources: Vec<Records> = files
        .iter()
        .map(|path| {
            let name = several.then(|| path.display().to_string());
            let records = of_file(path, format).map_err(|e| Error::new(format!("reading {}", path.display()), e))?;
            Ok(Box::new(records.map(move |record| record.map_err(|unread| unread.within(name.as_deref())))) as Records)
        })
        .collect::<Result<_>>()?;
    let numbered = sources.into_iter().flatten().zip(1..);
    Ok(Box::new(numbered.map(|(record, number)| record.map(|record| Record { number, ..record }))))
}

/// The data of all records of one file.
///
/// # Errors
/// The file, or a record in it, cannot be read.
pub fn of(path: &Path, format: Format) -> Result<Vec<Bytes>> {
    let unread = |Unread { place, why }| Error::new(format!("reading {}", path.display()), format!("{place}: {why}"));
    let records = open(&[path.to_owned()], format)?;
    records.map(|record| record.map(|record| record.data).map_err(unread)).collect()
}

impl Unread {
    fn within(self, file: Option<&str>) -> Unread {
        match file {
            Some(file) => Unread { place: format!("{file}, {}", self.place), ..self },
            None => self,
        }
    }
}

fn of_file(path: &Path, format: Format) -> io::Result<Records> {
    let source: Box<dyn Read + Send> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    };
    let source = BufReader::with_capacity(1 << 16, source);
    let name = path.to_string_lossy();
    let is_json = name.ends_with(".json") || name.ends_with(".json.gz");
    match format {
        Format::Whole => Ok(whole(source)),
        Format::Json => Ok(json(plain(source)?)),
        Format::Auto if is_json => Ok(json(plain(source)?)),
        Format::Lines | Format::Auto => Ok(lines(plain(source)?)),
    }
}

/// The two bytes that gzip begins with. No text does.
const GZIP: &[u8] = &[0x1f, 0x8b];

fn plain(mut source: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match source.fill_buf()?.starts_with(GZIP) {
        true => Box::new(BufReader::new(MultiGzDecoder::new(source))),
        false => Box::new(source),
    })
}

fn whole(mut source: impl Read + Send + 'static) -> Records {
    let mut data = vec![];
    let read = source.read_to_end(&mut data).map_err(|error| stopped("record 1".into(), error));
    Box::new(std::iter::once(read.map(|_| Record::new(1, data))))
}

fn lines(mut source: Box<dyn BufRead + Send>) -> Records {
    let mut number = 0;
    let mut over = false;
    let next = move || {
        while !over {
            number += 1;
            let place = || format!("line {number}");
            match bounded::line(&mut source) {
                Ok(Some(Line::Whole(line))) if line.is_empty() => {}
                Ok(Some(Line::Whole(line))) => {
                    return Some(Ok(Record { line: Some(number), ..Record::new(number, line) }));
                }
                Ok(Some(Line::TooLong(bytes))) => {
                    let why = format!("it has {bytes} bytes; a record has at most {}", bounded::MAX_BYTES);
                    return Some(Err(Unread { place: place(), why }));
                }
                Ok(None) => over = true,
                Err(error) => {
                    over = true;
                    return Some(Err(stopped(place(), error)));
                }
            }
        }
        None
    };
    Box::new(std::iter::from_fn(next))
}

fn stopped(place: String, error: impl std::fmt::Display) -> Unread {
    Unread { place, why: format!("reading stopped: {error}") }
}

fn json(source: impl Read + Send + 'static) -> Records {
    let values = serde_json::Deserializer::from_reader(source).into_iter::<Box<RawValue>>();
    let mut over = false;
    let mut number = 0;
    let documents = values.map_while(move |value| {
        if over {
            return None;
        }
        number += 1;
        over = value.is_err();
        Some(match value {
            Ok(value) => records_of(&value),
            Err(error) => vec![Err(stopped(format!("document {number}"), error))],
        })
    });
    Box::new(documents.flatten())
}

/// The records of one JSON document: those of a recorded event, the elements of an array, or the document itself.
fn records_of(document: &RawValue) -> Vec<Result<Record, Unread>> {
    if let Ok(event) = serde_json::from_str::<Recorded>(document.get()) {
        return event.records.into_iter().zip(1..).map(|(entry, number)| entry.record(number)).collect();
    }
    let elements = serde_json::from_str::<Vec<Box<RawValue>>>(document.get());
    let elements = elements.unwrap_or_else(|_| vec![document.to_owned()]);
    elements.iter().map(|element| Ok(Record::new(0, compact(element.get())))).collect()
}

/// The event that Firehose or Kinesis invokes a function with, and the input and output of calls: PutRecords, PutRecordBatch, GetRecords.
#[derive(Deserialize)]
struct Recorded {
    #[serde(alias = "Records")]
    records: Vec<RecordedEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedEntry {
    /// Base64.
    #[serde(alias = "Data")]
    data: Option<String>,
    #[serde(alias = "PartitionKey")]
    partition_key: Option<String>,
    #[serde(alias = "kinesisRecordMetadata")]
    kinesis: Option<Box<RecordedEntry>>,
}

impl RecordedEntry {
    fn record(self, number: u64) -> Result<Record, Unread> {
        let unread = |why: String| Unread { place: format!("record {number} of the event"), why };
        let (inner_data, inner_key) = self.kinesis.map_or((None, None), |inner| (inner.data, inner.partition_key));
        let data = self.data.or(inner_data).ok_or_else(|| unread("it has no `data`".into()))?;
        let data =
            STANDARD.decode_to_vec(data).map_err(|error| unread(format!("its `data` is not base64: {error}")))?;
        Ok(Record { key: self.partition_key.or(inner_key), ..Record::new(number, data) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn told(records: Records) -> Vec<String> {
        let one = |record: Result<Record, Unread>| match record {
            Ok(record) => {
                let key = record.key.as_ref().map(|key| format!(" key {key}")).unwrap_or_default();
                format!("{}: {}{key}", record.place(), String::from_utf8_lossy(&record.data))
            }
            Err(unread) => format!("{}! {}", unread.place, unread.why),
        };
        records.map(one).collect()
    }

    fn read(name: &str, content: &[u8], format: Format) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("it is written");
        told(open(&[path], format).expect("it is opened"))
    }

    #[test]
    fn a_line_is_a_record_and_empty_ones_are_left_out() {
        let expected = ["line 1: {\"a\": 1}", "line 3: text"];
        assert_eq!(read("a.jsonl", b"{\"a\": 1}\r\n\ntext", Format::Auto), expected);
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(b"{\"a\": 1}\n\ntext\n").expect("a vector is written");
        assert_eq!(read("a.log.gz", &gzip.finish().expect("it ends"), Format::Auto), expected);
    }

    #[test]
    fn json_is_values_one_after_another_or_the_elements_of_an_array() {
        assert_eq!(read("a.json", b"{\n  \"a\": 1.50\n}\n", Format::Auto), ["record 1: {\"a\":1.50}"]);
        let array = b"[{\"a\":\n1.50}, [2,\n3], \"x\"]";
        let told = read("a.json", array, Format::Auto);
        assert_eq!(told, ["record 1: {\"a\":1.50}", "record 2: [2,3]", "record 3: \"x\""]);
        assert_eq!(read("a.txt", b"{\"a\":1} {\"a\":2}", Format::Json), ["record 1: {\"a\":1}", "record 2: {\"a\":2}"]);
    }

    #[test]
    fn json_that_ends_early_gives_what_came_before() {
        let told = read("a.json", b"{\"a\":1}\n{\"a\":", Format::Auto);
        assert_eq!(told[0], "record 1: {\"a\":1}");
        assert!(told[1].starts_with("document 2! reading stopped: EOF while parsing"), "{told:?}");
    }

    #[test]
    fn recorded_events_give_their_records() {
        let firehose = br#"{"invocationId":"i","records":[{"recordId":"1","data":"YQ==","kinesisRecordMetadata":{"partitionKey":"k"}}]}"#;
        let kinesis = br#"{"Records":[{"kinesis":{"data":"YQ==","partitionKey":"k"},"eventSource":"aws:kinesis"}]}"#;
        let call = br#"{"Records":[{"Data":"YQ==","PartitionKey":"k"}],"StreamName":"s"}"#;
        for event in [&firehose[..], kinesis, call] {
            assert_eq!(read("event.json", event, Format::Auto), ["record 1: a key k"]);
        }
        let wrong = read("event.json", br#"{"records":[{"data":"*"},{"x":1},{"data":"YQ=="}]}"#, Format::Auto);
        assert!(wrong[0].starts_with("record 1 of the event! its `data` is not base64"), "{wrong:?}");
        assert_eq!(wrong[1..], ["record 2 of the event! it has no `data`", "record 3: a"]);
    }

    #[test]
    fn a_file_may_be_one_record_and_files_come_one_after_another() {
        assert_eq!(read("a.bin", b"a\nb\n", Format::Whole), ["record 1: a\nb\n"]);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = ["a.json", "b.json"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], b"1 2").expect("it is written");
        std::fs::write(&paths[1], b"3 x").expect("it is written");
        let told = told(open(&paths, Format::Auto).expect("they are opened"));
        assert_eq!(told[..3], ["record 1: 1", "record 2: 2", "record 3: 3"]);
        assert!(told[3].contains("b.json, document 2! reading stopped: expected value"), "{told:?}");
        assert!(
            open(&[folder.path().join("c")], Format::Auto)
                .err()
                .expect("it is missing")
                .to_string()
                .contains("reading ")
        );
    }
}
