//! The only loops that sleep. Each has a limit, says what it waits for, and polls densely at first: most of what is waited
//! for is there within a second, and the rest takes minutes.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cloud::Cx;
use crate::error::{Error, Result};

/// How long IAM may take until everybody knows of a role. Usually seconds, at times a minute or two.
pub const PROPAGATION_LIMIT: Duration = Duration::from_secs(120);
/// When a role that is still not known is looked at: IAM is rarely slower.
const DOUBT_AFTER: Duration = Duration::from_secs(20);
/// How long a stream, delivery stream or function may take to come or go.
pub const STATE_LIMIT: Duration = Duration::from_secs(900);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// An answer of AWS that goes away by itself: the error's code, and as little of its message as identifies the case.
#[derive(Debug, Clone, Copy)]
pub struct Transient {
    pub code: &'static str,
    pub message: &'static str,
}

impl Transient {
    fn explains(&self, error: &Error) -> bool {
        error.code() == Some(self.code) && error.to_string().contains(self.message)
    }
}

/// Calls until the answer is none of `transients`, for at most [`PROPAGATION_LIMIT`]; then AWS's last words are the error.
pub async fn settle<T, F, Answer>(cx: &Cx, what: &str, transients: &[Transient], call: F) -> Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Result<T>>,
{
    settle_doubting(cx, what, transients, async || None, call).await
}

/// The same, for what may be a mistake that no time heals: once [`DOUBT_AFTER`] has passed, `mistake` looks whether it is, and
/// what it finds is the error's hint.
pub async fn settle_doubting<T, F, Answer>(
    cx: &Cx,
    what: &str,
    transients: &[Transient],
    mistake: impl AsyncFnOnce() -> Option<String>,
    mut call: F,
) -> Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Result<T>>,
{
    let (began, mut mistake) = (Instant::now(), Some(mistake));
    let mut pace = Pace::new(PROPAGATION_LIMIT);
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        // AWS refuses a denied PassRole in similar words. That is a mistake and stays one.
        let passes = !error.to_string().contains("iam:PassRole");
        if !(passes && transients.iter().any(|transient| transient.explains(&error))) {
            return Err(error);
        }
        if began.elapsed() >= DOUBT_AFTER
            && let Some(look) = mistake.take()
            && let Some(found) = look().await
        {
            return Err(error.hint(found));
        }
        if !pace.step(cx, what).await {
            let limit_s = PROPAGATION_LIMIT.as_secs();
            return Err(
                error.hint(format!("waited {limit_s} s for {what}: check the role's trust policy and permissions"))
            );
        }
    }
}

/// Polls until there is an answer, for at most `limit`.
pub async fn until<T, F, Answer>(cx: &Cx, what: &str, limit: Duration, mut poll: F) -> Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Result<Option<T>>>,
{
    let mut pace = Pace::new(limit);
    loop {
        if let Some(answer) = poll().await? {
            return Ok(answer);
        }
        if !pace.step(cx, what).await {
            return Err(Error::msg(format!("waiting for {what}: not so after {} s", limit.as_secs()))
                .hint("run the same command again: it goes on from what is there"));
        }
    }
}

/// Pauses that grow by a half from [`FIRST_PAUSE`] to [`LONGEST_PAUSE`].
struct Pace {
    end: Instant,
    pause: Duration,
    told: bool,
}

impl Pace {
    fn new(limit: Duration) -> Pace {
        Pace { end: Instant::now() + limit, pause: FIRST_PAUSE, told: false }
    }

    /// Sleeps once. False when the time is up.
    async fn step(&mut self, cx: &Cx, what: &str) -> bool {
        if Instant::now() >= self.end {
            return false;
        }
        if !self.told {
            cx.wait_for(what);
            self.told = true;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST_PAUSE);
        true
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
        let answer = until(&cx, "the moon", STATE_LIMIT, || {
            polls += 1;
            std::future::ready(Ok((polls == 5).then_some(polls)))
        });
        assert_eq!(answer.await.unwrap(), 5);
        assert_eq!(*told.lock().unwrap(), ["the moon"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_its_limit_and_names_what_did_not_come() {
        let start = Instant::now();
        let limit = Duration::from_secs(60);
        let error =
            until::<(), _, _>(&nowhere(), "the moon", limit, || std::future::ready(Ok(None))).await.unwrap_err();
        assert_eq!(error.to_string(), "waiting for the moon: not so after 60 s");
        assert!(start.elapsed() < limit + LONGEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn after_twenty_seconds_a_mistake_is_looked_for_and_told_instead_of_waited_out() {
        let start = Instant::now();
        let transients = [Transient { code: "", message: "" }];
        let cx = nowhere();
        let refused = || std::future::ready(Err(Error::msg("cannot be assumed").with_code("")));
        let mistake = async || Some("its trust policy names nobody".to_owned());
        let error = settle_doubting::<(), _, _>(&cx, "the role", &transients, mistake, refused).await.unwrap_err();
        assert_eq!(error.what_next(), Some("its trust policy names nobody"));
        assert!(start.elapsed() >= DOUBT_AFTER && start.elapsed() < DOUBT_AFTER + LONGEST_PAUSE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_transient_fails_at_once() {
        let start = Instant::now();
        let transients = [Transient { code: "InvalidArgumentException", message: "unable to assume role" }];
        let cx = nowhere();
        let refused = || std::future::ready(Err(Error::msg("creating: unable to assume role")));
        let error = settle::<(), _, _>(&cx, "the role", &transients, refused).await;
        assert!(error.is_err(), "the code was missing");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
