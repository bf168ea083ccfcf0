//! The world, its journal and the rule that joins them: what changed is kept before anybody is told. What could not be kept did not
//! happen: the world is read from the disk again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use super::reads::only_reads;
use crate::drive::journal::{Committed, Contents, Damage, Disk, Journal, Lock, StartError};
use crate::effect::{Effect, Turn};
use crate::faults::Refusal;
use crate::request::AwsError;
use crate::settings::Settings;
use crate::time::Millis;
use crate::world::World;

/// The world and its journal, behind the engine's lock.
pub struct Store {
    pub world: World,
    keeping: Keeping,
    last: Millis,
    disk: Disk,
    damage: Vec<Damage>,
}

enum Keeping {
    /// Gone with the engine.
    InMemory,
    OnDisk(Box<Journal>),
    /// Nothing can be written, so that nothing may change until it can be again. What the world shows is what is kept, unless it
    /// could not be read either.
    Stalled {
        lock: Option<Lock>,
        acknowledged: Committed,
        /// Writers must be done with it before the file is opened again.
        contents: Option<Arc<Contents>>,
        why: String,
        readable: bool,
    },
    /// The engine was closed: no more turns.
    Closed,
}

impl Store {
    /// Opens what the settings name and restores what is there.
    pub fn open(settings: Settings, disk: Disk) -> Result<Store, StartError> {
        let folder = settings.data_dir.clone();
        let world = World::new(settings);
        let mut store = Store { world, keeping: Keeping::InMemory, last: 0, disk, damage: vec![] };
        if let Some(folder) = folder {
            store.open_journal(&folder)?;
        }
        Ok(store)
    }

    fn open_journal(&mut self, folder: &std::path::Path) -> Result<(), StartError> {
        let opened = Journal::open(folder, Lock::take(folder)?, None, &self.disk, &mut self.world)?;
        self.keeping = Keeping::OnDisk(Box::new(opened.journal));
        self.last = self.last.max(opened.last);
        self.damage = opened.damage;
        Ok(())
    }

    /// Damage that was found when the folder was opened.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Why nothing can be written, where that is so.
    pub fn stalled(&self) -> Option<&str> {
        match &self.keeping {
            Keeping::Stalled { why, .. } => Some(why),
            _ => None,
        }
    }

    /// The latest time the world has seen, 0 for a new one.
    pub fn last(&self) -> Millis {
        self.last
    }

    /// One turn of the world on behalf of an operation. A panic in it is that call's `InternalFailure` and nobody else's; what was
    /// asked of the driver before is still to be done.
    pub fn turn<R>(
        &mut self,
        now: Millis,
        by: &str,
        act: impl FnOnce(&mut World, &mut Turn) -> R,
    ) -> (Result<R, AwsError>, Vec<Effect>) {
        if let Err(refused) = self.ready(by) {
            return (Err(refused), vec![]);
        }
        self.last = self.last.max(now);
        let mut turn = Turn::at(self.last);
        let world = &mut self.world;
        let outcome = caught(|| act(world, &mut turn));
        match self.keep(by) {
            Ok(()) => (outcome, turn.effects),
            Err(refused) => (Err(refused), vec![]),
        }
    }

    /// May this operation have a turn? What changes something waits until the disk has space.
    fn ready(&mut self, by: &str) -> Result<(), AwsError> {
        if let Keeping::OnDisk(journal) = &self.keeping
            && journal.failed()
        {
            self.stall("an earlier write failed".to_owned());
        }
        match &self.keeping {
            Keeping::InMemory | Keeping::OnDisk(_) => Ok(()),
            Keeping::Closed => Err(AwsError::new("ServiceUnavailable", "the emulator is closed").with_status(503)),
            Keeping::Stalled { readable: true, .. } if only_reads(by) => Ok(()),
            Keeping::Stalled { .. } => self.reopen(by),
        }
    }

    /// Forgets everything, on the disk too. Gives the ARNs of the functions there were.
    ///
    /// # Errors
    /// Where the journal cannot be emptied: then the emulator is closed.
    pub fn reset(&mut self) -> Result<Vec<String>, StartError> {
        let functions = self.world.reset();
        if !matches!(self.keeping, Keeping::InMemory | Keeping::Closed)
            && let Some(folder) = self.world.settings.data_dir.clone()
        {
            self.keeping = Keeping::Closed;
            Journal::erase(&folder)?;
            self.open_journal(&folder)?;
        }
        Ok(functions)
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.keeping, Keeping::Closed)
    }

    /// Ends the journal, which frees its folder.
    pub fn close(&mut self) {
        self.keeping = Keeping::Closed;
    }

    /// Where what is large can be written before the turn that takes it. Nowhere, where nothing is kept.
    pub fn contents(&self) -> Option<Arc<Contents>> {
        match &self.keeping {
            Keeping::OnDisk(journal) => Some(journal.contents()),
            Keeping::InMemory | Keeping::Stalled { .. } | Keeping::Closed => None,
        }
    }

    fn keep(&mut self, by: &str) -> Result<(), AwsError> {
        let Keeping::OnDisk(journal) = &mut self.keeping else {
            self.world.take_changes(false);
            return Ok(());
        };
        let changes = self.world.take_changes(true);
        if changes.is_empty() {
            return Ok(());
        }
        let Err(error) = journal.write(self.last, &changes) else { return Ok(()) };
        let why = format!("keeping what changed in {}: {error}", journal.path().display());
        let refused = not_kept(by, &why);
        self.stall(why);
        Err(refused)
    }

    /// From now on nothing changes. What was not kept is taken back.
    fn stall(&mut self, why: String) {
        let Keeping::OnDisk(journal) = std::mem::replace(&mut self.keeping, Keeping::Closed) else { return };
        tracing::warn!("{why}; nothing is changed until the disk has space again");
        let (lock, acknowledged, contents) = journal.into_acknowledged();
        let mut world = self.world.renewed();
        let read = Journal::read(&self.folder(), acknowledged, &mut world);
        let readable = read.inspect_err(|error| tracing::warn!("reading what is kept: {error}")).is_ok();
        if readable {
            self.world = world;
        }
        self.keeping = Keeping::Stalled { lock: Some(lock), acknowledged, contents: Some(contents), why, readable };
    }

    /// Opens the folder again, if the disk has space.
    fn reopen(&mut self, by: &str) -> Result<(), AwsError> {
        let folder = self.folder();
        let Keeping::Stalled { lock, acknowledged, contents, why, .. } = &mut self.keeping else { return Ok(()) };
        let refused = not_kept(by, why);
        let written = contents.as_ref().is_some_and(|contents| Arc::strong_count(contents) > 1);
        if written || self.disk.probe(&folder).is_err() {
            return Err(refused);
        }
        *contents = None;
        let (lock, acknowledged) = (lock.take().map_or_else(|| Lock::take(&folder), Ok), *acknowledged);
        let mut world = self.world.renewed();
        let opened = lock.and_then(|lock| Journal::open(&folder, lock, Some(acknowledged), &self.disk, &mut world));
        match opened {
            Ok(opened) => {
                tracing::warn!("the disk of {} has space again", folder.display());
                self.world = world;
                self.keeping = Keeping::OnDisk(Box::new(opened.journal));
                self.damage.extend(opened.damage);
                Ok(())
            }
            Err(error) => {
                tracing::warn!("opening the folder again: {error}");
                Err(refused)
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.world.settings.data_dir.clone().expect("a journal is in a folder")
    }
}

/// In the words of the service that was called.
fn not_kept(by: &str, why: &str) -> AwsError {
    let message = format!("{why}; nothing of this call is kept");
    AwsError { message, ..Refusal::Failed { status: 500 }.error(by) }
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
    format!("the built-in emulator failed on this request: {}", said.as_deref().unwrap_or("a panic without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_that_calls_failure_and_the_next_call_works() {
        let mut store = Store::open(Settings::default(), Disk::default()).expect("nothing is opened");
        let (failed, _) = store.turn(5, "", |_, _| -> () { panic!("no such luck") });
        let error = failed.expect_err("it panicked");
        assert_eq!((error.code, error.status), ("InternalFailure", 500));
        assert!(error.message.contains("no such luck"));
        assert_eq!(store.turn(4, "", |_, turn| turn.now).0, Ok(5), "and time does not go back");
    }
}
