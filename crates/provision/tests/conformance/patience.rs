//! How these tests get over what AWS answers for a while after a change, and what they leave in a record.

use std::io::Write;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use provision::cloud::Calls;
use provision::event::{Answered, Made};
use serde_json::json;
use tokio::time::{Instant, sleep};

/// Errors that pass by themselves, and as little of the message as identifies each.
const PASSING: &[(&str, &str)] = &[
    ("ResourceNotFoundException", ""),
    ("NoSuchEntity", ""),
    ("NoSuchBucket", ""),
    ("OperationAborted", ""),
    ("DeleteConflict", ""),
    ("ResourceInUseException", "not ACTIVE"),
    ("ResourceInUseException", "in CREATING state"),
    ("ResourceConflictException", "operation cannot be performed"),
    ("LimitExceededException", "CREATING or DELETING"),
];
/// Not longer: a refusal that a test wants may be among them.
const LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);

/// An HTTP client that sends what is refused so again.
#[derive(Debug)]
pub struct Patient(pub SharedHttpClient);

impl HttpClient for Patient {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(PatientConnector(self.0.http_connector(settings, parts)))
    }
}

#[derive(Debug)]
struct PatientConnector(SharedHttpConnector);

impl HttpConnector for PatientConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let end = Instant::now() + LIMIT;
            loop {
                let again = request.try_clone().filter(|request| !asks_for_what_is_absent(request));
                let mut response = connector.call(request).await?;
                let Some(next) = again.filter(|_| response.status().is_client_error() && Instant::now() < end) else {
                    return Ok(response);
                };
                if !passes(&mut response).await? {
                    return Ok(response);
                }
                sleep(PAUSE).await;
                request = next;
            }
        })
    }
}

/// The tests name what they expect not to be there so.
fn asks_for_what_is_absent(request: &HttpRequest) -> bool {
    let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    request.uri().contains("absent") || body.contains("absent")
}

async fn passes(response: &mut HttpResponse) -> Result<bool, ConnectorError> {
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let body = ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    *response.body_mut() = SdkBody::from(body.to_vec());
    let text = String::from_utf8_lossy(&body);
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let says = |code: &str, message: &str| (header.contains(code) || text.contains(code)) && text.contains(message);
    Ok(PASSING.iter().any(|(code, message)| says(code, message)))
}

/// Appends what each attempt was answered to a file in the folder `CONFORMANCE_RECORD`, where there is one.
pub fn record(calls: &Calls, run: &str) {
    let Some(folder) = std::env::var_os("CONFORMANCE_RECORD") else { return };
    let path = std::path::Path::new(&folder).join(format!("{run}.jsonl"));
    let mut file = std::fs::File::options().append(true).create(true).open(&path).expect("the folder is there");
    for Made { service, operation, answers, .. } in calls.made().iter().map(Made::from) {
        for Answered { status, code, message, request_id, took_ms } in answers {
            let line = json!({
                "service": service, "operation": operation, "status": status, "code": code, "message": message,
                "request_id": request_id, "took_ms": took_ms,
            });
            writeln!(file, "{line}").expect("there is room");
        }
    }
}
