//! Sends a call to AWS and retries it while AWS returns a [`crate::transient`] error.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::Instant;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::transient::{self, Transient};
use crate::wait::{DOUBT_AFTER, Pace};

pub use crate::ledger::{About, Ledger};

/// The error of a call of the SDK.
pub trait Refusal {
    /// The operation, and AWS's message.
    fn told(self, doing: &str) -> Error;
}

impl<E, R> Refusal for SdkError<E, R>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    fn told(self, doing: &str) -> Error {
        Error::aws(doing, self)
    }
}

/// A call that creates the resource.
pub async fn create<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    call: impl FnMut() -> Sent,
) -> Result<T>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    create_doubting(cx, about, doing, async || None, call).await
}

/// The same, for what may be a mistake that no time heals: once [`DOUBT_AFTER`] has passed, `mistake` looks whether it is, and
/// what it finds is the error's hint.
pub async fn create_doubting<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    mistake: impl AsyncFnOnce() -> Option<String>,
    call: impl FnMut() -> Sent,
) -> Result<T>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    let about = about.into();
    let answer = repeat(cx, &about, &doing.into(), DOUBT_AFTER, mistake, call).await?;
    cx.ledger.created(about);
    Ok(answer)
}

/// A call that changes it and whose response has no content.
pub async fn change<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    call: impl FnMut() -> Sent,
) -> Result<()>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    change_doubting(cx, about, doing, async || None, call).await
}

/// The same, as [`create_doubting`].
pub async fn change_doubting<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    mistake: impl AsyncFnOnce() -> Option<String>,
    call: impl FnMut() -> Sent,
) -> Result<()>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    repeat(cx, &about.into(), &doing.into(), DOUBT_AFTER, mistake, call).await.map(drop)
}

/// A call that deletes it. `None` where AWS answers with `absent`.
pub async fn delete<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    absent: &str,
    call: impl FnMut() -> Sent,
) -> Result<Option<T>>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    delete_doubting(cx, about, doing, absent, async || None, call).await
}

/// The same, as [`create_doubting`], but that `mistake` looks at the first refusal already.
pub async fn delete_doubting<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    absent: &str,
    mistake: impl AsyncFnOnce() -> Option<String>,
    call: impl FnMut() -> Sent,
) -> Result<Option<T>>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    let about = about.into();
    let answer = found(repeat(cx, &about, &doing.into(), Duration::ZERO, mistake, call).await, absent);
    if answer.is_ok() {
        cx.ledger.forget(&about);
    }
    answer
}

/// A call that reads, or whose response is needed. It waits for what this run just created, instead of returning "not found".
pub async fn ask<T, F, Sent>(
    cx: &Cx,
    about: impl Into<About>,
    doing: impl Into<String>,
    call: impl FnMut() -> Sent,
) -> Result<T>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    repeat(cx, &about.into(), &doing.into(), DOUBT_AFTER, async || None, call).await
}

/// `None` where AWS's error code says that it is absent.
pub fn found<T>(answer: Result<T>, absent: &str) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(absent) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn repeat<T, F, Sent>(
    cx: &Cx,
    about: &About,
    doing: &str,
    doubt_after: Duration,
    mistake: impl AsyncFnOnce() -> Option<String>,
    mut call: impl FnMut() -> Sent,
) -> Result<T>
where
    Sent: Future<Output = Result<T, F>>,
    F: Refusal,
{
    let (began, mut mistake) = (Instant::now(), Some(mistake));
    let mut waits: Option<(&'static Transient, Pace)> = None;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal.told(doing),
        };
        let Some(row) = transient::find(about.kind, &error, cx.ledger.ago(about)) else { return Err(error) };
        if began.elapsed() >= doubt_after
            && let Some(look) = mistake.take()
            && let Some(found) = look().await
        {
            return Err(error.hint(found));
        }
        let pace = match &mut waits {
            Some((same, pace)) if std::ptr::eq(*same, row) => pace,
            waits => &mut waits.insert((row, Pace::of_calls(doing, row))).1,
        };
        if !pace.step(cx, row.waits_for).await {
            let waited = format!("waited {} s for {}; run the command again", row.limit.as_secs(), row.waits_for);
            return Err(error.hint(waited));
        }
    }
}
