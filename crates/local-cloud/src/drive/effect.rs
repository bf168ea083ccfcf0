//! Performs the world's effects beside it and feeds the results back. A call waits for the effect that answers it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::{Shared, store};
use crate::effect::Effect;
use crate::flow::task::{Done, Task};
use crate::request::{Answer, AwsError, Reply, Request, Token};
use crate::time::Millis;
use crate::world::services::SERVICES;

/// So many batches at once have their queries evaluated, on a machine of however many cores: each may take 512 MiB.
const MOST_EVALUATIONS: usize = 8;

/// Limits the evaluations of all engines in this process.
static EVALUATIONS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from).min(MOST_EVALUATIONS)));

/// The answer to a call that no longer waits.
pub enum Said {
    Reply(Reply),
    Events(Token),
}

impl Shared {
    pub(super) async fn ask(
        self: &Arc<Self>,
        service: usize,
        operation: &str,
        request: &Request,
        slow: Duration,
    ) -> Result<Said, AwsError> {
        let call = store::caught(|| (SERVICES[service].read)(request))??;
        let (outcome, effects) = self.decide(operation, |world, turn| {
            world.slow = slow.as_millis() as Millis;
            world.handle(turn, call)
        });
        let waits = match &outcome {
            Ok(Ok(Answer::Pending(token))) => Some(self.wait_for(*token)),
            _ => None,
        };
        self.perform(effects);
        let answer = store::caught(|| outcome??.written())??;
        match (answer, waits) {
            (Answer::Reply(reply), _) => Ok(Said::Reply(reply)),
            (Answer::Events(token), _) => Ok(Said::Events(token)),
            (Answer::Pending(_), Some(reply)) => reply.await.unwrap_or_else(|_| Err(ended())).map(Said::Reply),
            (Answer::Pending(_) | Answer::Unwritten(_), _) => Err(ended()),
        }
    }

    fn wait_for(&self, token: Token) -> oneshot::Receiver<Result<Reply, AwsError>> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().insert(token, sender);
        receiver
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Token, oneshot::Sender<Result<Reply, AwsError>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn perform(self: &Arc<Self>, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Retire { function_arn } => self.runner.retire(&function_arn),
                Effect::Spent(spent) => drop(spent),
                Effect::Work { token, task } => {
                    self.under_way.send_modify(|count| *count += 1);
                    let shared = Arc::clone(self);
                    tokio::spawn(async move {
                        shared.work(token, task).await;
                        shared.under_way.send_modify(|count| *count -= 1);
                    });
                }
                Effect::Invoke { token, function, input } => {
                    self.under_way.send_modify(|count| *count += 1);
                    let shared = Arc::clone(self);
                    tokio::spawn(async move {
                        let outcome = shared.runner.invoke(&function, input).await;
                        let answer = shared.turn("invoked", |world, turn| world.resolve(turn, token, outcome));
                        shared.reply(token, answer);
                        shared.under_way.send_modify(|count| *count -= 1);
                    });
                }
            }
        }
    }

    /// Does a task beside the world, and writes what it made to the disk there too.
    async fn work(self: &Arc<Self>, token: Token, task: Task) {
        let place = match task.evaluates() {
            true => Some(EVALUATIONS.acquire().await.expect("the semaphore is never closed")),
            false => None,
        };
        let contents = self.store("delivery").contents();
        let work = move || {
            let done = task.run();
            let kept = contents.zip(done.body()).inspect(|(contents, body)| {
                if let Err(error) = contents.keep(body) {
                    tracing::warn!("writing an object beforehand, which is tried again with its row: {error}");
                }
            });
            (done, kept)
        };
        let (done, kept) = tokio::task::spawn_blocking(work).await.unwrap_or((Done::Panicked, None));
        drop(place);
        if let Err(error) = self.turn("delivery", |world, turn| world.worked(turn, token, done)) {
            tracing::warn!("taking in what a delivery stream worked on: {error}");
        }
        if let Some((contents, body)) = kept {
            contents.settle(&body);
        }
    }

    /// Gives the reply to the call that waits for it, if one still does.
    fn reply(&self, token: Token, answer: Result<Option<Result<Answer, AwsError>>, AwsError>) {
        let Some(waiting) = self.waiting().remove(&token) else { return };
        let reply = match answer.map(|answer| answer.map(|answer| answer.and_then(Answer::written))) {
            Ok(Some(Ok(Answer::Reply(reply)))) => Ok(reply),
            Ok(Some(Ok(Answer::Pending(next)))) => {
                self.waiting().insert(next, waiting);
                return;
            }
            Ok(Some(Err(error))) | Err(error) => Err(error),
            Ok(None | Some(Ok(Answer::Events(_) | Answer::Unwritten(_)))) => Err(ended()),
        };
        // Nobody listens when the caller has given up.
        let _ = waiting.send(reply);
    }
}

fn ended() -> AwsError {
    AwsError::new("InternalFailure", "the effect this call waited for ended without a reply").with_status(500)
}
