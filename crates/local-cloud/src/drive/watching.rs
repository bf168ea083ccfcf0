//! Frames for those who watch. They are made only while somebody watches, and each watcher's task holds no engine, so that the last
//! clone ends it too.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::{Engine, Pace, Shared};
use crate::faults::Faults;
use crate::world::watch::{Frame, frame};

/// Between two frames.
const EVERY: Duration = Duration::from_millis(250);
/// Where nothing has changed, only the clock is told, this often.
const QUIET: Duration = Duration::from_secs(1);
/// So many may watch at once.
pub const MOST_WATCHERS: usize = 16;

impl Engine {
    /// Server-sent events that show the engine at work: `frame` and `clock`. `None`: too many are watching.
    pub(crate) fn watch(&self, frames: u64) -> Option<mpsc::Receiver<Bytes>> {
        let place = Arc::clone(&self.shared.watchers).try_acquire_owned().ok()?;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(run(Arc::downgrade(&self.shared), frames, sender, place));
        Some(receiver)
    }
}

async fn run(engine: Weak<Shared>, mut frames: u64, sender: mpsc::Sender<Bytes>, _place: OwnedSemaphorePermit) {
    let Some(mut hung_up) = engine.upgrade().map(|shared| shared.hung_up.subscribe()) else { return };
    let (mut last, mut told) = (String::new(), Instant::now());
    while frames > 0 {
        let Ok(room) = sender.reserve().await else { return };
        let Some((frame, clock)) = engine.upgrade().map(|shared| (shared.frame(), shared.told_clock())) else { return };
        if frame != last {
            room.send(format!("event: frame\ndata: {{\"clock\":{clock},\"frame\":{frame}}}\n\n").into());
            (last, told) = (frame, Instant::now());
            frames -= 1;
        } else if told.elapsed() >= QUIET {
            room.send(format!("event: clock\ndata: {clock}\n\n").into());
            told = Instant::now();
        } else {
            drop(room);
        }
        if frames == 0 {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = sender.closed() => return,
            _ = hung_up.wait_for(|hung_up| *hung_up) => return,
        }
    }
}

/// The world, and what is not in it.
#[derive(Serialize)]
struct Told {
    faults: Vec<Value>,
    #[serde(flatten)]
    frame: Frame,
}

impl Shared {
    /// Written outside the lock.
    fn frame(&self) -> String {
        let now = self.clock.now();
        let (frame, own) = {
            let store = self.store("watch");
            (frame(&store.world, now), store.world.faults.clone())
        };
        let all = [self.faults().clone(), own];
        let fault = |(rule, matched, injected): (&str, u64, u64)| json!({ "rule": rule, "matched": matched, "injected": injected });
        let faults = all.iter().flat_map(Faults::counts).map(fault).collect();
        serde_json::to_string(&Told { faults, frame }).expect("numbers and texts serialise")
    }

    fn told_clock(&self) -> Value {
        let Pace { speed, paused } = self.clock.pace();
        json!({ "now_ms": self.clock.now(), "speed": speed, "paused": paused })
    }
}
