//! What the world knows, on disk: rows in one redb file, one transaction for each set of changes, and the logs of records in
//! [`segments`] beside it. Records are written before the rows that may speak of them, and forgotten after: a process that is
//! killed in between leaves records too many, and never too few.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

mod file;
mod frame;
mod segments;

use file::JournalFile;
use segments::Segments;

use crate::settings::Millis;
use crate::table::{Change, Changes};
use crate::world::World;

/// `table NUL key` to the row's bytes.
const ROWS: TableDefinition<&str, &[u8]> = TableDefinition::new("rows");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
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
        "reading {path}: a row of table {table} (key {key}) cannot be understood: {reason}; was it written by a newer version?"
    )]
    Row { path: PathBuf, table: String, key: String, reason: String },
}

/// The file, locked for this process.
#[derive(Debug)]
pub struct Journal {
    db: Database,
    path: PathBuf,
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
    /// Opens or creates `world.redb` and `records` in a folder, which is created too, and restores what they hold. Gives the last
    /// time kept too, 0 in a new journal.
    pub fn open(folder: &Path, world: &mut World) -> Result<(Journal, Millis), StartError> {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join("world.redb");
        let db = match create(&path) {
            Ok(db) => db,
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StartError::InUse { path }),
            Err(source) => return Err(StartError::Journal { path, source: source.into() }),
        };
        let failed = |source| StartError::Journal { path: path.clone(), source };
        create_tables(&db).map_err(failed)?;
        each_row(&db, &path, |table, key, value| match world.restore(table, key, value) {
            Ok(true) => Ok(()),
            Ok(false) => Err("no service knows the table".into()),
            Err(error) => Err(error.to_string()),
        })
        .map_err(failed)??;
        let last = last_time(&db).map_err(failed)?;
        let records = folder.join("records");
        let (segments, latest) = Segments::open(&records, |change| world.restore_log(change))
            .map_err(|source| StartError::Records { path: records, source })?;
        Ok((Journal { db, path, segments }, last.max(latest)))
    }

    /// Removes what an earlier journal left in a folder.
    pub fn erase(folder: &Path) -> Result<(), StartError> {
        let (rows, records) = (folder.join("world.redb"), folder.join("records"));
        for (path, removed) in [(&rows, std::fs::remove_file(&rows)), (&records, std::fs::remove_dir_all(&records))] {
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
        {
            let mut table = transaction.open_table(ROWS)?;
            for change in rows {
                let key = format!("{}\0{}", change.table, change.key);
                match &change.value {
                    Some(value) => table.insert(key.as_str(), value.as_slice())?,
                    None => table.remove(key.as_str())?,
                };
            }
            transaction.open_table(META)?.insert(CLOCK, now)?;
        }
        Ok(transaction.commit()?)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn create_tables(db: &Database) -> Result<(), redb::Error> {
    let transaction = db.begin_write()?;
    transaction.open_table(ROWS)?;
    transaction.open_table(META)?;
    Ok(transaction.commit()?)
}

/// Two layers of failure: the file cannot be read, or a row not understood.
fn each_row(
    db: &Database,
    path: &Path,
    mut each: impl FnMut(&str, &str, &[u8]) -> Result<(), String>,
) -> Result<Result<(), StartError>, redb::Error> {
    let rows = db.begin_read()?.open_table(ROWS)?;
    for row in rows.iter()? {
        let (name, value) = row?;
        let (table, key) = name.value().split_once('\0').unwrap_or((name.value(), ""));
        if let Err(reason) = each(table, key, value.value()) {
            let (table, key) = (table.to_owned(), key.to_owned());
            return Ok(Err(StartError::Row { path: path.to_owned(), table, key, reason }));
        }
    }
    Ok(Ok(()))
}

fn last_time(db: &Database) -> Result<Millis, redb::Error> {
    let meta = db.begin_read()?.open_table(META)?;
    Ok(meta.get(CLOCK)?.map_or(0, |time| time.value()))
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    Database::builder().create_with_backend(JournalFile(FileBackend::new(file)?))
}
