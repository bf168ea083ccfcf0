//! What is large, in a redb file of its own. It is written beside the world, before the turn that takes it, so that no call waits
//! for the disk meanwhile. What no row speaks of in the end goes again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redb::{Database, DatabaseError, ReadableTable, TableDefinition};

/// By the number that a row knows.
const CONTENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("contents");
/// What is smaller is no burden in a row.
const LARGE: usize = 64 << 10;

#[derive(Debug)]
pub struct Contents {
    db: Database,
    books: Mutex<Books>,
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
    /// Opens or creates the file.
    pub fn open(path: &Path) -> Result<Contents, DatabaseError> {
        let db = super::create(path)?;
        Ok(Contents { db, books: Mutex::default() })
    }

    /// Gives every content there is, by its number, and removes those for which nobody has a use.
    pub fn restore(&self, mut each: impl FnMut(u64, &[u8]) -> bool) -> Result<(), redb::Error> {
        let transaction = self.db.begin_write()?;
        {
            let mut table = transaction.open_table(CONTENTS)?;
            let mut unused = vec![];
            for row in table.iter()? {
                let (number, bytes) = row?;
                self.books().last = number.value();
                if !each(number.value(), bytes.value()) {
                    unused.push(number.value());
                }
            }
            for number in unused {
                table.remove(number)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Writes it, if it is large, for a row that is to come.
    pub fn keep(&self, bytes: &Bytes) -> Result<(), redb::Error> {
        if bytes.len() < LARGE {
            return Ok(());
        }
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
        let contents = Contents::open(&path).expect("a new file");
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

        let again = Contents::open(&path).expect("the file is free");
        assert_eq!(all(&again, &[1]), [(1, b'a'), (3, b'c')], "nobody claimed b");
        assert_eq!(all(&again, &[1]), [(1, b'a')], "no row spoke of c");
        again.keep(&b).expect("it can be written");
        assert_eq!(again.claim(&b), Some(2));
    }
}
