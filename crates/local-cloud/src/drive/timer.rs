//! The task that sleeps until the world has something to do. It holds no engine, so that the last clone ends both.

use std::sync::{Arc, Weak};

use std::time::Duration;

use tokio::sync::Notify;

use super::Shared;

/// How often it is looked whether there is room on the disk again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn run(engine: Weak<Shared>, stirred: Arc<Notify>) {
    while let Some(shared) = engine.upgrade() {
        let stalled = shared.store("timer").stalled().is_some();
        let wait = shared.due().and_then(|due| shared.clock.wall_until(due));
        drop(shared);
        if stalled {
            // Effects that are due stay due until the journal can be written again.
            tokio::time::sleep(RETRY).await;
            if let Some(shared) = engine.upgrade() {
                shared.run();
            }
            continue;
        }
        let Some(wait) = wait else {
            stirred.notified().await;
            continue;
        };
        tokio::select! {
            () = stirred.notified() => {}
            () = tokio::time::sleep(wait) => {
                if let Some(shared) = engine.upgrade() {
                    shared.run();
                }
            }
        }
    }
}
