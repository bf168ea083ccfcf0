//! Finds out when each delivery stream really reads: a delivery stream may be ACTIVE for minutes before it does, and a record that is
//! put meanwhile may never come out.

use std::time::Duration;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::producer::How;
use crate::resource::delivery_stream::DeliveryStream;
use crate::verify::fed::Fed;
use crate::verify::input::{Input, Made};
use crate::verify::objects::Objects;
use crate::verify::placed::Placed;
use crate::verify::send;

/// The interval between canaries, in time that passed.
const AGAIN: Duration = Duration::from_secs(30);

/// How long a delivery stream may buffer a record.
pub fn buffered(delivery: &DeliveryStream) -> Duration {
    let transform = delivery.transform.as_ref().map_or(0, |transform| transform.buffer_interval_s);
    Duration::from_secs(u64::from(delivery.buffer.interval_s) + u64::from(transform))
}

/// Time as the target's clock shows it.
pub trait Clock {
    /// How much has passed.
    fn time(&self) -> Duration;
    /// Lets some pass, of at most `left`.
    fn step(&mut self, left: Duration) -> impl Future<Output = Result<()>>;
}

/// Puts a canary into each stream, and again every 30 s, until each delivery stream has stored an object since `since_s`, delivered or
/// failed, or until the limit. `waiting` is told which delivery streams are awaited, each time that changes. Gives the logical names of
/// those that stored none. A function that drops the canaries is not told from one that is not asked.
pub async fn sing(
    cx: &Cx,
    fed: &[Fed<'_>],
    since_s: i64,
    limit: Duration,
    clock: &mut impl Clock,
    waiting: impl Fn(&[&str]),
) -> Result<Vec<String>> {
    let mut silent: Vec<(&Fed, &str, Objects)> = vec![];
    for into in fed {
        silent.extend(into.tested.iter().map(|one| (into, one.logical, Objects::of(one.delivery, one.name, since_s))));
    }
    let (mut put_at, mut told) = (None::<Duration>, usize::MAX);
    loop {
        let now = clock.time();
        if put_at.is_none_or(|at| now.saturating_sub(at) >= AGAIN) {
            let is_silent = |into: &&Fed| silent.iter().any(|(of, ..)| std::ptr::eq(*of, *into));
            for into in fed.iter().filter(is_silent) {
                put(cx, into, since_s).await?;
            }
            put_at = Some(now);
        }
        let mut still = vec![];
        for (into, logical, mut objects) in silent {
            if objects.new_ones(cx).await?.is_empty() {
                still.push((into, logical, objects));
            }
        }
        silent = still;
        let names: Vec<&str> = silent.iter().map(|(_, logical, _)| *logical).collect();
        let left = limit.saturating_sub(now);
        if names.is_empty() || left.is_zero() {
            return Ok(names.into_iter().map(str::to_owned).collect());
        }
        if names.len() != told {
            told = names.len();
            waiting(&names);
        }
        clock.step(left).await?;
    }
}

async fn put(cx: &Cx, fed: &Fed<'_>, since_s: i64) -> Result<()> {
    // A canary may fail in a function or a query: its error record shows as well that the delivery stream reads.
    let as_logs = fed.tested.iter().any(|one| one.delivery.processors.decompress.is_some());
    let input = Input::Made(Made { count: 1, as_logs, ..Made::default() });
    let mut placed = Placed::new(since_s).map_err(|e| Error::new("keeping the place of a canary", e))?;
    send::put(cx, &fed.into, &input, How::default(), &mut placed, |_| ()).await.map(drop)
}
