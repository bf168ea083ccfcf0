//! How often an account may call the control plane in a second: AWS's documented rates, which `--limits` enforces.
//!
//! Each operation has an allowance of its own, filled again by world time; it is kept in memory only. IAM publishes no rates, and those of
//! STS, S3 and the data planes are far away or the services' own ([`crate::settings::Settings::limits`]).

use std::collections::HashMap;

use aws_facts::rates::{Per, RATES};

use crate::allowance::Allowance;
use crate::anomalies::About;
use crate::request::{AwsError, Request};
use crate::time::Millis;
use crate::wire::subject;

/// The calls that each rate still allows.
#[derive(Debug)]
pub struct Rates {
    account: String,
    left: HashMap<Key, Allowance>,
}

/// The row, the operation where it counts for itself, the region, and the stream where it counts apart.
type Key = (usize, &'static str, String, String);

fn find(operation: &str) -> Option<(usize, &'static str)> {
    let (service, name) = operation.split_once(':')?;
    aws_facts::rates::find(service, name)
}

/// Has the operation a rate?
pub fn is_limited(operation: &str) -> bool {
    find(operation).is_some()
}

impl Rates {
    pub fn new(account: &str) -> Rates {
        Rates { account: account.to_owned(), left: HashMap::new() }
    }

    /// One more call, unless there have been too many. Its body is JSON.
    ///
    /// # Errors
    /// In the words of the service.
    pub fn admit(&mut self, operation: &str, request: &Request, now: Millis) -> Result<(), AwsError> {
        let Some((row, name)) = find(operation) else { return Ok(()) };
        let (rate, account) = (&RATES[row], self.account.as_str());
        let stream = || subject::all(About::Stream, operation, request, account).pop().map(|stream| stream.name);
        let key = match rate.per {
            Per::Account => (row, name, request.region.clone(), String::new()),
            Per::Stream => (row, name, request.region.clone(), stream().unwrap_or_default()),
            Per::AllOfThese => (row, "", request.region.clone(), String::new()),
        };
        let allowance = self.left.entry(key).or_default();
        if allowance.holds(now, rate.per_second.into(), 1) {
            allowance.take(1);
            return Ok(());
        }
        Err(exceeded(rate.service, stream(), account))
    }
}

/// The refusal of each service.
/// <https://github.com/boto/botocore/pull/821>, <https://github.com/Graylog2/graylog-plugin-integrations/issues/341>
fn exceeded(service: &str, stream: Option<String>, account: &str) -> AwsError {
    match (service, stream) {
        ("kinesis", Some(stream)) => {
            let message = format!("Rate exceeded for stream {stream} under account {account}.");
            AwsError::new("LimitExceededException", message)
        }
        ("kinesis", None) => AwsError::new("LimitExceededException", format!("Rate exceeded for account {account}.")),
        ("lambda", _) => AwsError::new("TooManyRequestsException", "Rate Exceeded.").with_status(429),
        (_, _) => AwsError::new("ThrottlingException", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use aws_facts::rates::Rate;

    use super::*;

    fn call(service: &'static str, region: &str, stream: &str) -> Request {
        let (parts, _) = http::Request::new(()).into_parts();
        let body = serde_json::json!({ "StreamName": stream }).to_string();
        let request = crate::wire::request(parts, body.into());
        Request { region: region.into(), signed_for: Some(service.into()), ..request }
    }

    #[test]
    fn each_rate_lets_through_so_many_calls_in_a_second_and_refuses_in_the_services_words() {
        for rate in RATES {
            for name in rate.operations {
                let (operation, mut rates) = (format!("{}:{name}", rate.service), Rates::new("1"));
                let request = call(rate.service, "eu-west-1", "s");
                let mut admitted = |now| rates.admit(&operation, &request, now);
                let first: Vec<_> = (0..rate.per_second + 1).map(|_| admitted(5_000)).collect();
                assert!(first[..rate.per_second as usize].iter().all(Result::is_ok), "{operation}");
                let refused = first[rate.per_second as usize].clone().expect_err(&operation);
                let (code, status) = match rate.service {
                    "kinesis" => ("LimitExceededException", 400),
                    "lambda" => ("TooManyRequestsException", 429),
                    _ => ("ThrottlingException", 400),
                };
                assert_eq!((refused.code, refused.status), (code, status), "{operation}");
                let after = 1_000_u64.div_ceil(rate.per_second.into());
                assert!(admitted(5_000 + after - 1).is_err() && admitted(5_000 + after).is_ok(), "{operation}");
            }
        }
    }

    #[test]
    fn streams_regions_and_operations_are_counted_as_the_row_says() {
        let exhausted = |operation: &str, other: &str, region: &str, stream: &str| {
            let mut rates = Rates::new("1");
            while rates.admit(operation, &call("", "eu-west-1", "s"), 0).is_ok() {}
            rates.admit(other, &call("", region, stream), 0).is_err()
        };
        for (operation, other, region, stream, expected) in [
            ("kinesis:DeleteStream", "kinesis:DeleteStream", "eu-west-1", "t", true),
            ("kinesis:DeleteStream", "kinesis:DeleteStream", "us-east-1", "s", false),
            ("kinesis:DeleteStream", "kinesis:CreateStream", "eu-west-1", "s", false),
            ("kinesis:ListStreamConsumers", "kinesis:ListStreamConsumers", "eu-west-1", "t", false),
            ("lambda:CreateAlias", "lambda:DeleteFunction", "eu-west-1", "", true),
            ("lambda:CreateAlias", "lambda:GetFunction", "eu-west-1", "", false),
        ] {
            assert_eq!(exhausted(operation, other, region, stream), expected, "{operation} {other} {region} {stream}");
        }
        let mut rates = Rates::new("1");
        assert!((0..100).all(|_| rates.admit("kinesis:PutRecord", &call("", "eu-west-1", "s"), 0).is_ok()));
    }

    #[test]
    fn the_documentation_has_every_rate_as_it_is() {
        let documentation = include_str!("../README.md");
        let told = |rate: &Rate| {
            let per = match rate.per {
                Per::Account => "",
                Per::Stream => " for a stream",
                Per::AllOfThese => " in all",
            };
            let Rate { service, operations, per_second, source, .. } = rate;
            format!("| {service} | {} | {per_second}{per} | {source} |", operations.join(", "))
        };
        let wanted: Vec<String> = RATES.iter().map(told).collect();
        let missing = wanted.iter().any(|row| !documentation.lines().any(|line| line == row));
        assert!(!missing, "write into crates/local-cloud/README.md:\n{}", wanted.join("\n"));
    }

    #[test]
    fn kinesis_names_the_stream_where_there_is_one() {
        assert_eq!(exceeded("kinesis", Some("s".into()), "1").message, "Rate exceeded for stream s under account 1.");
        assert_eq!(exceeded("kinesis", None, "1").message, "Rate exceeded for account 1.");
    }
}
