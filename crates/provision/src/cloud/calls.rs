//! Every call to AWS, recorded as it is made: for `-v`, for the tests that count calls, and for `plan`, which refuses the
//! changing ones.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use tokio::time::Instant;

use super::answer::Answer;
use super::pace::{Operation, Pace};

/// One call of an operation, however many attempts it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As the SDK names it: `Kinesis`, `Firehose`, `CloudWatch Logs`.
    pub service: String,
    /// `DescribeStreamSummary`
    pub operation: String,
    /// One for each attempt.
    pub answers: Vec<Answer>,
    pub started: Instant,
    /// `None` while it is under way.
    pub ended: Option<Instant>,
}

impl Call {
    /// Can the operation change nothing? Operations are named by AWS's conventions.
    pub fn reads(&self) -> bool {
        reads(&self.operation)
    }
}

/// The record of all calls made through it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    made: Arc<Mutex<Vec<Call>>>,
    read_only: Arc<AtomicBool>,
    /// Epoch seconds of the last answer; 0 before the first.
    answered: Arc<AtomicI64>,
    /// Limits the rate of requests. It is told about throttled ones.
    pub(super) pace: Pace,
}

impl Calls {
    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.with(Vec::clear);
    }

    /// Limits requests to AWS's rates from now on, whatever the endpoint.
    pub fn keep_to_rates(&self) {
        self.pace.engage();
    }

    /// Refuses to send operations that could change something, from now on.
    pub fn refuse_changes(&self) {
        self.read_only.store(true, Ordering::Relaxed);
    }

    /// Now, in epoch seconds, as who answered last sees it: this machine's clock may be wrong, and the engine has one of its own.
    pub fn now(&self) -> i64 {
        match self.answered.load(Ordering::Relaxed) {
            0 => jiff::Timestamp::now().as_second(),
            answered => answered,
        }
    }

    /// The calls so far, in the order in which they began.
    pub fn made(&self) -> Vec<Call> {
        self.with(|calls| calls.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Call>) -> T) -> T {
        // A record that a panicking thread left is still a record.
        act(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn amend(&self, cfg: &ConfigBag, act: impl FnOnce(&mut Call)) {
        if let Some(Index(index)) = cfg.load::<Index>() {
            self.with(|calls| calls.get_mut(*index).map(act));
        }
    }
}

/// Which entry of the record a running call is.
#[derive(Debug)]
struct Index(usize);

impl Storable for Index {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    // Not earlier: before the execution, a client's interceptors are not told the operation.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some((service, operation)) = cfg.load::<Metadata>().map(|m| (m.service().to_owned(), m.name().to_owned()))
        else {
            return Ok(());
        };
        if self.read_only.load(Ordering::Relaxed) && !reads(&operation) {
            return Err(format!("{service} {operation} changes something, but this command only reads").into());
        }
        let call = Call { service, operation, answers: vec![], started: Instant::now(), ended: None };
        let index = self.with(|calls| {
            calls.push(call);
            calls.len() - 1
        });
        let mut layer = Layer::new("Calls");
        layer.store_put(Index(index));
        cfg.push_layer(layer);
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.amend(cfg, |call| call.answers.push(Answer::under_way()));
        if let Some(operation) = cfg.load::<Metadata>() {
            let operation = Operation { service: operation.service().to_owned(), name: operation.name().to_owned() };
            context.request_mut().add_extension(operation);
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        if let Some(date) = date {
            self.answered.store(date.timestamp().as_second(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.amend(cfg, |call| {
            if let Some(answer) = call.answers.last_mut() {
                answer.end(context);
            }
        });
        let refused = context.response().is_some_and(|response| response.status().is_client_error());
        if !refused && cfg.load::<Metadata>().is_some_and(|operation| !reads(operation.name())) {
            // Nobody asks outside of `noticing`.
            let _ = CHANGED.try_with(|changed| changed.store(true, Ordering::Relaxed));
        }
        if context.response().is_some_and(|response| !response.status().is_success() && is_throttled(response)) {
            self.pace.engage();
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.amend(cfg, |call| call.ended = Some(Instant::now()));
        Ok(())
    }
}

/// Does the answer say that there were too many calls? The code stands in a header or in the body, as the protocol has it.
fn is_throttled(response: &HttpResponse) -> bool {
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let body = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    ["Throttl", "TooManyRequests", "LimitExceeded", "RequestLimit"]
        .iter()
        .any(|code| header.contains(code) || body.contains(code))
}

tokio::task_local! {
    static CHANGED: Arc<AtomicBool>;
}

/// Runs, and tells whether one of its calls may have changed something: all may but those that AWS refused.
pub async fn noticing<T>(run: impl Future<Output = T>) -> (T, bool) {
    let changed = Arc::new(AtomicBool::new(false));
    let done = CHANGED.scope(changed.clone(), run).await;
    (done, changed.load(Ordering::Relaxed))
}

fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List", "Head", "AssumeRole", "Simulate"].iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::*;
    use crate::cloud::{Cx, tests::names, within};

    #[derive(Debug)]
    struct Nobody;

    impl HttpConnector for Nobody {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            panic!("nothing is sent")
        }
    }

    #[test]
    fn reading_is_told_by_the_operations_name() {
        for operation in ["DescribeStreamSummary", "GetRole", "ListTagsForResource", "HeadBucket", "GetCallerIdentity"]
        {
            assert!(reads(operation), "{operation}");
        }
        for operation in ["CreateStream", "PutObject", "DeleteRole", "UpdateDestination", "PublishVersion", "TagRole"] {
            assert!(!reads(operation), "{operation}");
        }
    }

    #[tokio::test]
    async fn a_changing_call_is_refused_and_not_sent() {
        let http = http_client_fn(|_, _| SharedHttpConnector::new(Nobody));
        let cx = Cx::new(within(http, "us-east-1"), names());
        cx.calls.refuse_changes();
        let refused = cx.kinesis().delete_stream().stream_name("events").send().await.unwrap_err();
        let said = crate::error::chain(&refused);
        assert!(said.contains("Kinesis DeleteStream changes something"), "{said}");
        assert!(cx.calls.made().is_empty());
    }
}
