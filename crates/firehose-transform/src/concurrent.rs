//! Asynchronous transforms: several records of a batch in flight, in one task. Answers keep the order of the records.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::batch::{Batch, NO_TIME, Reply, panicked};
use crate::error::EventError;
use crate::outcome::{IntoOutcome, Outcome};
use crate::pace::Pace;
use crate::record::Record;

/// A record and its pending answer. The future owns the record, so that the decoded payload stays with it.
struct InFlight<'a> {
    future: Pin<Box<dyn Future<Output = (Record<'a>, Outcome)> + 'a>>,
    done: Option<(Record<'a>, Outcome)>,
}

impl<'a> Batch<'a> {
    pub(crate) async fn answer_async<O: IntoOutcome>(
        &'a self,
        in_flight: usize,
        reply: &'a mut Reply,
        transform: impl AsyncFn(&Record<'_>) -> O + 'a,
    ) -> Result<(), EventError> {
        let mut answers = self.answers(reply)?;
        let (event, slots, transform) = (answers.event, answers.slots(), &transform);
        let mut begun: VecDeque<InFlight<'_>> = VecDeque::new();
        let mut waiting = slots.iter();
        let mut pace = Pace::default();
        loop {
            while begun.len() < in_flight
                && let Some(slot) = waiting.next()
            {
                let record = Record::new(event, slot, self.invocation);
                let future = match pace.is_out_of_time(self.time_left) {
                    true => InFlight {
                        future: Box::pin(std::future::pending()),
                        done: Some((record, Outcome::failed(NO_TIME))),
                    },
                    false => InFlight { future: Box::pin(outcome(transform, record)), done: None },
                };
                begun.push_back(future);
            }
            poll_fn(|context| first_done(&mut begun, context)).await;
            while let Some(InFlight { done: Some(_), .. }) = begun.front() {
                let (record, outcome) = begun.pop_front().and_then(|first| first.done).expect("it was looked at above");
                answers.answer(record, outcome);
            }
            if begun.is_empty() && waiting.len() == 0 {
                break;
            }
        }
        answers.finish();
        Ok(())
    }
}

async fn outcome<'a, O: IntoOutcome>(
    transform: &impl AsyncFn(&Record<'_>) -> O,
    record: Record<'a>,
) -> (Record<'a>, Outcome) {
    let outcome = {
        let mut answer = std::pin::pin!(async { transform(&record).await.into_outcome() });
        // A transform that has panicked is not polled again.
        poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
                .unwrap_or_else(|panic| Poll::Ready(panicked(panic)))
        })
        .await
    };
    let outcome = record.refused().map_or(outcome, Outcome::failed);
    (record, outcome)
}

/// Polls every record that is in flight. Ready when the first of them is done.
fn first_done(begun: &mut VecDeque<InFlight<'_>>, context: &mut Context<'_>) -> Poll<()> {
    for record in begun.iter_mut().filter(|record| record.done.is_none()) {
        if let Poll::Ready(done) = record.future.as_mut().poll(context) {
            record.done = Some(done);
        }
    }
    match begun.front() {
        Some(InFlight { done: None, .. }) => Poll::Pending,
        Some(InFlight { done: Some(_), .. }) | None => Poll::Ready(()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::task::Waker;

    use super::*;
    use crate::testing::kinesis_event;
    use crate::{Invocation, Runner};

    /// Without a runtime: whatever is pending is asked again at once.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
        }
    }

    /// Pending so many times.
    async fn turns(count: u64) {
        let left = Cell::new(count);
        poll_fn(|_| match left.get() {
            0 => Poll::Ready(()),
            more => {
                left.set(more - 1);
                Poll::Pending
            }
        })
        .await;
    }

    fn answer(in_flight: usize, transform: impl AsyncFn(&Record<'_>) -> Outcome) -> Reply {
        let event = kinesis_event((0..10).map(|number| number.to_string()));
        let mut reply = Reply::default();
        let runner = Runner::new().in_flight(in_flight);
        block_on(runner.answer_async(&event, &Invocation::default(), &mut reply, transform)).expect("it is an event");
        reply
    }

    #[test]
    fn answers_come_in_order_whichever_is_done_first() {
        for in_flight in [1, 3, 100] {
            let expected = answer(1, async |_: &Record<'_>| Outcome::unchanged());
            let late_first = answer(in_flight, async |record: &Record<'_>| {
                turns(10 - record.json::<u64>().expect("it is a number")).await;
                Outcome::unchanged()
            });
            assert_eq!((late_first.response, late_first.failures), (expected.response, expected.failures));
        }
    }

    #[test]
    fn no_more_are_begun_than_may_be_in_flight() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        answer(4, async |_: &Record<'_>| {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            turns(3).await;
            now.set(now.get() - 1);
            Outcome::dropped()
        });
        assert_eq!((now.get(), most.get()), (0, 4));
    }

    #[test]
    fn a_panic_between_two_waits_fails_its_record_alone() {
        let seen = RefCell::new(Vec::new());
        let reply = answer(3, async |record: &Record<'_>| {
            turns(1).await;
            assert_ne!(record.bytes(), b"4", "four is not liked");
            seen.borrow_mut().push(record.id().to_owned());
            Outcome::dropped()
        });
        assert_eq!(seen.borrow().len(), 9);
        let [failure] = &reply.failures[..] else { panic!("{:?}", reply.failures) };
        assert_eq!(failure.record_id, "id-4");
        assert!(failure.reason.contains("four is not liked"), "{}", failure.reason);
    }
}
