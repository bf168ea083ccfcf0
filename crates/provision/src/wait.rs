//! How long and how often AWS is asked. Every loop that sleeps has a limit, and says what it waits for and how long at most.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// When a role that is still not known is looked at: IAM is rarely slower.
pub const DOUBT_AFTER: Duration = Duration::from_secs(20);
/// How long a stream, delivery stream or function may take to come or go.
pub const STATE_LIMIT: Duration = Duration::from_secs(900);
/// How long a read may show what was there before a change of our own.
pub const LAG_LIMIT: Duration = Duration::from_secs(60);

/// How a state is polled: when first, and how often at last.
#[derive(Debug, Clone, Copy)]
pub struct Polling {
    first: Duration,
    longest: Duration,
}

impl Polling {
    /// What is mostly over within a second: an engine on this machine, calls that are sent again.
    pub const CALLS: Polling = Polling { first: Duration::ZERO, longest: Duration::from_secs(3) };
    /// A stream takes some 10 to 25 seconds. <https://github.com/hashicorp/terraform-provider-aws/issues/1339>
    pub const STREAM: Polling = Polling { first: Duration::from_secs(1), longest: Duration::from_secs(10) };
    /// A delivery stream takes some 20 to 60 seconds, and Firehose gives five looks a second to the whole account.
    /// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
    pub const DELIVERY_STREAM: Polling = Polling { first: Duration::from_secs(2), longest: Duration::from_secs(10) };
    /// A function takes some seconds: botocore's waiters look once a second.
    /// <https://github.com/boto/botocore/blob/develop/botocore/data/lambda/2015-03-31/waiters-2.json>
    pub const FUNCTION: Polling = Polling { first: Duration::ZERO, longest: Duration::from_secs(5) };
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);

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
    within(cx, what, polling, limit, poll).await?.ok_or_else(|| {
        Error::msg(format!("waiting for {what}: not so after {} s", limit.as_secs()))
            .hint("run the same command again: it goes on from what is there")
    })
}

/// The same; `None` where the limit passes.
pub async fn within<T, Answer>(
    cx: &Cx,
    what: &str,
    polling: Polling,
    limit: Duration,
    mut poll: impl FnMut() -> Answer,
) -> Result<Option<T>>
where
    Answer: Future<Output = Result<Option<T>>>,
{
    let polling = if cx.options.runs_here { Polling::CALLS } else { polling };
    sleep(polling.first).await;
    let mut pace = Pace::new(polling.longest, limit);
    loop {
        if let Some(answer) = poll().await? {
            return Ok(Some(answer));
        }
        if !pace.step(cx, what).await {
            return Ok(None);
        }
    }
}

/// Pauses that grow by a half from [`FIRST_PAUSE`] to the longest, each a fifth longer or shorter: programs that began together do
/// not ask together.
pub struct Pace {
    limit: Duration,
    end: Instant,
    pause: Duration,
    longest: Duration,
    told: bool,
}

impl Pace {
    fn new(longest: Duration, limit: Duration) -> Pace {
        Pace { limit, end: Instant::now() + limit, pause: FIRST_PAUSE, longest, told: false }
    }

    /// For a call that is sent again.
    pub fn of_calls(limit: Duration) -> Pace {
        Pace::new(Polling::CALLS.longest, limit)
    }

    /// Sleeps once. False when the time is up.
    pub async fn step(&mut self, cx: &Cx, what: &str) -> bool {
        if Instant::now() >= self.end {
            return false;
        }
        if !self.told {
            cx.wait_for(&format!("{what} (at most {})", told(self.limit)));
            self.told = true;
        }
        sleep(self.pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        self.pause = (self.pause * 3 / 2).min(self.longest);
        true
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
        cx.waiting = Arc::new(move |what| sink.lock().expect("no test panics with it").push(what.to_owned()));
        let mut polls = 0;
        let answer = until(&cx, "the moon", Polling::STREAM, STATE_LIMIT, || {
            polls += 1;
            std::future::ready(Ok((polls == 5).then_some(polls)))
        });
        assert_eq!(answer.await.unwrap(), 5);
        assert_eq!(*told.lock().unwrap(), ["the moon (at most 15 min)"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_limit_and_names_what_did_not_come() {
        let start = Instant::now();
        let limit = Duration::from_secs(60);
        let nothing = || std::future::ready(Ok(None));
        let error = until::<(), _>(&nowhere(), "the moon", Polling::STREAM, limit, nothing).await.unwrap_err();
        assert_eq!(error.to_string(), "waiting for the moon: not so after 60 s");
        assert!(start.elapsed() < limit + Polling::STREAM.longest * 2);
    }
}
