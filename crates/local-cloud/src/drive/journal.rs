//! What the world knows, on disk: one redb file, one transaction for each set of changes.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

mod file;

use file::JournalFile;

use crate::settings::Millis;
use crate::table::Change;

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
}

impl Journal {
    /// Opens or creates `world.redb` in a folder, which is created too.
    pub fn open(folder: &Path) -> Result<Journal, StartError> {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join("world.redb");
        match create(&path) {
            Ok(db) => Ok(Journal { db, path }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(StartError::InUse { path }),
            Err(source) => Err(StartError::Journal { path, source: source.into() }),
        }
    }

    /// Hands every row (table, key, bytes) to `each` and gives the last time kept, 0 in a new journal.
    pub fn read(&self, each: impl FnMut(&str, &str, &[u8]) -> Result<(), String>) -> Result<Millis, StartError> {
        let failed = |source: redb::Error| StartError::Journal { path: self.path.clone(), source };
        self.create_tables().map_err(failed)?;
        self.each_row(each).map_err(failed)??;
        self.last_time().map_err(failed)
    }

    /// Keeps a set of changes, all or none, and the time they were made. It outlives this process when this returns.
    pub fn write(&self, now: Millis, changes: &[Change]) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        {
            let mut rows = transaction.open_table(ROWS)?;
            for change in changes {
                let key = format!("{}\0{}", change.table, change.key);
                match &change.value {
                    Some(value) => rows.insert(key.as_str(), value.as_slice())?,
                    None => rows.remove(key.as_str())?,
                };
            }
            transaction.open_table(META)?.insert(CLOCK, now)?;
        }
        Ok(transaction.commit()?)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn create_tables(&self) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        transaction.open_table(ROWS)?;
        transaction.open_table(META)?;
        Ok(transaction.commit()?)
    }

    /// Two layers of failure: the file cannot be read, or a row not understood.
    fn each_row(
        &self,
        mut each: impl FnMut(&str, &str, &[u8]) -> Result<(), String>,
    ) -> Result<Result<(), StartError>, redb::Error> {
        let rows = self.db.begin_read()?.open_table(ROWS)?;
        for row in rows.iter()? {
            let (name, value) = row?;
            let (table, key) = name.value().split_once('\0').unwrap_or((name.value(), ""));
            if let Err(reason) = each(table, key, value.value()) {
                let (table, key) = (table.to_owned(), key.to_owned());
                return Ok(Err(StartError::Row { path: self.path.clone(), table, key, reason }));
            }
        }
        Ok(Ok(()))
    }

    fn last_time(&self) -> Result<Millis, redb::Error> {
        let meta = self.db.begin_read()?.open_table(META)?;
        Ok(meta.get(CLOCK)?.map_or(0, |time| time.value()))
    }
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    Database::builder().create_with_backend(JournalFile(FileBackend::new(file)?))
}
