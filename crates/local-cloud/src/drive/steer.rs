//! Calls of programs and tests that steer an emulator, most of them also under `/_local/`: faults, anomalies, the clock, delivery.

use std::time::Duration;

use super::{Engine, Pace, Ran, StartError};
use crate::anomalies::Consistency;
use crate::course::Count;
use crate::faults::{Faults, Rule};
use crate::time::{LATEST, Millis};
use crate::world::delivery;
use crate::world::dump::dump;

impl Engine {
    /// Adds a rule: from now on calls go wrong as it says.
    pub fn inject(&self, rule: Rule) {
        match rule.is_own() {
            true => self.shared.store("faults").world.faults.add(rule),
            false => self.shared.faults().add(rule),
        }
    }

    /// Removes all rules: from now on no call goes wrong.
    pub fn heal(&self) {
        *self.shared.faults() = Faults::default();
        self.shared.store("faults").world.faults = Faults::default();
    }

    /// Removes the rules that are written so. Gives whether there was one.
    pub fn heal_rule(&self, text: &str) -> bool {
        let clients = self.shared.faults().remove(text);
        self.shared.store("faults").world.faults.remove(text) || clients
    }

    /// The rules in force, how many calls each matched, and how many faults it injected.
    pub fn faults(&self) -> Vec<(String, u64, u64)> {
        let all = [self.shared.faults().clone(), self.look("faults", |world| world.faults.clone())];
        let counts = all.iter().flat_map(Faults::counts);
        counts.map(|(text, matched, injected)| (text.to_owned(), matched, injected)).collect()
    }

    /// Sets which of AWS's anomalies are shown from now on.
    pub fn set_consistency(&self, chosen: Consistency) {
        let late = {
            let mut anomalies = self.shared.anomalies();
            anomalies.choose(chosen);
            anomalies.late()
        };
        self.shared.store("consistency").world.late = late;
    }

    /// The anomalies of AWS that are shown.
    pub fn consistency(&self) -> Consistency {
        self.shared.anomalies().chosen().clone()
    }

    /// The anomalies that are on, how often each was brought about, and how many calls it was shown to.
    pub fn anomalies(&self) -> Vec<Count> {
        self.shared.anomalies().counts().to_vec()
    }

    /// The pace of the world's clock.
    pub fn pace(&self) -> Pace {
        self.shared.clock.pace()
    }

    /// Changes the pace of the world's clock, or stops it.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.clock.set_pace(pace);
        self.shared.stirred.notify_one();
    }

    /// Deletes everything, on the disk too. The next call finds an empty account, at the same time of the world.
    ///
    /// # Errors
    /// Fails if the folder cannot be emptied. The emulator is closed then.
    pub async fn reset(&self) -> Result<(), StartError> {
        self.effects_end().await;
        let functions = self.shared.store("reset").reset()?;
        self.shared.anomalies().forget();
        functions.iter().for_each(|arn| self.shared.runner.retire(arn));
        self.shared.stirred.notify_one();
        Ok(())
    }

    /// Moves the world's clock. Everything that becomes due on the way happens at its own time. The clock waits for the results of
    /// effects, so that a transform takes no world time. It never goes beyond [`LATEST`].
    pub async fn advance(&self, by: Duration) {
        let by = Millis::try_from(by.as_millis()).unwrap_or(Millis::MAX);
        let target = self.now().saturating_add(by).min(LATEST);
        self.idle().await;
        while let Some(due) = self.shared.due().filter(|due| *due < target) {
            // A millisecond at least, so that what stays due does not hold the clock.
            let step = due.max(self.now() + 1);
            if step >= target {
                break;
            }
            self.shared.clock.move_to(step);
            if self.shared.run() == Ran::Refused {
                break;
            }
            self.idle().await;
        }
        self.shared.clock.move_to(target);
        self.shared.run();
        self.idle().await;
    }

    /// Waits until no effect is under way and the delivery streams have read what there is to read.
    pub async fn idle(&self) {
        self.effects_end().await;
        while self.look("idle", delivery::unread) && self.shared.run() != Ran::Refused {
            self.effects_end().await;
        }
    }

    /// Delivers the buffered records of these delivery streams now; without names, of all in the region. The deliveries are done once
    /// [`Engine::idle`] returns.
    pub fn flush(&self, region: &str, names: &[String]) {
        let flushed = self.shared.turn("flush", |world, turn| {
            delivery::flush(world, turn, region, names);
            world.run(turn);
        });
        if let Err(error) = flushed {
            tracing::warn!("flushing delivery streams: {error}");
        }
    }

    /// The number of records that a delivery stream has not delivered yet.
    pub fn backlog(&self, region: &str, name: &str) -> usize {
        self.look("backlog", |world| delivery::backlog(world, region, name))
    }

    /// The number of a delivery stream's records that are lost, because no object of them could be stored for as long as they are kept.
    pub fn given_up(&self, region: &str, name: &str) -> u64 {
        self.look("backlog", |world| delivery::given_up(world, region, name))
    }

    /// All resources by service and region. It looks at some objects at a time, so that a change made meanwhile may be missing.
    pub fn dump(&self) -> serde_json::Value {
        let mut dump = self.look("dump", dump);
        let mut last = String::new();
        loop {
            let objects = self.look("dump", |world| world.s3.some_objects(&last));
            let Some((row, _)) = objects.last() else { return dump };
            last.clone_from(row);
            for (row, size) in objects {
                let (bucket, key) = row.split_once('/').unwrap_or((&row, ""));
                if let Some(bucket) = dump["s3"].get_mut(bucket) {
                    bucket["objects"][key] = size.into();
                }
            }
        }
    }
}
