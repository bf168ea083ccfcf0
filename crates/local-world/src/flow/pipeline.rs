//! All that one way of a delivery stream's records holds in memory: cursors, buffers, what is under way, objects that wait to
//! be stored. None of it is journalled: after a restart it is read again, from where [`super::progress::Progress`] says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::buffer::Buffer;
use super::event;
use super::item::{Item, Output};
use super::job::Job;
use super::pieces::Pieces;
use super::prefix::PartitionKeys;
use super::settle::{Outputs, Part};
use super::slot::Slot;
use crate::request::Token;
use crate::time::Millis;

pub mod held;
#[cfg(test)]
mod tests;
pub mod whereabouts;

/// Invocations under way at once, per shard.
const CONCURRENCY: usize = 5;
/// Batches that wait for the function before nothing more is read, per shard.
const MOST_WAITING: usize = 20;
/// Bytes that wait to be stored before nothing more is read.
const MOST_SEALED: usize = 256 << 20;

#[derive(Debug)]
pub struct Pipeline {
    pub job: Arc<Job>,
    /// By shard: the ordinal to be read next.
    pub cursors: BTreeMap<u32, u64>,
    /// The mark of the source when everything in it had been read.
    pub read_until: Option<u64>,
    /// Read already, and not prepared yet.
    pub unprepared: Vec<Item>,
    /// Until when what IAM said about reading holds, and what it said.
    pub permit: Option<(Millis, bool)>,
    /// That nothing can be read was said in the log.
    pub complained: bool,
    untransformed: Buffer<Item>,
    /// Bound of the request that `untransformed` makes, in bytes.
    request_bound: usize,
    /// To be sent to the function.
    pub waiting: VecDeque<Batch>,
    pub under_way: BTreeMap<Token, UnderWay>,
    outputs: BTreeMap<Slot, Buffer<Output>>,
    /// To be stored.
    pub sealed: Vec<Sealed>,
    /// The ends of the shards when a flush was asked for. Until the records before them are finished, no buffer waits.
    pub flush: Option<BTreeMap<u32, u64>>,
    /// Records that are lost, since no object of them could be stored for as long as they are kept.
    pub given_up: u64,
    /// Nothing moves before, after a panic.
    pub rests_until: Option<Millis>,
}

#[derive(Debug, Clone)]
pub struct Batch {
    pub items: Arc<Pieces<Item>>,
    /// Invocations made.
    pub attempts: u32,
    pub not_before: Millis,
}

#[derive(Debug, Clone)]
pub struct Sealed {
    pub slot: Slot,
    pub items: Arc<Pieces<Output>>,
    pub bytes: usize,
    pub not_before: Millis,
}

/// Work that the driver or a function is doing.
#[derive(Debug)]
pub enum UnderWay {
    /// Records are prepared. Nothing more is read meanwhile, so that their order is kept.
    Preparing,
    /// Prepared records find their objects.
    Placing,
    /// A batch's event is written.
    Writing(Batch),
    Invoked(Batch),
    /// The function has answered.
    Judging(Batch),
    /// An object is made. As which job it was sealed decides where it goes.
    Packing(Arc<Job>, Sealed),
}

impl Pipeline {
    pub fn new(job: Arc<Job>) -> Pipeline {
        Pipeline {
            job,
            cursors: BTreeMap::new(),
            read_until: None,
            unprepared: vec![],
            permit: None,
            complained: false,
            untransformed: Buffer::default(),
            request_bound: 0,
            waiting: VecDeque::new(),
            under_way: BTreeMap::new(),
            outputs: BTreeMap::new(),
            sealed: vec![],
            flush: None,
            given_up: 0,
            rests_until: None,
        }
    }

    /// Has it room for more records?
    pub fn may_read(&self) -> bool {
        let preparing = self.under_way.values().any(|what| matches!(what, UnderWay::Preparing | UnderWay::Placing));
        !preparing
            && self.waiting.len() < MOST_WAITING * self.shards()
            && self.sealed.iter().map(|sealed| sealed.bytes).sum::<usize>() < MOST_SEALED
    }

    /// Records go to the function: at once, if that does not close a buffer.
    pub fn put_in_all(&mut self, items: Vec<Item>, now: Millis) {
        let bytes: usize = items.iter().map(|item| item.record.data.len()).sum();
        let bound: usize = items.iter().map(event::size_bound).sum();
        let hints = self.job.config.lambda.as_ref().map(|lambda| lambda.hints);
        let closes = hints.is_none_or(|hints| self.untransformed.bytes() + bytes >= hints.size_bytes);
        if closes || !event::fits(self.request_bound + bound) {
            return items.into_iter().for_each(|item| self.put_in(item, now));
        }
        self.request_bound += bound;
        self.untransformed.append(items, bytes, now);
    }

    /// A record goes to the function.
    fn put_in(&mut self, item: Item, now: Millis) {
        let bound = event::size_bound(&item);
        if !self.untransformed.is_empty() && !event::fits(self.request_bound + bound) {
            self.close_batch(now);
        }
        self.request_bound += bound;
        let size = item.record.data.len();
        self.untransformed.push(item, size, now);
        let hints = self.job.config.lambda.as_ref().map(|lambda| lambda.hints);
        if hints.is_none_or(|hints| self.untransformed.bytes() >= hints.size_bytes) {
            self.close_batch(now);
        }
    }

    /// A record goes to the destination.
    pub fn put_out(&mut self, slot: &Slot, output: Output, now: Millis) {
        let size = output.data.len();
        if !self.outputs.contains_key(slot) {
            self.outputs.insert(slot.clone(), Buffer::default());
        }
        let buffer = self.outputs.get_mut(slot).expect("it is there now");
        buffer.push(output, size, now);
        if buffer.bytes() >= self.job.config.store.hints.size_bytes {
            let buffer = self.outputs.remove(slot).expect("it was there just now");
            self.seal(slot.clone(), buffer, now);
        }
    }

    /// Records go to the destination: each part at once, if that does not close a buffer.
    pub fn put_out_all(&mut self, slot: &Slot, outputs: Outputs, now: Millis) {
        for Part { items, bytes } in outputs.0 {
            let before = self.outputs.get(slot).map_or(0, Buffer::bytes);
            if before + bytes >= self.job.config.store.hints.size_bytes {
                items.into_iter().for_each(|output| self.put_out(slot, output, now));
            } else if !items.is_empty() {
                self.outputs.entry(slot.clone()).or_default().append(items, bytes, now);
            }
        }
    }

    /// Would a record of these keys begin one partition too many?
    pub fn exceeds(&self, keys: &PartitionKeys, most: usize) -> bool {
        let active = || self.outputs.keys().filter(|slot| matches!(slot, Slot::Good(_))).count();
        !keys.is_empty() && !self.outputs.contains_key(&Slot::Good(keys.clone())) && active() >= most
    }

    fn seal(&mut self, slot: Slot, mut buffer: Buffer<Output>, now: Millis) {
        let bytes = buffer.bytes();
        self.sealed.push(Sealed { slot, items: buffer.take().into(), bytes, not_before: now });
    }

    fn close_batch(&mut self, now: Millis) {
        self.request_bound = 0;
        let items = self.untransformed.take().into();
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
        let sealed: Vec<_> = self.outputs.extract_if(.., |_, buffer| over(buffer)).collect();
        sealed.into_iter().for_each(|(slot, buffer)| self.seal(slot, buffer, now));
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
        let batch =
            |what: &&UnderWay| matches!(what, UnderWay::Writing(_) | UnderWay::Invoked(_) | UnderWay::Judging(_));
        self.under_way.values().filter(batch).count() < CONCURRENCY * self.shards()
    }

    fn shards(&self) -> usize {
        self.cursors.len().max(1)
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
