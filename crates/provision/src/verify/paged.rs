//! Entries of a fixed size in a file without a name. One page of it is in memory, because each access to the file is a call of the
//! system: entries that are next to each other cost one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that are read and written at once. A multiple of each size of entry.
const PAGE: usize = 4096;

/// Entries of N bytes, by their number from 0. One that was never set has only zeros.
pub struct Paged<const N: usize> {
    file: File,
    /// The number of the page in memory.
    page: u64,
    bytes: Vec<u8>,
    /// The page in memory is another than in the file.
    is_changed: bool,
}

impl<const N: usize> Paged<N> {
    pub fn new() -> io::Result<Paged<N>> {
        const { assert!(PAGE.is_multiple_of(N)) };
        Ok(Paged { file: tempfile::tempfile()?, page: 0, bytes: vec![0; PAGE], is_changed: false })
    }

    pub fn get(&mut self, at: u64) -> io::Result<[u8; N]> {
        let start = self.turn_to(at)?;
        Ok(self.bytes[start..start + N].try_into().expect("an entry has N bytes"))
    }

    pub fn set(&mut self, at: u64, entry: &[u8; N]) -> io::Result<()> {
        let start = self.turn_to(at)?;
        self.bytes[start..start + N].copy_from_slice(entry);
        self.is_changed = true;
        Ok(())
    }

    /// Brings the page of an entry into memory. Gives the entry's place in it.
    fn turn_to(&mut self, at: u64) -> io::Result<usize> {
        let (page, start) = (at * N as u64 / PAGE as u64, (at * N as u64) as usize % PAGE);
        if self.page != page {
            if std::mem::take(&mut self.is_changed) {
                self.file.write_all_at(&self.bytes, self.page * PAGE as u64)?;
            }
            self.page = page;
            // Pages are written as a whole, so that the file ends with one.
            if self.file.read_at(&mut self.bytes, page * PAGE as u64)? < PAGE {
                self.bytes.fill(0);
            }
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_when_other_pages_come_into_memory() {
        let mut paged = Paged::<8>::new().unwrap();
        let places = [0, 511, 512, 5_000, 100_000, 1];
        for at in places {
            paged.set(at, &(at + 1).to_le_bytes()).unwrap();
        }
        for at in places {
            assert_eq!(u64::from_le_bytes(paged.get(at).unwrap()), at + 1);
        }
        assert_eq!([paged.get(2).unwrap(), paged.get(1_000_000).unwrap()], [[0; 8]; 2]);
    }
}
