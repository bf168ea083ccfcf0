//! The bytes of a response, written over those of the response before.

use std::io;

use base64_simd::{AsOut, STANDARD};

/// Appends to a vector that keeps its old contents until they are written over. Base64 that goes there is checked in the same loop that
/// copies it, for which safe code needs memory that was written before.
pub(crate) struct Output<'o> {
    bytes: &'o mut Vec<u8>,
    /// The end of what was appended. The bytes behind it are old.
    end: usize,
}

/// A loop that checks and copies is faster than a check by base64-simd followed by a copy, where the compiler may choose vectors as
/// wide as base64-simd does at run time.
const IN_ONE_LOOP: bool = cfg!(target_feature = "avx2");
/// From this length on it is.
const LONG: usize = 512;

impl<'o> Output<'o> {
    /// Begins anew, in a vector that can hold so many bytes.
    pub(crate) fn over(bytes: &'o mut Vec<u8>, capacity: usize) -> Output<'o> {
        // Reserved at once, because growing would hold two buffers for a moment. Memory that is not written to costs nothing.
        bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
        Output { bytes, end: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.end
    }

    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        match self.old(bytes.len()) {
            Some(old) => old.copy_from_slice(bytes),
            None => self.append_fresh(bytes),
        }
        self.end += bytes.len();
    }

    /// Appends this base64 and gives true, or appends nothing where it is not base64.
    #[inline]
    pub(crate) fn append_base64(&mut self, base64: &[u8]) -> bool {
        if IN_ONE_LOOP
            && base64.len() >= LONG
            && let Some(old) = self.old(base64.len())
        {
            let is_base64 = copy_checked(base64, old);
            self.end += if is_base64 { base64.len() } else { 0 };
            return is_base64;
        }
        let is_base64 = STANDARD.check(base64).is_ok();
        if is_base64 {
            self.append(base64);
        }
        is_base64
    }

    /// Appends these bytes as base64.
    #[inline]
    pub(crate) fn encode(&mut self, bytes: &[u8]) {
        let length = STANDARD.encoded_length(bytes.len());
        match self.old(length) {
            Some(old) => drop(STANDARD.encode(bytes, old.as_out())),
            None => STANDARD.encode_append(bytes, self.fresh()),
        }
        self.end += length;
    }

    /// Takes back what was appended last.
    pub(crate) fn truncate(&mut self, end: usize) {
        self.end = self.end.min(end);
    }

    /// Writes over what was appended before.
    pub(crate) fn replace(&mut self, end: usize, bytes: &[u8]) {
        self.bytes[..self.end][end - bytes.len()..end].copy_from_slice(bytes);
    }

    /// Gives the next old bytes to write over. `None` if fewer are left.
    #[inline]
    fn old(&mut self, length: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(self.end..self.end + length)
    }

    #[cold]
    fn append_fresh(&mut self, bytes: &[u8]) {
        self.fresh().extend_from_slice(bytes);
    }

    /// The vector, without old bytes. `end` is its length.
    fn fresh(&mut self) -> &mut Vec<u8> {
        self.bytes.truncate(self.end);
        self.bytes
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.end);
    }
}

impl io::Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies to as many bytes, and gives whether they are base64. If they are not, other bytes may be written.
#[inline]
fn copy_checked(base64: &[u8], to: &mut [u8]) -> bool {
    let (Some((digits, last)), true) = (base64.split_last_chunk::<4>(), base64.len().is_multiple_of(4)) else {
        return base64.is_empty();
    };
    let (to, to_last) = to.split_at_mut(digits.len());
    let mut strange = 0;
    for (to, digit) in to.iter_mut().zip(digits) {
        let strangeness = strangeness(*digit);
        strange |= strangeness;
        // A plain copy would make the compiler split this into two loops.
        *to = *digit | strangeness;
    }
    to_last.copy_from_slice(last); // which alone may have padding
    strange == 0 && STANDARD.check(last).is_ok()
}

/// Zero for a digit of base64. It has no comparisons, which cost more in vectors.
#[inline]
fn strangeness(byte: u8) -> u8 {
    let beyond_letters = (byte | 0x20).wrapping_sub(b'a').saturating_sub(25);
    let beyond_numbers = byte.wrapping_sub(b'/').saturating_sub(10); // and the slash, which is before the zero
    let plus = byte ^ b'+';
    beyond_letters.min(beyond_numbers).min(plus)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_not_strange() {
        for byte in 0..=u8::MAX {
            let digit = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            assert_eq!(strangeness(byte) == 0, digit, "{byte}");
        }
    }

    proptest! {
        /// One byte may be wrong, and the length.
        #[test]
        fn what_is_copied_in_one_loop_is_what_base64_simd_accepts(
            bytes in prop::collection::vec(any::<u8>(), 0..200), place: prop::sample::Index, wrong: Option<u8>, cut in 0..4_usize,
        ) {
            let mut base64: Vec<u8> = STANDARD.encode_type(&bytes);
            if let (Some(wrong), false) = (wrong, base64.is_empty()) {
                let place = place.index(base64.len());
                base64[place] = wrong;
            }
            if cut > 0 && base64.len() > cut {
                base64.truncate(base64.len() - cut + usize::from(wrong.is_none()));
            }
            let mut copied = vec![b'x'; base64.len()];
            let is_base64 = copy_checked(&base64, &mut copied);
            prop_assert_eq!(is_base64, STANDARD.check(&base64).is_ok());
            prop_assert!(!is_base64 || copied == base64);
        }

        /// Longer than the old contents or not, and with pieces that are refused.
        #[test]
        fn what_was_there_before_does_not_matter(
            old in 0..3000_usize, pieces in prop::collection::vec((0..3_u8, "[a-z]{0,30}"), 0..6),
        ) {
            let (mut reused, mut expected) = (vec![b'?'; old], Vec::new());
            let mut output = Output::over(&mut reused, 10);
            for (kind, piece) in &pieces {
                match kind {
                    0 => {
                        output.append(piece.as_bytes());
                        expected.extend_from_slice(piece.as_bytes());
                    }
                    1 => {
                        output.encode(piece.as_bytes());
                        STANDARD.encode_append(piece, &mut expected);
                    }
                    _ => {
                        let piece = piece.repeat(30);
                        let is_base64 = output.append_base64(piece.as_bytes());
                        prop_assert_eq!(is_base64, STANDARD.check(piece.as_bytes()).is_ok());
                        expected.extend_from_slice(if is_base64 { piece.as_bytes() } else { b"" });
                        prop_assert_eq!(output.len(), expected.len());
                    }
                }
            }
            drop(output);
            prop_assert_eq!(reused, expected);
        }
    }
}
