//! The task that sleeps until the world has something to do. It holds no engine, so that the last clone ends both.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use super::Shared;

pub(super) async fn run(engine: Weak<Shared>, stirred: Arc<Notify>) {
    while let Some(shared) = engine.upgrade() {
        let wait = shared.due().and_then(|due| shared.clock.wall_until(due));
        drop(shared);
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
