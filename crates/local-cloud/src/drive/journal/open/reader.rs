//! One file after the other: what is whole in it, and what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::super::commit::{Commit, Committed};
use super::super::contents::Contents;
use super::super::damage::Damage;
use super::super::disk::{Disk, create_folder};
use super::super::rows::salvage::{Salvaged, salvage, write_new};
use super::super::rows::{Large, Rows, State, checksum, shown};
use super::super::segments::{self, Found, Segments};
use super::super::{StartError, file};
use super::{COMMIT, CONTENTS, DAMAGED, RECORDS, WORLD, restore};
use crate::time::Millis;
use crate::world::World;

/// Somebody who reads a folder.
pub struct Reader<'a> {
    pub folder: &'a Path,
    pub disk: &'a Disk,
    pub world: &'a mut World,
    pub committed: Option<Committed>,
    pub damage: Vec<Damage>,
    pub aside: Option<PathBuf>,
}

impl Reader<'_> {
    /// The rows' file, which is another one where it was damaged.
    pub fn rows(&mut self) -> Result<(Rows, State), StartError> {
        let path = self.folder.join(WORLD);
        let reason = match self.whole_rows(&path) {
            Ok(rows) if rows.is_earlier().unwrap_or(false) => return Err(StartError::Earlier { path }),
            Ok(rows) => match rows.state() {
                Ok(state) => return Ok((rows, state)),
                Err(error) => error.to_string(),
            },
            Err(reason) => reason,
        };
        let refused = |reason: String| StartError::Journal { path: path.clone(), reason };
        let turn = self.committed.map_or(0, |committed| committed.turn);
        let Some(Salvaged { rows, mut state, lost, counted }) = salvage(&path).filter(|found| {
            // An older state does not tell which rows have changed since.
            found.state == State::default() || found.state.turn >= turn
        }) else {
            return Err(refused(reason));
        };
        state.turn = state.turn.max(turn);
        let new = path.with_extension("new");
        let replaced = write_new(&new, self.disk, &rows, state).map_err(|error| error.to_string());
        let replaced = replaced.and_then(|()| self.put_aside(&path, &new).map_err(|error| error.to_string()));
        let kept_as = Some(replaced.map_err(&refused)?);
        let what = reason;
        self.damage.push(Damage { file: path.clone(), what, lost, counted, kept_as, ..Damage::default() });
        let rows = Rows::open(&path, self.disk).map_err(|error| refused(error.to_string()))?;
        Ok((rows, state))
    }

    fn whole_rows(&self, path: &Path) -> Result<Rows, String> {
        let turn = self.committed.map_or(0, |committed| committed.turn);
        if !path.exists() {
            if turn > 0 {
                return Err("it is missing".to_owned());
            }
            return careful(|| Rows::open(path, self.disk));
        }
        let current = |rows: &Rows| match rows.state() {
            Ok(state) if state.turn >= turn => Ok(()),
            Ok(_) => Err("what was written last is damaged".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        // redb goes back to what was there before the last commit where that is damaged, and changes the file.
        if file::was_killed(path).unwrap_or(true) {
            current(&careful(|| Rows::image(path))?)?;
        }
        let rows = careful(|| Rows::open(path, self.disk))?;
        current(&rows)?;
        Ok(rows)
    }

    /// Gives the rows whose bytes are among the contents.
    pub fn restore_rows(&mut self, rows: &Rows) -> Result<Large, StartError> {
        let path = &rows.path;
        let mut not_understood = None;
        let restored = rows.restore(|name, value| {
            if let Err(reason) = restore(self.world, name, value) {
                not_understood.get_or_insert((name.to_owned(), reason));
            }
        });
        if let Some((name, reason)) = not_understood {
            return Err(row_error(path, &name, reason));
        }
        let failed = |error: redb::Error| StartError::Journal { path: path.clone(), reason: error.to_string() };
        let (large, lost) = restored.map_err(failed)?;
        if !lost.is_empty() {
            // Only if redb's own checks miss something.
            let what = "rows are not what they were".to_owned();
            self.damage.push(Damage { file: path.clone(), what, lost, counted: true, ..Damage::default() });
        }
        Ok(large)
    }

    /// The contents' file, and what is large restored from it. What is not there any more is not missed by the next engine.
    pub fn contents(&mut self, rows: &Rows, mut large: Large) -> Result<Contents, StartError> {
        let path = self.folder.join(CONTENTS);
        let refused = |error: redb::Error| StartError::Journal { path: path.clone(), reason: error.to_string() };
        let last = large.keys().copied().max().unwrap_or(0);
        let missing = !path.exists() && !large.is_empty();
        let (mut what, mut kept_as) = ("it is missing".to_owned(), None);
        let whole = careful(|| Contents::open(&path, self.disk, last));
        let contents = match whole {
            Ok(contents) => contents,
            Err(reason) => {
                what = reason;
                let new = path.with_extension("new");
                let sound =
                    |number, bytes: &[u8]| large.get(&number).is_some_and(|(name, sum)| checksum(name, bytes) == *sum);
                careful(|| Contents::salvage(&path, &new, self.disk, sound))
                    .and_then(|()| self.put_aside(&path, &new).map_err(|error| error.to_string()))
                    .map(|aside| kept_as = Some(aside))
                    .map_err(|reason| StartError::Journal { path: path.clone(), reason })?;
                Contents::open(&path, self.disk, last).map_err(refused)?
            }
        };
        let mut not_understood = None;
        contents
            .restore(|number, bytes| match large.get(&number) {
                Some((name, sum)) if checksum(name, bytes) == *sum => {
                    let name = large.remove(&number).map(|(name, _)| name).unwrap_or_default();
                    if let Err(reason) = restore(self.world, &name, bytes) {
                        not_understood.get_or_insert((name, reason));
                    }
                    true
                }
                _ => false,
            })
            .map_err(refused)?;
        if let Some((name, reason)) = not_understood {
            return Err(row_error(&rows.path, &name, reason));
        }
        if !large.is_empty() {
            rows.forget(large.values().map(|(name, _)| name.as_str())).map_err(refused)?;
        }
        if !large.is_empty() || missing || kept_as.is_some() {
            let mut lost: Vec<String> = large.into_values().map(|(name, _)| shown(name.as_bytes())).collect();
            lost.sort();
            if !missing && kept_as.is_none() {
                what = "contents are missing, or not what they were".to_owned();
            }
            self.damage.push(Damage { file: path.clone(), what, lost, counted: true, kept_as, ..Damage::default() });
        }
        Ok(contents)
    }

    /// The logs of records.
    pub fn records(&mut self, state: State) -> Result<(Segments, Commit, Millis), StartError> {
        let folder = self.folder.join(RECORDS);
        let commit_path = self.folder.join(COMMIT);
        let failed = |source| StartError::Folder { path: folder.clone(), source };
        let end = self.committed.map(|committed| state.end_after(committed));
        let found: Found =
            segments::read(&folder, end, state.end, |change| self.world.restore_log(change)).map_err(failed)?;
        if end.is_none() && (state.turn > 0 || found.next_number > 0) {
            let what = "it is missing or damaged, so that what was written last may be lost unnoticed".to_owned();
            self.damage.push(Damage { file: commit_path.clone(), what, ..Damage::default() });
        }
        let committed = Committed { turn: state.turn, end: end.unwrap_or_default() };
        let mut commit = Commit::open(&commit_path, self.disk, committed).map_err(failed)?;
        let latest = found.latest;
        if found.damage.is_empty() {
            let mut segments = found.continued(&folder, end, self.disk).map_err(failed)?;
            commit.end(segments.end()).and_then(|()| segments.drop_finished(&mut commit)).map_err(failed)?;
            return Ok((segments, commit, latest));
        }
        // Nobody knows to which records the lost ordinals were given.
        self.world.records_lost(found.lost_at_most);
        let changes = self.world.take_changes(true);
        let rescued = found.rescue(&folder, end, state.end, self.disk, &changes.logs).map_err(failed)?;
        let aside = self.aside().map_err(failed)?.join(RECORDS);
        let segments = rescued.publish(&aside, &mut commit).map_err(failed)?;
        for mut damage in found.damage {
            let kept_as = damage.file.file_name().map(|name| aside.join(name));
            damage.kept_as = kept_as.filter(|path| path.exists());
            self.damage.push(damage);
        }
        Ok((segments, commit, latest))
    }

    /// A new file instead of a damaged one. Gives where that is now.
    fn put_aside(&mut self, path: &Path, new: &Path) -> std::io::Result<PathBuf> {
        let aside = self.aside()?.join(path.file_name().expect("a file of the folder"));
        if path.exists() {
            std::fs::rename(path, &aside)?;
        }
        std::fs::rename(new, path)?;
        Ok(aside)
    }

    /// Where damaged files go.
    fn aside(&mut self) -> std::io::Result<PathBuf> {
        if let Some(aside) = &self.aside {
            return Ok(aside.clone());
        }
        let damaged = self.folder.join(DAMAGED);
        let free = (1u32..).map(|number| damaged.join(number.to_string())).find(|path| !path.exists());
        let aside = free.expect("numbers do not end");
        create_folder(&aside)?;
        self.aside = Some(aside.clone());
        Ok(aside)
    }
}

/// redb may panic on a file that it did not write so.
fn careful<R>(open: impl FnOnce() -> Result<R, redb::Error>) -> Result<R, String> {
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| error.to_string()),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

fn row_error(path: &Path, name: &str, reason: String) -> StartError {
    let (table, key) = name.split_once('\0').unwrap_or((name, ""));
    StartError::Row { path: path.to_owned(), table: table.to_owned(), key: key.to_owned(), reason }
}
