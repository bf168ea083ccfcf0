//! Keeps large values in a redb file of their own. It is written beside the world, before the turn that takes it, so that no call waits
//! for the disk meanwhile. Values that no row names in the end are removed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::disk::Disk;
use super::file;
use super::rows::salvage::walk;

/// By the number that a row knows.
const CONTENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("contents");
/// Smaller values are kept in their rows.
const LARGE: usize = 64 << 10;

#[derive(Debug)]
pub struct Contents {
    db: Database,
    books: Mutex<Books>,
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Books {
    last: u64,
    /// Written, and in no row yet: by where the bytes are, which is nobody else's place as long as they are held here.
    waiting: HashMap<Place, (Bytes, u64)>,
    /// To be removed with the next write.
    spent: Vec<u64>,
}

impl Contents {
    /// Opens or creates a file that is whole. Numbers up to `last` are not given again.
    pub fn open(path: &Path, disk: &Disk, last: u64) -> Result<Contents, redb::Error> {
        Ok(Contents::of(file::open(path, disk)?, last))
    }

    /// Opens a file for reading only.
    pub fn image(path: &Path) -> Result<Contents, redb::Error> {
        Ok(Contents::of(file::image(path)?, 0))
    }

    fn of(db: Database, last: u64) -> Contents {
        let books = Mutex::new(Books { last, ..Books::default() });
        Contents { db, books, failed: AtomicBool::new(false) }
    }

    /// Gives every content there is, by its number. Those for which nobody has a use go with the next write.
    pub fn restore(&self, mut each: impl FnMut(u64, &[u8]) -> bool) -> Result<(), redb::Error> {
        let table = match self.db.begin_read()?.open_table(CONTENTS) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            table => table?,
        };
        for row in table.iter()? {
            let (number, bytes) = row?;
            let used = each(number.value(), bytes.value());
            let mut books = self.books();
            books.last = books.last.max(number.value());
            if !used {
                books.spent.push(number.value());
            }
        }
        Ok(())
    }

    /// Copies what can be read of a damaged file to a new one, as far as `each` says that it is as it was written.
    pub fn salvage(
        damaged: &Path,
        new: &Path,
        disk: &Disk,
        mut each: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), redb::Error> {
        let db = file::create(new, disk)?;
        let transaction = db.begin_write()?;
        {
            let mut table = transaction.open_table(CONTENTS)?;
            let mut copied = Ok(());
            let old = file::unchecked(damaged).ok();
            let old = old.and_then(|old| old.begin_read().ok()?.open_table(CONTENTS).ok());
            if let Some(old) = old {
                let most = std::fs::metadata(damaged).map_or(0, |metadata| metadata.len());
                walk(&old, most, |number, bytes| {
                    if copied.is_ok() && each(number, bytes) {
                        copied = table.insert(number, bytes).map(drop);
                    }
                });
            }
            copied?;
        }
        Ok(transaction.commit()?)
    }

    /// Could something not be written? Then nothing more can be until the file is opened again.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Writes it, if it is large, for a row that is to come.
    pub fn keep(&self, bytes: &Bytes) -> Result<(), redb::Error> {
        if bytes.len() < LARGE {
            return Ok(());
        }
        self.write(bytes).inspect_err(|_| self.failed.store(true, Ordering::Relaxed))
    }

    fn write(&self, bytes: &Bytes) -> Result<(), redb::Error> {
        let (number, spent) = {
            let mut books = self.books();
            books.last += 1;
            (books.last, std::mem::take(&mut books.spent))
        };
        let transaction = self.db.begin_write()?;
        {
            let mut table = transaction.open_table(CONTENTS)?;
            for spent in spent {
                table.remove(spent)?;
            }
            table.insert(number, bytes.as_ref())?;
        }
        transaction.commit()?;
        self.books().waiting.insert(place(bytes), (bytes.clone(), number));
        Ok(())
    }

    /// The number of what was written for this row, once.
    pub fn claim(&self, bytes: &Bytes) -> Option<u64> {
        self.books().waiting.remove(&place(bytes)).map(|(_, number)| number)
    }

    /// If no row claimed it, none will.
    pub fn settle(&self, bytes: &Bytes) {
        if let Some(number) = self.claim(bytes) {
            self.spend(number);
        }
    }

    /// No row speaks of it any more.
    pub fn spend(&self, number: u64) {
        self.books().spent.push(number);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Each change is a single one: poisoned books are whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address and length.
type Place = (usize, usize);

fn place(bytes: &Bytes) -> Place {
    (bytes.as_ptr().addr(), bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(byte: u8) -> Bytes {
        vec![byte; LARGE].into()
    }

    fn all(contents: &Contents, used: &[u64]) -> Vec<(u64, u8)> {
        let mut all = vec![];
        let each = |number, bytes: &[u8]| {
            all.push((number, bytes[0]));
            used.contains(&number)
        };
        contents.restore(each).expect("it can be read");
        all
    }

    #[test]
    fn what_is_large_is_claimed_once_and_what_nobody_uses_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("contents.redb");
        let contents = Contents::open(&path, &Disk::default(), 0).expect("a new file");
        assert_eq!(all(&contents, &[]), []);
        let [a, b, c] = [b'a', b'b', b'c'].map(large);
        let small = Bytes::from_static(b"small");
        for bytes in [&a, &b, &small] {
            contents.keep(bytes).expect("it can be written");
        }
        assert_eq!(contents.claim(&small), None, "it stays in its row");
        assert_eq!(contents.claim(&a.slice(1..)), None);
        assert_eq!((contents.claim(&a), contents.claim(&a)), (Some(1), None));
        contents.settle(&a);
        contents.settle(&b);
        contents.keep(&c).expect("it can be written");
        assert_eq!(contents.claim(&c), Some(3));
        drop(contents);

        let again = Contents::open(&path, &Disk::default(), 0).expect("the file is whole");
        assert_eq!(all(&again, &[1]), [(1, b'a'), (3, b'c')], "nobody claimed b");
        again.keep(&b).expect("it can be written");
        assert_eq!(again.claim(&b), Some(4), "no number comes again");
        assert_eq!(all(&again, &[1]), [(1, b'a'), (4, b'b')], "no row spoke of c");
    }
}
