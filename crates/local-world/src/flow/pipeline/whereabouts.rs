//! Where in a pipeline one record is, for a person who asks.

use bytes::Bytes;

use super::{Pipeline, UnderWay};
use crate::flow::item::Origin;
use crate::time::Millis;

/// So many records are looked at, so that a turn stays short.
const MOST_LOOKED_AT: usize = 100_000;

#[derive(Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In front of the function, until then at the latest. Without a time, its batch waits for a place.
    BeforeFunction(Option<Millis>),
    InFunction,
    /// In front of the destination, as it will be stored.
    Buffered {
        due: Option<Millis>,
        error: Option<&'static str>,
        data: Bytes,
    },
    /// In an object that is made, or that could not be stored yet.
    Storing,
}

impl Pipeline {
    /// `None`: it is not there, or among too many.
    pub fn whereabouts(&self, shard: u32, ordinal: u64) -> Option<Whereabouts> {
        let theirs = |origin: &Origin| origin.shard == shard && origin.ordinal == ordinal;
        let mut left = MOST_LOOKED_AT;
        let mut look = |count: usize| {
            let looks = count <= left;
            left = left.saturating_sub(count);
            looks
        };
        let hints = self.job.config.lambda.as_ref().map(|lambda| lambda.hints);
        if look(self.untransformed.len()) && self.untransformed.iter().any(|item| theirs(&item.origin)) {
            return Some(Whereabouts::BeforeFunction(hints.and_then(|hints| self.untransformed.due(hints))));
        }
        for batch in &self.waiting {
            if look(batch.items.len()) && batch.items.iter().any(|item| theirs(&item.origin)) {
                return Some(Whereabouts::BeforeFunction(None));
            }
        }
        for what in self.under_way.values() {
            let found = match what {
                UnderWay::Preparing | UnderWay::Placing => None,
                UnderWay::Writing(batch) | UnderWay::Invoked(batch) | UnderWay::Judging(batch) => {
                    let found = look(batch.items.len()) && batch.items.iter().any(|item| theirs(&item.origin));
                    found.then_some(Whereabouts::InFunction)
                }
                UnderWay::Packing(_, sealed) => {
                    let found = look(sealed.items.len()) && sealed.items.iter().any(|item| theirs(&item.origin));
                    found.then_some(Whereabouts::Storing)
                }
            };
            if found.is_some() {
                return found;
            }
        }
        for sealed in &self.sealed {
            if look(sealed.items.len()) && sealed.items.iter().any(|item| theirs(&item.origin)) {
                return Some(Whereabouts::Storing);
            }
        }
        for (slot, buffer) in &self.outputs {
            let found = if look(buffer.len()) { buffer.iter().find(|output| theirs(&output.origin)) } else { None };
            if let Some(output) = found {
                let (due, data) = (buffer.due(self.job.config.store.hints), output.data.clone());
                return Some(Whereabouts::Buffered { due, error: slot.error(), data });
            }
        }
        None
    }
}
