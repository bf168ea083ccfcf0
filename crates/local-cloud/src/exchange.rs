//! One request and its answer: what befalls the call, who may make it, and how its answer is encoded.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use crate::control;
use crate::drive::{Engine, Said};
use crate::faults::{Fault, Refusal};
use crate::model::protocol::Protocol;
use crate::request::{AwsError, Reply, Request};
use crate::wire::encode::Format;
use crate::wire::limit::{self, Limit};
use crate::wire::{self, Route, encode, events, signature};
use crate::world::access;
use crate::world::services::{SERVICES, Service};

mod body;
mod late;
mod s3;

pub use body::Content;

/// The call had its effect, and its answer is lost, because a fault rule says so.
#[derive(Debug, thiserror::Error)]
#[error("the connection ended without an answer: a fault rule wants it so")]
pub struct LostReply;

impl Engine {
    /// Answers one request, as AWS would, with the world's time as `Date`. A request must be within its limit, and signed, with
    /// the one secret where there is one.
    ///
    /// # Errors
    /// Where a fault rule loses the answer.
    pub async fn exchange(&self, request: http::Request<Bytes>) -> Result<http::Response<Content>, LostReply> {
        let (parts, body) = request.into_parts();
        if body.len() > limit::SMALLEST {
            let limit = limit::of(&parts);
            if body.len() > limit.bytes {
                return Ok(self.too_large(&limit));
            }
        }
        let now = [Timestamp::now(), Timestamp::from_millisecond(self.now() as i64).unwrap_or_default()];
        let signed = signature::check(&parts, &body, self.secret(), now);
        let mut request = wire::request(parts, body);
        let route = wire::route(&request);
        if let Err(denied) = signed
            && route != Route::Local
        {
            return Ok(refuse(route, &request, denied.error(service_name(route))).map(Content::from));
        }
        let hoisted = if route == Route::S3 { wire::s3::incoming::headers_from_query(&mut request) } else { Ok(()) };
        if let Err(error) = hoisted {
            return Ok(refuse(route, &request, error).map(Content::from));
        }
        let operation = wire::operation::name(route, &request).unwrap_or_default();
        // No rule keeps the engine's own calls from taking it back.
        let fault = if route == Route::Local { Fault::default() } else { self.fault(&operation) };
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        let refusal = match fault.refusal {
            Some(Refusal::Denied) => self.denial(&operation, &request, true),
            Some(refusal) => Some(refusal.error(&operation)),
            None => self.denial(&operation, &request, false),
        };
        let mut response = match refusal {
            Some(error) => refuse(route, &request, error).map(Content::from),
            None => self.answer_late(route, &operation, request, fault.slow).await,
        };
        response.headers_mut().insert(http::header::DATE, encode::date(self.now()));
        if fault.lost_reply { Err(LostReply) } else { Ok(response) }
    }

    /// The answer to a body that is larger than its limit.
    pub(crate) fn too_large(&self, limit: &Limit) -> http::Response<Content> {
        let mut response = refuse(limit.route, &limit.head, limit.refusal()).map(Content::from);
        response.headers_mut().insert(http::header::DATE, encode::date(self.now()));
        response
    }

    /// [`Engine::exchange`] for those who have no connection to lose, and who wait for the end of an answer that goes on: a lost answer is a
    /// gateway's time-out.
    pub async fn call(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let Ok(response) = self.exchange(request).await else {
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = http::StatusCode::GATEWAY_TIMEOUT;
            return response;
        };
        let (head, content) = response.into_parts();
        let whole = match content {
            Content::Whole(whole) => whole.unwrap_or_default(),
            Content::Events(mut events) => {
                let mut whole = BytesMut::new();
                while let Some(event) = events.recv().await {
                    whole.extend_from_slice(&event);
                }
                whole.freeze()
            }
        };
        http::Response::from_parts(head, whole)
    }

    /// Why the caller may not do this: because of a fault, or of a policy, where those are asked at all.
    fn denial(&self, operation: &str, request: &Request, by_fault: bool) -> Option<AwsError> {
        let asked = || self.look("authorize", |world| world.settings.enforce_iam);
        if operation.is_empty() || !(by_fault || asked()) {
            return None;
        }
        // The resource of the call is named in the body, in JSON or CBOR. A body that cannot be read is refused later, as such.
        let format = Format::of(request);
        let request = Request { body: format.read(request.body.clone()).ok()?, ..request.clone() };
        let new_bucket_has_tags = operation == "s3:CreateBucket" && wire::s3::new_bucket_has_tags(&request.body);
        let said = access::Said::of(&request, operation);
        let call = access::Call { request: &request, operation, said: &said, new_bucket_has_tags };
        self.look("authorize", |world| match by_fault {
            true => Some(world.access(self.now()).denial(&call)),
            false => world.access(self.now()).authorize(&call).err(),
        })
    }

    async fn answer(&self, route: Route, operation: &str, request: Request, slow: Duration) -> http::Response<Content> {
        let response = match route {
            Route::Local => return self.answer_local(&request).await,
            Route::Service(index) => return self.call_service(index, operation, request, slow).await,
            Route::S3 => s3::answer(self, operation, request).await,
            Route::UnknownJson => refuse(route, &request, AwsError::new("UnknownOperationException", "")),
            Route::UnknownQuery => {
                let error = AwsError::new("InvalidAction", "no service of that API version exists here");
                refuse(route, &request, error)
            }
        };
        response.map(Content::from)
    }

    /// A call of the engine's own. One of them goes on: it is watched.
    async fn answer_local(&self, request: &Request) -> http::Response<Content> {
        match control::watch(self, request) {
            Some(events) => encode::finish(Reply::empty(), "text/event-stream").map(|_| Content::Events(events)),
            None => control::answer(self, request).await.map(Content::from),
        }
    }

    async fn call_service(
        &self,
        index: usize,
        operation: &str,
        mut request: Request,
        slow: Duration,
    ) -> http::Response<Content> {
        let Service { protocol, name, .. } = SERVICES[index];
        // Kinesis is the one that speaks more than JSON.
        let format = if name == "kinesis" { Format::of(&request) } else { Format::Json };
        let outcome = match format.read(std::mem::take(&mut request.body)) {
            Err(error) => Err(error),
            Ok(body) => {
                request.body = body;
                self.ask(index, operation, &request, slow).await
            }
        };
        let (reply, subscription) = match outcome {
            Ok(Said::Events(token)) => (Ok(events::head()), Some(self.subscription(token, format))),
            Ok(Said::Reply(reply)) => (Ok(reply), None),
            Err(error) => (Err(error), None),
        };
        let response = encode::answer(protocol, &request, reply);
        match subscription {
            Some(events) => response.map(|_| Content::Events(events)),
            None => encode::formatted(response, format).map(Content::from),
        }
    }
}

/// A refusal before the service has seen anything, encoded as its protocol says.
fn refuse(route: Route, request: &Request, error: AwsError) -> http::Response<Bytes> {
    match route {
        Route::Service(index) => {
            encode::formatted(encode::answer(SERVICES[index].protocol, request, Err(error)), Format::of(request))
        }
        Route::UnknownJson => encode::answer(Protocol::Json { target: "" }, request, Err(error)),
        Route::UnknownQuery => encode::answer(Protocol::Query { version: "", namespace: "" }, request, Err(error)),
        Route::S3 | Route::Local => s3::refuse(request, error),
    }
}

/// The service in whose words an error is written. A request without a service is refused like others of its protocol.
fn service_name(route: Route) -> &'static str {
    match route {
        Route::Service(index) => SERVICES[index].name,
        Route::UnknownJson => "",
        Route::UnknownQuery => "sts",
        Route::S3 | Route::Local => "s3",
    }
}
