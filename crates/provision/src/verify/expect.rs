//! Computes the expected result of each record: takes it apart as the delivery stream does, runs the deployed artifact on this machine,
//! and looks for the partition keys.

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};

use crate::error::{Error, Result};
use crate::transform::ask::{Answer, BATCH, BATCH_BYTES};
use crate::verify::bits::Bits;
use crate::verify::cut::Shape;
use crate::verify::identity::Identity;
use crate::verify::index::Index;
use crate::verify::input::Input;
use crate::verify::numbers::Numbers;
use crate::verify::pipeline::Pipeline;

mod asked;

use asked::transformed;
pub use asked::{Asked, compared, identity, outputs};

/// Batches that the function has at the same time, each in a process of its own.
const AT_ONCE: usize = 2;

/// The expected result of one part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// These bytes are delivered, with partition keys from the function.
    Delivered(Bytes, BTreeMap<String, String>),
    Dropped,
    /// Found under the error prefix.
    Failed,
}

impl From<Answer> for Fate {
    fn from(answer: Answer) -> Fate {
        match answer {
            Answer::Delivered(data, partition_keys) => Fate::Delivered(data.into(), partition_keys),
            Answer::Dropped => Fate::Dropped,
            Answer::Failed(_) => Fate::Failed,
        }
    }
}

/// The expected results for one delivery stream. A part is what a delivery stream makes of a record: most records have one.
pub struct Expected {
    /// The parts by the identity of their outputs.
    pub index: Index,
    /// The record of each part. `None`: each record has one part.
    records: Option<Numbers>,
    pub shape: Shape,
    pub identity: Identity,
    pub dropped: Bits,
    pub failed: Bits,
    /// Outputs without bytes, which leave no trace.
    pub empty: Bits,
    /// One record may fail all that are transformed with it, and which those are is Firehose's to decide.
    pub may_fail: bool,
    /// Reasons why whole batches fail, each once, in order.
    pub failures: Vec<String>,
}

impl Expected {
    fn new(pipeline: &Pipeline, records: u32, identity: Identity) -> io::Result<Expected> {
        Ok(Expected {
            index: Index::of(records)?,
            records: if pipeline.takes_apart() { Some(Numbers::new()?) } else { None },
            shape: Shape::new(&pipeline.delimiter, identity != Identity::Bytes),
            identity,
            dropped: Bits::default(),
            failed: Bits::default(),
            empty: Bits::default(),
            may_fail: false,
            failures: vec![],
        })
    }

    /// How many parts there are.
    pub fn count(&self) -> u32 {
        self.index.count()
    }

    /// The number of the record that a part is of.
    pub fn record(&mut self, part: u32) -> io::Result<u32> {
        self.records.as_mut().map_or(Ok(part), |records| records.get(part))
    }

    fn add(&mut self, record: u32, fate: &Fate, fingerprint: Option<u64>) -> io::Result<()> {
        if self.records.is_none() && self.index.count() != record {
            // A record that the producer library put together has several parts, or none.
            let mut records = Numbers::new()?;
            (0..self.index.count()).try_for_each(|part| records.push(part).map(drop))?;
            self.records = Some(records);
        }
        if let Some(records) = &mut self.records {
            records.push(record)?;
        }
        let part = self.index.add(fingerprint)?;
        match fate {
            Fate::Delivered(output, _) if output.is_empty() => self.empty.set(part),
            Fate::Delivered(output, _) => {
                self.shape.learn(output);
                false
            }
            Fate::Dropped => self.dropped.set(part),
            Fate::Failed => self.failed.set(part),
        };
        Ok(())
    }
}

/// The expected results of these records, with outputs that are compared by this identity.
///
/// # Errors
/// An output has no such identity.
pub async fn expected(
    pipeline: &Pipeline,
    asked: Option<&Asked<'_>>,
    input: &Input,
    identity: Identity,
) -> Result<Expected> {
    let reading = |e: io::Error| Error::new("keeping the expected results", e);
    let mut expected = Expected::new(pipeline, input.count(), identity).map_err(reading)?;
    let batches = batches(pipeline, input).map(|parts| async move {
        let parts = parts?;
        let fates = fates(pipeline, asked, &parts).await;
        // Without a function nothing else here waits, and the records that are put meanwhile would.
        tokio::task::yield_now().await;
        io::Result::Ok((parts, fates))
    });
    let mut answered = pin!(batches.buffered(AT_ONCE));
    while let Some(batch) = answered.next().await {
        let (parts, Fates { fates, failure }) = batch.map_err(reading)?;
        if let Some(why) = failure {
            expected.may_fail = true;
            if !expected.failures.contains(&why) {
                expected.failures.push(why);
            }
        }
        let identity = std::mem::replace(&mut expected.identity, Identity::Bytes);
        let mut reader = identity.reader();
        for ((record, _), fate) in parts.iter().zip(&fates) {
            let fingerprint = match fate {
                Fate::Delivered(output, _) if !output.is_empty() => Some(reader.of(output).ok_or_else(|| {
                    let told = identity.told().unwrap_or_default();
                    let why = format!("record {record} has no identity: its output has no value for {told}");
                    Error::msg(why).hint("choose another --identity")
                })?),
                _ => None,
            };
            expected.add(*record, fate, fingerprint).map_err(reading)?;
        }
        drop(reader);
        expected.identity = identity;
    }
    Ok(expected)
}

/// The parts of records by their bytes before they are prepared, as error records show them.
pub fn raw_index(pipeline: &Pipeline, input: &Input) -> io::Result<Index> {
    let mut index = Index::of(input.count())?;
    for record in 0..input.count() {
        for part in pipeline.parts(input.record(record)?) {
            index.add(Some(crate::verify::index::fingerprint(&part.raw)))?;
        }
    }
    Ok(index)
}

type Part = (u32, std::result::Result<Bytes, String>);

/// The parts of all records, batch by batch.
fn batches(pipeline: &Pipeline, input: &Input) -> impl Stream<Item = io::Result<Vec<Part>>> {
    stream::iter((0..).scan(0, |next, _| {
        (*next < input.count()).then(|| {
            let (parts, after) = batch(pipeline, input, *next)?;
            *next = after;
            Ok(parts)
        })
    }))
}

/// Parts for one event, and the number of the first record that is not among them.
fn batch(pipeline: &Pipeline, input: &Input, from: u32) -> io::Result<(Vec<Part>, u32)> {
    let (mut parts, mut bytes, mut next) = (vec![], 0, from);
    while next < input.count() && parts.len() < BATCH && bytes < BATCH_BYTES {
        let record = input.record(next)?;
        bytes += record.len();
        let apart = pipeline.parts(record).into_iter();
        parts.extend(apart.map(|part| (next, part.data.map_err(|failure| failure.code))));
        next += 1;
    }
    Ok((parts, next))
}

/// The results of the parts of one batch, and why the function failed the whole batch, if it did.
struct Fates {
    fates: Vec<Fate>,
    failure: Option<String>,
}

async fn fates(pipeline: &Pipeline, asked: Option<&Asked<'_>>, parts: &[Part]) -> Fates {
    let sound: Vec<Bytes> = parts.iter().filter_map(|(_, data)| data.as_ref().ok().cloned()).collect();
    let Fates { fates: answered, failure } = match asked {
        None => {
            let fates = sound.into_iter().map(|data| Fate::Delivered(data, BTreeMap::new())).collect();
            Fates { fates, failure: None }
        }
        Some(asked) => transformed(asked, &sound).await,
    };
    let (mut answered, mut placing) = (answered.into_iter(), pipeline.placing());
    let fate = |(_, data): &Part| match data {
        Err(_) => Fate::Failed,
        Ok(_) => match answered.next().expect("there is an answer for each") {
            Fate::Delivered(output, keys) if placing.place(&output, &keys).is_err() => Fate::Failed,
            fate => fate,
        },
    };
    Fates { fates: parts.iter().map(fate).collect(), failure }
}
