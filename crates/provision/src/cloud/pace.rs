//! How fast AWS lets an account call: one bucket per operation, filled at the documented rate and shared by everything that
//! this program does at once. It only orders calls; a call that AWS throttles all the same is repeated by the SDK.
//!
//! AWS is paced from the first call on. Other endpoints are paced once one of them has throttled a call: most have no rates.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// At most so many requests are under way at once. Each may hold a connection, and a shell on macOS gives 256 descriptors.
const AT_ONCE: usize = 100;

/// The rate of some operations of a service.
#[derive(Debug)]
pub struct Rate {
    /// As the SDK names it.
    pub service: &'static str,
    /// Each of them has a bucket of its own, unless `together`. Empty: all that are not named elsewhere.
    pub operations: &'static [&'static str],
    /// Do they share one bucket?
    pub together: bool,
    pub per_second: u32,
    pub source: &'static str,
}

const KINESIS: &str = "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html";
const FIREHOSE: &str = "https://docs.aws.amazon.com/firehose/latest/dev/limits.html";
const LAMBDA: &str = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const LOGS: &str = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html";

/// Rates per account and region. Where a rate counts per stream, one stack has several streams, and no bucket is needed.
pub const RATES: &[Rate] = &[
    Rate {
        service: "Kinesis",
        operations: &["CreateStream", "DeleteStream", "ListStreams", "AddTagsToStream"],
        together: false,
        per_second: 5,
        source: KINESIS,
    },
    Rate {
        service: "Kinesis",
        operations: &["DescribeStream", "UpdateShardCount"],
        together: false,
        per_second: 10,
        source: KINESIS,
    },
    Rate {
        service: "Kinesis",
        operations: &["DescribeStreamSummary"],
        together: false,
        per_second: 20,
        source: KINESIS,
    },
    Rate {
        service: "Firehose",
        operations: &[
            "CreateDeliveryStream",
            "DeleteDeliveryStream",
            "DescribeDeliveryStream",
            "ListDeliveryStreams",
            "UpdateDestination",
            "TagDeliveryStream",
            "UntagDeliveryStream",
            "ListTagsForDeliveryStream",
        ],
        together: false,
        per_second: 5,
        source: FIREHOSE,
    },
    Rate { service: "Lambda", operations: &["GetFunction"], together: false, per_second: 100, source: LAMBDA },
    // Invocations are not control plane, and not in this table.
    Rate {
        service: "Lambda",
        operations: &[
            "CreateFunction",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
            "PublishVersion",
            "ListAliases",
            "CreateAlias",
            "UpdateAlias",
            "ListFunctions",
            "ListTags",
            "TagResource",
            "UntagResource",
        ],
        together: true,
        per_second: 15,
        source: LAMBDA,
    },
    Rate {
        service: "CloudWatch Logs",
        operations: &["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "ListTagsForResource"],
        together: false,
        per_second: 10,
        source: LOGS,
    },
    Rate { service: "CloudWatch Logs", operations: &["GetLogEvents"], together: false, per_second: 10, source: LOGS },
];

/// Which operation a request is. The client's interceptor says so; a request that does not say it is not paced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation {
    pub service: String,
    pub name: String,
}

/// The buckets. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engaged: AtomicBool,
    /// By row of [`RATES`] and operation: when the next call would leave if there were no burst.
    next: Mutex<HashMap<(usize, &'static str), Instant>>,
    at_once: Semaphore,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared { engaged: AtomicBool::new(false), next: Mutex::default(), at_once: Semaphore::new(AT_ONCE) }
    }
}

impl Pace {
    /// From now on calls keep to the rates: this is AWS, or a call was throttled.
    pub fn engage(&self) {
        self.0.engaged.store(true, Ordering::Relaxed);
    }

    /// Takes the next place in the operation's bucket, and gives when it is free.
    fn reserve(&self, operation: &Operation, now: Instant) -> Instant {
        let Some((row, name)) = find(operation).filter(|_| self.0.engaged.load(Ordering::Relaxed)) else {
            return now;
        };
        let rate = RATES[row].per_second;
        let interval = Duration::from_secs(1) / rate;
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next.entry((row, name)).or_insert(now);
        let at = (*due).max(now);
        *due = at + interval;
        // A bucket that nobody used for a second is full.
        at.checked_sub(interval * (rate - 1)).map_or(now, |free| free.max(now))
    }
}

/// The operation's row, and the name of its bucket.
fn find(operation: &Operation) -> Option<(usize, &'static str)> {
    RATES.iter().enumerate().filter(|(_, rate)| rate.service == operation.service).find_map(|(row, rate)| {
        let name = rate.operations.iter().find(|name| **name == operation.name)?;
        Some((row, if rate.together { "" } else { name }))
    })
}

/// An HTTP client whose requests wait for their place.
#[derive(Debug)]
pub struct Paced {
    pub client: SharedHttpClient,
    pub pace: Pace,
}

impl HttpClient for Paced {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, parts);
        SharedHttpConnector::new(PacedConnector { connector, pace: self.pace.clone() })
    }
}

#[derive(Debug)]
struct PacedConnector {
    connector: SharedHttpConnector,
    pace: Pace,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, pace) = (self.connector.clone(), self.pace.clone());
        HttpConnectorFuture::new(async move {
            if let Some(operation) = request.extension::<Operation>() {
                let (now, free) = (Instant::now(), pace.reserve(operation, Instant::now()));
                if free > now {
                    sleep_until(free).await;
                }
            }
            let _place = pace.0.at_once.acquire().await.expect("it is never closed");
            connector.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(service: &str, name: &str) -> Operation {
        Operation { service: service.into(), name: name.into() }
    }

    fn engaged() -> Pace {
        let pace = Pace::default();
        pace.engage();
        pace
    }

    /// Milliseconds after the first call at which each of `count` calls at once may leave.
    fn waits(pace: &Pace, operation: &Operation, count: usize) -> Vec<u128> {
        let now = Instant::now();
        (0..count).map(|_| (pace.reserve(operation, now) - now).as_millis()).collect()
    }

    #[test]
    fn a_second_holds_as_many_calls_as_the_rate_and_the_rest_follow_one_by_one() {
        let describe = operation("Firehose", "DescribeDeliveryStream");
        assert_eq!(waits(&engaged(), &describe, 8), [0, 0, 0, 0, 0, 200, 400, 600]);
        assert_eq!(waits(&engaged(), &operation("S3", "PutObject"), 50), [0; 50], "no rate is documented");
    }

    #[test]
    fn operations_have_buckets_of_their_own_unless_they_are_counted_together() {
        let pace = engaged();
        assert_eq!(waits(&pace, &operation("Kinesis", "CreateStream"), 5), [0; 5]);
        assert_eq!(waits(&pace, &operation("Kinesis", "DeleteStream"), 5), [0; 5]);
        assert_eq!(waits(&pace, &operation("Lambda", "ListAliases"), 15), [0; 15]);
        assert_eq!(waits(&pace, &operation("Lambda", "ListTags"), 1), [66]);
    }

    #[test]
    fn an_endpoint_is_paced_once_it_has_throttled() {
        let pace = Pace::default();
        let describe = operation("Firehose", "DescribeDeliveryStream");
        assert_eq!(waits(&pace, &describe, 20), [0; 20]);
        pace.engage();
        assert_eq!(waits(&pace, &describe, 7), [0, 0, 0, 0, 0, 200, 400]);
    }

    #[test]
    fn every_rate_has_a_source_and_no_operation_two_rates() {
        let mut seen = std::collections::HashSet::new();
        for rate in RATES {
            assert!(rate.source.starts_with("https://docs.aws.amazon.com/"), "{rate:?}");
            assert!(rate.operations.iter().all(|name| seen.insert((rate.service, *name))), "{rate:?}");
        }
    }
}
