//! The second example transform: filters and enriches page views, and partitions them by region and hour.
//!
//! Views by robots are dropped. Other views keep their fields as they are and get the region of their country, from a table that is
//! read once when the function starts, and the time of arrival. Views are written one after the other, each ended by a newline.

use std::borrow::Cow;
use std::collections::HashMap;
use std::env;
use std::process::ExitCode;

use firehose_transform::{Error, Level, Outcome, Record, run};
use serde::Deserialize;

/// The default of the environment variable `REGIONS`.
const REGIONS: &str = "DE=eu FR=eu GB=eu US=na CA=na JP=apac IN=apac";

fn main() -> ExitCode {
    let regions = Regions::of(&env::var("REGIONS").unwrap_or_else(|_| REGIONS.to_owned()));
    run(|record| enrich(record, &regions))
}

#[derive(Deserialize)]
struct View<'a> {
    #[serde(borrow)]
    country: Cow<'a, str>,
    #[serde(default)]
    robot: bool,
}

fn enrich(record: &Record<'_>, regions: &Regions) -> Result<Outcome, Error> {
    let view: View<'_> = record.json()?;
    if view.robot {
        return Ok(Outcome::dropped());
    }
    let region = regions.region(&view.country).unwrap_or_else(|| {
        record.log(Level::Warn, format_args!("no region is known for the country {:?}", view.country));
        "other"
    });
    let mut enriched = record.object()?;
    enriched.add("region", &region);
    enriched.add("arrived_at_ms", &record.arrived_at_ms());
    let hour = record.arrived_at_ms() / 3_600_000 % 24;
    Ok(Outcome::from(enriched)
        .with_newline()
        .with_partition_key("region", region)
        .with_partition_key("hour", format_args!("{hour:02}")))
}

/// The region of each country. Shared by all records and all threads.
struct Regions(HashMap<String, String>);

impl Regions {
    fn of(table: &str) -> Regions {
        let pair = |pair: &str| pair.split_once('=').map(|(country, region)| (country.to_owned(), region.to_owned()));
        Regions(table.split_whitespace().filter_map(pair).collect())
    }

    fn region(&self, country: &str) -> Option<&str> {
        self.0.get(country).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use firehose_transform::testing::{Answer, transform};

    use super::*;

    fn answer(view: &str) -> Answer {
        let regions = Regions::of("DE=eu US=na nonsense");
        let answers = transform([view], |record: &Record<'_>| enrich(record, &regions));
        answers.into_iter().next().expect("one record has one answer")
    }

    fn kept(data: &str, region: &str) -> Answer {
        let keys = [("hour", "22"), ("region", region)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Answer::Ok { data: data.into(), partition_keys: BTreeMap::from(keys) }
    }

    #[test]
    fn a_view_gets_its_region_and_keeps_its_fields_as_they_came() {
        let data = r#"{"path": "/", "country": "DE", "price": 1.50,"region":"eu","arrived_at_ms":1700000000123}"#;
        assert_eq!(answer(r#"{"path": "/", "country": "DE", "price": 1.50}"#), kept(&format!("{data}\n"), "eu"));
        let data = r#"{"country":"XX","region":"other","arrived_at_ms":1700000000123}"#;
        assert_eq!(answer(r#"{"country":"XX"}"#), kept(&format!("{data}\n"), "other"));
    }

    #[test]
    fn a_view_by_a_robot_is_dropped() {
        assert_eq!(answer(r#"{"country":"US","robot":true}"#), Answer::Dropped);
    }

    #[test]
    fn what_is_not_a_view_fails() {
        for view in ["", "[]", "{}", r#"{"country":1}"#, r#"{"country":"DE","robot":"yes"}"#] {
            assert!(matches!(answer(view), Answer::Failed { .. }), "{view}");
        }
    }
}
