//! Sequence numbers: 188 bits, printed as 56 decimal digits, that order the records of a shard and of its children.
//!
//! Clients may rely on the numeric order only. The layout is the one that has been observed on AWS: creation second of
//! the shard, position in it, second of arrival, index of the shard.

use std::fmt;

/// The largest position: what a closed shard's ending sequence number carries.
const END: u64 = 0x7fff_ffff_ffff_ffff;
const CHUNK: u128 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;
const DIGITS: usize = 3 * CHUNK_DIGITS;

/// Most significant limb first, so that the derived order is the numeric one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub [u64; 3]);

impl Sequence {
    /// The record at `ordinal` of shard `shard`, which was created in second `created_s`.
    pub fn of_record(created_s: u64, shard: u32, ordinal: u64, arrival_s: u64) -> Sequence {
        Sequence::new(created_s, shard, ordinal + 1, arrival_s)
    }

    /// Where a shard starts.
    pub fn start(created_s: u64, shard: u32) -> Sequence {
        Sequence::new(created_s, shard, 0, created_s)
    }

    /// Where a shard that was closed in second `closed_s` ends.
    pub fn end(created_s: u64, shard: u32, closed_s: u64) -> Sequence {
        Sequence::new(created_s, shard, END, closed_s)
    }

    fn new(created_s: u64, shard: u32, counter: u64, second: u64) -> Sequence {
        let head = (2 << 40) | ((created_s & 0xf_ffff_ffff) << 4) | u64::from(shard & 0xf);
        let tail = (u128::from(second & 0xf_ffff_ffff) << 36) | (u128::from(shard) << 4) | 2;
        Sequence([(head << 16) | (counter >> 48), (counter << 16) | (tail >> 64) as u64, tail as u64])
    }

    /// Between this record's number and the next one's: where a reader stands who has had this record.
    pub fn just_after(self) -> Sequence {
        // One second more. It cannot carry into the counter: there are eight bits of nothing between them.
        let low = ((u128::from(self.0[1]) << 64) | u128::from(self.0[2])) + (1 << 36);
        Sequence([self.0[0], (low >> 64) as u64, low as u64])
    }

    /// The number of the shard.
    pub fn shard(self) -> u32 {
        (self.0[2] >> 4) as u32
    }

    /// The second in which the shard was created. It tells apart streams that had the same name.
    pub fn created_s(self) -> u64 {
        (self.0[0] >> 20) & 0xf_ffff_ffff
    }

    /// The ordinal of the record that this number is of, or just after.
    pub fn ordinal(self) -> u64 {
        let counter = ((self.0[0] & 0xffff) << 48) | (self.0[1] >> 16);
        counter.saturating_sub(1)
    }

    /// Could it be any stream's? Of the layout that is in use, with a position that a shard can reach.
    pub fn is_possible(&self) -> bool {
        let (layout, version, position) = (self.0[0] >> 56, self.0[2] & 0xf, (self.0[0] & 0xffff) >> 15);
        layout == 2 && matches!(version, 1 | 2) && position == 0
    }

    /// A decimal number of at most 188 bits.
    pub fn parse(text: &str) -> Option<Sequence> {
        if text.is_empty() {
            return None;
        }
        let mut limbs = [0u64; 3];
        for byte in text.bytes() {
            let mut carry = u128::from(byte.is_ascii_digit().then(|| byte - b'0')?);
            for limb in limbs.iter_mut().rev() {
                let value = u128::from(*limb) * 10 + carry;
                *limb = value as u64;
                carry = value >> 64;
            }
            if carry > 0 {
                return None;
            }
        }
        (limbs[0] >> 60 == 0).then_some(Sequence(limbs))
    }
}

impl Sequence {
    /// As printed.
    pub fn digits(self) -> Digits {
        let mut digits = Digits { text: [b'0'; DIGITS], start: DIGITS };
        for (chunk, place) in self.chunks().into_iter().zip(digits.text.chunks_exact_mut(CHUNK_DIGITS)) {
            write_digits(chunk, place);
        }
        digits.start = digits.text.iter().position(|digit| *digit != b'0').unwrap_or(DIGITS - 1);
        digits
    }

    /// In base ten to the nineteenth, the most significant first. Of 188 bits, each division's result is a limb or less.
    fn chunks(self) -> [u64; 3] {
        let [high, middle, low] = self.0.map(u128::from);
        let head = (high << 64) | middle;
        let tail = ((head % CHUNK) << 64) | low;
        let rest = ((head / CHUNK) << 64) | (tail / CHUNK);
        [(rest / CHUNK) as u64, (rest % CHUNK) as u64, (tail % CHUNK) as u64]
    }
}

/// Nineteen digits, filled up with zeros in front.
fn write_digits(value: u64, place: &mut [u8]) {
    let (upper, lower) = (value / EIGHT, value % EIGHT);
    let head = upper / EIGHT;
    place[..3].copy_from_slice(&[head / 100, head / 10 % 10, head % 10].map(|digit| b'0' + digit as u8));
    place[3..11].copy_from_slice(&eight(upper % EIGHT));
    place[11..].copy_from_slice(&eight(lower));
}

const EIGHT: u64 = 100_000_000;

/// The eight digits of a number below `EIGHT`. Splits it into fours, pairs and digits, all of them in one word.
fn eight(number: u64) -> [u8; 8] {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f; // a hundredth of each, for it is below 10,000
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f; // a tenth of each, for it is below 100
    ((tens | ((pairs - tens * 10) << 8)) | u64::from_le_bytes([b'0'; 8])).to_le_bytes()
}

/// A number's decimal digits, without those in front that are zero.
pub struct Digits {
    text: [u8; DIGITS],
    start: usize,
}

impl Digits {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[self.start..]).expect("digits are ASCII")
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.digits().as_str())
    }
}

/// `shardId-000000000007`
pub fn shard_id(index: u32) -> String {
    format!("shardId-{index:012}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_has_56_digits_and_begins_with_49() {
        let text = Sequence::of_record(1_700_000_000, 7, 41, 1_700_000_100).to_string();
        assert_eq!(text.len(), 56);
        assert!(text.starts_with("49"), "{text}");
    }

    #[test]
    fn numbers_grow_from_start_over_records_to_end_and_into_the_child() {
        let parent = 1_700_000_000;
        let numbers = [
            Sequence::start(parent, 3),
            Sequence::of_record(parent, 3, 0, parent + 5),
            Sequence::of_record(parent, 3, 0, parent + 5).just_after(),
            Sequence::of_record(parent, 3, 1, parent + 5),
            Sequence::end(parent, 3, parent + 9),
            Sequence::start(parent + 10, 4),
        ];
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn what_is_no_number_of_188_bits_is_refused() {
        for text in ["", "x", "-1", "1e9", &"9".repeat(60)] {
            assert_eq!(Sequence::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_of_another_layout_or_past_every_position_is_not_possible() {
        let possible = |hex: &str| {
            let limb = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal digits");
            Sequence([limb(&hex[..15]), limb(&hex[15..31]), limb(&hex[31..])]).is_possible()
        };
        let table = [
            ("20000000000000000000000000000000000000000000002", true),
            ("20000000000000000000000000000000000000000000001", true),
            ("20000000000000000000000000000000000000000000000", false),
            ("20000000000000000000000000000000000000000000003", false),
            ("30000000000000000000000000000000000000000000001", false),
            ("1ffffffffff7fffffffffffffff000000000007fffffff2", false),
            ("20000000000800000000000000000000000000000000002", false),
        ];
        for (hex, expected) in table {
            assert_eq!(possible(hex), expected, "{hex}");
        }
        assert!(Sequence::of_record(1_700_000_000, 7, 41, 1_700_000_100).is_possible());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(high in 0u64..1 << 60, middle: u64, low: u64) {
            let number = Sequence([high, middle, low]);
            prop_assert_eq!(Sequence::parse(&number.to_string()), Some(number));
        }

        #[test]
        fn the_parts_come_back(created in 0u64..1 << 36, shard: u32, ordinal in 0u64..1 << 60, second in 0u64..1 << 36) {
            let number = Sequence::of_record(created, shard, ordinal, second);
            prop_assert_eq!((number.created_s(), number.shard(), number.ordinal()), (created, shard, ordinal));
        }
    }
}
