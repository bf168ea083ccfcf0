//! The task that sleeps until the world has something to do. It holds no engine, so that the last clone ends both.

use std::sync::{Arc, Weak};

use std::time::Duration;

use tokio::sync::Notify;

use super::{Ran, Shared};

/// How often it is looked whether there is room on the disk again.
const RETRY: Duration = Duration::from_secs(1);

/// How long the timer rests before it does what is due already, so that what is put meanwhile is read in the same turn. Calls do not cut
/// this rest short: each of many would let it begin anew.
const REST: Duration = Duration::from_millis(1);

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
        if wait <= REST {
            tokio::time::sleep(wait).await;
            catch_up(&engine).await;
            continue;
        }
        tokio::select! {
            () = stirred.notified() => {}
            () = tokio::time::sleep(wait) => catch_up(&engine).await,
        }
    }
}

/// Lets the world do what is due. Where a turn has not read everything, the next follows without a rest, behind the calls that wait.
async fn catch_up(engine: &Weak<Shared>) {
    while let Some(shared) = engine.upgrade() {
        if shared.run() != Ran::Behind {
            break;
        }
        drop(shared);
        tokio::task::yield_now().await;
    }
}
