//! `local tables`: the tables of AWS's behavior, as JSON.

use aws_facts::rates::{Per, RATES, Rate};
use local_cloud::Delays;
use local_cloud::anomalies::{self, Row, Shown};
use serde_json::{Value, json};

use crate::transient::TRANSIENTS;

/// The tables that a recording of calls to AWS is compared with.
pub fn tables() -> Value {
    let anomaly = |row: &Row| {
        let words = match row.shown {
            Shown::Refused(words) => words,
            Shown::Stale | Shown::EmptyPages | Shown::ShortPages | Shown::Late | Shown::Unread => &[],
        };
        let words: Vec<Value> = words.iter().map(|one| json!({ "code": one.code, "message": one.message })).collect();
        let (least, most) = row.lasts;
        let Row { name, after, at, settled, source, .. } = row;
        json!({ "name": name, "after": after, "at": at, "stale": row.shown == Shown::Stale, "refused": words,
            "lasts_ms": [least, most], "settled": settled, "source": source })
    };
    let rate = |rate: &Rate| {
        let Rate { service, operations, per_second, source, .. } = rate;
        let per = match rate.per {
            Per::Account => "operation",
            Per::Stream => "operation and stream",
            Per::AllOfThese => "all of these",
        };
        json!({ "service": service, "operations": operations, "per_second": per_second, "per": per, "source": source })
    };
    let Delays { stream, delivery_stream, function, role } = Delays::AWS;
    json!({
        "transients": TRANSIENTS,
        "anomalies": anomalies::rows().map(anomaly).collect::<Vec<_>>(),
        "rates": RATES.iter().map(rate).collect::<Vec<_>>(),
        "delays_ms": {"stream": stream, "delivery_stream": delivery_stream, "function": function, "role": role },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_printed_with_what_tells_their_rows_apart() {
        let tables = tables();
        let rows = |name: &str| tables[name].as_array().expect("a list").clone();
        assert_eq!(rows("transients").len(), TRANSIENTS.len());
        let stream = |row: &Value| row["kinds"] == json!(["stream"]) && row["code"] == "ResourceNotFoundException";
        let absent = rows("transients").into_iter().find(stream).expect("a new stream is not seen at once");
        assert_eq!((&absent["counts"], &absent["limit_s"]), (&json!({ "after_create": 60 }), &json!(60)));
        let named = |name: &str| rows("anomalies").into_iter().find(|row| row["name"] == name).expect(name);
        assert_eq!(named("kinesis-stale")["stale"], true);
        assert_eq!(named("logs-aborted")["refused"][0]["code"], "OperationAbortedException");
        assert_eq!(rows("rates").len(), RATES.len());
    }
}
