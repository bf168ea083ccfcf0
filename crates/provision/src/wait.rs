//! Polls AWS. Every loop that sleeps has a time limit, and reports what it waits for and the limit.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::transient::Transient;

/// After this time, a role that AWS still does not accept is checked for mistakes. IAM is rarely slower.
pub const DOUBT_AFTER: Duration = Duration::from_secs(20);
/// The time limit for creating or deleting a stream or a function.
pub const STATE_LIMIT: Duration = Duration::from_secs(900);
/// The time limit for a delivery stream, which sometimes takes more than twenty minutes.
/// <https://github.com/hashicorp/terraform-provider-aws/pull/28469>
pub const DELIVERY_STREAM_LIMIT: Duration = Duration::from_secs(1800);
/// The time limit for reads to show our own change.
pub const LAG_LIMIT: Duration = Duration::from_secs(60);

/// Polling intervals: the first one, and the longest one that they grow to.
#[derive(Debug, Clone, Copy)]
pub struct Polling {
    first: Duration,
    longest: Duration,
}

impl Polling {
    /// For waits that are mostly shorter than a second: the emulator, and retried calls.
    pub const CALLS: Polling = Polling { first: Duration::ZERO, longest: Duration::from_secs(3) };
    /// A stream takes about 10 to 25 seconds, and Kinesis allows twenty reads per second.
    /// <https://github.com/hashicorp/terraform-provider-aws/issues/1339>
    pub const STREAM: Polling = Polling { first: Duration::from_secs(1), longest: Duration::from_secs(2) };
    /// A delivery stream takes about 20 to 60 seconds, and Firehose allows the whole account five reads per second.
    /// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
    pub const DELIVERY_STREAM: Polling = Polling { first: Duration::from_secs(2), longest: Duration::from_secs(10) };
    /// A function takes a few seconds. botocore's waiters poll once per second.
    /// <https://github.com/boto/botocore/blob/develop/botocore/data/lambda/2015-03-31/waiters-2.json>
    pub const FUNCTION: Polling = Polling { first: Duration::ZERO, longest: Duration::from_secs(5) };
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub use crate::waits::{Doing, Waited, Waits, Why};

/// Polls until there is an answer, for at most `limit`.
pub async fn until<T, Answer>(
    cx: &Cx,
    what: &str,
    polling: Polling,
    limit: Duration,
    poll: impl FnMut() -> Answer,
) -> Result<T>
where
    Answer: Future<Output = Result<Option<T>>>,
{
    poll_within(cx, what, Why::State, polling, limit, poll).await?.ok_or_else(|| {
        Error::msg(format!("waiting for {what}: gave up after {} s", limit.as_secs()))
            .hint("run the command again; it continues from what exists")
    })
}

/// The same for reads that may not show our own change yet. `None` after the time limit.
pub async fn within<T, Answer>(
    cx: &Cx,
    what: &str,
    polling: Polling,
    limit: Duration,
    poll: impl FnMut() -> Answer,
) -> Result<Option<T>>
where
    Answer: Future<Output = Result<Option<T>>>,
{
    poll_within(cx, what, Why::Stale, polling, limit, poll).await
}

async fn poll_within<T, Answer>(
    cx: &Cx,
    what: &str,
    why: Why,
    polling: Polling,
    limit: Duration,
    mut poll: impl FnMut() -> Answer,
) -> Result<Option<T>>
where
    Answer: Future<Output = Result<Option<T>>>,
{
    let polling = if cx.options.runs_here { Polling::CALLS } else { polling };
    let mut pace = Pace::new(why, polling.first.max(FIRST_PAUSE), polling.longest, limit);
    sleep(polling.first).await;
    loop {
        if let Some(answer) = poll().await? {
            return Ok(Some(answer));
        }
        if !pace.step(cx, what).await {
            return Ok(None);
        }
    }
}

/// Pauses that grow by half, from the first to the longest. Each is up to a fifth longer or shorter, so that programs that
/// started together do not poll together.
pub struct Pace {
    why: Why,
    doing: Option<String>,
    limit: Duration,
    started: Instant,
    pause: Duration,
    longest: Duration,
    /// The index of this wait. `None` if it has not waited yet.
    index: Option<usize>,
}

impl Pace {
    fn new(why: Why, first: Duration, longest: Duration, limit: Duration) -> Pace {
        Pace { why, doing: None, limit, started: Instant::now(), pause: first, longest, index: None }
    }

    /// The pauses between retries of a call.
    pub fn of_calls(doing: &str, refused: &'static Transient) -> Pace {
        let pace = Pace::new(Why::Refused(refused), FIRST_PAUSE, Polling::CALLS.longest, refused.limit);
        Pace { doing: Some(doing.to_owned()), ..pace }
    }

    /// Sleeps once. Returns false when the time is up.
    pub async fn step(&mut self, cx: &Cx, what: &str) -> bool {
        self.note(cx, what);
        if self.started.elapsed() >= self.limit {
            return false;
        }
        sleep(self.pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        self.pause = (self.pause * 3 / 2).min(self.longest);
        true
    }

    /// Notes a poll without success. The first one is reported to the user.
    fn note(&mut self, cx: &Cx, what: &str) {
        let (on, doing, until) = (what.to_owned(), self.doing.clone(), Instant::now());
        let started = if matches!(self.why, Why::State) { self.started } else { until };
        let waited = Waited { on, why: self.why, doing, times: 1, started, until };
        match self.index {
            None => {
                cx.wait_for(&format!("{what} (up to {})", told(self.limit)));
                self.index = Some(cx.waits.with(|waits| {
                    waits.push(waited);
                    waits.len() - 1
                }));
            }
            Some(index) => cx.waits.with(|waits| {
                let Waited { times, started, .. } = waits[index];
                waits[index] = Waited { times: times + 1, started, ..waited };
            }),
        }
    }
}

/// `90 s` or `15 min`.
fn told(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cloud::tests::nowhere;

    #[tokio::test(start_paused = true)]
    async fn a_wait_says_once_what_it_waits_for_and_ends_with_the_answer() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut cx = nowhere();
        let sink = told.clone();
        cx.waiting = Arc::new(move |doing| {
            let Doing::Waiting(what) = doing else { panic!("{doing:?}") };
            sink.lock().expect("no test panics with it").push(what.to_owned());
        });
        let mut polls = 0;
        let answer = until(&cx, "the moon", Polling::STREAM, STATE_LIMIT, || {
            polls += 1;
            std::future::ready(Ok((polls == 5).then_some(polls)))
        });
        assert_eq!(answer.await.unwrap(), 5);
        assert_eq!(*told.lock().unwrap(), ["the moon (up to 15 min)"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_limit_and_names_what_did_not_come() {
        let start = Instant::now();
        let limit = Duration::from_secs(60);
        let nothing = || std::future::ready(Ok(None));
        let error = until::<(), _>(&nowhere(), "the moon", Polling::STREAM, limit, nothing).await.unwrap_err();
        assert_eq!(error.to_string(), "waiting for the moon: gave up after 60 s");
        assert!(start.elapsed() < limit + Polling::STREAM.longest * 2);
    }
}
