//! Which anomalies are to be met, as `--consistency` and the control API name them.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{Row, row, rows};
use crate::faults::duration;
use crate::time::Millis;

/// The rows that are turned on. None by default.
///
/// Written as words with commas: `aws` (all rows), a row's name, either with a time (`aws=5s`, `s3-conflict=200ms`) that is how long it
/// then lasts; `rate=R`, the share of the changes that bring one about, 1 unless told; `seed=N`, another dice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consistency {
    rows: BTreeMap<&'static str, Option<Millis>>,
    rate: Option<f64>,
    seed: Option<u64>,
}

/// Why a text names no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoChoice(String);

impl Consistency {
    /// All rows.
    pub fn aws() -> Consistency {
        Consistency { rows: rows().map(|row| (row.name, None)).collect(), ..Consistency::default() }
    }

    /// Nothing is turned on.
    pub fn is_off(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the rows that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.rows.keys().copied()
    }

    /// With these rows too. What they say of rows, rate and seed goes before what was said.
    pub fn and(mut self, more: Consistency) -> Consistency {
        self.rows.extend(more.rows);
        Consistency { rows: self.rows, rate: more.rate.or(self.rate), seed: more.seed.or(self.seed) }
    }

    /// How long a row lasts, at least and at most; `None` where it is not on.
    pub fn lasts(&self, row: &Row) -> Option<(Millis, Millis)> {
        let chosen = self.rows.get(row.name)?;
        Some(chosen.map_or(row.lasts, |time| (time, time)))
    }

    /// The share of the cases in which a row is shown, from 0 to 1. Default: 1.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(1.0)
    }

    /// The seed from which the cases and times are drawn. Default: 0.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or_default()
    }
}

impl FromStr for Consistency {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Consistency, NoChoice> {
        let mut choice = Consistency::default();
        for word in text.split(',') {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let wrong = || NoChoice(format!("{word:?} cannot be read"));
            let time =
                || value.map(duration).transpose().map_err(|_| NoChoice(format!("{word:?} has no time such as 5s")));
            match (name, value) {
                ("rate", Some(rate)) => {
                    let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
                    choice.rate = Some(rate.ok_or_else(wrong)?);
                }
                ("seed", Some(seed)) => choice.seed = Some(seed.parse().map_err(|_| wrong())?),
                ("off", None) => choice.rows.clear(),
                ("aws", _) => {
                    let time = time()?.map(|time| time.as_millis() as Millis);
                    choice.rows.extend(rows().map(|row| (row.name, time)));
                }
                (name, _) => {
                    let row = row(name).ok_or_else(|| unknown(name))?;
                    choice.rows.insert(row.name, time()?.map(|time| time.as_millis() as Millis));
                }
            }
        }
        Ok(choice)
    }
}

fn unknown(name: &str) -> NoChoice {
    let names: Vec<&str> = rows().map(|row| row.name).collect();
    NoChoice(format!("there is no anomaly {name:?}; there are aws (all of them), off, {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_rows_times_a_rate_and_a_seed() {
        let choice: Consistency = "s3-create-aborted=200ms,kinesis-not-active,rate=0.5,seed=7".parse().expect("words");
        assert_eq!(choice.names().collect::<Vec<_>>(), ["kinesis-not-active", "s3-create-aborted"]);
        assert_eq!(choice.lasts(row("s3-create-aborted").expect("a row")), Some((200, 200)));
        let row = row("kinesis-not-active").expect("a row");
        assert_eq!((choice.lasts(row), choice.rate(), choice.seed()), (Some(row.lasts), 0.5, 7));
        let all: Consistency = "aws".parse().expect("a word");
        assert_eq!((all.clone(), all.names().count()), (Consistency::aws(), rows().count()));
        assert!("aws,off".parse::<Consistency>().expect("words").is_off());
        let both = choice.and("s3-create-aborted=1s,seed=8".parse().expect("words"));
        assert_eq!((both.names().count(), both.rate(), both.seed()), (2, 0.5, 8));
    }

    #[test]
    fn a_word_that_names_nothing_is_told_what_there_is() {
        for (text, why) in [
            ("none", "there is no anomaly \"none\"; there are aws (all of them), off, kinesis-"),
            ("", "there is no anomaly \"\""),
            ("aws=5m", "\"aws=5m\" has no time such as 5s"),
            ("aws,rate=2", "\"rate=2\" cannot be read"),
            ("aws,seed=x", "\"seed=x\" cannot be read"),
        ] {
            let error = text.parse::<Consistency>().expect_err(text).to_string();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }
}
