//! A folder read when an engine starts: what is whole is restored, and what is not is told.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::Arc;

use super::commit::{Commit, Committed};
use super::contents::Contents;
use super::damage::Damage;
use super::disk::{Disk, close_to_others, create_folder, options};
use super::rows::{Rows, checksum};
use super::{Journal, Lock, StartError, segments};
use crate::time::Millis;
use crate::world::World;

mod reader;

use reader::Reader;

const WORLD: &str = "world.redb";
const CONTENTS: &str = "contents.redb";
const RECORDS: &str = "records";
const COMMIT: &str = "commit";
const LOCK: &str = "lock";
/// Files that were damaged when they were read, in folders by number.
const DAMAGED: &str = "damaged";
/// Others keep files beside these: the code of functions, and the address where the emulator is served.
const OTHERS: [&str; 2] = ["functions", "serving.json"];

/// A folder that was opened.
pub struct Opened {
    pub journal: Journal,
    /// The latest time kept, 0 in a new folder.
    pub last: Millis,
    pub damage: Vec<Damage>,
}

impl Lock {
    /// Creates the folder too.
    pub fn take(folder: &Path) -> Result<Lock, StartError> {
        let failed = |source| StartError::Folder { path: folder.to_owned(), source };
        create_folder(folder).map_err(failed)?;
        let file = options().truncate(false).open(folder.join(LOCK)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // An earlier version let others read it.
        let names = [&[WORLD, CONTENTS, RECORDS, COMMIT, LOCK, DAMAGED][..], &OTHERS].concat();
        close_to_others(folder, &names).map_err(failed)?;
        Ok(Lock(file))
    }
}

impl Journal {
    /// Restores what a folder holds, to be continued. What is behind `committed`, where that is known, was acknowledged to nobody.
    pub fn open(
        folder: &Path,
        lock: Lock,
        committed: Option<Committed>,
        disk: &Disk,
        world: &mut World,
    ) -> Result<Opened, StartError> {
        let committed = committed.map_or_else(|| Commit::read(&folder.join(COMMIT)), |known| Ok(Some(known)));
        let committed = committed.map_err(|source| StartError::Folder { path: folder.join(COMMIT), source })?;
        let mut reader = Reader { folder, disk, world, committed, damage: vec![], aside: None };
        let (rows, state) = reader.rows()?;
        let large = reader.restore_rows(&rows)?;
        let contents = reader.contents(&rows, large)?;
        let (segments, commit, latest) = reader.records(state)?;
        let acknowledged = commit.now();
        let damage = reader.damage;
        let journal =
            Journal { rows, contents: Arc::new(contents), segments, commit, acknowledged, failed: false, lock };
        Ok(Opened { journal, last: state.clock.max(latest), damage })
    }

    /// Restores the same without changing a file, which takes no room. Fails where anything is damaged.
    pub fn read(folder: &Path, committed: Committed, world: &mut World) -> Result<(), redb::Error> {
        let damaged = |what: &str| redb::Error::Corrupted(what.to_owned());
        let rows = Rows::image(&folder.join(WORLD))?;
        let state = rows.state()?;
        if state.turn < committed.turn {
            return Err(damaged("rows are missing"));
        }
        let end = state.end_after(committed);
        let (mut large, lost) = rows.restore(|name, value| drop(restore(world, name, value)))?;
        if !large.is_empty() {
            Contents::image(&folder.join(CONTENTS))?.restore(|number, bytes| {
                let name = large.remove(&number);
                name.is_some_and(|(name, sum)| checksum(&name, bytes) == sum && restore(world, &name, bytes).is_ok())
            })?;
        }
        let found = segments::read(&folder.join(RECORDS), Some(end), end, |change| world.restore_log(change))?;
        match lost.is_empty() && large.is_empty() && found.damage.is_empty() {
            true => Ok(()),
            false => Err(damaged("something is missing")),
        }
    }

    /// Removes what an earlier journal left in a folder.
    pub fn erase(folder: &Path) -> Result<(), StartError> {
        let files = [WORLD, CONTENTS, COMMIT].map(|name| folder.join(name));
        let removed = files.iter().map(|path| (path.clone(), std::fs::remove_file(path)));
        let folders = [RECORDS, DAMAGED].map(|name| folder.join(name));
        let folders = folders.iter().map(|path| (path.clone(), std::fs::remove_dir_all(path)));
        for (path, removed) in removed.chain(folders) {
            match removed {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StartError::Folder { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn restore(world: &mut World, name: &str, value: &[u8]) -> Result<(), String> {
    let (table, key) = name.split_once('\0').unwrap_or((name, ""));
    match world.restore(table, key, value) {
        Ok(true) => Ok(()),
        Ok(false) => Err("no service knows the table".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
