//! A hash table in a file without a name. One page of it is in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const SLOT: usize = 16;
/// Slots that are read and written at once.
const PAGE: u64 = 256;
/// The number of slots of the smallest table.
const LEAST: u64 = 1 << 12;

pub struct Table {
    file: File,
    /// A power of two, and at least a page.
    pub capacity: u64,
    /// The page in memory, by the place of its first slot.
    page: (u64, Vec<u8>),
    /// The page is another than in the file.
    is_changed: bool,
}

/// A fingerprint that is not 0, the next entry of it to take, and the last one. The last one stays `head` when it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub fingerprint: u64,
    pub head: u32,
    pub tail: u32,
}

impl Table {
    pub fn of(capacity: u64) -> io::Result<Table> {
        let capacity = capacity.max(LEAST);
        let file = tempfile::tempfile()?;
        file.set_len(capacity * SLOT as u64)?;
        Ok(Table { file, capacity, page: (0, vec![0; SLOT * PAGE as usize]), is_changed: false })
    }

    /// The first place at which a fingerprint may be.
    pub fn home(&self, fingerprint: u64) -> u64 {
        fingerprint & (self.capacity - 1)
    }

    /// The place of a fingerprint, or the free one where it belongs.
    pub fn find(&mut self, fingerprint: u64) -> io::Result<(u64, Option<Slot>)> {
        let mut at = self.home(fingerprint);
        loop {
            let slot = Slot::of(self.bytes(at)?);
            match slot.fingerprint {
                0 => return Ok((at, None)),
                other if other == fingerprint => return Ok((at, Some(slot))),
                _ => at = (at + 1) & (self.capacity - 1),
            }
        }
    }

    pub fn set(&mut self, at: u64, slot: Slot) -> io::Result<()> {
        self.bytes(at)?.copy_from_slice(&slot.bytes());
        self.is_changed = true;
        Ok(())
    }

    /// Makes it twice as large.
    pub fn grow(&mut self) -> io::Result<()> {
        let larger = Table::of(self.capacity * 2)?;
        let mut old = std::mem::replace(self, larger);
        // Each half in turn, because both at once would be two pages.
        for half in [0, old.capacity] {
            for at in 0..old.capacity {
                let slot = Slot::of(old.bytes(at)?);
                if slot.fingerprint != 0 && slot.fingerprint & old.capacity == half {
                    let (free, _) = self.find(slot.fingerprint)?;
                    self.set(free, slot)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes of a slot, in memory.
    fn bytes(&mut self, at: u64) -> io::Result<&mut [u8]> {
        let first = at / PAGE * PAGE;
        let (page, bytes) = &mut self.page;
        if *page != first {
            if std::mem::take(&mut self.is_changed) {
                self.file.write_all_at(bytes, *page * SLOT as u64)?;
            }
            *page = first;
            self.file.read_exact_at(bytes, first * SLOT as u64)?;
        }
        let start = (at - first) as usize * SLOT;
        Ok(&mut bytes[start..start + SLOT])
    }
}

impl Slot {
    fn of(bytes: &mut [u8]) -> Slot {
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
