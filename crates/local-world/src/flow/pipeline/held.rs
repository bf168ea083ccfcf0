//! The records that a pipeline holds, for a person who watches.

use serde::Serialize;

use super::{Pipeline, UnderWay};
use crate::flow::buffer::{Buffer, Hints};
use crate::time::Millis;

/// Buffers that are listed by themselves, those that are due first.
const MOST_BUFFERS: usize = 8;

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Records that were read and are not yet stored or dropped.
    pub records: usize,
    /// In front of the function.
    transform: Option<Buffered>,
    /// Batches that wait for the function, and those that it has.
    waiting: usize,
    invoked: usize,
    /// In front of the destination: some buffers, and how many there are.
    buffers: Vec<Buffered>,
    buffer_count: usize,
    buffer_bytes: usize,
    /// Objects that are made or wait to be stored again, and when the next one is tried.
    storing: usize,
    retry_at: Option<Millis>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Buffered {
    /// Partition keys or the kind of failure; empty for the one of everything else.
    label: String,
    records: usize,
    bytes: usize,
    /// The size at which it is closed.
    limit: usize,
    /// When it is closed at the latest.
    due: Option<Millis>,
}

impl Buffered {
    fn of<T>(buffer: &Buffer<T>, hints: Hints, label: String) -> Buffered {
        Buffered {
            label,
            records: buffer.len(),
            bytes: buffer.bytes(),
            limit: hints.size_bytes,
            due: buffer.due(hints),
        }
    }
}

impl Pipeline {
    /// It does not look at records, so that it takes as long for many as for few.
    pub fn held(&self) -> Held {
        let (store, lambda) = (self.job.config.store.hints, self.job.config.lambda.as_ref());
        let transform = lambda.map(|lambda| Buffered::of(&self.untransformed, lambda.hints, String::new()));
        let mut soonest: Vec<_> = self.outputs.iter().map(|(slot, buffer)| (buffer.due(store), slot, buffer)).collect();
        soonest.sort_by_key(|(due, ..)| *due);
        let buffers = soonest.iter().take(MOST_BUFFERS);
        let mut held = Held {
            records: self.unprepared.len() + self.untransformed.len(),
            transform,
            waiting: self.waiting.len(),
            buffers: buffers.map(|(_, slot, buffer)| Buffered::of(buffer, store, slot.label())).collect(),
            buffer_count: soonest.len(),
            buffer_bytes: soonest.iter().map(|(_, _, buffer)| buffer.bytes()).sum(),
            storing: self.sealed.len(),
            retry_at: self.sealed.iter().map(|sealed| sealed.not_before).min(),
            ..Held::default()
        };
        held.records += soonest.iter().map(|(_, _, buffer)| buffer.len()).sum::<usize>();
        held.records += self.waiting.iter().map(|batch| batch.items.len()).sum::<usize>();
        held.records += self.sealed.iter().map(|sealed| sealed.items.len()).sum::<usize>();
        for what in self.under_way.values() {
            match what {
                UnderWay::Preparing | UnderWay::Placing => {}
                UnderWay::Writing(batch) | UnderWay::Invoked(batch) | UnderWay::Judging(batch) => {
                    held.invoked += 1;
                    held.records += batch.items.len();
                }
                UnderWay::Packing(_, sealed) => {
                    held.storing += 1;
                    held.records += sealed.items.len();
                }
            }
        }
        held
    }
}
