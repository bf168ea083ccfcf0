//! The partition key of each record.

use local_cloud::delivery::query::{Query, Refused};

use super::{Record, Unread};
use crate::error::{Error, Result};

/// A rule for partition keys.
pub enum Keys {
    /// The key that a record came with, else its number: records spread over all shards.
    Given,
    /// One key for all: they go to one shard, in order.
    One(String),
    /// The number of the record modulo this.
    Spread(u64),
    /// A jq expression, evaluated on the record.
    Query(Box<Query>),
}

/// Compiles a jq expression of a flag.
///
/// # Errors
/// The text is no jq expression that can be used here.
pub fn query(flag: &str, text: &str) -> Result<Query> {
    Query::parse(text).map_err(|refused| match refused {
        Refused::Text => Error::msg(format!("{flag} {text:?} is not a jq expression that can be used here"))
            .hint("write one such as .user.id; definitions (`def`) are not supported"),
        Refused::NoThread(error) => Error::new(format!("compiling {flag} {text:?}"), error),
    })
}

impl Keys {
    /// The partition keys of these records, in order.
    pub fn of<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Vec<std::result::Result<String, Unread>> {
        let records: Vec<&Record> = records.collect();
        let plain = |key: &dyn Fn(&Record) -> String| records.iter().map(|record| Ok(key(record))).collect();
        match self {
            Keys::Given => plain(&|record| record.key.clone().unwrap_or_else(|| record.number.to_string())),
            Keys::One(key) => plain(&|_| key.clone()),
            Keys::Spread(keys) => plain(&|record| format!("key-{}", record.number % keys)),
            Keys::Query(query) => {
                let data: Vec<&[u8]> = records.iter().map(|record| &*record.data).collect();
                let values = query.first_values(&data).into_iter().zip(records);
                values.map(|(value, record)| key(value).map_err(|why| Unread { place: record.place(), why })).collect()
            }
        }
    }
}

/// The most characters of a partition key. <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html>
const MAX_KEY: usize = 256;

fn key(value: std::result::Result<Option<String>, String>) -> std::result::Result<String, String> {
    let json = value.map_err(|why| format!("no partition key: {why}"))?.unwrap_or_else(|| "null".into());
    let key = match serde_json::from_str(&json) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) | Err(_) => return Err("the expression gives no partition key".into()),
        Ok(_) => json,
    };
    match key.chars().count() {
        0 => Err("the partition key is empty".into()),
        1..=MAX_KEY => Ok(key),
        long => Err(format!("the partition key has {long} characters; Kinesis takes at most {MAX_KEY}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_gives_each_record_its_key_or_says_why_not() {
        let texts = [r#"{"k":"a"}"#, r#"{"k":7}"#, "{}", r#"{"k":""}"#, "x"];
        let records: Vec<Record> = (1..).zip(texts).map(|(number, text)| Record::new(number, text)).collect();
        let keys = Keys::Query(Box::new(query("--key", ".k").expect("it is one"))).of(records.iter());
        assert_eq!(keys[..2], [Ok("a".into()), Ok("7".into())]);
        let why = |number: usize| keys[number].as_ref().unwrap_err().why.as_str();
        assert_eq!([why(2), why(3)], ["the expression gives no partition key", "the partition key is empty"]);
        assert!(why(4).starts_with("no partition key: the record is not JSON"), "{}", why(4));
        let error = query("--key", ".k |").expect_err("it is none");
        assert_eq!(error.to_string(), "--key \".k |\" is not a jq expression that can be used here");
    }

    #[test]
    fn without_a_query_a_record_has_its_own_key_or_its_number() {
        let records = [Record { key: Some("own".into()), ..Record::new(1, "a") }, Record::new(2, "b")];
        let keys = |keys: Keys| keys.of(records.iter()).into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(keys(Keys::Given), ["own", "2"]);
        assert_eq!(keys(Keys::One("k".into())), ["k", "k"]);
        assert_eq!(keys(Keys::Spread(2)), ["key-1", "key-0"]);
    }
}
