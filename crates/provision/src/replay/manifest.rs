//! The manifest of an error object: which of its records were replayed, and what is being written. It lies beside the error object, in
//! the form of a name that Firehose could give, so that it is deleted with the delivery stream's data. Pure.
//!
//! A run writes down which objects it is about to write, writes them, and writes down that they are written. If it is killed in between,
//! the next run deletes those objects and replays the records again, so that none comes twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub v: u32,
    /// The key of the object whose records are replayed.
    pub error_object: String,
    /// The records that are finished, by their position in the object from 0: written, dropped by the function, or put into the stream.
    pub finished: BTreeSet<usize>,
    /// The keys of the objects that hold them.
    pub objects: Vec<String>,
    /// The records and objects that a run is writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

/// Records that are being replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub records: BTreeSet<usize>,
    /// None for records that are put into the stream.
    pub objects: Vec<String>,
}

impl Manifest {
    pub fn new(error_object: &str) -> Manifest {
        let (finished, objects) = (BTreeSet::new(), vec![]);
        Manifest { v: VERSION, error_object: error_object.to_owned(), finished, objects, pending: None }
    }

    /// # Errors
    /// The text is no manifest, or one of a newer version.
    pub fn parse(text: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match manifest.v {
            VERSION => Ok(manifest),
            newer => Err(format!("its version is {newer}, and this program reads version {VERSION}")),
        }
    }

    pub fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("numbers and strings serialise")
    }

    /// Begins to write these records.
    pub fn begin(&mut self, pending: Pending) {
        self.pending = Some(pending);
    }

    /// Everything that was begun is written.
    pub fn end(&mut self) {
        if let Some(Pending { records, objects }) = self.pending.take() {
            self.finished.extend(records);
            self.objects.extend(objects);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_finished_when_what_was_begun_has_ended() {
        let mut manifest = Manifest::new("bad/a");
        manifest.begin(Pending { records: [1, 2].into(), objects: vec!["good/b".into()] });
        let read = Manifest::parse(&manifest.text()).expect("it is one");
        assert_eq!((&read, read.finished.len()), (&manifest, 0));
        manifest.end();
        assert_eq!((manifest.finished.len(), manifest.objects.len(), &manifest.pending), (2, 1, &None));
        let newer = String::from_utf8(manifest.text()).unwrap().replace("\"v\": 1", "\"v\": 2");
        assert!(Manifest::parse(newer.as_bytes()).unwrap_err().contains("version is 2"));
    }
}
