//! What the world knows, on disk: rows in one redb file, one transaction for each set of changes, and beside it the logs of records
//! in [`segments`] and what is large in [`contents`]. Both are written before the rows that may speak of them, and forgotten after: a
//! process that is killed in between leaves too many of them, and never too few.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

mod contents;
mod file;
mod frame;
mod segments;

pub use contents::Contents;
use file::JournalFile;
use segments::Segments;

use crate::settings::Millis;
use crate::table::{Change, Changes};
use crate::world::World;

/// `table NUL key` to the row's bytes.
const ROWS: TableDefinition<&str, &[u8]> = TableDefinition::new("rows");
/// Of the same keys, where the bytes are among the contents: their number there.
const LARGE_ROWS: TableDefinition<&str, u64> = TableDefinition::new("large_rows");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const WORLD: &str = "world.redb";
const CONTENTS: &str = "contents.redb";
const CLOCK: &str = "clock_ms";

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("opening the engine's folder {path}: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error(
        "opening {path}: another process runs an engine on this folder; end it, use its port, or choose another folder"
    )]
    InUse { path: PathBuf },
    #[error("reading {path}: {source}; move the file away to start with an empty world")]
    Journal { path: PathBuf, source: redb::Error },
    #[error("reading {path}: {source}; move the folder away to start without the records in it")]
    Records { path: PathBuf, source: std::io::Error },
    #[error(
        "reading {path}: a row of table {table} (key {key}) is not one that this version takes: {reason}; start the version \
         that wrote it, or choose another folder"
    )]
    Row { path: PathBuf, table: String, key: String, reason: String },
}

/// The file, locked for this process.
#[derive(Debug)]
pub struct Journal {
    db: Database,
    path: PathBuf,
    contents: Arc<Contents>,
    segments: Segments,
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
    /// Opens or creates `world.redb`, `contents.redb` and `records` in a folder, which is created too, and restores what they hold.
    /// Gives the last time kept too, 0 in a new journal.
    pub fn open(folder: &Path, world: &mut World) -> Result<(Journal, Millis), StartError> {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder { path: folder.to_owned(), source })?;
        let (path, contents_path) = (folder.join(WORLD), folder.join(CONTENTS));
        let db = create(&path).map_err(|error| refused(&path, error))?;
        let failed = |source| StartError::Journal { path: path.clone(), source };
        create_tables(&db).map_err(failed)?;
        let contents = Contents::open(&contents_path).map_err(|error| refused(&contents_path, error))?;
        let not_understood = match restore_rows(&db, world).map_err(failed)? {
            None => restore_large(&db, &contents, world).map_err(failed)?,
            first => first,
        };
        if let Some((table, key, reason)) = not_understood {
            return Err(StartError::Row { path, table, key, reason });
        }
        let last = last_time(&db).map_err(failed)?;
        let records = folder.join("records");
        let (segments, latest) = Segments::open(&records, |change| world.restore_log(change))
            .map_err(|source| StartError::Records { path: records, source })?;
        Ok((Journal { db, path, contents: Arc::new(contents), segments }, last.max(latest)))
    }

    /// Removes what an earlier journal left in a folder.
    pub fn erase(folder: &Path) -> Result<(), StartError> {
        let [rows, contents, records] = [WORLD, CONTENTS, "records"].map(|name| folder.join(name));
        let removed = [
            (&rows, std::fs::remove_file(&rows)),
            (&contents, std::fs::remove_file(&contents)),
            (&records, std::fs::remove_dir_all(&records)),
        ];
        for (path, removed) in removed {
            match removed {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StartError::Folder { path: path.clone(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps a set of changes and the time they were made. They outlive this process when this returns.
    pub fn write(&mut self, now: Millis, changes: &Changes) -> Result<(), KeepError> {
        self.segments.append(&changes.logs)?;
        if !changes.rows.is_empty() {
            self.write_rows(now, &changes.rows)?;
        }
        Ok(self.segments.trim(&changes.logs)?)
    }

    /// All or none.
    fn write_rows(&self, now: Millis, rows: &[Change]) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        let mut spent = vec![];
        {
            let (mut small, mut large) = (transaction.open_table(ROWS)?, transaction.open_table(LARGE_ROWS)?);
            for change in rows {
                let key = format!("{}\0{}", change.table, change.key);
                let number = change.value.as_ref().and_then(|value| self.contents.claim(value));
                match change.value.as_ref().filter(|_| number.is_none()) {
                    Some(value) => small.insert(key.as_str(), value.as_ref())?,
                    None => small.remove(key.as_str())?,
                };
                let before = match number {
                    Some(number) => large.insert(key.as_str(), number)?,
                    None => large.remove(key.as_str())?,
                };
                spent.extend(before.map(|number| number.value()));
            }
            transaction.open_table(META)?.insert(CLOCK, now)?;
        }
        transaction.commit()?;
        spent.into_iter().for_each(|number| self.contents.spend(number));
        Ok(())
    }

    /// Where what is large can be written beforehand.
    pub fn contents(&self) -> Arc<Contents> {
        Arc::clone(&self.contents)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn create_tables(db: &Database) -> Result<(), redb::Error> {
    let transaction = db.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(LARGE_ROWS)?;
    transaction.open_table(META)?;
    Ok(transaction.commit()?)
}

/// Table, key and reason of a row that is not understood.
type NotUnderstood = (String, String, String);

/// Gives the first row that is not understood.
fn restore_rows(db: &Database, world: &mut World) -> Result<Option<NotUnderstood>, redb::Error> {
    let rows = db.begin_read()?.open_table(ROWS)?;
    for row in rows.iter()? {
        let (name, value) = row?;
        if let Err(not_understood) = restore(world, name.value(), value.value()) {
            return Ok(Some(not_understood));
        }
    }
    Ok(None)
}

/// The same of those whose bytes are among the contents.
fn restore_large(db: &Database, contents: &Contents, world: &mut World) -> Result<Option<NotUnderstood>, redb::Error> {
    let mut names = HashMap::new();
    for row in db.begin_read()?.open_table(LARGE_ROWS)?.iter()? {
        let (name, number) = row?;
        names.insert(number.value(), name.value().to_owned());
    }
    let mut first = None;
    contents.restore(|number, bytes| {
        let name = names.remove(&number);
        let restored = name.as_ref().map_or(Ok(()), |name| restore(world, name, bytes));
        first = first.take().or(restored.err());
        name.is_some()
    })?;
    let missing = |name: String| (name, String::new(), "its content is missing".to_owned());
    Ok(first.or(names.into_values().next().map(missing)))
}

fn restore(world: &mut World, name: &str, value: &[u8]) -> Result<(), NotUnderstood> {
    let (table, key) = name.split_once('\0').unwrap_or((name, ""));
    let reason = match world.restore(table, key, value) {
        Ok(true) => return Ok(()),
        Ok(false) => "no service knows the table".to_owned(),
        Err(error) => error.to_string(),
    };
    Err((table.to_owned(), key.to_owned(), reason))
}

fn refused(path: &Path, error: DatabaseError) -> StartError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => StartError::InUse { path },
        source => StartError::Journal { path, source: source.into() },
    }
}

fn last_time(db: &Database) -> Result<Millis, redb::Error> {
    let meta = db.begin_read()?.open_table(META)?;
    Ok(meta.get(CLOCK)?.map_or(0, |time| time.value()))
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    Database::builder().create_with_backend(JournalFile(FileBackend::new(file)?))
}
