//! Templates of records: text with generators in double braces, `{"id": "{{uuid}}", "n": {{counter}}}`. The same seed and number give
//! the same record, so that nobody has to keep the records that were sent.

use std::fmt;

use jiff::Timestamp;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Counter,
    Uuid,
    Time,
    TimeMs,
    Sentence,
    Choice(Vec<String>),
    Number(i64, i64),
}

/// The generators, for people.
pub const GENERATORS: &str =
    "{{counter}}, {{uuid}}, {{time}}, {{time_ms}}, {{sentence}}, {{choice a|b|c}} or {{number 1..100}}";

const WORDS: [&str; 24] = [
    "amber", "birds", "carry", "distant", "echoes", "follow", "gentle", "harbor", "island", "journey", "kindled",
    "lantern", "meadow", "northern", "orchard", "painted", "quiet", "rivers", "silver", "through", "under", "valley",
    "winter", "yonder",
];

impl fmt::Display for Template {
    /// The text that it is parsed from, but for white space in its generators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Counter => f.write_str("{{counter}}"),
            Part::Uuid => f.write_str("{{uuid}}"),
            Part::Time => f.write_str("{{time}}"),
            Part::TimeMs => f.write_str("{{time_ms}}"),
            Part::Sentence => f.write_str("{{sentence}}"),
            Part::Choice(choices) => write!(f, "{{{{choice {}}}}}", choices.join("|")),
            Part::Number(from, to) => write!(f, "{{{{number {from}..{to}}}}}"),
        })
    }
}

impl Template {
    /// # Errors
    /// Text in double braces is no generator.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((generator, after)) = after.split_once("}}") else {
                return Err("`{{` has no `}}`".into());
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(generator_of(generator.trim())?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Template(parts))
    }

    /// The record with this number, from 1. `began_ms`: the time of the first record; each later one is a millisecond younger.
    pub fn record(&self, seed: u64, number: u64, began_ms: i64) -> String {
        let mut random = fastrand::Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let at_ms = began_ms.saturating_add_unsigned(number - 1);
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Counter => text.push_str(&number.to_string()),
                Part::Uuid => text
                    .push_str(&uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid().to_string()),
                Part::Time => text.push_str(&Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string()),
                Part::TimeMs => text.push_str(&at_ms.to_string()),
                Part::Sentence => sentence(&mut random, &mut text),
                Part::Choice(choices) => text.push_str(&choices[random.usize(..choices.len())]),
                Part::Number(from, to) => text.push_str(&random.i64(*from..=*to).to_string()),
            }
        }
        text
    }
}

/// Five to twelve words.
fn sentence(random: &mut fastrand::Rng, text: &mut String) {
    for word in 0..random.usize(5..=12) {
        text.push_str(if word > 0 { " " } else { "" });
        text.push_str(WORDS[random.usize(..WORDS.len())]);
    }
}

fn generator_of(text: &str) -> Result<Part, String> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match (name, rest.trim()) {
        ("counter", "") => Ok(Part::Counter),
        ("uuid", "") => Ok(Part::Uuid),
        ("time", "") => Ok(Part::Time),
        ("time_ms", "") => Ok(Part::TimeMs),
        ("sentence", "") => Ok(Part::Sentence),
        ("choice", choices) if !choices.is_empty() => {
            Ok(Part::Choice(choices.split('|').map(|choice| choice.trim().to_owned()).collect()))
        }
        ("number", bounds) => {
            let bounds = bounds.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
            let (from, to) =
                bounds.filter(|(from, to)| from <= to).ok_or("`number` has two bounds: {{number 1..100}}")?;
            Ok(Part::Number(from, to))
        }
        _ => Err(format!("`{{{{{text}}}}}` is no generator")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_700_000_000_000;

    #[test]
    fn each_generator_gives_its_kind_of_value() {
        let text = r#"{"n":{{counter}},"id":"{{uuid}}","at":"{{time}}","ms":{{time_ms}},"kind":"{{choice a|b c}}","k":{{ number -2..2 }},"s":"{{sentence}}"}"#;
        let template = Template::parse(text).expect("it is one");
        assert_eq!(Template::parse(&template.to_string()), Ok(template.clone()));
        for number in 1..50 {
            let record: serde_json::Value = serde_json::from_str(&template.record(7, number, BEGAN)).expect("JSON");
            assert_eq!(record["n"], number);
            assert_eq!(record["ms"], BEGAN + number as i64 - 1);
            let at: Timestamp = record["at"].as_str().expect("text").parse().expect("a time");
            assert_eq!(at.as_millisecond(), record["ms"].as_i64().expect("a number"));
            assert_eq!(
                uuid::Uuid::parse_str(record["id"].as_str().expect("text")).expect("a UUID").get_version_num(),
                4
            );
            assert!(["a", "b c"].contains(&record["kind"].as_str().expect("text")));
            assert!((-2..=2).contains(&record["k"].as_i64().expect("a number")));
            assert!((5..=12).contains(&record["s"].as_str().expect("text").split(' ').count()));
        }
    }

    #[test]
    fn a_record_can_be_made_again_and_another_one_differs() {
        let template = Template::parse("{{uuid}} {{sentence}}").expect("it is one");
        assert_eq!(template.record(7, 3, BEGAN), template.record(7, 3, BEGAN));
        assert_ne!(template.record(7, 3, BEGAN), template.record(7, 4, BEGAN));
        assert_ne!(template.record(7, 3, BEGAN), template.record(8, 3, BEGAN));
    }

    #[test]
    fn text_without_generators_stays_and_mistakes_are_told() {
        let plain = r#"{"a":{"b":1} }"#;
        assert_eq!(Template::parse(plain).expect("it is one").record(0, 1, 0), plain);
        let wrong = ["{{", "{{nothing}}", "{{choice}}", "{{number 3..1}}", "{{counter 1}}"];
        let told = wrong.map(|text| Template::parse(text).expect_err(text));
        assert_eq!(told[0], "`{{` has no `}}`");
        assert_eq!(told[1], "`{{nothing}}` is no generator");
        assert_eq!(told[2], "`{{choice}}` is no generator");
        assert_eq!(told[3], "`number` has two bounds: {{number 1..100}}");
        assert_eq!(told[4], "`{{counter 1}}` is no generator");
    }
}
