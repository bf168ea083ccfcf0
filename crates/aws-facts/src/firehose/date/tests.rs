//! Java is the judge: `tests/java/patterns.tsv` is what it makes of each pattern.

use jiff::Zoned;

use super::{Mistake, Pattern};

const JAVA: &str = include_str!("../../../tests/java/patterns.tsv");

/// As in `tests/java/Patterns.java`.
const TIMES: [&str; 7] = [
    "2026-07-03T14:05:09.012345678+02:00[Europe/Berlin]",
    "2019-12-29T00:00:00Z[UTC]",
    "2021-01-02T12:00:00.5-05:00[America/New_York]",
    "2025-02-28T21:59:59.999+05:30[Asia/Calcutta]",
    "2024-12-31T06:30:00Z[UTC]",
    "2023-05-01T18:00:30+10:00[Australia/Sydney]",
    "2026-01-04T12:01:00-03:30[America/St_Johns]",
];

#[test]
fn patterns_mean_what_they_mean_to_java() {
    let times = TIMES.map(|time| time.parse::<Zoned>().unwrap());
    let (mut compared, mut not_known) = (0, vec![]);
    for line in JAVA.lines() {
        let (pattern, expected) = line.split_once('\t').unwrap();
        let parsed = Pattern::parse(pattern);
        assert_eq!(parsed.is_err(), expected == "REFUSED", "{pattern}: {parsed:?}");
        let Ok(parsed) = parsed else { continue };
        for (time, expected) in times.iter().zip(expected.split('\t')) {
            if parsed.unknown(time.time_zone()).is_some() {
                not_known.push(pattern);
                continue;
            }
            let is = parsed.format(time);
            assert_eq!(is, expected, "{pattern} at {time}");
            let least: usize = parsed.fields().map(super::Field::least).sum();
            assert!(is.chars().count() >= least, "{pattern} at {time}: {is}");
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared}");
    not_known.retain(|pattern| !pattern.contains(['F', 'z', 'v', 'p']));
    assert_eq!(not_known, [""; 0]);
}

#[test]
fn a_value_is_no_longer_than_its_bound() {
    let times = TIMES.map(|time| time.parse::<Zoned>().unwrap());
    for line in JAVA.lines() {
        let Ok(pattern) = Pattern::parse(line.split('\t').next().unwrap()) else { continue };
        for field in pattern.fields().filter(|field| field.pad == 0) {
            for time in &times {
                let is = field.format(time);
                assert!(field.most().is_none_or(|most| is.len() <= most), "{field} at {time}: {is}");
                assert!(!field.is_number() || is.bytes().all(|byte| byte.is_ascii_digit()), "{field}: {is}");
            }
        }
    }
}

#[test]
fn what_is_not_known_here_is_told_before_it_is_asked_for() {
    // (pattern, zone, is its value known)
    let table = [
        ("z", "UTC", true),
        ("z", "Europe/Berlin", true),
        ("z", "America/Sao_Paulo", false),
        ("z", "America/Adak", false),
        ("zzzz", "UTC", true),
        ("zzzz", "Europe/Berlin", false),
        ("v vvvv", "UTC", true),
        ("v", "Europe/Berlin", false),
        ("VV O XXX", "Europe/Berlin", true),
        ("yyyy/F", "UTC", false),
        ("ppHH", "UTC", true),
        ("pHH", "UTC", false),
        ("ppppppppppVV", "UTC", false),
    ];
    for (pattern, zone, known) in table {
        let zone = crate::firehose::zones::zone(zone).unwrap();
        assert_eq!(Pattern::parse(pattern).unwrap().unknown(&zone).is_none(), known, "{pattern} {zone:?}");
    }
}

#[test]
fn a_mistake_names_the_letters() {
    let table = [
        ("ddd", Mistake::TooMany { letter: 'd', most: 2 }, "too many `d` in a row: at most 2"),
        ("OO", Mistake::Count { letter: 'O', takes: &[1, 4] }, "`O` in a row stands only so many times: 1, 4"),
        ("yyyy/jj", Mistake::Unknown('j'), "`j` means nothing in a time stamp"),
        ("pp/", Mistake::Pad, "`p` pads the letter after it, and there is none"),
        ("'year=yyyy", Mistake::Quote, "a quote in a time stamp is not closed"),
        ("yyyy]", Mistake::Bracket, "`]` in a time stamp without a `[` before it"),
    ];
    for (pattern, mistake, told) in table {
        let is = Pattern::parse(pattern).unwrap_err();
        assert_eq!((is.to_string().as_str(), is), (told, mistake), "{pattern}");
    }
}
