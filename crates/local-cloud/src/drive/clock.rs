//! World time: where it began, how fast it runs, how far it was moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::settings::Millis;

/// Tells world time. Follows tokio's clock, so a paused runtime pauses the world.
#[derive(Debug)]
pub struct Clock {
    base: Millis,
    started: Instant,
    speed: u32,
    moved: AtomicU64,
}

impl Clock {
    /// A clock that shows the wall's time, or `at_least` where that is later: world time never goes back.
    pub fn start(at_least: Millis, speed: u32) -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis);
        Clock { base: wall.max(at_least), started: Instant::now(), speed: speed.max(1), moved: AtomicU64::new(0) }
    }

    pub fn now(&self) -> Millis {
        let run = self.started.elapsed().as_millis() as Millis * Millis::from(self.speed);
        self.base + run + self.moved.load(Ordering::Relaxed)
    }

    /// Moves the clock so that it shows at least `time`.
    pub fn move_to(&self, time: Millis) {
        self.moved.fetch_add(time.saturating_sub(self.now()), Ordering::Relaxed);
    }

    /// Wall time until the world shows `due`: at least a millisecond, so that nothing that stays due spins.
    pub fn wall_until(&self, due: Millis) -> Duration {
        let world = due.saturating_sub(self.now());
        Duration::from_millis(world.div_ceil(Millis::from(self.speed)).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn world_time_runs_at_its_speed_and_can_be_moved() {
        let clock = Clock::start(u64::from(u32::MAX) * 1000, 10);
        let start = clock.now();
        assert_eq!(start, u64::from(u32::MAX) * 1000);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now() - start, 10_000);
        assert_eq!(clock.wall_until(start + 10_015), Duration::from_millis(2));
        clock.move_to(start + 60_000);
        assert_eq!(clock.now() - start, 60_000);
        clock.move_to(start);
        assert_eq!(clock.now() - start, 60_000);
    }
}
