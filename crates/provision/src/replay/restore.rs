//! Restores the failed data from error records. A delivery stream may take records apart before its function sees them, and the error
//! record of a part may hold the whole record as it was put. The record shows which parts it has, but not which of them failed. All have
//! failed if there is an error record for each.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::Wanted;
use super::source::{Whole, Wholes};
use crate::cloud::Cx;
use crate::error::Result;
use crate::names::plural;
use crate::verify::fed::Tested;
use crate::verify::objects::{ErrorRecord, Objects};
use crate::verify::pipeline::Pipeline;

/// An error record, and what is restored from it.
pub struct Failed<'a> {
    /// Its position in the error object.
    pub number: usize,
    pub error: &'a ErrorRecord,
    pub part: Part,
}

/// The data that is restored from an error record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The bytes that the function gets, or an object.
    Data(Bytes),
    /// Nothing is delivered of the record.
    Empty,
    /// It cannot be prepared: the reason.
    Broken(String),
    /// Nobody can say which part of the record failed: all parts, and the reason.
    Unclear { parts: Vec<u8>, why: String },
}

/// Restores the error records of one delivery stream.
pub struct Restorer<'a> {
    cx: &'a Cx,
    of: &'a Tested<'a>,
    wanted: &'a Wanted,
    pipeline: &'a Pipeline,
    /// Read when they are needed first.
    places: Option<Places>,
    /// The record before, and its parts: error records of one record stand together.
    last: Option<(Record, Vec<Part>)>,
}

/// Error records with the same record in them, which arrived in the same millisecond, are about the same one.
type Record = [u8; 32];

fn record(error: &ErrorRecord) -> Record {
    Sha256::new().chain_update(error.arrived_ms.to_le_bytes()).chain_update(&error.raw).finalize().into()
}

/// The error records about each record, by their objects and positions, and whether they are to be replayed.
type Places = HashMap<Record, Vec<(Rc<str>, usize, bool)>>;

impl<'a> Restorer<'a> {
    pub fn new(cx: &'a Cx, of: &'a Tested<'a>, wanted: &'a Wanted, pipeline: &'a Pipeline) -> Restorer<'a> {
        Restorer { cx, of, wanted, pipeline, places: None, last: None }
    }

    /// Restores some error records of one object.
    pub async fn restore<'e>(&mut self, key: &str, chosen: &[(usize, &'e ErrorRecord)]) -> Result<Vec<Failed<'e>>> {
        let mut restored = vec![];
        for (number, error) in chosen {
            restored.push(Failed { number: *number, error, part: self.part(key, *number, error).await? });
        }
        Ok(restored)
    }

    /// For a replay of whole records: each once, however many of its parts failed. `before` are those that were put before.
    pub fn whole(&mut self, before: &mut HashSet<[u8; 32]>, chosen: &[(usize, &ErrorRecord)]) -> Wholes {
        let (mut wholes, mut places) = (Wholes::default(), HashMap::new());
        for (number, error) in chosen {
            let in_parts = self.parts(error).len() > 1;
            let record = record(error);
            match places.get(&record).filter(|_| in_parts) {
                Some(place) => {
                    let whole: &mut Whole = &mut wholes.put[*place];
                    whole.numbers.push(*number);
                }
                None if in_parts && before.contains(&record) => drop(wholes.done.insert(*number)),
                None => {
                    places.insert(record, wholes.put.len());
                    let raw = Bytes::copy_from_slice(&error.raw);
                    wholes.put.push(Whole { raw, numbers: vec![*number] });
                }
            }
        }
        before.extend(places.into_keys());
        wholes
    }

    async fn part(&mut self, key: &str, number: usize, error: &ErrorRecord) -> Result<Part> {
        let parts = self.parts(error);
        match parts {
            [] => return Ok(Part::Empty),
            [only] => return Ok(only.clone()),
            _ => {}
        }
        let parts = parts.to_vec();
        if self.places.is_none() {
            self.places = Some(places(self.cx, self.of, self.wanted).await?);
        }
        let places = self.places.as_ref().and_then(|places| places.get(&record(error))).map_or(&[][..], Vec::as_slice);
        let place = places.iter().position(|(object, at, _)| &**object == key && *at == number);
        let why = match (parts.len() == places.len(), place) {
            (true, Some(place)) if places.iter().all(|(_, _, chosen)| *chosen) => return Ok(parts[place].clone()),
            (true, _) => {
                "its parts failed for several reasons or at several times: leave out --error-type and --since".into()
            }
            (false, _) => format!(
                "{} cannot say which of the {} parts of this record failed: --through-source puts the whole record again",
                plural(places.len(), "error record"),
                parts.len()
            ),
        };
        let data = |part: &Part| if let Part::Data(data) = part { data.clone() } else { Bytes::new() };
        Ok(Part::Unclear { parts: parts.iter().map(data).collect::<Vec<_>>().concat(), why })
    }

    fn parts(&mut self, error: &ErrorRecord) -> &[Part] {
        let record = record(error);
        if self.last.as_ref().is_none_or(|(last, _)| *last != record) {
            let parts = self.pipeline.parts(Bytes::copy_from_slice(&error.raw)).into_iter();
            let part = |data| match data {
                Ok(data) => Part::Data(data),
                Err(local_cloud::delivery::Failure { code, message }) => Part::Broken(format!("{code}: {message}")),
            };
            self.last = Some((record, parts.map(|one| part(one.data)).collect()));
        }
        self.last.as_ref().map_or(&[], |(_, parts)| parts)
    }
}

/// Reads all error records, also those that are not to be replayed: all are needed to count the parts that failed.
async fn places(cx: &Cx, of: &Tested<'_>, wanted: &Wanted) -> Result<Places> {
    let (mut objects, mut places) = (Objects::of(of.delivery, of.name, 0), Places::new());
    let mut listed = objects.new_ones(cx).await?;
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    for listed in listed.iter().filter(|listed| listed.of_errors != Some(false)) {
        let (object, errors) = objects.read(cx, listed).await?;
        let key: Rc<str> = object.key.as_str().into();
        for (number, error) in errors.unwrap_or_default().iter().enumerate() {
            let chosen = object.stored_s >= wanted.since_s && wanted.takes(error);
            places.entry(record(error)).or_default().push((key.clone(), number, chosen));
        }
    }
    Ok(places)
}
