//! The manifest of an error object: which of its records were replayed, and what is being written. It lies beside the error object, in
//! the form of a name that Firehose could give, so that it is deleted with the delivery stream's data. Pure.
//!
//! A run notes the objects that it is about to write, with all that is in them, writes them, and notes that they are written. If it is
//! killed in between, the next run writes them, and asks the function nothing: whoever writes one of them, now or when a request
//! arrives late, writes the same bytes under the same key. So no record comes twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::outputs::Object;

/// The version of the format.
const VERSION: u32 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub v: u32,
    /// The key of the object whose records are replayed.
    pub error_object: String,
    /// The run that wrote this, by a random word: it knows its own manifest again if the answer to its request was lost.
    pub run: String,
    /// The records that are finished, by their position in the object from 0: written, dropped by the function, or put into the stream.
    pub finished: BTreeSet<usize>,
    /// The keys of the objects that hold them.
    pub objects: Vec<String>,
    /// The records and objects that a run is writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The records that a run is putting into the stream.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub putting: BTreeSet<usize>,
    /// The records that a run which was stopped may have put into the stream, or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsure: BTreeSet<usize>,
}

/// Records that are being replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The records in the objects, and the records that the function dropped.
    pub records: BTreeSet<usize>,
    pub objects: Vec<Object>,
}

impl Pending {
    /// How many records are in the objects.
    pub fn delivered(&self) -> u64 {
        self.objects.iter().map(|object| object.records as u64).sum()
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.iter().map(|object| object.key.clone()).collect()
    }
}

impl Manifest {
    pub fn new(error_object: &str) -> Manifest {
        Manifest {
            v: VERSION,
            error_object: error_object.to_owned(),
            run: String::new(),
            finished: BTreeSet::new(),
            objects: vec![],
            pending: None,
            putting: BTreeSet::new(),
            unsure: BTreeSet::new(),
        }
    }

    /// # Errors
    /// The text is no manifest, or one of another version.
    pub fn parse(text: &[u8]) -> Result<Manifest, String> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match v {
            VERSION => serde_json::from_slice(text).map_err(|error| error.to_string()),
            other => Err(format!("its version is {other}, and this program reads version {VERSION}")),
        }
    }

    pub fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("numbers and strings serialise")
    }

    /// The run that was putting records is no more.
    pub fn take_over(&mut self) {
        self.unsure.append(&mut self.putting);
    }

    /// Everything that was begun is written.
    pub fn end(&mut self) {
        if let Some(Pending { records, objects }) = self.pending.take() {
            self.finished.extend(records);
            self.objects.extend(objects.into_iter().map(|object| object.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_finished_when_what_was_begun_has_ended() {
        let mut manifest = Manifest::new("bad/a");
        let object = Object {
            key: "good/b".into(),
            body: b"\xff\0"[..].into(),
            content_encoding: Some("gzip".into()),
            kms_key: None,
            records: 1,
        };
        manifest.pending = Some(Pending { records: [1, 2].into(), objects: vec![object] });
        let read = Manifest::parse(&manifest.text()).expect("it is one");
        assert_eq!((&read, read.finished.len()), (&manifest, 0));
        manifest.end();
        assert_eq!((manifest.finished.len(), manifest.objects.as_slice()), (2, &["good/b".to_owned()][..]));
        assert_eq!(manifest.pending, None);
        let other = String::from_utf8(manifest.text()).unwrap().replace("\"v\": 2", "\"v\": 1");
        assert!(Manifest::parse(other.as_bytes()).unwrap_err().contains("version is 1"));
    }
}
