//! The run that holds a lease or asks for it, as it stands in the name of a log stream. Pure.

use std::fmt;

use crate::job::{Job, Series};

/// The longest text of a run, so that a stream's name has fewer than AWS's 512 characters.
const LONGEST: usize = 120;

/// A run of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// A unique ID.
    pub run: String,
    /// `up`, `down`, `gc` or `with`.
    pub command: String,
    /// Whether it deletes the environment.
    pub deletes: bool,
    /// When it began, in epoch seconds of AWS's clock.
    pub since: i64,
    pub job: Job,
}

impl Who {
    /// Whether it is a newer run of the same pull request or branch, which makes the other one superfluous.
    pub fn supersedes(&self, other: &Who) -> bool {
        match (&self.job.series, &other.job.series) {
            (Some(one), Some(other_one)) => {
                !self.deletes && !other.deletes && one.name == other_one.name && one.number > other_one.number
            }
            _ => false,
        }
    }

    /// Whether it asks the other one to stop, rather than wait for its end.
    pub fn stops(&self, other: &Who) -> bool {
        self.deletes && !other.deletes || self.supersedes(other)
    }

    /// As part of a stream's name: fields between slashes.
    pub fn encoded(&self) -> String {
        let Who { run, command, deletes, since, job: Job { user, host, url, series } } = self;
        let number = series.as_ref().map(|series| series.number.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let series = series.as_ref().map(|series| series.name.clone()).unwrap_or_default();
        let deletes = if *deletes { "deletes" } else { "makes" };
        let fields =
            [run.clone(), command.clone(), deletes.into(), since.to_string(), series, number, text(user), text(host)];
        fields.iter().chain([&text(url)]).map(|field| escape(field)).collect::<Vec<_>>().join("/")
    }

    /// A field that is missing, because another version wrote it, is unknown.
    pub fn decoded(text: &str) -> Who {
        let fields: Vec<String> = text.split('/').map(unescape).collect();
        let field = |index: usize| fields.get(index).filter(|field| !field.is_empty()).cloned();
        let number = field(5).and_then(|number| number.parse().ok());
        Who {
            run: field(0).unwrap_or_default(),
            command: field(1).unwrap_or_default(),
            deletes: field(2).as_deref() == Some("deletes"),
            since: field(3).and_then(|since| since.parse().ok()).unwrap_or_default(),
            job: Job {
                series: field(4).zip(number).map(|(name, number)| Series { name, number }),
                user: field(6),
                host: field(7),
                url: field(8),
            },
        }
    }
}

/// For people: "`up` by ana on runner-3 since 14:05Z (https://...)".
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.command)?;
        let Job { user, host, url, .. } = &self.job;
        for (word, text) in [("by", user), ("on", host)] {
            if let Some(text) = text {
                write!(f, " {word} {text}")?;
            }
        }
        let since = jiff::Timestamp::from_second(self.since).unwrap_or_default();
        write!(f, " since {}", since.strftime("%H:%MZ"))?;
        url.iter().try_for_each(|url| write!(f, " ({url})"))
    }
}

/// A stream's name has no `:` and no `*`. Other characters that are not plain are escaped too, as in a URL.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        let next = match c.is_ascii_alphanumeric() || "-_.".contains(c) {
            true => c.to_string(),
            false => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        };
        if escaped.len() + next.len() > LONGEST {
            break;
        }
        escaped.push_str(&next);
    }
    escaped
}

/// Anybody may have written it, so what a terminal would take for a command is left out.
fn unescape(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let coded = rest.strip_prefix('%').and_then(|coded| u8::from_str_radix(coded.get(..2)?, 16).ok());
        match coded {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(c.to_string().bytes()),
        }
        rest = &rest[if coded.is_some() { 3 } else { c.len_utf8() }..];
    }
    String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &[(&str, &str)] = &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/lake"),
        ("GITHUB_WORKFLOW", "test"),
        ("GITHUB_REF", "refs/pull/42/merge"),
        ("GITHUB_RUN_ID", "77"),
        ("GITHUB_RUN_NUMBER", "5"),
    ];

    fn who(command: &str, variables: &[(&str, &str)]) -> Who {
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        let job = Job::here(Some("Ana Löw".into()), Some("runner-3".into()), variable);
        let deletes = command != "up";
        Who { run: "3f".into(), command: command.into(), deletes, since: 1_764_338_700, job }
    }

    #[test]
    fn a_run_survives_the_name_of_a_stream_and_is_told_to_people() {
        for variables in [GITHUB, &[]] {
            let who = who("up", variables);
            let name = who.encoded();
            assert!(name.len() < 400 && !name.contains([':', '*']), "{name}");
            assert_eq!(Who::decoded(&name), who);
        }
        let told = who("up", GITHUB).to_string();
        let expected = "`up` by Ana Löw on runner-3 since 14:05Z (https://github.com/acme/lake/actions/runs/77)";
        assert_eq!(told, expected);
    }

    #[test]
    fn any_text_is_read_and_a_long_one_is_cut() {
        for text in ["", "a", "%", "%zz/%4", "a/up/deletes/x/y/z/%1b[31m/ü/*", "////////////"] {
            assert!(!Who::decoded(text).to_string().contains(char::is_control), "{text}");
        }
        let mut long = who("up", GITHUB);
        long.job.user = Some("ü*".repeat(300));
        long.job.url = Some(format!("https://example.com/{}", ":".repeat(300)));
        assert!(long.encoded().len() < 480, "{}", long.encoded().len());
    }

    #[test]
    fn a_deletion_stops_an_up_and_a_newer_run_an_older_one_of_its_series() {
        let with = |name: &str, value: &str| {
            let changed = GITHUB.iter().map(|(key, old)| (*key, if *key == name { value } else { *old }));
            who("up", &changed.collect::<Vec<_>>())
        };
        let (up, down) = (who("up", GITHUB), who("down", GITHUB));
        let newer = with("GITHUB_RUN_NUMBER", "6");
        for (one, other, stops) in [
            (&down, &up, true),
            (&up, &down, false),
            (&down, &down, false),
            (&up, &up, false),
            (&newer, &up, true),
            (&up, &newer, false),
            (&with("GITHUB_RUN_NUMBER", "10"), &with("GITHUB_RUN_NUMBER", "9"), true),
            (&with("GITHUB_REF", "refs/pull/43/merge"), &up, false),
            (&who("up", &[]), &who("up", &[]), false),
            (&newer, &down, false),
        ] {
            assert_eq!(one.stops(other), stops, "{one} {other}");
        }
    }
}
