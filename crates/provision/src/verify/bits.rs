//! One bit for each record: the only thing that `verify` keeps of every record in memory.

/// Bits that are false until they are set.
#[derive(Debug, Clone, Default)]
pub struct Bits {
    words: Vec<u64>,
    set: usize,
}

impl Bits {
    pub fn get(&self, at: u32) -> bool {
        self.words.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Sets a bit. Gives whether it was false before.
    pub fn set(&mut self, at: u32) -> bool {
        let index = at as usize / 64;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let before = self.words[index];
        self.words[index] |= 1 << (at % 64);
        let fresh = self.words[index] != before;
        self.set += usize::from(fresh);
        fresh
    }

    /// How many bits are true.
    pub fn count(&self) -> usize {
        self.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_set_once() {
        let mut bits = Bits::default();
        assert!(!bits.get(1_000_000));
        assert_eq!([bits.set(64), bits.set(64), bits.set(0)], [true, false, true]);
        assert!(bits.get(64) && bits.get(0) && !bits.get(63) && !bits.get(65));
        assert_eq!(bits.count(), 2);
    }
}
