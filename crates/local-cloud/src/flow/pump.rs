//! All that a delivery stream holds in memory: cursors, buffers, invocations under way, objects that wait to be stored.
//! None of it is journalled: after a restart it is read again, from where [`super::progress::Progress`] says.

use std::collections::{BTreeMap, VecDeque};

use super::buffer::Buffer;
use super::event;
use super::item::{Item, Output};
use super::job::Job;
use super::object::Slot;
use crate::request::Token;
use crate::settings::Millis;

/// Invocations under way at once, per shard.
const CONCURRENCY: usize = 5;

#[derive(Debug)]
pub struct Pump {
    pub job: Job,
    /// By shard: the ordinal to be read next.
    pub cursors: BTreeMap<u32, u64>,
    /// Until when what IAM said about reading holds, and what it said.
    pub permit: Option<(Millis, bool)>,
    untransformed: Buffer<Item>,
    /// Bound of the request that `untransformed` makes, in bytes.
    request_bound: usize,
    /// To be sent to the function.
    pub waiting: VecDeque<Batch>,
    pub running: BTreeMap<Token, Batch>,
    outputs: BTreeMap<Slot, Buffer<Output>>,
    /// To be stored.
    pub sealed: Vec<Sealed>,
    /// What was read when a flush was asked for: until it is finished, no buffer waits.
    pub flush: Option<BTreeMap<u32, u64>>,
    /// Nothing moves before, after a panic.
    pub rests_until: Option<Millis>,
}

#[derive(Debug)]
pub struct Batch {
    pub items: Vec<Item>,
    /// Invocations made.
    pub attempts: u32,
    pub not_before: Millis,
}

#[derive(Debug)]
pub struct Sealed {
    pub slot: Slot,
    pub items: Vec<Output>,
    pub not_before: Millis,
}

impl Pump {
    pub fn new(job: Job) -> Pump {
        Pump {
            job,
            cursors: BTreeMap::new(),
            permit: None,
            untransformed: Buffer::default(),
            request_bound: 0,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            outputs: BTreeMap::new(),
            sealed: vec![],
            flush: None,
            rests_until: None,
        }
    }

    /// A record was read.
    pub fn take_in(&mut self, item: Item, now: Millis) {
        let Some(lambda) = &self.job.config.lambda else {
            let output = Output { origin: item.origin, arrival: item.record.arrival, data: item.record.data };
            return self.put_out(Slot::Good(BTreeMap::new()), output, now);
        };
        let hints = lambda.hints;
        let bound = event::size_bound(&item);
        if !self.untransformed.is_empty() && !event::fits(self.request_bound + bound) {
            self.close_batch(now);
        }
        self.request_bound += bound;
        let size = item.record.data.len();
        self.untransformed.push(item, size, now);
        if self.untransformed.bytes() >= hints.size_bytes {
            self.close_batch(now);
        }
    }

    /// A record goes to the destination.
    pub fn put_out(&mut self, slot: Slot, output: Output, now: Millis) {
        let size = output.data.len();
        let buffer = self.outputs.entry(slot.clone()).or_default();
        buffer.push(output, size, now);
        if buffer.bytes() >= self.job.config.store.hints.size_bytes {
            let items = buffer.take();
            self.outputs.remove(&slot);
            self.sealed.push(Sealed { slot, items, not_before: now });
        }
    }

    fn close_batch(&mut self, now: Millis) {
        self.request_bound = 0;
        let items = self.untransformed.take();
        self.waiting.push_back(Batch { items, attempts: 0, not_before: now });
    }

    /// Closes the buffer in front of the transform if its time has come.
    pub fn close_due_batch(&mut self, now: Millis) {
        if self.batch_due().is_some_and(|due| due <= now || self.flush.is_some()) {
            self.close_batch(now);
        }
    }

    /// Closes the destination's buffers whose time has come.
    pub fn seal_due(&mut self, now: Millis) {
        let (hints, flush) = (self.job.config.store.hints, self.flush.is_some());
        let over = |buffer: &Buffer<Output>| buffer.due(hints).is_none_or(|due| due <= now || flush);
        for (slot, mut buffer) in self.outputs.extract_if(.., |_, buffer| over(buffer)) {
            self.sealed.push(Sealed { slot, items: buffer.take(), not_before: now });
        }
    }

    /// The next batch that may be sent now.
    pub fn next_batch(&mut self, now: Millis) -> Option<Batch> {
        if !self.may_invoke() {
            return None;
        }
        let position = self.waiting.iter().position(|batch| batch.not_before <= now)?;
        self.waiting.remove(position)
    }

    fn may_invoke(&self) -> bool {
        self.running.len() < CONCURRENCY * self.cursors.len().max(1)
    }

    fn batch_due(&self) -> Option<Millis> {
        // A transform may have been taken away since: then nothing is waited for.
        let hints = self.job.config.lambda.as_ref().map(|lambda| lambda.hints);
        match hints {
            Some(hints) => self.untransformed.due(hints),
            None => (!self.untransformed.is_empty()).then_some(0),
        }
    }

    /// When there is next something to do, if nothing comes in.
    pub fn due(&self) -> Option<Millis> {
        if self.rests_until.is_some() {
            return self.rests_until;
        }
        let denied = self.permit.and_then(|(until, allowed)| (!allowed).then_some(until));
        let waiting = self.waiting.iter().map(|batch| batch.not_before).filter(|_| self.may_invoke());
        let outputs = self.outputs.values().filter_map(|buffer| buffer.due(self.job.config.store.hints));
        let sealed = self.sealed.iter().map(|sealed| sealed.not_before);
        denied.into_iter().chain(self.batch_due()).chain(waiting).chain(outputs).chain(sealed).min()
    }
}
