//! Queries of people who ask something of their own records: a partition key, a filter. The value may be anything, and nobody else
//! waits for it, so that it is evaluated in this process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jaq_core::{Ctx, Vars, unwrap_valr};
use jaq_json::Val;

use super::bounds::{Bounded, Steps, on_a_deep_stack};
use super::{MOST_TOLD, Query};

impl Query {
    /// The first value that it gives for each record, as JSON. `Ok(None)`: it gives no value.
    ///
    /// # Errors
    /// A record is not JSON, or the query fails on it: then its own value is the error.
    pub fn first_values(&self, records: &[&[u8]]) -> Vec<Result<Option<String>, String>> {
        let first = |record: &&[u8]| {
            let value = catch_unwind(AssertUnwindSafe(|| self.first_value(record)));
            value.unwrap_or_else(|_| Err("evaluating the query failed".into()))
        };
        let values = on_a_deep_stack(|| records.iter().map(first).collect());
        values
            .unwrap_or_else(|_| vec![Err("the system gives no thread to evaluate the query on".into()); records.len()])
    }

    fn first_value(&self, record: &[u8]) -> Result<Option<String>, String> {
        let input: Val = serde_json::from_slice(record).map_err(|error| format!("the record is not JSON: {error}"))?;
        let steps = Steps::default();
        let context = Ctx::<Bounded>::new(steps.of(&self.filter.lut), Vars::new([]));
        match self.filter.id.run((context, input)).map(unwrap_valr).next() {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value.to_string())),
            Some(Err(error)) => Err(error.to_string().chars().take(MOST_TOLD).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_json_and_what_is_no_json_says_so() {
        let query = Query::parse(".a, .b").expect("it is a query");
        let records: [&[u8]; 4] = [br#"{"a":"x\"y"}"#, br#"{"a":[1,null]}"#, b"{}", b"text"];
        let values = query.first_values(&records);
        let given = |json: &str| Ok(Some(json.to_owned()));
        assert_eq!(values[..3], [given(r#""x\"y""#), given("[1,null]"), given("null")]);
        assert!(values[3].as_ref().unwrap_err().starts_with("the record is not JSON: "), "{values:?}");
    }

    #[test]
    fn a_query_may_give_nothing_and_may_fail() {
        let query = Query::parse("select(.a > 1) | .b.c").expect("it is a query");
        let values = query.first_values(&[br#"{"a":1}"#, br#"{"a":2,"b":"text"}"#]);
        assert_eq!(values[0], Ok(None));
        assert!(values[1].is_err(), "{values:?}");
    }
}
