//! Requests and answers, without types of an HTTP library except for headers and method.

use bytes::Bytes;

/// One call, with its whole body.
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: http::Method,
    /// As sent: percent-encoded, beginning with `/`.
    pub path: String,
    /// Decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The headers, without those that only the connection is about.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// From the credential scope of the signature; `us-east-1` where there is none.
    pub region: String,
    /// Service name of the credential scope, for example `kinesis`.
    pub signed_for: Option<String>,
    /// The access key of the signature.
    pub access_key: Option<String>,
    /// A UUID, given back in the reply's headers.
    pub id: String,
}

impl Request {
    /// A header as text; `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

/// A successful answer. The request id, and a content type where none is set, are added when it is encoded.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, in their order.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// 200 with a JSON body.
    pub fn json(value: &impl serde::Serialize) -> Reply {
        let body = serde_json::to_vec(value).expect("our own replies serialise");
        Reply { status: 200, headers: vec![], body: body.into() }
    }

    /// 200 and nothing else.
    pub fn empty() -> Reply {
        Reply { status: 200, ..Reply::default() }
    }

    /// Another status.
    pub fn with_status(mut self, status: u16) -> Reply {
        self.status = status;
        self
    }
}

/// An error in AWS's words. The wire encodes it as its protocol says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// As on the wire, for example `ResourceNotFoundException` or `NoSuchEntity`.
    pub code: &'static str,
    /// The message, as AWS writes it where that is known.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Headers of S3's answer that belong to the error.
    pub headers: Vec<(&'static str, String)>,
    /// Elements of S3's answer beside code and message, in their order.
    pub details: Vec<(&'static str, String)>,
}

impl AwsError {
    /// HTTP 400, which is what nearly every error of the JSON services has.
    pub fn new(code: &'static str, message: impl Into<String>) -> AwsError {
        AwsError { code, message: message.into(), status: 400, headers: vec![], details: vec![] }
    }

    /// With one header more.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> AwsError {
        self.headers.push((name, value.into()));
        self
    }

    /// With one element more.
    pub fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> AwsError {
        self.details.push((name, value.into()));
        self
    }

    /// Another status.
    pub fn with_status(mut self, status: u16) -> AwsError {
        self.status = status;
        self
    }
}

/// Names an effect that is under way, until its result comes back.
pub type Token = u64;

/// The answer of a service to a call.
#[derive(Debug)]
pub enum Answer {
    /// The whole reply.
    Reply(Reply),
    /// The reply is still to be written, beside the world.
    Unwritten(Unwritten),
    /// The reply waits for the effect of this token (a synchronous Lambda invocation).
    Pending(Token),
    /// The reply goes on: a subscription has begun under this token.
    Events(Token),
}

impl Answer {
    /// The answer with its reply written.
    pub fn written(self) -> Result<Answer, AwsError> {
        match self {
            Answer::Unwritten(Unwritten(write)) => write().map(Answer::Reply),
            answer @ (Answer::Reply(_) | Answer::Pending(_) | Answer::Events(_)) => Ok(answer),
        }
    }
}

/// All that a reply follows from, without the world.
pub struct Unwritten(Box<dyn FnOnce() -> Result<Reply, AwsError> + Send>);

impl Unwritten {
    /// A reply that `write` makes, outside the world's lock.
    pub fn new(write: impl FnOnce() -> Result<Reply, AwsError> + Send + 'static) -> Unwritten {
        Unwritten(Box::new(write))
    }
}

impl std::fmt::Debug for Unwritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unwritten")
    }
}

/// The input of an invocation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// The event, as JSON.
    pub payload: Bytes,
    /// JSON on one line, of a caller that sent a client context.
    pub client_context: Option<String>,
    /// Does a function that runs wait for the answer? It keeps its process meanwhile.
    pub nested: bool,
}

impl From<Bytes> for Input {
    fn from(payload: Bytes) -> Input {
        Input { payload, client_context: None, nested: false }
    }
}

impl From<&'static str> for Input {
    fn from(payload: &'static str) -> Input {
        Bytes::from_static(payload.as_bytes()).into()
    }
}

/// All a runner needs to start a function's process: taken when the invocation is decided, so that a later update does
/// not change what is running.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionImage {
    /// The ARN of the function or of its version.
    pub arn: String,
    /// With the qualifier that it was invoked by.
    pub invoked_arn: String,
    /// The function's name.
    pub name: String,
    /// `$LATEST`, or a version's number.
    pub version: String,
    /// `provided.al2023`, `python3.13`, ...
    pub runtime: String,
    /// The handler, as the function's configuration says it.
    pub handler: String,
    /// The zip, whole.
    pub code: Bytes,
    /// Base64 of the zip's SHA-256: the identity of the code.
    pub code_sha256: String,
    /// Changes with code or configuration; a warm process is reused only for the same revision.
    pub revision: String,
    /// Environment variables: the function's own, and those that the emulator adds.
    pub environment: std::collections::BTreeMap<String, String>,
    /// ARNs of what is not unpacked.
    pub layers: Vec<String>,
    /// The time after which an invocation is ended, in seconds.
    pub timeout_s: u32,
    /// The memory that an invocation may use, in MiB.
    pub memory_mib: u32,
    /// The region that the function is in.
    pub region: String,
    /// The log group that its output goes to.
    pub log_group: String,
    /// The log stream that its output goes to.
    pub log_stream: String,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub struct InvokeOutcome {
    /// The function's response, or the error document (`{"errorMessage":..,"errorType":..}`).
    pub payload: Bytes,
    /// `X-Amz-Function-Error`, when the function failed.
    pub function_error: Option<String>,
    /// The output of the process and START/END/REPORT, line by line, without the newlines.
    pub log: Vec<String>,
    /// The time that the invocation took, in milliseconds.
    pub duration_ms: f64,
}
