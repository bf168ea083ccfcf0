//! How far the files were written when the last call was answered: what is behind that was promised to nobody, and what is missing
//! before it is lost. A file of one slot, written over in place.

use std::fs::File;
use std::io;
use std::path::Path;

use super::disk::{Disk, options};

/// The end of the logs of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// The number of the last file, and how many bytes of it are whole frames.
    pub segment: u64,
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Records in the files before it.
    pub before: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    pub end: End,
    /// How many sets of rows were ever written.
    pub turn: u64,
}

const NUMBERS: usize = 5;
const BYTES: usize = 4 + 8 * NUMBERS;

#[derive(Debug)]
pub struct Commit {
    file: File,
    disk: Disk,
    now: Committed,
}

impl Commit {
    /// Opens or creates the file, to be continued from here.
    pub fn open(path: &Path, disk: &Disk, now: Committed) -> io::Result<Commit> {
        let file = options().truncate(false).open(path)?;
        let commit = Commit { file, disk: disk.clone(), now };
        commit.write()?;
        Ok(commit)
    }

    /// Reads the file. `None` if it does not exist or is damaged.
    pub fn read(path: &Path) -> io::Result<Option<Committed>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(bytes.as_slice().try_into().ok().and_then(decode)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn now(&self) -> Committed {
        self.now
    }

    pub fn end(&mut self, end: End) -> io::Result<()> {
        self.now.end = end;
        self.write()
    }

    pub fn turn(&mut self, turn: u64) -> io::Result<()> {
        self.now.turn = turn;
        self.write()
    }

    /// Drops everything that was written since then.
    pub fn go_back(&mut self, then: Committed) -> io::Result<()> {
        self.now = then;
        self.write()
    }

    /// Says nothing any more, until it says something again.
    pub fn forget(&self) -> io::Result<()> {
        self.disk.write_at(&self.file, &[0; BYTES], 0)
    }

    fn write(&self) -> io::Result<()> {
        self.disk.write_at(&self.file, &encode(self.now), 0)
    }
}

fn encode(now: Committed) -> [u8; BYTES] {
    let Committed { end: End { segment, bytes, records, before }, turn } = now;
    let mut out = [0; BYTES];
    for (place, number) in out[4..].chunks_exact_mut(8).zip([segment, bytes, records, before, turn]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    let check = crc32fast::hash(&out[4..]);
    out[..4].copy_from_slice(&check.to_le_bytes());
    out
}

fn decode(slot: [u8; BYTES]) -> Option<Committed> {
    let (check, numbers) = slot.split_first_chunk()?;
    if u32::from_le_bytes(*check) != crc32fast::hash(numbers) {
        return None;
    }
    let mut numbers = numbers.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number));
    let mut next = || numbers.next();
    let end = End { segment: next()?, bytes: next()?, records: next()?, before: next()? };
    Some(Committed { end, turn: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written_and_no_flipped_bit_passes() {
        let end = End { segment: 1, bytes: 2 << 40, records: 3, before: 4 };
        let whole = encode(Committed { end, turn: 5 });
        assert_eq!(decode(whole), Some(Committed { end, turn: 5 }));
        for bit in 0..8 * BYTES {
            let mut flipped = whole;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(flipped), None, "{bit}");
        }
    }
}
