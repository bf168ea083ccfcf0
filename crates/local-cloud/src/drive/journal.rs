//! Keeps the world on disk: [`rows`] in one redb file, and beside it the logs of records in [`segments`] and large contents in
//! [`contents`]. Both are written before the rows that refer to them and forgotten after them, so that a process that is killed
//! in between leaves too many of them and never too few. [`commit`] says how far all of it was written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod commit;
mod contents;
mod damage;
mod disk;
mod file;
mod frame;
mod open;
mod rows;
mod segments;

use commit::Commit;
pub use commit::Committed;
pub use contents::Contents;
pub use damage::Damage;
pub use disk::{Disk, create_folder};
use rows::{Rows, State};
use segments::Segments;

use crate::changes::Changes;
use crate::time::Millis;

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be created, read or written.
    #[error("opening the emulator's folder {path}: {source}")]
    Folder {
        /// The folder, or a file in it.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Another process has an engine on this folder.
    #[error(
        "opening {path}: another process runs an emulator on this folder; end it, use its port, or choose another folder"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing in the file with the rows can be read.
    #[error(
        "reading {path}: {reason}, and nothing in it can be saved; move the folder away to start with an empty world, and keep it \
         if you have to look into it"
    )]
    Journal {
        /// The file.
        path: PathBuf,
        /// The reason, for people.
        reason: String,
    },
    /// The folder is of a version that wrote no checksums.
    #[error(
        "reading {path}: it was written by an earlier version of the emulator; start that version, choose another folder, or move \
         this one away to start with an empty world"
    )]
    Earlier {
        /// The file.
        path: PathBuf,
    },
    /// A row is whole, and this version does not understand it.
    #[error(
        "reading {path}: a row of table {table} (key {key}) is not one that this version takes: {reason}; start the version \
         that wrote it, or choose another folder"
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's table.
        table: String,
        /// The row's key.
        key: String,
        /// The reason, for people.
        reason: String,
    },
}

/// A folder that nobody else uses.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is held")] File);

/// The files of a folder, locked for this process. One that could not write is to be opened again.
#[derive(Debug)]
pub struct Journal {
    rows: Rows,
    contents: Arc<Contents>,
    segments: Segments,
    commit: Commit,
    /// How far callers were told that their changes are kept.
    acknowledged: Committed,
    /// Something could not be written that no caller has to be told of.
    failed: bool,
    lock: Lock,
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("{0}")]
    Rows(#[from] redb::Error),
    #[error("{0}")]
    Records(#[from] std::io::Error),
}

impl Journal {
    /// Keeps a set of changes and the time they were made, all or none. They outlive this process when this returns.
    pub fn write(&mut self, now: Millis, changes: &Changes) -> Result<(), KeepError> {
        self.segments.append(&changes.logs, &mut self.commit)?;
        let mut turn = self.acknowledged.turn;
        if !changes.rows.is_empty() {
            turn += 1;
            self.rows.write(&changes.rows, &self.contents, State { clock: now, turn, end: self.commit.now().end })?;
        }
        // From here on it is kept, whatever happens.
        let mut told = if turn > self.acknowledged.turn { self.commit.turn(turn) } else { Ok(()) };
        if told.is_ok() {
            told = self.segments.trim(&changes.logs, &mut self.commit);
        }
        self.acknowledged = Committed { turn, ..self.commit.now() };
        if let Err(error) = told {
            tracing::warn!("writing that records are of no more use, which is done again: {error}");
            self.failed = true;
        }
        Ok(())
    }

    /// Can nothing more be written until the folder is opened again?
    pub fn failed(&self) -> bool {
        self.failed || self.contents.failed()
    }

    /// Keeps what is needed to open the folder again, without changes that no caller was told to be kept. A process that is
    /// killed before that leaves these changes too.
    pub fn into_acknowledged(mut self) -> (Lock, Committed, Arc<Contents>) {
        if let Err(error) = self.commit.go_back(self.acknowledged) {
            tracing::warn!("writing how far the records are kept: {error}");
        }
        (self.lock, self.acknowledged, self.contents)
    }

    /// Where what is large can be written beforehand.
    pub fn contents(&self) -> Arc<Contents> {
        Arc::clone(&self.contents)
    }

    pub fn path(&self) -> &Path {
        &self.rows.path
    }
}
