//! Finds the record that some bytes belong to, by their fingerprint. The index is a file without a name, so that memory does not
//! grow with the number of records: a hash table of 16 bytes for a fingerprint, and a list of 8 bytes for an entry.
//!
//! Equal bytes are entries of one fingerprint, and are taken in the order in which they were added.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::FileExt;

use crate::verify::numbers::Numbers;

const SLOT: usize = 16;
const FIRST_SLOTS: u64 = 1 << 12;
/// Slots read at once.
const READ: u64 = 16;
const NONE: u32 = u32::MAX;

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
    slots: File,
    /// A power of two.
    capacity: u64,
    used: u64,
    /// The entry that follows each entry among those of its fingerprint.
    next: Numbers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    fingerprint: u64,
    /// The next entry to take.
    head: u32,
    tail: u32,
}

impl Index {
    pub fn new() -> io::Result<Index> {
        Ok(Index { slots: table(FIRST_SLOTS)?, capacity: FIRST_SLOTS, used: 0, next: Numbers::new()? })
    }

    /// Adds an entry. Entries are numbered from 0 in the order in which they are added; an entry without a fingerprint
    /// cannot be found.
    pub fn add(&mut self, fingerprint: Option<u64>) -> io::Result<u32> {
        let entry = self.next.push(NONE)?;
        let Some(fingerprint) = fingerprint else { return Ok(entry) };
        match self.find(fingerprint)? {
            (at, Some(slot)) => {
                let head = if slot.head == NONE { entry } else { slot.head };
                self.next.set(slot.tail, entry)?;
                self.write(at, Slot { head, tail: entry, ..slot })?;
            }
            (at, None) => {
                self.write(at, Slot { fingerprint, head: entry, tail: entry })?;
                self.used += 1;
                if self.used * 2 > self.capacity {
                    self.grow()?;
                }
            }
        }
        Ok(entry)
    }

    /// Takes the first entry of this fingerprint that nobody has taken.
    pub fn take(&mut self, fingerprint: u64) -> io::Result<Taken> {
        let (at, Some(slot)) = self.find(fingerprint)? else { return Ok(Taken::Unknown) };
        if slot.head == NONE {
            return Ok(Taken::Again);
        }
        let head = if slot.head == slot.tail { NONE } else { self.next.get(slot.head)? };
        self.write(at, Slot { head, ..slot })?;
        Ok(Taken::Entry(slot.head))
    }

    /// How many entries there are.
    pub fn count(&self) -> u32 {
        self.next.count()
    }

    /// The place of a fingerprint, or the free one where it belongs.
    fn find(&self, fingerprint: u64) -> io::Result<(u64, Option<Slot>)> {
        let mut at = fingerprint & (self.capacity - 1);
        loop {
            let mut bytes = [0; SLOT * READ as usize];
            let read = READ.min(self.capacity - at);
            let bytes = &mut bytes[..SLOT * read as usize];
            self.slots.read_exact_at(bytes, at * SLOT as u64)?;
            for (beside, slot) in (0..).zip(bytes.chunks_exact(SLOT).map(Slot::of)) {
                match slot.fingerprint {
                    0 => return Ok((at + beside, None)),
                    other if other == fingerprint => return Ok((at + beside, Some(slot))),
                    _ => {}
                }
            }
            at = (at + read) & (self.capacity - 1);
        }
    }

    fn write(&self, at: u64, slot: Slot) -> io::Result<()> {
        self.slots.write_all_at(&slot.bytes(), at * SLOT as u64)
    }

    fn grow(&mut self) -> io::Result<()> {
        let capacity = self.capacity * 2;
        let old = std::mem::replace(&mut self.slots, table(capacity)?);
        let slots = std::mem::replace(&mut self.capacity, capacity);
        let mut bytes = vec![0; SLOT * FIRST_SLOTS as usize];
        for at in (0..slots).step_by(FIRST_SLOTS as usize) {
            old.read_exact_at(&mut bytes, at * SLOT as u64)?;
            for slot in bytes.chunks_exact(SLOT).map(Slot::of).filter(|slot| slot.fingerprint != 0) {
                let (free, _) = self.find(slot.fingerprint)?;
                self.write(free, slot)?;
            }
        }
        Ok(())
    }
}

fn table(slots: u64) -> io::Result<File> {
    let file = tempfile::tempfile()?;
    file.set_len(slots * SLOT as u64)?;
    Ok(file)
}

impl Slot {
    fn of(bytes: &[u8]) -> Slot {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Slot { fingerprint: u64::from(word(0)) | u64::from(word(4)) << 32, head: word(8), tail: word(12) }
    }

    fn bytes(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..8].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.head.to_le_bytes());
        bytes[12..].copy_from_slice(&self.tail.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_taken_once_also_after_the_table_has_grown() {
        let mut index = Index::new().unwrap();
        let of = |n: u32| fingerprint(&n.to_le_bytes());
        for n in 0..20_000 {
            assert_eq!(index.add(Some(of(n))).unwrap(), n);
        }
        assert!(index.capacity >= 40_000 && index.count() == 20_000);
        for n in (0..20_000).rev() {
            assert_eq!(index.take(of(n)).unwrap(), Taken::Entry(n));
        }
        assert_eq!([index.take(of(7)).unwrap(), index.take(of(20_000)).unwrap()], [Taken::Again, Taken::Unknown]);
    }

    #[test]
    fn equal_entries_are_taken_in_their_order_and_cost_no_search() {
        let mut index = Index::new().unwrap();
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
}
