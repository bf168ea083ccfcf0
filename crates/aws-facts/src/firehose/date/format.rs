//! Formats a time by a pattern, as Java does in the locale `en-US`: AWS's documented results are in it.
//!
//! Firehose's locale is nowhere documented. It decides the names, and with `Y`, `w`, `W`, `e` and `c` where a week begins: in the US
//! on Sunday, and the week of January 1 is the first.

use jiff::civil::{Date, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};

use super::{Field, Part, Pattern};

/// Zones whose short names in Java are not those of the time zone database.
const NAMED_OTHERWISE: [&str; 2] = ["America/Adak", "Africa/Windhoek"];

impl Pattern {
    /// The time as the pattern writes it, with the names that Java has in English.
    pub fn format(&self, time: &Zoned) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(field) => out.push_str(&field.format(time)),
            }
        }
        out
    }

    /// The first field whose value in a time zone is not known here, and why.
    pub fn unknown(&self, zone: &TimeZone) -> Option<(&Field, &'static str)> {
        self.fields().find_map(|field| field.unknown(zone).map(|why| (field, why)))
    }
}

impl Field {
    fn unknown(&self, zone: &TimeZone) -> Option<&'static str> {
        let is_utc = zone.iana_name() == Some("UTC");
        match (self.letter, self.count) {
            // Day of the week in the month before Java 19, week of the month since.
            ('F', _) => Some("it depends on the version of Java"),
            ('z', 1..=3) if !has_short_names(zone) => Some("it needs Java's names of the time zone"),
            ('z', 4) | ('v', _) if !is_utc => Some("it needs Java's names of the time zone"),
            _ if self.pad > 0 && self.most().is_none_or(|most| most > self.pad) => {
                Some("Java fails where a value is longer than its padding")
            }
            _ => None,
        }
    }

    pub(super) fn format(&self, time: &Zoned) -> String {
        let text = self.value(time);
        format!("{text:>pad$}", pad = self.pad)
    }

    fn value(&self, time: &Zoned) -> String {
        let (date, count) = (time.date(), self.count);
        let hour = i64::from(time.hour());
        let number = |value: i64| format!("{value:0count$}");
        let year = |year: i16| if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { number(year.into()) };
        match self.letter {
            'y' | 'u' => year(time.year()),
            'Y' => year(end_of_week(date).year()),
            'G' => chosen(count, "AD", "Anno Domini", "A"),
            'M' | 'L' if count < 3 => number(time.month().into()),
            'M' | 'L' => name(count, &time.strftime("%B").to_string()),
            'Q' | 'q' => quarter(count, (time.month() + 2) / 3),
            'w' => number(i64::from(end_of_week(date).day_of_year() - 1) / 7 + 1),
            'W' => number(week_of_month(date)),
            'd' => number(time.day().into()),
            'D' => number(time.day_of_year().into()),
            'F' => number(i64::from((time.day() - 1) / 7 + 1)),
            'g' => number(modified_julian_day(date)),
            'e' | 'c' if count < 3 => number(i64::from(time.weekday().to_sunday_one_offset())),
            'E' | 'e' | 'c' => name(count.max(3), &time.strftime("%A").to_string()),
            'a' => if hour < 12 { "AM" } else { "PM" }.into(),
            'B' => day_period(count, hour, time.minute()).into(),
            'H' => number(hour),
            'k' => number((hour + 23) % 24 + 1),
            'h' => number((hour + 11) % 12 + 1),
            'K' => number(hour % 12),
            'm' => number(time.minute().into()),
            's' => number(time.second().into()),
            'S' => format!("{:09}", time.subsec_nanosecond()).chars().take(count).collect(),
            'n' => number(time.subsec_nanosecond().into()),
            'A' => number(nanosecond_of_day(time) / 1_000_000),
            'N' => number(nanosecond_of_day(time)),
            'V' => time.time_zone().iana_name().unwrap_or("UTC").into(),
            'z' | 'v' if count == 4 => "Coordinated Universal Time".into(),
            'z' | 'v' => time.strftime("%Z").to_string(),
            'O' => localized_offset(time.offset(), count == 1),
            'Z' if count == 4 => localized_offset(time.offset(), false),
            _ => self.offset(time.offset()),
        }
    }

    /// `X`, `x` and `Z`.
    fn offset(&self, offset: Offset) -> String {
        match (self.letter, self.count) {
            ('X', _) | ('Z', 5) if offset.is_zero() => "Z".into(),
            ('Z', 5) => clock(offset, ":", 5),
            ('Z', _) => clock(offset, "", 2),
            (_, count @ (3 | 5)) => clock(offset, ":", count),
            (_, count) => clock(offset, "", count),
        }
    }
}

/// `+HHMM` with what is between. Once: minutes where there are some; four and five times: seconds likewise.
fn clock(offset: Offset, between: &str, count: usize) -> String {
    let seconds = offset.seconds();
    let (sign, all) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, seconds) = (all / 3_600, all / 60 % 60, all % 60);
    let mut out = format!("{sign}{hours:02}");
    if count > 1 || minutes > 0 {
        out += &format!("{between}{minutes:02}");
    }
    if count > 3 && seconds > 0 {
        out += &format!("{between}{seconds:02}");
    }
    out
}

/// `GMT+2`, or `GMT+02:00`.
fn localized_offset(offset: Offset, short: bool) -> String {
    let all = offset.seconds().abs();
    match (clock(offset, ":", 5), short) {
        _ if all == 0 => "GMT".into(),
        (full, false) => format!("GMT{full}"),
        (full, true) => {
            let minutes = if all % 3_600 == 0 { "" } else { &full[3..] };
            format!("GMT{}{}{minutes}", &full[..1], all / 3_600)
        }
    }
}

/// By how often the letter stands: once to three times, four, five.
fn chosen(count: usize, short: &str, full: &str, narrow: &str) -> String {
    match count {
        4 => full,
        5 => narrow,
        _ => short,
    }
    .into()
}

/// A name of three letters, whole, or its first letter. The English names are ASCII.
fn name(count: usize, full: &str) -> String {
    chosen(count, &full[..3], full, &full[..1])
}

fn quarter(count: usize, quarter: i8) -> String {
    let ordinal = ["1st", "2nd", "3rd", "4th"][usize::from(quarter.unsigned_abs()).saturating_sub(1).min(3)];
    match count {
        2 => format!("0{quarter}"),
        3 => format!("Q{quarter}"),
        4 => format!("{ordinal} quarter"),
        _ => quarter.to_string(),
    }
}

/// English day periods. <https://unicode.org/reports/tr35/tr35-dates.html#dayPeriods>
fn day_period(count: usize, hour: i64, minute: i8) -> &'static str {
    match (hour, minute, count) {
        (0, 0, 5) => "mi",
        (0, 0, _) => "midnight",
        (12, 0, 5) => "n",
        (12, 0, _) => "noon",
        (6..12, _, _) => "in the morning",
        (12..18, _, _) => "in the afternoon",
        (18..21, _, _) => "in the evening",
        _ => "at night",
    }
}

/// The Saturday of a date's week: it tells the year of the week.
fn end_of_week(date: Date) -> Date {
    let left = 6 - date.weekday().to_sunday_zero_offset();
    date.checked_add(Span::new().days(left)).unwrap_or(Date::MAX)
}

fn week_of_month(date: Date) -> i64 {
    let first = date.first_of_month().weekday().to_sunday_zero_offset();
    i64::from((date.day() - 1 + first) / 7 + 1)
}

fn modified_julian_day(day: Date) -> i64 {
    day.since(date(1858, 11, 17)).map_or(0, |span| span.get_days().into())
}

fn nanosecond_of_day(time: &Zoned) -> i64 {
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    seconds * 1_000_000_000 + i64::from(time.subsec_nanosecond())
}

/// Does the database name both halves of a year with letters? Where it has only `+03`, Java has a name of its own.
fn has_short_names(zone: &TimeZone) -> bool {
    if zone.iana_name().is_some_and(|name| NAMED_OTHERWISE.contains(&name)) {
        return false;
    }
    // In January and in July of 2026.
    [1_768_478_400, 1_784_116_800].into_iter().all(|second| {
        let time = Timestamp::from_second(second).expect("a time of this century");
        zone.to_offset_info(time).abbreviation().bytes().all(|letter| letter.is_ascii_alphabetic())
    })
}
