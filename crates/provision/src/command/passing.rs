//! How time passes while buffers are awaited: on AWS it is waited for, a shared emulator is flushed, and the clock of an emulator in this
//! process is advanced. All times are those of the target's clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Result;
use crate::serving;
use crate::session::{Place, Session};

/// The time AWS may need in addition to the buffers: to read the stream, invoke the function and store objects.
pub const SLACK: Duration = Duration::from_secs(300);
/// The interval between looks at AWS.
const POLL: Duration = Duration::from_secs(5);
const POLL_LOCAL: Duration = Duration::from_millis(100);
/// Steps of the clock of an emulator of our own, after the buffers are due.
const STEP: Duration = Duration::from_secs(30);

/// The time that passed since it was made.
pub struct Passing<'a> {
    session: &'a Session,
    /// Delivery streams, by name on AWS.
    names: Vec<String>,
    /// The longest time that they buffer.
    buffers: Duration,
    started: Instant,
    /// By this much the clock of an emulator of our own was moved.
    advanced: Duration,
}

impl<'a> Passing<'a> {
    pub fn new(session: &'a Session, names: Vec<String>, buffers: Duration) -> Passing<'a> {
        Passing { session, names, buffers, started: Instant::now(), advanced: Duration::ZERO }
    }

    /// Something came out, so that time begins anew at a shared emulator, which takes as long as this machine needs.
    pub fn progressed(&mut self) {
        if matches!(self.session.place, Place::Serving(_)) {
            self.started = Instant::now();
        }
    }

    /// How much has passed.
    pub fn time(&self) -> Duration {
        match &self.session.place {
            Place::Within(_) => self.advanced,
            Place::Aws | Place::Mixed(_) | Place::Endpoint(_) | Place::Serving(_) => self.started.elapsed(),
        }
    }

    /// Lets some pass, of at most `left`. The buffers of an emulator are delivered then.
    pub async fn step(&mut self, left: Duration) -> Result<()> {
        match &self.session.place {
            Place::Within(engine) => {
                let step = if self.advanced.is_zero() { self.buffers.max(STEP) } else { STEP };
                engine.advance(step.min(left)).await;
                self.advanced += step.min(left);
            }
            Place::Serving(url) => {
                serving::flush(url, &self.session.cx.names.region, &self.names).await?;
                tokio::time::sleep(POLL_LOCAL.min(left)).await;
            }
            Place::Aws | Place::Mixed(_) | Place::Endpoint(_) => tokio::time::sleep(POLL.min(left)).await,
        }
        Ok(())
    }
}
