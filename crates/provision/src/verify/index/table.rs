//! A hash table in a file.

use std::io;

use crate::verify::paged::Paged;

const SLOT: usize = 16;
/// The number of slots of the smallest table.
const LEAST: u64 = 1 << 12;

pub struct Table {
    slots: Paged<SLOT>,
    /// A power of two.
    pub capacity: u64,
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
        Ok(Table { slots: Paged::new()?, capacity: capacity.max(LEAST) })
    }

    /// The first place at which a fingerprint may be.
    pub fn home(&self, fingerprint: u64) -> u64 {
        fingerprint & (self.capacity - 1)
    }

    /// The place of a fingerprint, or the free one where it belongs.
    pub fn find(&mut self, fingerprint: u64) -> io::Result<(u64, Option<Slot>)> {
        let mut at = self.home(fingerprint);
        loop {
            let slot = Slot::of(self.slots.get(at)?);
            match slot.fingerprint {
                0 => return Ok((at, None)),
                other if other == fingerprint => return Ok((at, Some(slot))),
                _ => at = (at + 1) & (self.capacity - 1),
            }
        }
    }

    pub fn set(&mut self, at: u64, slot: Slot) -> io::Result<()> {
        self.slots.set(at, &slot.bytes())
    }

    /// Makes it twice as large.
    pub fn grow(&mut self) -> io::Result<()> {
        let larger = Table::of(self.capacity * 2)?;
        let mut old = std::mem::replace(self, larger);
        // Each half in turn, because both at once would be two pages.
        for half in [0, old.capacity] {
            for at in 0..old.capacity {
                let slot = Slot::of(old.slots.get(at)?);
                if slot.fingerprint != 0 && slot.fingerprint & old.capacity == half {
                    let (free, _) = self.find(slot.fingerprint)?;
                    self.set(free, slot)?;
                }
            }
        }
        Ok(())
    }
}

impl Slot {
    fn of(bytes: [u8; SLOT]) -> Slot {
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
