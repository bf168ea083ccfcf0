//! The world, its journal and the rule that joins them: what changed is kept before anybody is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::drive::journal::{Contents, Journal, StartError};
use crate::request::{AwsError, Effect};
use crate::settings::{Millis, Settings};
use crate::table::Changes;
use crate::world::{Turn, World};

/// What is behind the engine's lock.
pub struct Room {
    pub world: World,
    keeping: Keeping,
    last: Millis,
}

enum Keeping {
    /// Gone with the engine.
    InMemory,
    /// `unkept`: what an earlier write could not put on the disk; it goes first with the next.
    OnDisk { journal: Box<Journal>, unkept: Changes },
    /// The engine was closed: no more turns.
    Closed,
}

impl Room {
    /// Opens what the settings name and restores what is there.
    pub fn open(settings: Settings) -> Result<Room, StartError> {
        let folder = settings.data_dir.clone();
        let mut world = World::new(settings);
        let Some(folder) = folder else { return Ok(Room { world, keeping: Keeping::InMemory, last: 0 }) };
        let (journal, last) = Journal::open(&folder, &mut world)?;
        let keeping = Keeping::OnDisk { journal: Box::new(journal), unkept: Changes::new(true) };
        Ok(Room { world, keeping, last })
    }

    /// The latest time the world has seen, 0 for a new one.
    pub fn last(&self) -> Millis {
        self.last
    }

    /// One turn of the world. A panic in it is that call's `InternalFailure` and nobody else's; what was asked of the driver
    /// before is still to be done.
    pub fn turn<R>(
        &mut self,
        now: Millis,
        act: impl FnOnce(&mut World, &mut Turn) -> R,
    ) -> (Result<R, AwsError>, Vec<Effect>) {
        if matches!(self.keeping, Keeping::Closed) {
            return (Err(AwsError::new("ServiceUnavailable", "the engine is closed").with_status(503)), vec![]);
        }
        self.last = self.last.max(now);
        let mut turn = Turn::at(self.last);
        let world = &mut self.world;
        let outcome = caught(|| act(world, &mut turn));
        let kept = self.keep();
        (kept.and(outcome), turn.effects)
    }

    /// Forgets everything, on the disk too. Gives the ARNs of the functions there were.
    ///
    /// # Errors
    /// Where the journal cannot be emptied: then the engine is closed.
    pub fn reset(&mut self) -> Result<Vec<String>, StartError> {
        let functions = self.world.reset();
        if let Keeping::OnDisk { .. } = self.keeping
            && let Some(folder) = self.world.settings.data_dir.clone()
        {
            self.keeping = Keeping::Closed;
            Journal::erase(&folder)?;
            let (journal, _) = Journal::open(&folder, &mut self.world)?;
            self.keeping = Keeping::OnDisk { journal: Box::new(journal), unkept: Changes::new(true) };
        }
        Ok(functions)
    }

    /// Ends the journal, which frees its folder.
    pub fn close(&mut self) {
        self.keeping = Keeping::Closed;
    }

    /// Where what is large can be written before the turn that takes it. Nowhere, where nothing is kept.
    pub fn contents(&self) -> Option<Arc<Contents>> {
        match &self.keeping {
            Keeping::OnDisk { journal, .. } => Some(journal.contents()),
            Keeping::InMemory | Keeping::Closed => None,
        }
    }

    fn keep(&mut self) -> Result<(), AwsError> {
        let Keeping::OnDisk { journal, unkept } = &mut self.keeping else {
            self.world.take_changes(false);
            return Ok(());
        };
        unkept.append(self.world.take_changes(true));
        if unkept.is_empty() {
            return Ok(());
        }
        journal
            .write(self.last, unkept)
            .map_err(|error| internal(&format!("keeping what changed in {}: {error}", journal.path().display())))?;
        *unkept = Changes::new(true);
        Ok(())
    }
}

/// A panic is an error.
pub fn caught<R>(act: impl FnOnce() -> R) -> Result<R, AwsError> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| internal(&panic_message(&*panic)))
}

fn internal(message: &str) -> AwsError {
    AwsError::new("InternalFailure", message).with_status(500)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the local engine failed on this request: {}", said.as_deref().unwrap_or("a panic without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_that_calls_failure_and_the_next_call_works() {
        let mut room = Room::open(Settings::default()).expect("nothing is opened");
        let (failed, _) = room.turn(5, |_, _| -> () { panic!("no such luck") });
        let error = failed.expect_err("it panicked");
        assert_eq!((error.code, error.status), ("InternalFailure", 500));
        assert!(error.message.contains("no such luck"));
        assert_eq!(room.turn(4, |_, turn| turn.now).0, Ok(5), "and time does not go back");
    }
}
