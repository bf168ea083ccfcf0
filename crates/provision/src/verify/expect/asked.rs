//! Asks the deployed artifact, which runs on this machine, for the results of records, and how its outputs can be compared.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Fate, Fates, batch};
use crate::error::{Error, Result};
use crate::transform::ask;
use crate::transform::call::Callee;
use crate::transform::event::{self, Oddities, Record, Source};
use crate::verify::identity::{self, Identity};
use crate::verify::input::Input;
use crate::verify::pipeline::Pipeline;

/// A batch that failed faster than this is tried again record by record.
const SLOW_MS: f64 = 1_000.0;
/// The most records with which a function is asked twice.
const ASKED_TWICE: usize = 100;

/// A function, and how the delivery stream asks it.
pub struct Asked<'a> {
    pub callee: &'a Callee,
    pub source: &'a Source,
}

/// How the outputs for these records can be compared: as the user wants, or by what stays where the function is asked twice.
///
/// # Errors
/// The function answers the same record differently each time, and nothing in its answers stays.
pub async fn identity(
    pipeline: &Pipeline,
    asked: Option<&Asked<'_>>,
    input: &Input,
    wanted: Option<&str>,
) -> Result<Identity> {
    match (wanted, asked) {
        (Some(text), _) => Identity::parse(text),
        (None, Some(asked)) => {
            let [first, second] = [outputs(pipeline, asked, input).await?, outputs(pipeline, asked, input).await?];
            compared(asked, &first, &second)
        }
        (None, None) => Ok(Identity::Bytes),
    }
}

/// The results of records, of which a failed batch is asked for again record by record.
pub(super) async fn transformed(asked: &Asked<'_>, records: &[Bytes]) -> Fates {
    if records.is_empty() {
        return Fates { fates: vec![], failure: None };
    }
    let (fates, duration_ms) = ask(asked, records).await;
    let why = match fates {
        Ok(fates) => return Fates { fates, failure: None },
        Err(why) => why,
    };
    // A function that runs into its time limit would do so again for each record.
    if duration_ms > SLOW_MS {
        return Fates { fates: vec![Fate::Failed; records.len()], failure: Some(why) };
    }
    let mut fates = Vec::with_capacity(records.len());
    for record in records.chunks(1) {
        let (fate, _) = ask(asked, record).await;
        fates.extend(fate.unwrap_or_else(|_| vec![Fate::Failed]));
    }
    Fates { fates, failure: Some(why) }
}

/// The result of each record of one batch, or why the whole batch fails; and the duration.
async fn ask(asked: &Asked<'_>, records: &[Bytes]) -> (std::result::Result<Vec<Fate>, String>, f64) {
    let records = records.iter().enumerate().map(|(number, data)| Record::numbered(number, data.clone()));
    let records: Vec<Record> = records.collect();
    let called = asked.callee.call(event::event(asked.source, &records, Oddities::default())).await;
    let answers = ask::judged(&records, &called.payload, called.failed);
    (answers.map(|answers| answers.into_iter().map(Fate::from).collect()), called.measured.duration_ms)
}

/// The outputs of the first records, of which no two are equal. `None` for a record without one. Empty if the batch fails.
pub async fn outputs(pipeline: &Pipeline, asked: &Asked<'_>, input: &Input) -> Result<Vec<Option<Vec<u8>>>> {
    let (parts, _) = batch(pipeline, input, 0).map_err(|e| Error::new("reading the records", e))?;
    let mut seen = BTreeSet::new();
    let sound = parts.into_iter().filter_map(|(_, data)| data.ok()).filter(|data| seen.insert(data.clone()));
    let sound: Vec<Bytes> = sound.take(ASKED_TWICE).collect();
    if sound.is_empty() {
        return Ok(vec![]);
    }
    let fates = ask(asked, &sound).await.0.unwrap_or_default();
    let output = |fate| if let Fate::Delivered(output, _) = fate { Some(output.to_vec()) } else { None };
    Ok(fates.into_iter().map(output).collect())
}

/// The identity by which the outputs of a function can be compared that was asked twice.
///
/// # Errors
/// Its answers differ, and what stays the same does not tell records apart.
pub fn compared(asked: &Asked<'_>, first: &[Option<Vec<u8>>], second: &[Option<Vec<u8>>]) -> Result<Identity> {
    if first.len() != second.len() {
        return Ok(Identity::Bytes);
    }
    identity::that_stays(first, second).map_err(|why| {
        let name = &asked.callee.image.name;
        Error::msg(format!("the outputs of function {name} cannot be recognized: {why}"))
            .hint("pass --identity with a field or a jq expression whose value is the same each time and differs between records")
    })
}
