//! A damaged redb file is read as far as it goes: whatever in it is as it was written is kept, and what is missing is named. redb
//! gives no promise about what it reads from such a file, so that nothing is believed but checksums, and panics are caught.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{ReadOnlyTable, ReadableTable, Value};

use super::{Entry, INDEX, ROWS, State, checksum, count, read_state, shown, sound, tables, write_state};
use crate::drive::journal::disk::Disk;
use crate::drive::journal::file;

/// A row as it was written.
pub struct Whole {
    pub name: Vec<u8>,
    pub value: Option<Vec<u8>>,
    pub entry: Entry,
}

/// The rows that could be read from a damaged file.
pub struct Salvaged {
    pub rows: Vec<Whole>,
    pub state: State,
    /// The names of what is lost.
    pub lost: Vec<String>,
    /// Is that all?
    pub counted: bool,
}

/// `None` where it is not even known what there was.
pub fn salvage(path: &Path) -> Option<Salvaged> {
    let read = || -> Result<Salvaged, redb::Error> {
        let db = file::unchecked(path)?;
        let (rows, index) = tables(&db)?;
        let most = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let state = catch_unwind(AssertUnwindSafe(|| read_state(&db).ok().flatten())).ok().flatten();
        let mut entries = HashMap::new();
        let all_entries = walk(&index, most, |name, entry| {
            entries.insert(name.to_owned(), entry);
        });
        let mut values = BTreeMap::new();
        let all_values = walk(&rows, most, |name, value| drop(values.insert(name.to_owned(), value.to_owned())));
        let expected = count(&index)?;
        let mut salvaged = Salvaged {
            rows: vec![],
            state: state.unwrap_or_default(),
            lost: vec![],
            counted: all_entries && all_values,
        };
        salvaged.take(entries, values);
        if !all_entries {
            let known = (salvaged.rows.len() + salvaged.lost.len()) as u64;
            // The number may be damaged as well.
            if let missing @ 1..1_000_000_000 = expected.saturating_sub(known) {
                salvaged.lost.push(format!("{missing} rows whose names are lost"));
                salvaged.counted = true;
            }
        } else {
            salvaged.counted = true;
        }
        Ok(salvaged)
    };
    catch_unwind(AssertUnwindSafe(read)).ok()?.ok()
}

impl Salvaged {
    fn take(&mut self, mut entries: HashMap<Vec<u8>, Entry>, values: BTreeMap<Vec<u8>, Vec<u8>>) {
        for (name, value) in values {
            let entry = entries.remove(&name);
            match sound(&name, entry) {
                Some((text, 0, sum)) if sum == checksum(text, &value) => {
                    self.rows.push(Whole { entry: entry.expect("it is sound"), name, value: Some(value) });
                }
                _ => self.lost.push(shown(&name)),
            }
        }
        for (name, entry) in entries {
            match sound(&name, Some(entry)) {
                Some((_, 1.., _)) => self.rows.push(Whole { name, value: None, entry }),
                _ => self.lost.push(shown(&name)),
            }
        }
        self.lost.sort();
    }
}

/// A new file with these rows.
pub fn write_new(path: &Path, disk: &Disk, rows: &[Whole], state: State) -> Result<(), redb::Error> {
    let db = file::create(path, disk)?;
    let transaction = db.begin_write()?;
    {
        let (mut small, mut index) = (transaction.open_table(ROWS)?, transaction.open_table(INDEX)?);
        for Whole { name, value, entry } in rows {
            index.insert(name.as_slice(), *entry)?;
            if let Some(value) = value {
                small.insert(name.as_slice(), value.as_slice())?;
            }
        }
    }
    write_state(&transaction, state)?;
    Ok(transaction.commit()?)
}

type Read<'a, K, V> = Result<(redb::AccessGuard<'a, K>, redb::AccessGuard<'a, V>), redb::StorageError>;

/// Hands over what can be read from both ends, no more rows than `most` (a file of so many bytes has no more). Gives whether that is all.
pub fn walk<'a, K: redb::Key + 'static, V: Value + 'static>(
    table: &'a ReadOnlyTable<K, V>,
    most: u64,
    mut each: impl FnMut(K::SelfType<'_>, V::SelfType<'_>),
) -> bool {
    let mut left = most;
    let mut step = |next: &mut dyn FnMut() -> Option<Read<'a, K, V>>| {
        // Pages that refer to each other in a circle have no end.
        if left == 0 {
            return Some(false);
        }
        left -= 1;
        let stepped =
            catch_unwind(AssertUnwindSafe(|| Some(next()?.map(|(key, value)| each(key.value(), value.value())))));
        match stepped {
            Ok(None) => Some(true),
            Ok(Some(Ok(()))) => None,
            Ok(Some(Err(_))) | Err(_) => Some(false),
        }
    };
    let begin = || catch_unwind(AssertUnwindSafe(|| table.iter().ok())).ok().flatten();
    let Some(mut forward) = begin() else { return false };
    let all = loop {
        if let Some(ended) = step(&mut || forward.next()) {
            break ended;
        }
    };
    if !all && let Some(mut backward) = begin() {
        while step(&mut || backward.next_back()).is_none() {}
    }
    all
}
