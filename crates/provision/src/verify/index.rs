//! Finds the record that some bytes belong to, by their fingerprint. The index is a file without a name, so that memory does not
//! grow with the number of records, except for a bit of each: a hash table of 16 bytes for a fingerprint, and a list of 8 bytes for
//! an entry.
//!
//! Equal bytes are entries of one fingerprint, and are taken in the order in which they were added. Each access to the table is a call
//! of the system, so that it is made large enough at first, entries enter it many at once, and an entry without equals is taken without
//! writing.

use std::hash::{DefaultHasher, Hasher};
use std::io;

use crate::verify::bits::Bits;
use crate::verify::numbers::Numbers;

mod table;

use table::{Slot, Table};

const NONE: u32 = u32::MAX;

/// Entries that are kept in memory, so that those of one page enter the table together.
const ADDED: usize = 1 << 16;

/// A hash of 64 bits that is not 0. Of 10⁶ records two have the same one with a probability of 3 in 10⁸.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish().max(1)
}

/// The result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// This entry, which nobody took before.
    Entry(u32),
    /// All entries of this fingerprint were taken before.
    Again,
    Unknown,
}

pub struct Index {
    table: Table,
    used: u64,
    /// The entry that follows each entry among those of its fingerprint.
    next: Numbers,
    /// Entries that were taken as the last of their fingerprint.
    taken: Bits,
    /// Entries that are not in the table yet.
    added: Vec<(u64, u32)>,
}

impl Index {
    /// An index that has room for so many fingerprints before it grows.
    pub fn of(fingerprints: u32) -> io::Result<Index> {
        let capacity = (u64::from(fingerprints) * 2).next_power_of_two();
        let table = Table::of(capacity)?;
        Ok(Index { table, used: 0, next: Numbers::new()?, taken: Bits::default(), added: vec![] })
    }

    /// Adds an entry. Entries are numbered from 0 in the order in which they are added; an entry without a fingerprint
    /// cannot be found.
    pub fn add(&mut self, fingerprint: Option<u64>) -> io::Result<u32> {
        let entry = self.next.push(NONE)?;
        if let Some(fingerprint) = fingerprint {
            self.added.push((fingerprint, entry));
            if self.added.len() == ADDED {
                self.enter()?;
            }
        }
        Ok(entry)
    }

    /// Enters what was added into the table, in the table's order.
    fn enter(&mut self) -> io::Result<()> {
        let mut added = std::mem::take(&mut self.added);
        while (self.used + added.len() as u64) * 2 > self.table.capacity {
            self.table.grow()?;
        }
        added.sort_by_key(|(fingerprint, _)| self.table.home(*fingerprint));
        for (fingerprint, entry) in added.drain(..) {
            match self.table.find(fingerprint)? {
                (at, Some(slot)) => {
                    let head = if self.is_exhausted(slot) { entry } else { slot.head };
                    self.next.set(slot.tail, entry)?;
                    self.table.set(at, Slot { head, tail: entry, ..slot })?;
                }
                (at, None) => {
                    self.table.set(at, Slot { fingerprint, head: entry, tail: entry })?;
                    self.used += 1;
                }
            }
        }
        self.added = added;
        Ok(())
    }

    /// Takes the first entry of this fingerprint that nobody has taken.
    pub fn take(&mut self, fingerprint: u64) -> io::Result<Taken> {
        self.enter()?;
        let (at, Some(slot)) = self.table.find(fingerprint)? else { return Ok(Taken::Unknown) };
        if self.is_exhausted(slot) {
            return Ok(Taken::Again);
        }
        if slot.head == slot.tail {
            self.taken.set(slot.head);
        } else {
            self.table.set(at, Slot { head: self.next.get(slot.head)?, ..slot })?;
        }
        Ok(Taken::Entry(slot.head))
    }

    fn is_exhausted(&self, slot: Slot) -> bool {
        slot.head == slot.tail && self.taken.get(slot.head)
    }

    /// How many entries there are.
    pub fn count(&self) -> u32 {
        self.next.count()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use super::*;

    #[test]
    fn what_was_added_is_taken_once_also_after_the_table_has_grown() {
        let mut index = Index::of(0).unwrap();
        let of = |n: u32| fingerprint(&n.to_le_bytes());
        for n in 0..100_000 {
            assert_eq!(index.add(Some(of(n))).unwrap(), n);
        }
        assert!(index.table.capacity < 200_000, "some are not in the table yet");
        for n in (0..100_000).rev() {
            assert_eq!(index.take(of(n)).unwrap(), Taken::Entry(n));
        }
        assert!(index.table.capacity >= 200_000 && index.count() == 100_000);
        assert_eq!([index.take(of(7)).unwrap(), index.take(of(100_000)).unwrap()], [Taken::Again, Taken::Unknown]);
    }

    #[test]
    fn equal_entries_are_taken_in_their_order_and_cost_no_search() {
        let mut index = Index::of(0).unwrap();
        for n in 0..10_000 {
            index.add((n % 2 == 0).then_some(1)).unwrap();
        }
        for n in (0..10_000).step_by(2) {
            assert_eq!(index.take(1).unwrap(), Taken::Entry(n));
        }
        assert_eq!(index.take(1).unwrap(), Taken::Again);
        // An entry that comes after all others were taken can be taken.
        let late = index.add(Some(1)).unwrap();
        assert_eq!([index.take(1).unwrap(), index.take(1).unwrap()], [Taken::Entry(late), Taken::Again]);
    }
    proptest::proptest! {
        /// Entries of a fingerprint are taken in their order, whenever they are added.
        #[test]
        fn entries_are_taken_in_the_order_in_which_they_were_added(steps in proptest::collection::vec((1..9_u64, proptest::bool::ANY), 0..200)) {
            let (mut index, mut left) = (Index::of(0).unwrap(), HashMap::<u64, VecDeque<u32>>::new());
            for (fingerprint, add) in steps {
                if add {
                    let entry = index.add(Some(fingerprint)).unwrap();
                    left.entry(fingerprint).or_default().push_back(entry);
                    continue;
                }
                let expected = match left.get_mut(&fingerprint) {
                    None => Taken::Unknown,
                    Some(left) => left.pop_front().map_or(Taken::Again, Taken::Entry),
                };
                proptest::prop_assert_eq!(index.take(fingerprint).unwrap(), expected);
            }
        }
    }
}
