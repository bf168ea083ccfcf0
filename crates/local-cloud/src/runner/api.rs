//! The Runtime API of one process: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use aws_facts::lambda::MAX_RESPONSE_BYTES;
use bytes::{Bytes, BytesMut};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::request::Input;

/// An invocation for the process.
#[derive(Debug)]
pub struct Work {
    pub id: String,
    pub input: Input,
    pub deadline_ms: u64,
    pub function_arn: String,
}

/// The process's answer to an invocation.
#[derive(Debug)]
pub enum Said {
    Response(Bytes),
    Error(Bytes),
    /// More than [`MAX_RESPONSE_BYTES`], or an error as large.
    TooLarge,
    /// The connection closed in the middle of it.
    CutOff {
        bytes: usize,
    },
    /// More than [`MAX_READ_BYTES`]: it does not end.
    Endless,
}

/// Shared by the server of one process and whoever invokes it. One invocation at a time.
#[derive(Debug, Default)]
pub struct Api {
    work: RefCell<Option<Work>>,
    work_there: Notify,
    current: RefCell<Option<(String, oneshot::Sender<Said>)>>,
    /// Bytes of the response that is being read.
    begun: Cell<Option<usize>>,
    ready: Cell<bool>,
    ready_now: Notify,
    init_error: RefCell<Option<Bytes>>,
}

impl Api {
    /// Waits until the process first asked for work.
    pub async fn ready(&self) {
        while !self.ready.get() {
            self.ready_now.notified().await;
        }
    }

    /// Hands over an invocation; what the process says to it comes out of the receiver.
    pub fn give(&self, work: Work) -> oneshot::Receiver<Said> {
        let (said, receiver) = oneshot::channel();
        self.current.replace(Some((work.id.clone(), said)));
        self.work.replace(Some(work));
        self.work_there.notify_one();
        receiver
    }

    /// The error that the process posted to `init/error`.
    pub fn init_error(&self) -> Option<Bytes> {
        self.init_error.borrow().clone()
    }

    /// Bytes of a response that began and has not ended.
    pub fn begun(&self) -> Option<usize> {
        self.begun.get()
    }

    async fn next(&self) -> Work {
        self.ready.set(true);
        self.ready_now.notify_one();
        loop {
            if let Some(work) = self.work.take() {
                return work;
            }
            self.work_there.notified().await;
        }
    }

    /// Gives whether `id` is the invocation under way: an answer to one that has ended is forgotten.
    fn settle(&self, id: &str, said: Said) -> bool {
        let matching = self.current.borrow_mut().take_if(|(current, _)| current == id);
        let known = matching.is_some();
        if let Some((_, sender)) = matching {
            let _ = sender.send(said);
        }
        known
    }
}

/// Serves the API until the task is aborted, and then drops every connection. None of them needs a time-out of its own: what
/// is not said by the invocation's deadline ends with its process, and so do the connections.
pub async fn serve(listener: TcpListener, api: Rc<Api>) {
    let mut connections = JoinSet::new();
    // A refused connection is the process's affair: it sees the reset.
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let api = api.clone();
        let service = hyper::service::service_fn(move |request| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(answer(&api, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connections.spawn_local(connection);
    }
}

async fn answer(api: &Api, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let route = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let parts: Vec<&str> = route.split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => invocation(api.next().await),
        (&Method::POST, ["invocation", id, "response"]) => said(api, id, request, Said::Response).await,
        (&Method::POST, ["invocation", id, "error"]) => said(api, id, request, Said::Error).await,
        (&Method::POST, ["init", "error"]) => {
            // One that did not come whole is none: the exit is told instead.
            api.init_error.replace(body(request, |_| ()).await.ok());
            status(StatusCode::ACCEPTED, "")
        }
        _ => status(StatusCode::NOT_FOUND, "NotFound"),
    }
}

async fn said(
    api: &Api,
    id: &str,
    request: http::Request<Incoming>,
    whole: impl FnOnce(Bytes) -> Said,
) -> Response<Full<Bytes>> {
    if api.current.borrow().as_ref().is_none_or(|(current, _)| current != id) {
        return status(StatusCode::BAD_REQUEST, "InvalidRequestID");
    }
    let body = body(request, |bytes| api.begun.set(Some(bytes))).await;
    api.begun.set(None);
    let too_large = matches!(body, Err(Said::TooLarge | Said::Endless));
    match (api.settle(id, body.map_or_else(|wrong| wrong, whole)), too_large) {
        (false, _) => status(StatusCode::BAD_REQUEST, "InvalidRequestID"),
        (true, true) => status(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        (true, false) => status(StatusCode::ACCEPTED, ""),
    }
}

/// Where reading a body stops. Up to here it is read to its end, so that the process reads the answer, and not kept.
const MAX_READ_BYTES: usize = 64 << 20;
/// A process has one or two.
const MAX_CONNECTIONS: usize = 32;

/// The whole body, or how it is none. `progress` is told how many bytes there are yet.
async fn body(request: http::Request<Incoming>, progress: impl Fn(usize)) -> Result<Bytes, Said> {
    let mut body = request.into_body();
    let mut kept = BytesMut::new();
    let mut read = 0;
    progress(read);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Said::CutOff { bytes: read }) };
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        progress(read);
        if read > MAX_READ_BYTES {
            return Err(Said::Endless);
        }
        match read <= MAX_RESPONSE_BYTES {
            true => kept.extend_from_slice(&data),
            false => kept = BytesMut::new(),
        }
    }
    if read > MAX_RESPONSE_BYTES { Err(Said::TooLarge) } else { Ok(kept.freeze()) }
}

fn invocation(work: Work) -> Response<Full<Bytes>> {
    let trace = format!("Root=1-00000000-{};Sampled=0", work.id.replace('-', "").get(..24).unwrap_or_default());
    let mut response = Response::builder();
    if let Some(context) = work.input.client_context {
        response = response.header("lambda-runtime-client-context", context);
    }
    response
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", work.id)
        .header("lambda-runtime-deadline-ms", work.deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", work.function_arn)
        .header("lambda-runtime-trace-id", trace)
        .body(Full::new(work.input.payload))
        .expect("ids, numbers, ARNs and JSON on one line in ASCII are header values")
}

fn status(status: StatusCode, error: &str) -> Response<Full<Bytes>> {
    let body = match error {
        "" => r#"{"status":"OK"}"#.to_owned(),
        error => serde_json::json!({ "errorType": error, "errorMessage": error }).to_string(),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
