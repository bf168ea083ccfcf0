//! The keys that objects of a delivery stream can have: the evaluated prefix, followed by Firehose's object name.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>

use aws_facts::firehose::date::{Field, Part};
use aws_facts::firehose::prefix::RANDOM_STRING_LENGTH;
use regex_lite::{Regex, escape};

use super::{Piece, Place, Prefix};

/// Firehose's name of an object: delivery stream, version, time stamp, random part, extension. The random part is a UUID as
/// far as anybody has seen, and "a random string" in the documentation.
const VERSION_TO_END: &str = r"-\d+-\d{4}(?:-\d{2}){5}-[0-9A-Za-z-]{11,36}(?:\.[0-9a-z!\-_.*'()]+)?$";

/// One character of a key, or at least one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Atom {
    class: Class,
    repeats: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Is(char),
    Digit,
    /// A random string, an error type: letters, digits and `-`.
    Word,
    NotSlash,
    Any,
}

/// The keys that a delivery stream can give to objects at a [`Place`].
#[derive(Debug)]
pub struct Keys(Regex);

impl Keys {
    pub fn of(place: &Place) -> Keys {
        let prefix = Prefix::parse(&place.prefix).unwrap_or_default();
        let mut pattern = String::from("^(?s)");
        atoms(&prefix).iter().for_each(|atom| pattern.push_str(&atom.regex()));
        // Without an expression Firehose appends the error type, if there is one, and the hour; whether it appends the hour
        // where there are others than time stamps is not known.
        if !prefix.has_expressions() {
            pattern.push_str(r"(?:(?:[A-Za-z-]+/)?\d{4}/\d{2}/\d{2}/\d{2}/)?");
        } else if prefix.patterns().next().is_none() {
            pattern.push_str(r"(?:\d{4}/\d{2}/\d{2}/\d{2}/)?");
        }
        pattern.push_str(&escape(&place.delivery));
        pattern.push_str(VERSION_TO_END);
        Keys(Regex::new(&pattern).expect("a pattern of escaped texts and known classes"))
    }

    pub fn can_be(&self, key: &str) -> bool {
        self.0.is_match(key)
    }
}

/// The delivery stream in an object's name, if Firehose gives such names.
pub fn writer(key: &str) -> Option<&str> {
    static NAME: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
        Regex::new(&format!("([A-Za-z0-9_.-]+){VERSION_TO_END}")).expect("a known pattern")
    });
    NAME.captures(key)?.get(1).map(|name| name.as_str())
}

/// Whether an object of one prefix can be under the other. Both are unevaluated.
pub fn overlap(a: &str, b: &str) -> bool {
    let (Ok(a), Ok(b)) = (Prefix::parse(a), Prefix::parse(b)) else { return false };
    let (a, b) = (atoms(&a), atoms(&b));
    // Walks both at once. Where one is at its end, all that goes on in the other lies under it.
    let mut seen = vec![false; (a.len() + 1) * (b.len() + 1)];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if std::mem::replace(&mut seen[i * (b.len() + 1) + j], true) {
            continue;
        }
        let (Some(left), Some(right)) = (a.get(i), b.get(j)) else { return true };
        if !left.class.meets(right.class) {
            continue;
        }
        open.push((i + 1, j + 1));
        if left.repeats {
            open.push((i, j + 1));
        }
        if right.repeats {
            open.push((i + 1, j));
        }
    }
    false
}

/// A minimal length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Length {
    /// In UTF-16 units, as Java counts characters.
    pub units: usize,
    pub bytes: usize,
}

/// The minimal length of an evaluated prefix.
pub fn shortest(prefix: &Prefix) -> Length {
    atoms(prefix).iter().fold(Length::default(), |sum, atom| {
        let (units, bytes) = match atom.class {
            Class::Is(c) => (c.len_utf16(), c.len_utf8()),
            Class::Digit | Class::Word | Class::NotSlash | Class::Any => (1, 1),
        };
        Length { units: sum.units + units, bytes: sum.bytes + bytes }
    })
}

/// The minimal length in bytes of the keys under a prefix. S3 allows 1,024.
pub fn shortest_key(prefix: &Prefix, delivery_stream: &str, extension: &str) -> usize {
    let hour = if prefix.has_expressions() { 0 } else { "yyyy/MM/dd/HH/".len() };
    let version_time_and_uuid = "-1-2026-07-13-14-05-09-".len() + 36;
    shortest(prefix).bytes + hour + delivery_stream.len() + version_time_and_uuid + extension.len()
}

fn atoms(prefix: &Prefix) -> Vec<Atom> {
    let mut atoms = vec![];
    let text = |text: &str| text.chars().map(|c| Class::Is(c).once()).collect::<Vec<_>>();
    for piece in prefix.pieces() {
        match piece {
            Piece::Text(literal) => atoms.extend(text(literal)),
            Piece::Timestamp(pattern) => atoms.extend(pattern.parts().iter().flat_map(|part| match part {
                Part::Text(literal) => text(literal),
                Part::Field(field) => of_field(field),
            })),
            Piece::RandomString => atoms.extend([Class::Word.once(); RANDOM_STRING_LENGTH]),
            Piece::ErrorOutputType => atoms.push(Class::Word.repeated()),
            Piece::Key(_) => atoms.push(Class::Any.repeated()),
        }
    }
    atoms
}

/// At least as many characters as its value has.
fn of_field(field: &Field) -> Vec<Atom> {
    let class = match field.letter {
        // The name of a zone.
        'V' => Class::Any,
        _ if field.is_number() => Class::Digit,
        _ => Class::NotSlash,
    };
    let mut atoms = vec![class.once(); field.least() - 1];
    atoms.push(class.repeated());
    atoms
}

impl Atom {
    fn regex(&self) -> String {
        let one = match self.class {
            Class::Is(c) => escape(c.encode_utf8(&mut [0; 4])),
            Class::Digit => r"\d".into(),
            Class::Word => "[0-9A-Za-z-]".into(),
            Class::NotSlash => "[^/]".into(),
            Class::Any => ".".into(),
        };
        if self.repeats { one + "+" } else { one }
    }
}

impl Class {
    fn once(self) -> Atom {
        Atom { class: self, repeats: false }
    }

    fn repeated(self) -> Atom {
        Atom { class: self, repeats: true }
    }

    /// Whether one character can be both.
    fn meets(self, other: Class) -> bool {
        match (self, other) {
            (Class::Is(a), Class::Is(b)) => a == b,
            (Class::Is(c), class) | (class, Class::Is(c)) => class.holds(c),
            _ => true,
        }
    }

    fn holds(self, c: char) -> bool {
        match self {
            Class::Is(own) => own == c,
            Class::Digit => c.is_ascii_digit(),
            Class::Word => c.is_ascii_alphanumeric() || c == '-',
            Class::NotSlash => c != '/',
            Class::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "raw-1-2026-07-13-14-05-09-046b6c7f-0b7c-4a5e-9e3a-0123456789ab";

    fn can_be(prefix: &str, key: &str) -> bool {
        Keys::of(&Place { bucket: "lake".into(), prefix: prefix.into(), delivery: "raw".into() }).can_be(key)
    }

    #[test]
    fn what_a_delivery_stream_wrote_is_told_by_its_evaluated_prefix_and_its_name() {
        for (prefix, under) in [
            ("", "2026/07/13/14/"),
            ("data/", "data/2026/07/13/14/"),
            ("raw-", "raw-2026/07/13/14/"),
            ("data/", "data/processing-failed/2026/07/13/14/"),
            ("", "processing-failed/2026/07/13/14/"),
            ("year=!{timestamp:yyyy}/", "year=2026/"),
            ("!{timestamp:'year='yyyy'/m='MMM}/", "year=2026/m=Jul/"),
            ("data/!{timestamp:yyyy/MM/dd/HH}/", "data/2026/07/13/14/"),
            ("a/!{firehose:random-string}/", "a/046b6c7f-0b/"),
            ("a/!{firehose:random-string}/", "a/046b6c7f-0b/2026/07/13/14/"),
            ("bad-!{firehose:error-output-type}/", "bad-processing-failed/"),
            ("v/region=!{partitionKeyFromLambda:r}/h=!{partitionKeyFromQuery:h}/", "v/region=eu/west/h=7/"),
        ] {
            for extension in ["", ".gz", ".json.gz"] {
                assert!(can_be(prefix, &format!("{under}{NAME}{extension}")), "{prefix} {under}{NAME}{extension}");
            }
        }
    }

    #[test]
    fn what_others_wrote_is_not_taken_for_its_own() {
        for (prefix, key) in [
            ("data/", format!("data/b/{NAME}")),
            ("data/", format!("data/2026/07/13/{NAME}")),
            ("data/", "data/precious".to_owned()),
            ("data/", "data/".to_owned()),
            ("data/", format!("data/2026/07/13/14/other{NAME}")),
            ("data/", format!("data/2026/07/13/14/{}", NAME.replace("raw-1", "raw-x-1"))),
            ("data/", format!("data/2026/07/13/14/{}", NAME.replace("raw-1-", "raw-1-1-"))),
            ("data/", format!("data/2026/07/13/14/{NAME}/copy")),
            ("data/", format!("old/data/2026/07/13/14/{NAME}")),
            ("year=!{timestamp:yyyy}/", format!("year=last/{NAME}")),
            ("year=!{timestamp:yyyy}/", format!("year=2026/07/{NAME}")),
            ("year=!{timestamp:yyyy}/", "year=2026/raw".to_owned()),
            ("a/!{firehose:random-string}/", format!("a/short/{NAME}")),
            ("m=!{timestamp:MM}/", format!("m=7/{NAME}")),
        ] {
            assert!(!can_be(prefix, &key), "{prefix} {key}");
        }
    }

    #[test]
    fn an_objects_name_tells_who_wrote_it() {
        assert_eq!(writer(&format!("data/2026/{NAME}.gz")), Some("raw"));
        assert_eq!(writer(&format!("data/{}", NAME.replace("raw-1", "a.b_c-d-12"))), Some("a.b_c-d"));
        for none in ["data/precious", "data/", "", "data/raw-1-2026-07-13.csv"] {
            assert_eq!(writer(none), None, "{none}");
        }
    }

    #[test]
    fn prefixes_overlap_where_an_object_of_one_can_lie_under_the_other() {
        for (a, b, want) in [
            ("data/", "data/", true),
            ("data/", "data/b/", true),
            ("data/", "data-b/", false),
            ("raw-", "raw-bad/", true),
            ("", "anything/", true),
            ("pr-1/data/", "pr-10/data/", false),
            ("year=!{timestamp:yyyy}/", "year=2026/raw/", true),
            ("year=!{timestamp:yyyy}/", "year=last/raw/", false),
            ("logs/!{timestamp:yyyy/MM}/", "logs/errors/!{firehose:error-output-type}/", false),
            ("events/!{partitionKeyFromQuery:type}/", "events/raw/good/", true),
            ("!{firehose:random-string}/", "data/", false),
            ("!{firehose:random-string}/", "elevenchars/", true),
        ] {
            assert_eq!((overlap(a, b), overlap(b, a)), (want, want), "{a} {b}");
        }
    }

    /// Two prefixes, a seed of keys that the first can give, and any key, a line each.
    #[test]
    fn fuzz_keys() {
        fuzz::over("keys", |input| {
            let Ok(text) = std::str::from_utf8(input) else { return };
            let mut lines = text.split('\n');
            let [a, b, seed, key] = [(); 4].map(|()| lines.next().unwrap_or_default());
            let (Ok(prefix), Ok(_)) = (Prefix::parse(a), Prefix::parse(b)) else { return };
            assert_eq!(overlap(a, b), overlap(b, a), "{a} {b}");
            assert!(overlap(a, a), "{a}");
            let made = format!("{}{NAME}", sample(&prefix, seed));
            let hour_is_appended = prefix.patterns().next().is_none();
            assert!(hour_is_appended || can_be(a, &made), "{a} {made}");
            for key in [key, made.as_str()] {
                assert!(!(can_be(a, key) && can_be(b, key)) || overlap(a, b), "{a} {b} {key}");
                assert!(!can_be(a, key) || writer(key).is_some_and(|writer| writer.ends_with("raw")), "{a} {key}");
            }
        });
    }

    /// Texts that a prefix can evaluate to: each atom one of its characters, and once to three times where it repeats.
    fn sample(prefix: &Prefix, seed: &str) -> String {
        let mut random = fastrand::Rng::with_seed(
            seed.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())),
        );
        let mut made = String::new();
        for atom in atoms(prefix) {
            for _ in 0..if atom.repeats { random.usize(1..4) } else { 1 } {
                let from: Vec<char> = match atom.class {
                    Class::Is(c) => vec![c],
                    Class::Digit => "0123456789".chars().collect(),
                    Class::Word => "aZ0-".chars().collect(),
                    Class::NotSlash => "aé 0.-\u{1F600}".chars().collect(),
                    Class::Any => "a/é-0".chars().collect(),
                };
                made.push(from[random.usize(..from.len())]);
            }
        }
        made
    }

    #[test]
    fn the_shortest_evaluation_counts_what_is_always_there() {
        for (prefix, units, bytes) in [
            ("data/", 5, 5),
            ("é/", 2, 3),
            ("\u{1F600}/", 3, 5),
            ("y=!{timestamp:yyyy/MM}/", 10, 10),
            ("!{timestamp:'year='yyyy''MMM}/", 14, 14),
            ("!{firehose:random-string}/", 12, 12),
            ("!{partitionKeyFromQuery:customer}/", 2, 2),
        ] {
            assert_eq!(shortest(&Prefix::parse(prefix).unwrap()), Length { units, bytes }, "{prefix}");
        }
        let key = |prefix: &str| shortest_key(&Prefix::parse(prefix).unwrap(), "raw", ".gz");
        assert_eq!(key("data/"), "data/2026/07/13/14/".len() + NAME.len() + 3);
        assert_eq!(key("y=!{timestamp:yyyy}/"), "y=2026/".len() + NAME.len() + 3);
    }

    proptest::proptest! {
        #[test]
        fn a_key_that_two_places_can_have_means_that_they_overlap(a in "[ab/]{0,3}", b in "[ab/]{0,3}") {
            let key = format!("{a}2026/07/13/14/{NAME}");
            if can_be(&b, &key) {
                proptest::prop_assert!(overlap(&a, &b), "{a} {b}");
            }
        }
    }
}
