//! The world's rows, in a redb file: one transaction for each set of changes. Beside each row stands its checksum, in a table of its
//! own, so that a row that is damaged, or older than it should be, is never taken for what it was, and one that is gone is missed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
};

use super::commit::{Committed, End};
use super::contents::Contents;
use super::disk::Disk;
use super::file;
use crate::changes::Change;
use crate::time::Millis;

pub mod salvage;

/// `table NUL key` to the row's bytes.
pub const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");
/// For each row: its number among the contents, where its bytes are there, or 0; the checksum of name and bytes; the checksum of
/// name and these.
pub const INDEX: TableDefinition<&[u8], Entry> = TableDefinition::new("index");
pub type Entry = (u64, u32, u32);
/// Under nothing: [`State`], and its checksum.
const STATE: TableDefinition<&[u8], StateRow> = TableDefinition::new("state");
type StateRow = (u64, u64, u64, u64, u64, u32);
/// The table of an earlier layout.
const EARLIER: &str = "large_rows";

/// The state that is written with each set of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    pub clock: Millis,
    /// How many sets of rows were written.
    pub turn: u64,
    /// The logs of records were written at least this far.
    pub end: End,
}

impl State {
    /// How far the logs of records are kept, where so much was committed: rows may have been written that were not.
    pub fn end_after(self, committed: Committed) -> End {
        let before = committed.end;
        let later = (self.end.segment, self.end.bytes) > (before.segment, before.bytes);
        if self.turn > committed.turn && later { End { before: before.before, ..self.end } } else { before }
    }
}

/// Where the bytes of a row are among the contents, and their checksum.
pub type Large = HashMap<u64, (String, u32)>;

#[derive(Debug)]
pub struct Rows {
    db: Database,
    pub path: PathBuf,
}

impl Rows {
    /// Opens or creates a file that is whole.
    pub fn open(path: &Path, disk: &Disk) -> Result<Rows, redb::Error> {
        Rows::of(file::open(path, disk)?, path)
    }

    /// Opens a file for reading only.
    pub fn image(path: &Path) -> Result<Rows, redb::Error> {
        Rows::of(file::image(path)?, path)
    }

    fn of(db: Database, path: &Path) -> Result<Rows, redb::Error> {
        let there = db.begin_read()?.list_tables()?.count() > 0;
        if !there {
            let transaction = db.begin_write()?;
            transaction.open_table(ROWS)?;
            transaction.open_table(INDEX)?;
            write_state(&transaction, State::default())?;
            transaction.commit()?;
        }
        Ok(Rows { db, path: path.to_owned() })
    }

    /// Was it written by a version that kept rows in another way?
    pub fn is_earlier(&self) -> Result<bool, redb::Error> {
        let transaction = self.db.begin_read()?;
        let mut tables = transaction.list_tables()?;
        Ok(tables.any(|table| redb::TableHandle::name(&table) == EARLIER))
    }

    pub fn state(&self) -> Result<State, redb::Error> {
        Ok(read_state(&self.db)?.unwrap_or_default())
    }

    /// Hands over every row but those whose bytes are among the contents, which it gives, and the names of those that are not as
    /// they were written.
    pub fn restore(&self, mut each: impl FnMut(&str, &[u8])) -> Result<(Large, Vec<String>), redb::Error> {
        let (rows, index) = tables(&self.db)?;
        let mut entries = HashMap::new();
        for row in index.iter()? {
            let (name, entry) = row?;
            entries.insert(name.value().to_owned(), entry.value());
        }
        let mut lost = vec![];
        for row in rows.iter()? {
            let (name, value) = row?;
            match sound(name.value(), entries.remove(name.value())) {
                Some((name, 0, sum)) if sum == checksum(name, value.value()) => each(name, value.value()),
                _ => lost.push(shown(name.value())),
            }
        }
        let mut large = Large::new();
        for (name, entry) in entries {
            match sound(&name, Some(entry)) {
                Some((name, number, sum)) if number > 0 => drop(large.insert(number, (name.to_owned(), sum))),
                _ => lost.push(shown(&name)),
            }
        }
        Ok((large, lost))
    }

    /// All or none.
    pub fn write(&self, rows: &[Change], contents: &Contents, state: State) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        let mut spent = vec![];
        {
            let (mut small, mut index) = (transaction.open_table(ROWS)?, transaction.open_table(INDEX)?);
            for change in rows {
                let text = format!("{}\0{}", change.table, change.key);
                let name = text.as_bytes();
                let before = match &change.value {
                    None => {
                        small.remove(name)?;
                        index.remove(name)?
                    }
                    Some(value) => {
                        let number = contents.claim(value).unwrap_or(0);
                        match number {
                            0 => small.insert(name, value.as_ref())?,
                            _ => small.remove(name)?,
                        };
                        index.insert(name, entry(name, number, checksum(&text, value)))?
                    }
                };
                spent.extend(before.map(|before| before.value().0).filter(|number| *number > 0));
            }
        }
        write_state(&transaction, state)?;
        transaction.commit()?;
        spent.into_iter().for_each(|number| contents.spend(number));
        Ok(())
    }

    /// Rows that are lost are not missed any more.
    pub fn forget<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        {
            let (mut small, mut index) = (transaction.open_table(ROWS)?, transaction.open_table(INDEX)?);
            for name in names {
                small.remove(name.as_bytes())?;
                index.remove(name.as_bytes())?;
            }
        }
        Ok(transaction.commit()?)
    }
}

type Tables = (ReadOnlyTable<&'static [u8], &'static [u8]>, ReadOnlyTable<&'static [u8], Entry>);

pub fn tables(db: &impl ReadableDatabase) -> Result<Tables, redb::Error> {
    let transaction = db.begin_read()?;
    Ok((transaction.open_table(ROWS)?, transaction.open_table(INDEX)?))
}

/// How many rows there should be.
pub fn count(index: &ReadOnlyTable<&'static [u8], Entry>) -> Result<u64, redb::Error> {
    Ok(index.len()?)
}

/// The state, where it is as it was written.
pub fn read_state(db: &impl ReadableDatabase) -> Result<Option<State>, redb::Error> {
    let table = match db.begin_read()?.open_table(STATE) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table?,
    };
    let row = table.get(&b""[..])?.map(|row| row.value());
    let Some((clock, turn, segment, bytes, records, sum)) = row else { return Ok(None) };
    let whole = sum == numbers_checksum([clock, turn, segment, bytes, records]);
    Ok(whole.then_some(State { clock, turn, end: End { segment, bytes, records, before: 0 } }))
}

fn write_state(transaction: &redb::WriteTransaction, state: State) -> Result<(), redb::Error> {
    let State { clock, turn, end: End { segment, bytes, records, .. } } = state;
    let sum = numbers_checksum([clock, turn, segment, bytes, records]);
    transaction.open_table(STATE)?.insert(&b""[..], (clock, turn, segment, bytes, records, sum))?;
    Ok(())
}

fn numbers_checksum(numbers: [u64; 5]) -> u32 {
    crc32fast::hash(numbers.map(u64::to_le_bytes).as_flattened())
}

pub fn checksum(name: &str, value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(value);
    hasher.finalize()
}

fn entry(name: &[u8], number: u64, sum: u32) -> Entry {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&sum.to_le_bytes());
    hasher.update(name);
    (number, sum, hasher.finalize())
}

/// An entry of the index, where it is as it was written: the name, the number and the checksum.
pub fn sound(name: &[u8], found: Option<Entry>) -> Option<(&str, u64, u32)> {
    let (number, sum, _) = found.filter(|(number, sum, check)| entry(name, *number, *sum).2 == *check)?;
    Some((std::str::from_utf8(name).ok()?, number, sum))
}

/// A name as it is told to people.
pub fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replacen('\0', " ", 1).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_earlier_layout_is_known_as_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("world.redb");
        let db = Database::create(&path).expect("a new file");
        let transaction = db.begin_write().expect("it can be written");
        transaction.open_table(TableDefinition::<&str, &[u8]>::new("rows")).expect("a new table");
        transaction.open_table(TableDefinition::<&str, u64>::new(EARLIER)).expect("a new table");
        transaction.commit().expect("it can be written");
        drop(db);
        let is_earlier = |path| Rows::open(path, &Disk::default()).and_then(|rows| rows.is_earlier());
        assert!(is_earlier(&path).expect("it can be opened"));
        assert!(!is_earlier(&folder.path().join("new.redb")).expect("a new file"));
    }
}
