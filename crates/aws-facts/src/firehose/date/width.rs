//! How long the value of a field can be, at the least and at the most, in characters.

use super::Field;

impl Field {
    /// Digits and nothing else.
    pub fn is_number(&self) -> bool {
        let always = "uyYDdFgHhKkmsSAnNwW".contains(self.letter);
        let when_short = "MLQqec".contains(self.letter) && self.count < 3;
        self.pad == 0 && (always || when_short)
    }

    /// The least that it evaluates to.
    pub fn least(&self) -> usize {
        let least = match (self.letter, self.count) {
            // Zero is `Z`; `n` is noon.
            ('M' | 'L' | 'E' | 'e' | 'c' | 'Q' | 'q' | 'G' | 'B' | 'Z', 5) | ('X', _) => 1,
            ('Q' | 'q', 3) | ('G', 1..=3) | ('a' | 'v' | 'V' | 'z', _) => 2,
            ('M' | 'L', 3 | 4) | ('E', 1..=3) | ('e' | 'c', 3) | ('O', _) | ('Z', 4) | ('x', 1) => 3,
            ('y' | 'u' | 'Y', 1 | 3) | ('B', _) => 4,
            ('x', _) | ('Z', _) => 5,
            ('E' | 'e' | 'c', 4) => 6,
            ('Q' | 'q' | 'G', 4) => 11,
            (_, count) => count,
        };
        least.max(self.pad)
    }

    /// The most, without padding. `None`: depends on the zone.
    pub(super) fn most(&self) -> Option<usize> {
        Some(match (self.letter, self.count) {
            ('z' | 'v' | 'V', _) => return None,
            ('M' | 'L' | 'E' | 'e' | 'c' | 'Q' | 'q' | 'G', 5) => 1,
            ('y' | 'u' | 'Y', 2) | ('Q' | 'q', 3) | ('G', 1..=3) | ('a', _) => 2,
            ('M' | 'L', 1 | 2) | ('d' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'w', _) => 2,
            ('M' | 'L', 3) | ('E', 1..=3) | ('e' | 'c', 3) | ('D', _) => 3,
            ('M' | 'L' | 'E' | 'e' | 'c', 4) => 9,
            ('Q' | 'q' | 'G', 4) => 11,
            // Offsets of earlier times have seconds: `GMT+05:53:28`.
            ('O' | 'Z' | 'X' | 'x', _) => 12,
            // "in the afternoon"
            ('B', _) => 16,
            ('y' | 'u' | 'Y', count) => count.max(4),
            ('g', count) => count.max(5),
            ('A', count) => count.max(8),
            ('n', count) => count.max(9),
            ('N', count) => count.max(14),
            (_, count) => count,
        })
    }
}
