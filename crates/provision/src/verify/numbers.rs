//! A list of numbers in a file, so that its length costs no memory.

use std::io;

use crate::verify::paged::Paged;

pub struct Numbers {
    numbers: Paged<4>,
    len: u32,
}

impl Numbers {
    pub fn new() -> io::Result<Numbers> {
        Ok(Numbers { numbers: Paged::new()?, len: 0 })
    }

    pub fn count(&self) -> u32 {
        self.len
    }

    /// Appends a number. Gives its index.
    pub fn push(&mut self, number: u32) -> io::Result<u32> {
        let index = self.len;
        self.len += 1;
        self.set(index, number)?;
        Ok(index)
    }

    pub fn set(&mut self, index: u32, number: u32) -> io::Result<()> {
        self.numbers.set(index.into(), &number.to_le_bytes())
    }

    pub fn get(&mut self, index: u32) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.numbers.get(index.into())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_by_their_index() {
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
