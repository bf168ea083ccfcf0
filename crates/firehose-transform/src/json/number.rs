//! Numbers: integers are exact, others are 64-bit floats.

use std::fmt;

use serde::{Serialize, Serializer};

use super::digits;

/// A number in a JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A number without fraction and exponent that fits into an `i64` or a `u64`. An `i128` here, so that sums and products of two
    /// such numbers are exact too.
    Integer(i128),
    /// Any other number, as the nearest float. Infinite if the text is beyond the range of floats.
    Float(f64),
}

impl Number {
    /// The value as the nearest float.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }

    /// The product, exact for two integers and otherwise a float. `None` if an integer would exceed 128 bits or a float would not be finite.
    #[inline]
    pub fn checked_mul(self, other: Number) -> Option<Number> {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => match (i64::try_from(one), i64::try_from(other)) {
                // Two numbers of 64 bits make one of 128: no check, and one instruction instead of a dozen.
                (Ok(one), Ok(other)) => Some(Number::Integer(i128::from(one) * i128::from(other))),
                _ => one.checked_mul(other).map(Number::Integer),
            },
            (one, other) => {
                Some(one.as_f64() * other.as_f64()).filter(|product| product.is_finite()).map(Number::Float)
            }
        }
    }

    /// The value as an `i64`. `None` for a float, and for an integer that does not fit.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Number::Integer(integer) => i64::try_from(integer).ok(),
            Number::Float(_) => None,
        }
    }
}

/// Writes the number as JSON does.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(integer) => integer.fmt(f),
            Number::Float(float) => fmt::Debug::fmt(float, f),
        }
    }
}

impl Serialize for Number {
    /// Fails for a float that is not finite, which JSON cannot express.
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Integer(integer) => match (u64::try_from(integer), i64::try_from(integer)) {
                (Ok(integer), _) => serializer.serialize_u64(integer),
                (_, Ok(integer)) => serializer.serialize_i64(integer),
                _ => serializer.serialize_i128(integer),
            },
            Number::Float(float) if float.is_finite() => serializer.serialize_f64(float),
            Number::Float(float) => Err(serde::ser::Error::custom(format_args!("{float} is not a number in JSON"))),
        }
    }
}

/// A short number before conversion: its digits, and how many of them follow the point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    pub(super) digits: u64,
    pub(super) scale: usize,
}

impl Decimal {
    /// Like `leading`, but only if another field or the end of the object comes next. Short integers are handled inline, because
    /// reading the next field has to wait for where this one ends.
    #[inline(always)]
    pub(super) fn before_more(bytes: &[u8]) -> Option<(Decimal, usize)> {
        let (digits, count) = digits::leading(bytes);
        match bytes.get(count) {
            Some(b',' | b'}') if count == 1 || (matches!(count, 2..=LONGEST) && bytes[0] != b'0') => {
                Some((Decimal { negative: false, digits, scale: 0 }, count))
            }
            _ => Decimal::leading(bytes).filter(|(_, length)| matches!(bytes.get(*length), Some(b',' | b'}'))),
        }
    }

    /// The number at the start of the bytes, and its length. `None` if there is none, or if it has an exponent or too many digits.
    pub(super) fn leading(bytes: &[u8]) -> Option<(Decimal, usize)> {
        let negative = bytes.first() == Some(&b'-');
        let unsigned = &bytes[usize::from(negative)..];
        let (whole, count) = digits::leading(unsigned);
        if !matches!(count, 1..=LONGEST) || (count > 1 && unsigned[0] == b'0') {
            return None;
        }
        let length = usize::from(negative) + count;
        match unsigned.get(count) {
            Some(b'.') => {
                let (fraction, scale) = digits::leading(&unsigned[count + 1..]);
                if scale == 0 || count + scale > LONGEST || matches!(unsigned.get(count + 1 + scale), Some(b'e' | b'E'))
                {
                    return None;
                }
                let digits = whole * WHOLE_POWERS[scale] + fraction;
                (digits <= EXACT).then_some((Decimal { negative, digits, scale }, length + 1 + scale))
            }
            Some(b'e' | b'E') => None,
            _ => Some((Decimal { negative, digits: whole, scale: 0 }, length)),
        }
    }

    #[inline]
    pub(super) fn number(self) -> Number {
        let Decimal { negative, digits, scale } = self;
        if scale == 0 {
            return Number::Integer(if negative { -i128::from(digits) } else { i128::from(digits) });
        }
        // Both are exact floats, so the division rounds only once, to the nearest.
        let float = digits as f64 / POWERS[scale];
        Number::Float(if negative { -float } else { float })
    }
}

/// The number in a text that `number_length` accepted.
#[inline]
pub(super) fn of(text: &str) -> Number {
    match Decimal::leading(text.as_bytes()) {
        Some((decimal, _)) => decimal.number(),
        None => longer(text),
    }
}

/// A number with many digits or an exponent.
#[cold]
fn longer(text: &str) -> Number {
    let integer = || match text.parse::<i128>().ok()? {
        integer if u64::try_from(integer).is_ok() || i64::try_from(integer).is_ok() => Some(Number::Integer(integer)),
        _ => None,
    };
    integer()
        .unwrap_or_else(|| Number::Float(text.parse().expect("Rust reads every number of JSON, if only as infinity")))
}

/// This many digits always fit into 64 bits.
const LONGEST: usize = 18;
/// Every integer up to this one is a float exactly.
const EXACT: u64 = 1 << 53;
/// Powers of ten.
pub(super) const WHOLE_POWERS: [u64; LONGEST + 1] = {
    let mut powers = [1; LONGEST + 1];
    let mut scale = 1;
    while scale < powers.len() {
        powers[scale] = powers[scale - 1] * 10;
        scale += 1;
    }
    powers
};
#[rustfmt::skip]
const POWERS: [f64; LONGEST + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::number_length as length;

    fn number(text: &str) -> Option<Number> {
        length(text.as_bytes()).map(|length| of(&text[..length]))
    }

    #[test]
    fn integers_of_64_bits_are_exact_and_wider_ones_are_floats() {
        let table = [
            ("0", Number::Integer(0)),
            ("-0", Number::Integer(0)),
            ("18446744073709551615", Number::Integer(u64::MAX.into())),
            ("18446744073709551616", Number::Float(18446744073709551616.0)),
            ("-9223372036854775808", Number::Integer(i64::MIN.into())),
            ("-9223372036854775809", Number::Float(-9223372036854775809.0)),
            ("1.5", Number::Float(1.5)),
            ("-0.10", Number::Float(-0.1)),
            ("1e3", Number::Float(1000.0)),
            ("1E-2,", Number::Float(0.01)),
            ("9007199254740993.0", Number::Float(9007199254740992.0)),
        ];
        for (text, expected) in table {
            assert_eq!(number(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for text in ["", "-", "01", "-01", "+1", ".5", "1.", "1.e3", "1e", "1e+", "1.5E-", "x", "NaN", "e1"] {
            assert_eq!(length(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn products_are_exact_or_none() {
        let (integer, float) = (Number::Integer, Number::Float);
        let table = [
            (integer(-3), integer(4), Some(integer(-12))),
            (integer(i64::MIN.into()), integer(i64::MIN.into()), Some(integer(1 << 126))),
            (integer(u64::MAX.into()), integer(2), Some(integer(36_893_488_147_419_103_230))),
            (integer(u64::MAX.into()), integer(u64::MAX.into()), None),
            (float(1.5), float(1.5), Some(float(2.25))),
            (float(0.5), integer(3), Some(float(1.5))),
            (float(1e200), float(-1e200), None),
        ];
        for (one, other, product) in table {
            assert_eq!(one.checked_mul(other), product, "{one} times {other}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_what_serde_json_reads(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?") {
            prop_assert_eq!(length(text.as_bytes()), Some(text.len()));
            let expected: serde_json::Number = serde_json::from_str(&text).expect("serde_json reads it too");
            match of(&text) {
                Number::Integer(0) => prop_assert_eq!(expected.as_f64(), Some(0.0)),
                Number::Integer(integer) => prop_assert_eq!(expected.to_string(), integer.to_string()),
                Number::Float(float) => {
                    prop_assert_eq!(text.parse(), Ok(float));
                    prop_assert_eq!(expected.as_f64(), Some(float));
                }
            }
        }

        #[test]
        fn numbers_are_written_as_they_are_read(float: f64, integer: i64) {
            prop_assume!(float.is_finite());
            for number in [Number::Float(float), Number::Integer(integer.into())] {
                let text = serde_json::to_string(&number).expect("it is finite");
                prop_assert_eq!(self::number(&text).map(Number::as_f64), Some(number.as_f64()), "{}", text);
            }
        }
    }
}
