//! The sender of events, and who reads them.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Event;
use crate::waits::Doing;

/// A reader of events.
pub trait Reporter: Send {
    fn event(&mut self, event: &Event);

    /// A moment has passed. Shows how long the running work takes.
    fn tick(&mut self) {}

    /// Somebody else is about to write to the terminal.
    fn make_room(&mut self) {}

    /// Nothing runs any more.
    fn end(&mut self) {}
}

const SAID_AFTER: Duration = Duration::from_secs(1);

/// The sender of events. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Mutex<dyn Reporter>>);

impl Events {
    /// Says what is being worked on, or waited for.
    pub fn working(&self) -> Arc<dyn Fn(Doing<'_>) + Send + Sync> {
        let events = self.clone();
        Arc::new(move |doing| {
            events.say(match doing {
                Doing::Waiting(on) => Event::Working { text: on.to_owned() },
                Doing::Task(task) => task.into(),
            });
        })
    }

    pub fn to(reporter: impl Reporter + 'static) -> Events {
        Events(Arc::new(Mutex::new(reporter)))
    }

    pub fn say(&self, event: Event) {
        self.reporter().event(&event);
    }

    /// Shows how long the running work takes.
    pub fn tick(&self) {
        self.reporter().tick();
    }

    /// Takes the lines about running work away, before somebody else writes to the terminal.
    pub fn make_room(&self) {
        self.reporter().make_room();
    }

    /// Nothing runs any more. What did is no longer shown.
    pub fn end(&self) {
        self.reporter().end();
    }

    /// Waits for some work, and says so if it lasts more than a second.
    pub async fn while_lasts<T>(&self, task: &str, text: &str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let began = Instant::now();
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(SAID_AFTER) => {}
        }
        let elapsed_ms = began.elapsed().as_millis() as u64;
        self.say(Event::Progress { task: task.to_owned(), text: text.to_owned(), elapsed_ms });
        work.await
    }

    fn reporter(&self) -> MutexGuard<'_, dyn Reporter + 'static> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Reporter for Kept {
        fn event(&mut self, event: &Event) {
            self.0.lock().expect("no test panics with it").push(serde_json::to_string(event).expect("it is JSON"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_told_once_it_lasts_more_than_a_second() {
        let kept = Arc::new(Mutex::new(vec![]));
        let events = Events::to(Kept(kept.clone()));
        let work = async |ms| {
            sleep(Duration::from_millis(ms)).await;
            ms
        };
        assert_eq!(events.while_lasts("testing f", "one record", work(999)).await, 999);
        assert_eq!(*kept.lock().unwrap(), [""; 0]);
        assert_eq!(events.while_lasts("testing f", "one record", work(60_000)).await, 60_000);
        let told = r#"{"event":"progress","task":"testing f","text":"one record","elapsed_ms":1000}"#;
        assert_eq!(*kept.lock().unwrap(), [told]);
    }
}
