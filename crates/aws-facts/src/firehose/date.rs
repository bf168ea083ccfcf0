//! The patterns of `!{timestamp:PATTERN}`: what Java's `DateTimeFormatter.ofPattern` takes.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
//!
//! The grammar is that of Java 16 and later (`DateTimeFormatterBuilder.appendPattern`). Somebody tried all 52 letters on AWS, each
//! alone (cdk_preflight, September 2026): Firehose takes `B`, `g` and `v`, which older versions of Java lack, and refuses exactly
//! those that Java 16 refuses alone. `V` and `p` are among these, because `V` stands twice and `p` before another letter.

mod format;
#[cfg(test)]
mod tests;
mod width;

use std::fmt;

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A text that stands for itself.
    Text(String),
    /// A part of the time.
    Field(Field),
}

/// A letter, once or several times in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The letter, which says which part of the time it is.
    pub letter: char,
    /// How many times it stands there, which says how the value is written.
    pub count: usize,
    /// Padded with spaces to this width by `p` before it. 0: not padded.
    pub pad: usize,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// The letter means nothing, or the character is reserved.
    Unknown(char),
    /// The letter stands too many times in a row.
    TooMany {
        /// The letter.
        letter: char,
        /// The greatest number of times.
        most: usize,
    },
    /// The letter stands in a row as many times as Java does not take.
    Count {
        /// The letter.
        letter: char,
        /// The numbers of times that Java takes.
        takes: &'static [usize],
    },
    /// `p` without a letter after it.
    Pad,
    /// A quote that is not closed.
    Quote,
    /// `]` without `[`.
    Bracket,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::Unknown(letter) => write!(f, "`{letter}` means nothing in a time stamp"),
            Mistake::TooMany { letter, most } => write!(f, "too many `{letter}` in a row: at most {most}"),
            Mistake::Count { letter, takes } => {
                let counts: Vec<String> = takes.iter().map(usize::to_string).collect();
                write!(f, "`{letter}` in a row stands only so many times: {}", counts.join(", "))
            }
            Mistake::Pad => f.write_str("`p` pads the letter after it, and there is none"),
            Mistake::Quote => f.write_str("a quote in a time stamp is not closed"),
            Mistake::Bracket => f.write_str("`]` in a time stamp without a `[` before it"),
        }
    }
}

/// How often a letter may stand in a row.
enum Counts {
    UpTo(usize),
    Only(&'static [usize]),
}

fn counts(letter: char) -> Option<Counts> {
    Some(match letter {
        'a' | 'F' | 'W' => Counts::UpTo(1),
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'w' => Counts::UpTo(2),
        'D' => Counts::UpTo(3),
        'z' => Counts::UpTo(4),
        'E' | 'e' | 'G' | 'L' | 'M' | 'Q' | 'q' | 'X' | 'x' | 'Z' => Counts::UpTo(5),
        'S' => Counts::UpTo(9),
        'A' | 'g' | 'N' | 'n' | 'u' | 'y' => Counts::UpTo(19),
        // Java sets no bound for it.
        'Y' => Counts::UpTo(usize::MAX),
        'B' => Counts::Only(&[1, 4, 5]),
        'c' => Counts::Only(&[1, 3, 4, 5]),
        'O' | 'v' => Counts::Only(&[1, 4]),
        'V' => Counts::Only(&[2]),
        _ => return None,
    })
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// The first thing in it that Java does not take.
    pub fn parse(pattern: &str) -> Result<Pattern, Mistake> {
        let mut parts = vec![];
        let mut rest = pattern;
        let mut open_brackets = 0_usize;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '\'' => {
                    let (text, length) = quoted(rest)?;
                    parts.push(Part::Text(text));
                    length
                }
                // A section that is left out where a value is missing. A time has all values, so none is.
                '[' => {
                    open_brackets += 1;
                    1
                }
                ']' => {
                    open_brackets = open_brackets.checked_sub(1).ok_or(Mistake::Bracket)?;
                    1
                }
                '#' | '{' | '}' => return Err(Mistake::Unknown(first)),
                first if first.is_ascii_alphabetic() => {
                    let (field, length) = field(rest, first)?;
                    parts.push(Part::Field(field));
                    length
                }
                _ => {
                    parts.push(Part::Text(first.into()));
                    first.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        Ok(Pattern(parts))
    }

    /// The parts, in their order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The parts that are parts of the time.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }
}

/// `'literal'`, where `''` is a quote. With its length, quotes and all.
fn quoted(text: &str) -> Result<(String, usize), Mistake> {
    let mut literal = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest.find('\'').ok_or(Mistake::Quote)?;
        literal.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with('\'') {
            break;
        }
        literal.push('\'');
        rest = &rest[1..];
    }
    let length = text.len() - rest.len();
    Ok((if literal.is_empty() { "'".into() } else { literal }, length))
}

/// The run of letters that a text begins with, and its length.
fn field(text: &str, first: char) -> Result<(Field, usize), Mistake> {
    let run = |text: &str, letter: char| text.len() - text.trim_start_matches(letter).len();
    let pad = if first == 'p' { run(text, 'p') } else { 0 };
    let rest = &text[pad..];
    let letter = rest.chars().next().filter(char::is_ascii_alphabetic).ok_or(Mistake::Pad)?;
    let count = run(rest, letter);
    match counts(letter).ok_or(Mistake::Unknown(letter))? {
        Counts::UpTo(most) if count > most => Err(Mistake::TooMany { letter, most }),
        Counts::Only(takes) if !takes.contains(&count) => Err(Mistake::Count { letter, takes }),
        Counts::UpTo(_) | Counts::Only(_) => Ok((Field { letter, count, pad }, pad + count)),
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |letter: char, count: usize| letter.to_string().repeat(count);
        write!(f, "{}{}", letters('p', self.pad), letters(self.letter, self.count))
    }
}
