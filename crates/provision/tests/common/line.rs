//! The line between the provisioner and the engine: it counts requests, takes a round trip for each, and does something to the
//! one that it is told.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use local_cloud::Engine;
use tokio::sync::Notify;

use super::ROUND_TRIP;

/// The fate of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The provisioner is stopped dead before the request is sent, or when its answer is there.
    StopBefore,
    StopAfter,
    /// The connection ends, or nothing comes for too long: before anything happened, or after.
    ResetBefore,
    ResetAfter,
    TimeOutBefore,
    TimeOutAfter,
    /// The engine does not hear of it: this is the answer, in JSON.
    Answer(String),
    /// A fault of the engine's: `throttle`, `500`, `503`.
    Fault(&'static str),
}

/// Which request an act is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Counted from 0.
    Number(usize),
    /// The first in whose operation or path this stands.
    Named(&'static str),
}

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Line {
    state: Arc<Mutex<State>>,
    stopped: Arc<Notify>,
    goes_on: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// The requests that were sent so far.
    sent: Vec<Sent>,
    /// Hashes of requests.
    seen: HashSet<u64>,
    plan: Vec<(At, Act)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `Logs_20140328.CreateLogGroup`, `PUT /2015-03-31/functions`
    pub what: String,
    pub reads: bool,
    /// Is it the first of its kind, and not one that was refused and is sent again?
    pub first: bool,
}

impl Line {
    /// Forgets what was sent; each of these acts befalls one request from now on.
    pub fn begin(&self, plan: Vec<(At, Act)>) {
        self.with(|state| *state = State { plan, ..State::default() });
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.with(|state| state.sent.clone())
    }

    /// Runs until it is done, or until the line stops it: `None`.
    pub async fn or_stopped<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped.notified() => None,
            done = run => Some(done),
        }
    }

    /// A command that was stopped before a request, and kept, goes on with it.
    pub fn go_on(&self) {
        self.goes_on.notify_one();
    }

    pub fn to(self, engine: &Engine) -> SharedHttpClient {
        let engine = engine.clone();
        http_client_fn(move |settings, parts| {
            let inner = engine.http_client().http_connector(settings, parts);
            SharedHttpConnector::new(Connector { line: self.clone(), engine: engine.clone(), inner })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a request; gives what befalls it.
    fn count(&self, request: &HttpRequest) -> Option<Act> {
        let mut sent = sent(request);
        let mut hasher = DefaultHasher::new();
        (&sent.what, request.body().bytes()).hash(&mut hasher);
        self.with(|state| {
            sent.first = state.seen.insert(hasher.finish());
            let is_here = |at: &At| match at {
                At::Number(number) => *number == state.sent.len(),
                At::Named(name) => sent.what.contains(name),
            };
            let found = state.plan.iter().position(|(at, _)| is_here(at));
            state.sent.push(sent);
            found.map(|index| state.plan.remove(index).1)
        })
    }
}

fn sent(request: &HttpRequest) -> Sent {
    let (method, uri) = (request.method(), request.uri());
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let operation = request.headers().get("x-amz-target").or(action).map(str::to_owned);
    let reads = match &operation {
        Some(operation) => {
            let verb = operation.rsplit('.').next().unwrap_or_default();
            ["Describe", "List", "Get"].iter().any(|read| verb.starts_with(read))
        }
        None => matches!(method, "GET" | "HEAD"),
    };
    Sent { what: operation.unwrap_or_else(|| format!("{method} {path}")), reads, first: true }
}

#[derive(Clone)]
struct Connector {
    line: Line,
    engine: Engine,
    inner: SharedHttpConnector,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Connector { line, engine, inner } = self.clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(ROUND_TRIP).await;
            let act = line.count(&request);
            let reset = || ConnectorError::io("the connection was reset".into());
            let timed_out = || ConnectorError::timeout("there was no answer in time".into());
            match act {
                None => return inner.call(request).await,
                Some(Act::Fault(kind)) => {
                    engine.inject(format!("*={kind},count=1").parse().expect("a rule"));
                    return inner.call(request).await;
                }
                Some(Act::Answer(json)) => {
                    let status = 200.try_into().expect("a status");
                    return Ok(HttpResponse::new(status, SdkBody::from(json)));
                }
                Some(Act::StopBefore) => {
                    line.stopped.notify_one();
                    line.goes_on.notified().await;
                    return inner.call(request).await;
                }
                Some(Act::ResetBefore) => return Err(reset()),
                Some(Act::TimeOutBefore) => return Err(timed_out()),
                Some(Act::ResetAfter) => return inner.call(request).await.and(Err(reset())),
                Some(Act::TimeOutAfter) => return inner.call(request).await.and(Err(timed_out())),
                Some(Act::StopAfter) => drop(inner.call(request).await),
            }
            line.stopped.notify_one();
            std::future::pending().await
        })
    }
}
