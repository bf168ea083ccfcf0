//! Replaces all numbers of an object in one pass. Reading, the author's function and writing share one loop, which costs a third less
//! than going field by field.

use super::number::{Decimal, WHOLE_POWERS};
use super::writer::{APPENDABLE, unwritable};
use super::{Fields, Number, ObjectWriter, digits};
use crate::error::Error;
use crate::values::special;

impl Fields<'_> {
    /// The object with each value replaced by what `replace` returns for it. Keys keep their order and spelling.
    ///
    /// ```
    /// # use firehose_transform::json::{Fields, Number};
    /// # use firehose_transform::Outcome;
    /// let halves = |number: Number| Ok(Number::Float(number.as_f64() / 2.0));
    /// let answer: Outcome = Fields::of(r#"{"b": 3, "a": 0.5}"#)?.map_numbers(halves)?.into();
    /// assert_eq!(answer, Outcome::text(r#"{"b":1.5,"a":0.25}"#));
    /// # Ok::<_, firehose_transform::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Other`] or [`Error::NotJson`] if the text is not JSON or a value is not a number, or the error of `replace`. Nothing
    /// more is read after that.
    #[inline]
    pub fn map_numbers(
        mut self,
        mut replace: impl FnMut(Number) -> Result<Number, Error>,
    ) -> Result<ObjectWriter, Error> {
        let mut object = ObjectWriter::new();
        while let Some(field) = self.next() {
            let field = field?;
            object.put_number(&field, replace(field.number()?)?);
            while let Some(rest @ [b',', ..]) = self.rest() {
                // The last fields are padded with zeros, so that they can be read like those with more behind them.
                let mut last = [0; 2 * HEAD];
                let fields = if rest.len() < HEAD { padded(&mut last, rest) } else { rest };
                match map_short(fields, &mut object, &mut replace)? {
                    0 => break,
                    length => self.pass(length),
                }
            }
        }
        Ok(object)
    }
}

fn padded<'a>(room: &'a mut [u8; 2 * HEAD], bytes: &[u8]) -> &'a [u8] {
    room[..bytes.len()].copy_from_slice(bytes);
    room
}

/// Replaces numbers as long as they are short and there is room. Returns how many bytes of text that was. Not inlined, so that the loop
/// has all registers.
#[inline(never)]
fn map_short(
    mut rest: &[u8],
    object: &mut ObjectWriter,
    replace: &mut impl FnMut(Number) -> Result<Number, Error>,
) -> Result<usize, Error> {
    let (before, mut end) = (rest.len(), object.out.len());
    // For many fields at once, and not for all: this is called again after each field that is not short. The zeros are
    // overwritten, or cut off at the end.
    object.out.resize(end + ROOM + 2 * rest.len().min(1024), 0);
    while let (Some(short), Some(room)) = (ShortField::at(rest), object.out[end..].first_chunk_mut::<ROOM>()) {
        room[..KEY].copy_from_slice(&short.head[..KEY]);
        let (at, failed) = (short.first, &mut object.failed);
        // Each branch writes by itself, because it knows the kind of its number.
        let (written, length) = match short.behind() {
            b',' | b'}' => (write(room, at, replace(Number::Integer(short.whole.into()))?, failed), short.length),
            _ => match short.fraction() {
                Some((decimal, length)) => (write(room, at, replace(decimal.number())?, failed), length),
                None => break,
            },
        };
        end += written;
        rest = &rest[length..];
    }
    object.out.truncate(end);
    Ok(before - rest.len())
}

/// The bytes of the text that are looked at together.
const HEAD: usize = 32;
/// The most bytes that a short field needs: its key and a number of 128 bits.
const ROOM: usize = 64;
/// The most bytes of the key, with its comma, quotes and colon.
const KEY: usize = 16;

/// Writes the number at `at` and returns its end.
#[inline(always)]
fn write(room: &mut [u8; ROOM], at: usize, number: Number, failed: &mut Option<String>) -> usize {
    match number {
        Number::Integer(integer @ 0..APPENDABLE) => at + digits::write(&mut room[at..], integer as u64),
        other => at + write_any(&mut room[at..], other, failed),
    }
}

#[inline(never)]
fn write_any(mut room: &mut [u8], number: Number, failed: &mut Option<String>) -> usize {
    let before = room.len();
    if let Err(cause) = serde_json::to_writer(&mut room, &number) {
        failed.get_or_insert_with(|| unwritable(&cause));
    }
    before - room.len()
}

/// The most usual form of a field after the first: `,"key":12` with a short key, a few digits, no white space, and more of the object
/// behind it.
struct ShortField<'a> {
    head: &'a [u8; HEAD],
    /// The position of the number.
    first: usize,
    whole: u64,
    length: usize,
}

/// All indices are within the array whatever the text is, so only its form is checked.
impl<'a> ShortField<'a> {
    #[inline(always)]
    fn at(text: &'a [u8]) -> Option<ShortField<'a>> {
        let head: &[u8; HEAD] = text.first_chunk()?;
        let key_len = special(word(head, 2)).trailing_zeros() as usize / 8;
        let (colon, first) = (key_len + 2, key_len + 4);
        let shaped = head[..2] == *b",\"" && head[colon..first] == *b"\":";
        let (whole, count) = digits::below_eight(word(head, first));
        let is_number = count == 1 || (count > 1 && head[first] != b'0');
        (shaped && is_number).then_some(ShortField { head, first, whole, length: first + count })
    }

    #[inline(always)]
    fn behind(&self) -> u8 {
        self.head[self.length]
    }

    /// The number with its fraction, and the field's length with that.
    #[inline(always)]
    fn fraction(&self) -> Option<(Decimal, usize)> {
        let (fraction, scale) = digits::below_eight(word(self.head, self.length + 1));
        let length = self.length + 1 + scale;
        let ends = self.behind() == b'.' && scale > 0 && matches!(self.head[length], b',' | b'}');
        let digits = self.whole * WHOLE_POWERS[scale] + fraction;
        ends.then_some((Decimal { negative: false, digits, scale }, length))
    }
}

#[inline(always)]
fn word(bytes: &[u8; HEAD], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("it is within the head"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::Outcome;

    fn mapped(text: &str, replace: impl FnMut(Number) -> Result<Number, Error>) -> Result<Outcome, String> {
        Fields::of(text)
            .and_then(|fields| fields.map_numbers(replace))
            .map(Outcome::from)
            .map_err(|cause| cause.to_string())
    }

    fn field_by_field(text: &str, mut replace: impl FnMut(Number) -> Result<Number, Error>) -> Result<Outcome, String> {
        let mut write = || {
            let mut object = ObjectWriter::new();
            for field in Fields::of(text)? {
                let field = field?;
                object.put_number(&field, replace(field.number()?)?);
            }
            Ok(object.into())
        };
        write().map_err(|cause: Error| cause.to_string())
    }

    fn square(number: Number) -> Result<Number, Error> {
        number.checked_mul(number).ok_or_else(|| Error::new(format_args!("{number} is too large")))
    }

    #[test]
    fn an_error_of_the_function_ends_it_and_a_number_that_json_does_not_know_fails_it() {
        let text = r#"{"a":1,"b":2,"c":3.5,"d":4,"e":5,"f":6,"g":7,"h":8}"#;
        for last in 1..=8 {
            let mut seen = 0;
            let result = mapped(text, |number| {
                seen += 1;
                if seen == last { Err(Error::new("enough")) } else { Ok(number) }
            });
            assert_eq!((result, seen), (Err("enough".to_owned()), last));
        }
        let infinite = mapped(text, |_| Ok(Number::Float(f64::INFINITY)));
        let Ok(Outcome::Failed(reason)) = infinite else { panic!("{infinite:?}") };
        assert!(reason.contains("inf is not a number in JSON"), "{reason}");
    }

    #[test]
    fn results_of_any_length_have_room() {
        let fields: Vec<_> = (0..40).map(|field| format!(r#""f{field}":{field}"#)).collect();
        let text = format!("{{{}}}", fields.join(","));
        for long in [Number::Integer(i128::MIN), Number::Integer(i128::MAX), Number::Float(-f64::MIN_POSITIVE / 3.0)] {
            assert_eq!(mapped(&text, |_| Ok(long)), field_by_field(&text, |_| Ok(long)));
        }
    }

    proptest! {
        #[test]
        fn numbers_are_mapped_as_they_are_field_by_field(
            text in r#"\{("[a-z]{0,9}":(0|-?[1-9][0-9]{0,9})(\.[0-9]{1,8})?,){0,12}"[a-z\\"]{0,3}" ?: ?[0-9.e]{0,4}[,}]?\}?"#
        ) {
            prop_assert_eq!(mapped(&text, square), field_by_field(&text, square), "{}", text);
        }
    }
}
