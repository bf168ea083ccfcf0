//! Transforms the records of a batch on several threads. Answers keep the order of the records. A thread is at most two pieces of the
//! batch ahead of the response, so that little memory is held.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::batch::{Batch, Reply};
use crate::error::EventError;
use crate::outcome::{IntoOutcome, Outcome};
use crate::pace::Pace;
use crate::record::Record;

/// Bytes of the event in one piece. Small enough that the threads finish together, large enough that passing pieces on costs nothing.
const PIECE_BYTES: usize = 32 * 1024;

impl<'a> Batch<'a> {
    /// Answers on up to `threads` threads, or in the calling thread if the event is too small to share.
    pub(crate) fn answer_on<O: IntoOutcome>(
        &'a self,
        threads: usize,
        reply: &'a mut Reply,
        transform: impl Fn(&Record<'_>) -> O + Sync,
    ) -> Result<(), EventError> {
        let pieces = self.event.len() / PIECE_BYTES;
        let threads = threads.min(pieces);
        if threads <= 1 {
            return self.answer(reply, transform);
        }
        let mut answers = self.answers(reply)?;
        let piece = answers.slots().len().div_ceil(pieces).max(1);
        let (event, slots, transform) = (answers.event, answers.slots(), &transform);
        let record = move |slot| Record::new(event, slot, self.invocation);
        thread::scope(|scope| {
            let workers: Vec<Receiver<Vec<Outcome>>> = (0..threads)
                .map(|worker| {
                    let (sender, receiver) = sync_channel(1);
                    scope.spawn(move || {
                        let mut pace = Pace::default();
                        for piece in slots.chunks(piece).skip(worker).step_by(threads) {
                            let outcome = |slot| self.outcome(&mut pace, transform, &record(slot));
                            if sender.send(piece.iter().map(outcome).collect()).is_err() {
                                return; // nobody waits for it any more
                            }
                        }
                    });
                    receiver
                })
                .collect();
            for (piece, worker) in slots.chunks(piece).zip(workers.iter().cycle()) {
                let outcomes =
                    worker.recv().expect("a thread ends after its last piece, for panics are caught in each record");
                for (slot, outcome) in piece.iter().zip(outcomes) {
                    answers.answer(record(slot), outcome);
                }
            }
        });
        answers.finish();
        Ok(())
    }
}
