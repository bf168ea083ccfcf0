//! World time: where it began, how fast it runs, how far it was moved.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::time::{LATEST, Millis};

/// Tells world time. Follows tokio's clock, so a paused runtime pauses the world.
#[derive(Debug)]
pub struct Clock(Mutex<Course>);

/// From one instant on, until it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Course {
    world: Millis,
    since: Instant,
    speed: u32,
    paused: bool,
}

impl Course {
    fn at(&self, instant: Instant) -> Millis {
        let run = (instant.duration_since(self.since).as_millis() as Millis).saturating_mul(self.speed.into());
        self.world.saturating_add(if self.paused { 0 } else { run }).min(LATEST)
    }
}

/// How a clock goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// World seconds for each real second, at least 1.
    pub speed: u32,
    /// Whether the clock stands. It is moved by [`crate::Engine::advance`] then, and by nothing else.
    pub paused: bool,
}

impl Clock {
    /// A clock that shows this time, or `at_least` where that is later: world time never goes back.
    pub fn start(time: Option<Millis>, at_least: Millis, pace: Pace) -> Clock {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis);
        let world = time.unwrap_or_else(wall).max(at_least).min(LATEST);
        Clock(Mutex::new(Course { world, since: Instant::now(), speed: pace.speed.max(1), paused: pace.paused }))
    }

    pub fn now(&self) -> Millis {
        self.course().at(Instant::now())
    }

    pub fn pace(&self) -> Pace {
        let course = self.course();
        Pace { speed: course.speed, paused: course.paused }
    }

    /// Goes on from here at another pace.
    pub fn set_pace(&self, pace: Pace) {
        let mut course = self.course();
        let now = Instant::now();
        *course = Course { world: course.at(now), since: now, speed: pace.speed.max(1), paused: pace.paused };
    }

    /// Moves the clock so that it shows at least `time`.
    pub fn move_to(&self, time: Millis) {
        let mut course = self.course();
        course.world += time.min(LATEST).saturating_sub(course.at(Instant::now()));
    }

    /// Wall time until the world shows `due`: at least a millisecond, so that nothing that stays due spins. Never, on a clock
    /// that stands.
    pub fn wall_until(&self, due: Millis) -> Option<Duration> {
        let course = *self.course();
        let world = due.saturating_sub(course.at(Instant::now()));
        let wall = Duration::from_millis(world.div_ceil(Millis::from(course.speed)).max(1));
        (world == 0 || !course.paused).then_some(wall)
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        // Each change is one assignment: a poisoned lock guards a course that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUTURE: Millis = u32::MAX as Millis * 1000;

    #[tokio::test(start_paused = true)]
    async fn world_time_runs_at_its_speed_and_can_be_moved() {
        let clock = Clock::start(None, FUTURE, Pace { speed: 10, paused: false });
        assert_eq!(clock.now(), FUTURE);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), FUTURE + 10_000);
        assert_eq!(clock.wall_until(FUTURE + 10_015), Some(Duration::from_millis(2)));
        clock.move_to(FUTURE + 60_000);
        assert_eq!(clock.now(), FUTURE + 60_000);
        clock.move_to(FUTURE);
        assert_eq!(clock.now(), FUTURE + 60_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_stands_until_it_is_moved_or_goes_on() {
        let clock = Clock::start(Some(5_000), 0, Pace { speed: 2, paused: true });
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!((clock.now(), clock.wall_until(5_001)), (5_000, None));
        clock.move_to(6_000);
        assert_eq!((clock.now(), clock.wall_until(6_000)), (6_000, Some(Duration::from_millis(1))));
        clock.set_pace(Pace { paused: false, ..clock.pace() });
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), 8_000);
        clock.set_pace(Pace { speed: 100, paused: false });
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), 108_000);
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_stands_at_the_end_of_its_calendar() {
        let clock = Clock::start(Some(u64::MAX), 0, Pace { speed: u32::MAX, paused: false });
        tokio::time::advance(Duration::from_secs(u32::MAX.into())).await;
        assert_eq!(clock.now(), LATEST);
        clock.move_to(u64::MAX);
        assert_eq!(clock.now(), LATEST);
        assert_eq!(jiff::Timestamp::from_millisecond(LATEST as i64).unwrap().to_string(), "9000-01-01T00:00:00Z");
    }
}
