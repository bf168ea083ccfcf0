//! `!{timestamp:...}`: patterns of Java's DateTimeFormatter, as far as they make sense in an object's key.

use jiff::Zoned;

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(char, usize),
}

impl Pattern {
    /// # Errors
    /// `Some` of a letter that AWS knows and this engine does not. `None` of any other mistake: a letter that nobody knows, one
    /// repeated too often, a quote that is not closed.
    pub fn parse(pattern: &str) -> Result<Pattern, Option<char>> {
        let mut parts = vec![];
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let length = if first == '\'' { quoted(rest, &mut parts)? } else { run(rest, first, &mut parts)? };
            rest = &rest[length..];
        }
        Ok(Pattern(parts))
    }

    pub fn format(&self, time: &Zoned) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(letter, count) => out.push_str(&field(*letter, *count, time)),
            }
        }
        out
    }
}

/// Letters that mean nothing to AWS either.
const NO_LETTERS: &str = "CIJPRTUVbfijloprt";

/// `'literal'`, where `''` is a quote. Gives its length.
fn quoted(text: &str, parts: &mut Vec<Part>) -> Result<usize, Option<char>> {
    let end = text[1..].find('\'').ok_or(None)?;
    parts.push(Part::Text(if end == 0 { "'".into() } else { text[1..=end].into() }));
    Ok(end + 2)
}

/// The same character over and over. Gives the length.
fn run(text: &str, first: char, parts: &mut Vec<Part>) -> Result<usize, Option<char>> {
    let count = text.chars().take_while(|c| *c == first).count();
    let length = count * first.len_utf8();
    parts.push(match first {
        letter if most(letter).is_some_and(|most| count > most) => return Err(None),
        letter if most(letter).is_some() => Part::Field(first, count),
        letter if letter.is_ascii_alphabetic() => {
            return Err(Some(letter).filter(|letter| !NO_LETTERS.contains(*letter)));
        }
        _ => Part::Text(text[..length].into()),
    });
    Ok(length)
}

/// How often a letter may be repeated (`DateTimeFormatterBuilder.appendPattern` of Java 17).
fn most(letter: char) -> Option<usize> {
    Some(match letter {
        'y' | 'u' | 'n' => 19,
        'S' => 9,
        'M' | 'L' | 'E' | 'Z' | 'X' | 'x' => 5,
        'z' => 4,
        'D' => 3,
        'd' | 'H' | 'k' | 'h' | 'K' | 'm' | 's' => 2,
        'a' => 1,
        _ => return None,
    })
}

fn field(letter: char, count: usize, time: &Zoned) -> String {
    let number = |value: i64| format!("{value:0count$}");
    match letter {
        'y' | 'u' if count == 2 => format!("{:02}", time.year().rem_euclid(100)),
        'y' | 'u' => number(time.year().into()),
        'M' | 'L' if count == 3 => time.strftime("%b").to_string(),
        'M' | 'L' if count == 4 => time.strftime("%B").to_string(),
        'M' | 'L' if count == 5 => first(&time.strftime("%B").to_string()),
        'M' | 'L' => number(time.month().into()),
        'd' => number(time.day().into()),
        'D' => number(time.day_of_year().into()),
        'H' => number(time.hour().into()),
        'k' => number(if time.hour() == 0 { 24 } else { time.hour().into() }),
        'h' => number(match i64::from(time.hour()) % 12 {
            0 => 12,
            hour => hour,
        }),
        'K' => number(i64::from(time.hour()) % 12),
        'm' => number(time.minute().into()),
        's' => number(time.second().into()),
        'S' => format!("{:09}", time.subsec_nanosecond()).chars().take(count).collect(),
        'n' => number(time.subsec_nanosecond().into()),
        'E' if count == 4 => time.strftime("%A").to_string(),
        'E' if count == 5 => first(&time.strftime("%A").to_string()),
        'E' => time.strftime("%a").to_string(),
        'a' => time.strftime("%p").to_string(),
        'z' => time.strftime("%Z").to_string(),
        'X' if time.offset().is_zero() => "Z".into(),
        'Z' if count == 5 && time.offset().is_zero() => "Z".into(),
        'Z' if count == 4 && time.offset().is_zero() => "GMT".into(),
        'Z' if count == 4 => format!("GMT{}", time.strftime("%:z")),
        'X' | 'x' if count == 1 => {
            let offset = time.strftime("%z").to_string();
            offset.strip_suffix("00").map_or(offset.clone(), str::to_owned)
        }
        'X' | 'x' if count == 3 => time.strftime("%:z").to_string(),
        // Seconds are there only where an offset has some.
        'X' | 'x' | 'Z' if count == 5 => time.strftime("%:z").to_string(),
        _ => time.strftime("%z").to_string(),
    }
}

/// The narrow form of a name.
fn first(name: &str) -> String {
    name.chars().take(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_java() {
        let time: Zoned = "2026-07-03T14:05:09.012345678+02:00[Europe/Berlin]".parse().unwrap();
        let table = [
            ("yyyy/MM/dd/HH/", "2026/07/03/14/"),
            ("yy-M-d", "26-7-3"),
            ("'year='yyyy'/month='MM", "year=2026/month=07"),
            ("EEE, d MMM yyyy HH:mm:ss", "Fri, 3 Jul 2026 14:05:09"),
            ("DDD", "184"),
            ("hh a", "02 PM"),
            ("HH''mm", "14'05"),
            ("ss.SSS", "09.012"),
            ("Z XXX", "+0200 +02:00"),
            ("X XX x ZZZZ ZZZZZ", "+02 +0200 +02 GMT+02:00 +02:00"),
            ("MMMMM EEEEE", "J F"),
            ("yyyyyyyyyyyyyyyyyyy", "0000000000000002026"),
            ("SSSSSSSSS", "012345678"),
        ];
        for (pattern, expected) in table {
            assert_eq!(Pattern::parse(pattern).unwrap().format(&time), expected, "{pattern}");
        }
    }

    #[test]
    fn what_java_would_not_take_is_refused() {
        for (pattern, unknown_here) in
            [("yyyy/'open", None), ("b", None), ("yyyyRR", None), ("VV", None), ("ww", Some('w')), ("kkk", None)]
        {
            assert_eq!(Pattern::parse(pattern).err(), Some(unknown_here), "{pattern}");
        }
        for (letter, most) in
            [('n', 19), ('y', 19), ('u', 19), ('S', 9), ('M', 5), ('E', 5), ('D', 3), ('H', 2), ('a', 1)]
        {
            let run = |count| letter.to_string().repeat(count);
            assert!(Pattern::parse(&run(most)).is_ok(), "{letter}");
            assert_eq!(Pattern::parse(&run(most + 1)).err(), Some(None), "{letter}");
        }
    }
}
