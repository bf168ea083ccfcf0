//! How fast AWS lets an account call: one bucket per operation, filled at the documented rate and shared by everything that
//! this program does at once. It only orders calls; a call that AWS throttles all the same is repeated by the SDK.
//!
//! AWS is paced from the first call on. Other endpoints are paced once one of them has throttled a call: most have no rates.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_facts::rates::{self, Per, RATES};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// At most so many requests are under way at once. Each may hold a connection, and a shell on macOS gives 256 descriptors.
const AT_ONCE: usize = 100;

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
    /// Limits calls to the rates from now on, because this is AWS or a call was throttled.
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
        // A bucket that nobody used for a second is full. One place stays free, for what comes early.
        at.checked_sub(interval * rate.saturating_sub(2)).map_or(now, |free| free.max(now))
    }
}

/// The operation's row, and the name of its bucket. What is counted for each stream needs none: one stack has several.
fn find(operation: &Operation) -> Option<(usize, &'static str)> {
    let service = match operation.service.as_str() {
        "CloudWatch Logs" => "logs".to_owned(),
        service => service.to_lowercase(),
    };
    rates::find(&service, &operation.name).filter(|(row, _)| RATES[*row].per != Per::Stream)
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

    /// Milliseconds after now at which each of `count` calls at once may leave.
    fn waits(pace: &Pace, operation: &Operation, count: usize, now: Instant) -> Vec<u128> {
        (0..count).map(|_| (pace.reserve(operation, now) - now).as_millis()).collect()
    }

    #[test]
    fn a_second_holds_one_call_less_than_the_rate_and_the_rest_follow_one_by_one() {
        let now = Instant::now();
        let describe = operation("Firehose", "DescribeDeliveryStream");
        assert_eq!(waits(&engaged(), &describe, 8, now), [0, 0, 0, 0, 200, 400, 600, 800]);
        assert_eq!(waits(&engaged(), &operation("S3", "PutObject"), 50, now), [0; 50], "no rate is documented");
    }

    #[test]
    fn operations_have_buckets_of_their_own_unless_they_are_counted_together() {
        let now = Instant::now();
        let pace = engaged();
        assert_eq!(waits(&pace, &operation("Kinesis", "CreateStream"), 4, now), [0; 4]);
        assert_eq!(waits(&pace, &operation("Kinesis", "DeleteStream"), 4, now), [0; 4]);
        assert_eq!(waits(&pace, &operation("Lambda", "ListAliases"), 14, now), [0; 14]);
        assert_eq!(waits(&pace, &operation("Lambda", "ListTags"), 1, now), [66]);
    }

    #[test]
    fn an_endpoint_is_paced_once_it_has_throttled() {
        let now = Instant::now();
        let pace = Pace::default();
        let describe = operation("Firehose", "DescribeDeliveryStream");
        assert_eq!(waits(&pace, &describe, 20, now), [0; 20]);
        pace.engage();
        assert_eq!(waits(&pace, &describe, 7, now), [0, 0, 0, 0, 200, 400, 600]);
    }
}
