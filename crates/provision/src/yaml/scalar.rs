//! The words of the spec, each with its bounds: numbers, durations, sizes, closed sets, names by pattern.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex_lite::Regex;
use serde_json::{Value as Json, json};
use serde_yaml::Value as Yaml;

use aws_facts::firehose::TRANSFORM_BUFFER_MIB_100;

use super::interpolate::escape;
use super::schema;
use super::shape::Scalar;

/// A whole number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Int<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> Scalar for Int<MIN, MAX> {
    fn expected() -> String {
        match MIN == MAX {
            true => format!("the number {MIN}"),
            false => format!("a whole number from {MIN} to {MAX}"),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let number: i64 = text.parse().map_err(|_| format!("`{text}` is not a whole number"))?;
        bounded(text, number as f64, MIN, MAX).map(Int)
    }

    fn write(&self) -> Yaml {
        self.0.into()
    }

    fn schema() -> Json {
        json!({ "type": ["integer", "string"], "minimum": MIN, "maximum": MAX, "pattern": schema::or_variable("[0-9]+") })
    }
}

/// `number` if it is within the bounds.
fn bounded(text: &str, number: f64, min: u32, max: u32) -> Result<u32, String> {
    match number {
        n if n < f64::from(min) => Err(format!("{text} is too small")),
        n if n > f64::from(max) => Err(format!("{text} is too large")),
        n => Ok(n as u32),
    }
}

/// A quantity with a unit: `number` and the unit's factor. A bare 0 needs none.
fn quantity(text: &str, units: &[(&str, f64)]) -> Result<f64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let names = || units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let number: f64 = text[..digits].parse().map_err(|_| format!("`{text}` is not a number with a unit"))?;
    match text[digits..].trim() {
        "" if number == 0.0 => Ok(0.0),
        "" => Err(format!("`{text}` has no unit (of {})", names())),
        unit => match units.iter().find(|(name, _)| *name == unit) {
            Some((_, factor)) => Ok(number * factor),
            None => Err(format!("`{unit}` is not a unit (of {})", names())),
        },
    }
}

/// `quantity` in whole units of `unit`.
fn whole(text: &str, quantity: f64, unit: f64, name: &str) -> Result<f64, String> {
    let number = quantity / unit;
    match (number - number.round()).abs() < 1e-6 {
        true => Ok(number.round()),
        false => Err(format!("{text} is not a whole number of {name}")),
    }
}

const SECOND: u32 = 1;
const HOUR: u32 = 3600;
const DAY: u32 = 86_400;
const TIMES: [(&str, f64); 4] = [("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// A duration in whole units of `UNIT` seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time<const UNIT: u32, const MIN: u32, const MAX: u32>(pub u32);
pub(crate) type Seconds<const MIN: u32, const MAX: u32> = Time<SECOND, MIN, MAX>;
pub(crate) type Hours<const MIN: u32, const MAX: u32> = Time<HOUR, MIN, MAX>;
pub(crate) type Days<const MIN: u32, const MAX: u32> = Time<DAY, MIN, MAX>;

const fn time_unit(unit: u32) -> (&'static str, &'static str) {
    match unit {
        DAY => ("d", "days"),
        HOUR => ("h", "hours"),
        _ => ("s", "seconds"),
    }
}

impl<const UNIT: u32, const MIN: u32, const MAX: u32> Scalar for Time<UNIT, MIN, MAX> {
    fn expected() -> String {
        let (unit, _) = time_unit(UNIT);
        format!("a duration from {MIN}{unit} to {MAX}{unit}")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let seconds = quantity(text, &TIMES)?;
        bounded(text, whole(text, seconds, f64::from(UNIT), time_unit(UNIT).1)?, MIN, MAX).map(Time)
    }

    fn write(&self) -> Yaml {
        format!("{}{}", self.0, time_unit(UNIT).0).into()
    }

    fn schema() -> Json {
        schema::string("0|[0-9.]+ ?[smhd]", usize::MAX)
    }
}

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;
const SIZES: [(&str, f64); 4] = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("B", 1.0)];

/// A size in whole units of `UNIT` bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size<const UNIT: u32, const MIN: u32, const MAX: u32>(pub u32);
pub(crate) type Kib<const MIN: u32, const MAX: u32> = Size<KIB, MIN, MAX>;
pub(crate) type Mib<const MIN: u32, const MAX: u32> = Size<MIB, MIN, MAX>;

impl<const UNIT: u32, const MIN: u32, const MAX: u32> Scalar for Size<UNIT, MIN, MAX> {
    fn expected() -> String {
        let unit = if UNIT == MIB { "MiB" } else { "KiB" };
        format!("a size from {MIN}{unit} to {MAX}{unit}")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let unit = if UNIT == MIB { "MiB" } else { "KiB" };
        bounded(text, whole(text, quantity(text, &SIZES)?, f64::from(UNIT), unit)?, MIN, MAX).map(Size)
    }

    fn write(&self) -> Yaml {
        match (UNIT, self.0 % 1024) {
            (KIB, 0) => format!("{}MiB", self.0 / 1024).into(),
            (KIB, _) => format!("{}KiB", self.0).into(),
            _ => format!("{}MiB", self.0).into(),
        }
    }

    fn schema() -> Json {
        schema::string("[0-9.]+ ?([KMG]i)?B", usize::MAX)
    }
}

/// The Lambda processor's buffer, in hundredths of a MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LambdaBuffer(pub u32);

impl Scalar for LambdaBuffer {
    fn expected() -> String {
        let mib = |hundredths| f64::from(hundredths) / 100.0;
        format!("a size from {}MiB to {}MiB", mib(TRANSFORM_BUFFER_MIB_100.min), mib(TRANSFORM_BUFFER_MIB_100.max))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let hundredths = quantity(text, &SIZES)? / f64::from(MIB) * 100.0;
        let hundredths = whole(text, hundredths, 1.0, "hundredths of a MiB")?;
        bounded(text, hundredths, TRANSFORM_BUFFER_MIB_100.min, TRANSFORM_BUFFER_MIB_100.max).map(LambdaBuffer)
    }

    fn write(&self) -> Yaml {
        format!("{}MiB", f64::from(self.0) / 100.0).into()
    }

    fn schema() -> Json {
        schema::string("[0-9.]+ ?([KMG]i)?B", usize::MAX)
    }
}

impl Scalar for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is neither true nor false"))
    }

    fn write(&self) -> Yaml {
        (*self).into()
    }

    fn schema() -> Json {
        json!({ "type": ["boolean", "string"], "pattern": schema::or_variable("true|false") })
    }
}

/// Any text of so many characters.
#[derive(Debug, Clone)]
pub(crate) struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> Scalar for Text<MIN, MAX> {
    fn expected() -> String {
        format!("a text of {MIN} to {MAX} characters")
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            n if n < MIN => Err(format!("a text of {n} characters is too short")),
            n if n > MAX => Err(format!("a text of {n} characters is too long")),
            _ => Ok(Text(text.to_owned())),
        }
    }

    fn write(&self) -> Yaml {
        escape(&self.0).into()
    }

    fn schema() -> Json {
        json!({ "type": ["string", "number", "boolean"], "minLength": MIN, "maxLength": MAX })
    }
}

/// Does the whole of `text` match? Each pattern of this crate is compiled once: large specs have thousands of names.
pub(crate) fn matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<&str, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = compiled.entry(pattern).or_insert_with(|| {
        let whole = Regex::new(&format!("^(?:{pattern})$"));
        whole.expect("the patterns of this crate compile: the examples use every one")
    });
    whole.is_match(text)
}

/// A closed set of words, each for a value.
macro_rules! choices {
    ($type:ty { $($word:literal => $value:expr,)* }) => {
        impl $crate::yaml::shape::Scalar for $type {
            fn expected() -> String {
                format!("one of {}", Self::choices().join(", "))
            }

            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($value),)*
                    _ => Err(format!("`{text}` is none of the choices")),
                }
            }

            fn write(&self) -> serde_yaml::Value {
                let is_it = |word: &&str| Self::parse(word).is_ok_and(|parsed| parsed == *self);
                Self::choices().into_iter().find(is_it).expect("each value of a closed set has a word").into()
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "anyOf": [{ "enum": Self::choices() }, { "type": "string", "pattern": "\\$\\{" }] })
            }

            fn choices() -> Vec<&'static str> {
                vec![$($word),*]
            }
        }
    };
}
pub(crate) use choices;

/// Texts of a pattern, at most so many characters long.
macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident[$max:expr] = $pattern:expr, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub String);

        impl $name {
            fn pattern() -> &'static str {
                static PATTERN: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| String::from($pattern));
                &PATTERN
            }
        }

        impl $crate::yaml::shape::Scalar for $name {
            fn expected() -> String {
                match $max {
                    usize::MAX => $expected.to_owned(),
                    max => format!("{}, at most {max} characters", $expected),
                }
            }

            fn parse(text: &str) -> Result<Self, String> {
                match text.chars().count() > $max {
                    true => Err(format!("{} characters are too many", text.chars().count())),
                    false if $crate::yaml::scalar::matches(Self::pattern(), text) => Ok($name(text.to_owned())),
                    false => Err(format!("`{text}` is not allowed here")),
                }
            }

            fn write(&self) -> serde_yaml::Value {
                $crate::yaml::interpolate::escape(&self.0).into()
            }

            fn schema() -> serde_json::Value {
                $crate::yaml::schema::string(Self::pattern(), $max)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )*};
}
pub(crate) use patterns;
