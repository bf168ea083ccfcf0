//! The Runtime API of one process: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use crate::request::Input;

/// The most bytes a function may answer, as Lambda names it in its error.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// What the process is asked to do.
#[derive(Debug)]
pub struct Work {
    pub id: String,
    pub input: Input,
    pub deadline_ms: u64,
    pub function_arn: String,
}

/// What the process said to it.
#[derive(Debug)]
pub enum Said {
    Response(Bytes),
    Error(Bytes),
    /// More than [`MAX_RESPONSE_BYTES`].
    TooLarge,
}

/// Shared by the server of one process and whoever invokes it. One invocation at a time.
#[derive(Debug, Default)]
pub struct Api {
    work: RefCell<Option<Work>>,
    work_there: Notify,
    current: RefCell<Option<(String, oneshot::Sender<Said>)>>,
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

    /// What the process posted to `init/error`.
    pub fn init_error(&self) -> Option<Bytes> {
        self.init_error.borrow().clone()
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

/// Serves the API until the task is aborted.
pub async fn serve(listener: TcpListener, api: Rc<Api>) {
    // A refused connection is the process's affair: it sees the reset.
    loop {
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
        tokio::task::spawn_local(connection);
    }
}

async fn answer(api: &Api, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let route = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let parts: Vec<&str> = route.split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => invocation(api.next().await),
        (&Method::POST, ["invocation", id, "response"]) => {
            let said = match body(request).await {
                Some(body) if body.len() <= MAX_RESPONSE_BYTES => Said::Response(body),
                Some(_) | None => Said::TooLarge,
            };
            let too_large = matches!(said, Said::TooLarge);
            match (api.settle(id, said), too_large) {
                (false, _) => status(StatusCode::BAD_REQUEST, "InvalidRequestID"),
                (true, true) => status(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
                (true, false) => status(StatusCode::ACCEPTED, ""),
            }
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            let error = body(request).await.unwrap_or_default();
            match api.settle(id, Said::Error(error)) {
                true => status(StatusCode::ACCEPTED, ""),
                false => status(StatusCode::BAD_REQUEST, "InvalidRequestID"),
            }
        }
        (&Method::POST, ["init", "error"]) => {
            api.init_error.replace(body(request).await);
            status(StatusCode::ACCEPTED, "")
        }
        _ => status(StatusCode::NOT_FOUND, "NotFound"),
    }
}

/// Where reading a body stops, so that a runaway function does not fill the memory.
const MAX_BODY_BYTES: usize = 64 << 20;

/// `None` when it is larger than anything acceptable, or cut off.
async fn body(request: http::Request<Incoming>) -> Option<Bytes> {
    Some(Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await.ok()?.to_bytes())
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
