//! A list of numbers in a file without a name, so that its length costs no memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Numbers that are written at once.
const WRITTEN: usize = 4096;

pub struct Numbers {
    file: File,
    len: u32,
    /// The last ones, which are not in the file yet.
    newest: Vec<u32>,
}

impl Numbers {
    pub fn new() -> io::Result<Numbers> {
        Ok(Numbers { file: tempfile::tempfile()?, len: 0, newest: vec![] })
    }

    pub fn count(&self) -> u32 {
        self.len
    }

    /// Appends a number. Gives its index.
    pub fn push(&mut self, number: u32) -> io::Result<u32> {
        if self.newest.len() == WRITTEN {
            let bytes: Vec<u8> = self.newest.drain(..).flat_map(u32::to_le_bytes).collect();
            self.file.write_all_at(&bytes, 4 * u64::from(self.len - WRITTEN as u32))?;
        }
        self.newest.push(number);
        self.len += 1;
        Ok(self.len - 1)
    }

    pub fn set(&mut self, index: u32, number: u32) -> io::Result<()> {
        match index.checked_sub(self.written()) {
            Some(at) => self.newest[at as usize] = number,
            None => self.file.write_all_at(&number.to_le_bytes(), 4 * u64::from(index))?,
        }
        Ok(())
    }

    pub fn get(&self, index: u32) -> io::Result<u32> {
        if let Some(at) = index.checked_sub(self.written()) {
            return Ok(self.newest[at as usize]);
        }
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, 4 * u64::from(index))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn written(&self) -> u32 {
        self.len - self.newest.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_in_memory_and_in_the_file() {
        let mut numbers = Numbers::new().unwrap();
        for n in 0..10_000 {
            assert_eq!(numbers.push(n * 2).unwrap(), n);
        }
        for index in [0, 4095, 4096, 9_999] {
            assert_eq!(numbers.get(index).unwrap(), index * 2);
            numbers.set(index, 1).unwrap();
            assert_eq!(numbers.get(index).unwrap(), 1);
        }
        assert_eq!((numbers.get(1).unwrap(), numbers.count()), (2, 10_000));
    }
}
