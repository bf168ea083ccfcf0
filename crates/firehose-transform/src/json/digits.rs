//! Decimal digits, read and written eight at a time in one word.

use crate::scan::every;
use crate::values::leading_digits;

/// `append` and `write` can write numbers below this.
pub(super) const APPENDABLE: u64 = 10_000_000_000_000_000;
const EIGHT: u64 = 100_000_000;

/// The number at the start of the bytes, and how many digits it has. Wraps if there are more than nineteen.
#[inline(always)]
pub(super) fn leading(bytes: &[u8]) -> (u64, usize) {
    match bytes.first_chunk().map(|word| below_eight(u64::from_le_bytes(*word))) {
        Some((number, count)) if count > 0 || !bytes[0].is_ascii_digit() => (number, count),
        _ => one_by_one(bytes),
    }
}

/// The number at the start of the word, and how many digits it has. Zero and zero if all eight bytes are digits.
#[inline(always)]
pub(super) fn below_eight(word: u64) -> (u64, usize) {
    let count = leading_digits(word) % 8;
    (value((word << 1) << (63 - 8 * count)), count)
}

#[cold]
fn one_by_one(bytes: &[u8]) -> (u64, usize) {
    let (mut number, mut count) = (0_u64, 0);
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        count += 1;
    }
    (number, count)
}

/// The value of eight digits; a zero byte counts as the digit 0. Joins digits to pairs, pairs to fours, and those to eight.
#[inline]
fn value(word: u64) -> u64 {
    const LANES: u64 = 0x0000_00ff_0000_00ff;
    let digits = word & every(0x0f);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let upper = (pairs & LANES).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & LANES).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

/// Appends a number below `APPENDABLE`.
#[inline]
pub(super) fn append(out: &mut Vec<u8>, number: u64) {
    let start = out.len();
    out.extend_from_slice(&[0; 16]);
    let written = write(&mut out[start..], number);
    out.truncate(start + written);
}

/// Writes a number below `APPENDABLE` into at least sixteen bytes. Returns how many digits it wrote.
#[inline(always)]
pub(super) fn write(room: &mut [u8], number: u64) -> usize {
    let (upper, lower) = (number / EIGHT, number % EIGHT);
    let written = match upper {
        0 => return write_eight(room, lower),
        1..100 => write_two(room, upper),
        _ => write_eight(room, upper),
    };
    room[written..written + 8].copy_from_slice(&(split(lower) | every(b'0')).to_le_bytes());
    written + 8
}

/// Writes one or two digits.
#[inline(always)]
fn write_two(room: &mut [u8], number: u64) -> usize {
    let (tens, ones) = ((number * 103) >> 10, number - ((number * 103) >> 10) * 10);
    let digits = tens | (ones << 8) | u64::from(u16::from_le_bytes(*b"00"));
    let zeros = usize::from(tens == 0);
    room[..2].copy_from_slice(&((digits >> (8 * zeros)) as u16).to_le_bytes());
    2 - zeros
}

/// Writes one to eight digits, without leading zeros.
#[inline(always)]
fn write_eight(room: &mut [u8], number: u64) -> usize {
    let digits = split(number);
    let zeros = (digits | (1 << 56)).trailing_zeros() as usize / 8;
    room[..8].copy_from_slice(&((digits | every(b'0')) >> (8 * zeros)).to_le_bytes());
    8 - zeros
}

/// The eight digits of a number below `EIGHT`, one in each byte, the first in the lowest. Splits into fours, pairs and digits.
#[inline]
fn split(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f; // a hundredth of each, for it is below 10,000
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f; // a tenth of each, for it is below 100
    tens | ((pairs - tens * 10) << 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn appended(number: u64) -> String {
        let mut out = b"x".to_vec();
        append(&mut out, number);
        String::from_utf8(out).expect("digits are text")
    }

    #[test]
    fn numbers_at_the_edges_are_written() {
        for number in [
            0,
            1,
            9,
            10,
            99,
            100,
            9_999,
            10_000,
            EIGHT - 1,
            EIGHT,
            EIGHT + 1,
            10 * EIGHT,
            100 * EIGHT - 1,
            100 * EIGHT,
            APPENDABLE - 1,
        ] {
            assert_eq!(appended(number), format!("x{number}"));
        }
    }

    #[test]
    fn any_byte_that_is_no_digit_ends_a_number() {
        for place in 0..8 {
            for byte in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                let mut bytes = *b"99999999";
                bytes[place] = byte;
                assert_eq!(leading(&bytes), one_by_one(&bytes), "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_rust_writes_them(number in 0..APPENDABLE, cut in 0..16_u32) {
            let number = number / 10_u64.pow(cut);
            prop_assert_eq!(appended(number), format!("x{number}"));
        }

        #[test]
        fn words_read_what_bytes_read(bytes in "[0-9]{0,20}[ -~]{0,10}") {
            prop_assert_eq!(leading(bytes.as_bytes()), one_by_one(bytes.as_bytes()));
        }
    }
}
