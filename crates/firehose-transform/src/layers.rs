//! A transform as a service for `lambda_runtime`, to put layers of `tower` around it: tracing, metrics, flushing. Needs the feature
//! `lambda-runtime`.
//!
//! ```no_run
//! use firehose_transform::layers::service;
//! use firehose_transform::{Outcome, Record, Runner};
//! use lambda_runtime::{Error, Runtime, layers::TracingLayer};
//!
//! fn shout(record: &Record<'_>) -> Outcome {
//!     Outcome::bytes(record.bytes().to_ascii_uppercase()).with_newline()
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     Runtime::new(service(Runner::new(), shout)).layer(TracingLayer::new()).run().await
//! }
//! ```
//!
//! Compared with [`run`](crate::run), `lambda_runtime` checks that the event is JSON and copies it before the transform sees it, and
//! copies the response once more.

use std::future::{Ready, ready};
use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent, Service, service_fn};
use serde_json::value::RawValue;

use crate::outcome::IntoOutcome;
use crate::record::{Invocation, Record};
use crate::runner::Runner;

/// Answers invocations as [`run`](crate::run) does, with the settings of `runner`. The loop, signals and the trace in the environment
/// are `lambda_runtime`'s; [`Runner::before_exit`] has no effect here.
///
/// The service fails if the event is not a Firehose transform event, with [`EventError`](crate::EventError) as the error's source.
pub fn service<O: IntoOutcome>(
    runner: Runner<'_>,
    transform: impl Fn(&Record<'_>) -> O + Sync,
) -> impl Service<
    LambdaEvent<Box<RawValue>>,
    Response = Box<RawValue>,
    Error = Error,
    Future = Ready<Result<Box<RawValue>, Error>>,
> {
    service_fn(move |LambdaEvent { payload, context, .. }: LambdaEvent<Box<RawValue>>| {
        ready(runner.answer_raw(&payload, &invocation(context), &transform).map_err(Error::from))
    })
}

fn invocation(context: Context) -> Invocation {
    Invocation {
        request_id: context.request_id,
        deadline: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(context.deadline)),
        trace_id: context.xray_trace_id,
        function_arn: Some(context.invoked_function_arn).filter(|arn| !arn.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::testing::direct_put_event;

    fn event(json: Vec<u8>) -> LambdaEvent<Box<RawValue>> {
        let json = String::from_utf8(json).expect("events here are text");
        let mut context = Context::default();
        context.deadline = u64::MAX / 2;
        context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned());
        LambdaEvent::new(RawValue::from_string(json).expect("events here are JSON"), context)
    }

    #[test]
    fn the_service_answers_as_the_loop_does_and_knows_the_invocation() {
        let traced = |record: &Record<'_>| Outcome::text(record.invocation().trace_id.clone().unwrap_or_default());
        let mut service = service(Runner::new(), traced);
        let answer = service.call(event(direct_put_event(["a"]))).into_inner().expect("it is an event");
        let data = "Um9vdD0xLTU3NTllOTg4LWJkODYyZTNmZTFiZTQ2YTk5NDI3Mjc5Mw==";
        assert_eq!(answer.get(), format!(r#"{{"records":[{{"recordId":"id-0","result":"Ok","data":"{data}"}}]}}"#));
        let error = service.call(event(b"{}".to_vec())).into_inner().expect_err("it is none");
        assert!(error.to_string().contains("an event with `records` was expected"), "{error}");
    }
}
