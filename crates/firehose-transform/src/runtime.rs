//! The loop over Lambda's Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::env;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use crate::batch::batch_of;
use crate::error::EventError;
use crate::http::{Answer, Client};
use crate::outcome::IntoOutcome;
use crate::record::{Invocation, Record};

const API: &str = "/2018-06-01/runtime";
const ECHOED: &str = "Lambda-Runtime-Invocation-Id";

/// Serves invocations until the environment ends the process. All of `main`:
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     firehose_transform::run(|record| firehose_transform::Outcome::bytes(record.bytes()))
/// }
/// ```
///
/// Returns, after saying why on standard error, only when it is not run by Lambda or the Runtime API is gone.
pub fn run<O: IntoOutcome>(transform: impl Fn(&Record<'_>) -> O) -> ExitCode {
    let Ok(address) = env::var("AWS_LAMBDA_RUNTIME_API") else {
        eprintln!(
            "starting the transform: AWS_LAMBDA_RUNTIME_API is not set: only Lambda, or what stands in for it, runs this"
        );
        return ExitCode::FAILURE;
    };
    let error = serve(&mut Client::new(address), transform);
    eprintln!("{error}");
    ExitCode::FAILURE
}

/// Never `Ok`: there is always a next invocation.
fn serve<O: IntoOutcome>(api: &mut Client, transform: impl Fn(&Record<'_>) -> O) -> RuntimeError {
    loop {
        if let Err(error) = serve_one(api, &transform) {
            return error;
        }
    }
}

fn serve_one<O: IntoOutcome>(api: &mut Client, transform: impl Fn(&Record<'_>) -> O) -> Result<(), RuntimeError> {
    let next = api.get(&format!("{API}/invocation/next")).map_err(doing("asking for the next invocation"))?;
    if next.status != 200 {
        return Err(RuntimeError::refused("asking for the next invocation", &next));
    }
    let invocation = invocation(&next);
    let reply = match batch_of(&next.body, &invocation, transform) {
        Ok(reply) => {
            for failure in &reply.failures {
                eprintln!("{} record {} failed: {}", invocation.request_id, failure.record_id, failure.reason);
            }
            post(api, &next, &invocation, "response", None, &reply.response)
        }
        Err(error) => {
            eprintln!("{} {error}", invocation.request_id);
            post(api, &next, &invocation, "error", Some("Function.InvalidEvent"), &error_body(&error))
        }
    }?;
    accepted(&invocation, &reply)
}

fn invocation(next: &Answer) -> Invocation {
    let header = |name| next.header(name).map(str::to_owned);
    let deadline_ms = next.header("Lambda-Runtime-Deadline-Ms").and_then(|ms| ms.parse().ok());
    Invocation {
        request_id: header("Lambda-Runtime-Aws-Request-Id").unwrap_or_default(),
        deadline: deadline_ms.map(|ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms)),
        trace_id: header("Lambda-Runtime-Trace-Id"),
    }
}

fn post(
    api: &mut Client,
    next: &Answer,
    invocation: &Invocation,
    outcome: &str,
    error_type: Option<&str>,
    body: &[u8],
) -> Result<Answer, RuntimeError> {
    let echoed = next.header(ECHOED).map(|id| (ECHOED, id));
    let error_type = error_type.map(|kind| ("Lambda-Runtime-Function-Error-Type", kind));
    let headers: Vec<_> = [("Content-Type", "application/json")].into_iter().chain(echoed).chain(error_type).collect();
    api.post(&format!("{API}/invocation/{}/{outcome}", invocation.request_id), &headers, body)
        .map_err(doing("answering an invocation"))
}

/// A refused answer costs its invocation; only an API that forbids or has failed ends the process, as it asks for.
fn accepted(invocation: &Invocation, answer: &Answer) -> Result<(), RuntimeError> {
    match answer.status {
        200..300 => Ok(()),
        403 | 500.. => Err(RuntimeError::refused("answering an invocation", answer)),
        _ => {
            let refused = RuntimeError::refused("answering the invocation", answer);
            eprintln!("{} {refused}", invocation.request_id);
            Ok(())
        }
    }
}

fn error_body(error: &EventError) -> Vec<u8> {
    let body = serde_json::json!({
        "errorMessage": error.to_string(), "errorType": "Function.InvalidEvent", "stackTrace": [],
    });
    body.to_string().into_bytes()
}

/// Why the loop ended.
#[derive(Debug)]
struct RuntimeError {
    doing: &'static str,
    why: String,
}

impl RuntimeError {
    fn refused(doing: &'static str, answer: &Answer) -> RuntimeError {
        let said = String::from_utf8_lossy(&answer.body);
        RuntimeError { doing, why: format!("the Runtime API answered {} {said}", answer.status) }
    }
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> RuntimeError {
    move |cause| RuntimeError { doing, why: cause.to_string() }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)
    }
}

impl std::error::Error for RuntimeError {}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;
    use crate::Outcome;
    use crate::testing::direct_put_event;

    /// Answers requests with the given responses, one connection for each list, and returns what was asked.
    fn runtime_api(listener: TcpListener, connections: Vec<Vec<String>>) -> Vec<String> {
        let mut asked = Vec::new();
        for responses in connections {
            let (mut stream, _) = listener.accept().expect("the client connects");
            let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
            for response in responses {
                asked.push(read_request(&mut reader));
                stream.write_all(response.as_bytes()).expect("the client reads");
            }
        }
        asked
    }

    fn read_request(reader: &mut BufReader<TcpStream>) -> String {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            reader.read_line(&mut request).expect("a request has lines");
        }
        let length = request.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length is sent");
        let mut body = vec![0; length.parse().expect("a length is a number")];
        reader.read_exact(&mut body).expect("the body is as long as it says");
        request + std::str::from_utf8(&body).expect("bodies here are text")
    }

    fn response(status: &str, headers: &str, body: &[u8]) -> String {
        let body = std::str::from_utf8(body).expect("bodies here are text");
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn exchange(connections: Vec<Vec<String>>) -> (Vec<String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let api = thread::spawn(|| runtime_api(listener, connections));
        let end = serve(&mut Client::new(address), |record| {
            Outcome::text(record.invocation().trace_id.clone().unwrap_or_default())
        });
        (api.join().expect("the client asked as often as it was answered"), end.to_string())
    }

    #[test]
    fn an_invocation_is_answered_with_its_ids_until_the_api_forbids() {
        let event = direct_put_event(["a"]);
        let ids =
            "Lambda-Runtime-Aws-Request-Id: r1\r\nLambda-Runtime-Trace-Id: t1\r\nLambda-Runtime-Invocation-Id: i1\r\n";
        let (asked, end) = exchange(vec![vec![
            response("200 OK", ids, &event),
            response("202 Accepted", "", b""),
            response("403 Forbidden", "", b"gone"),
        ]]);
        assert!(asked[0].starts_with("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(asked[1].starts_with("POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\n"), "{}", asked[1]);
        assert!(asked[1].contains("\r\nLambda-Runtime-Invocation-Id: i1\r\n"), "{}", asked[1]);
        assert!(asked[1].ends_with(r#"{"records":[{"recordId":"id-0","result":"Ok","data":"dDE="}]}"#), "{}", asked[1]);
        assert_eq!(end, "asking for the next invocation: the Runtime API answered 403 gone");
    }

    #[test]
    fn an_event_that_is_not_from_firehose_is_answered_as_an_error_and_the_next_is_served() {
        let (asked, end) = exchange(vec![vec![
            response("200 OK", "Lambda-Runtime-Aws-Request-Id: r1\r\n", b"{}"),
            response("413 Payload Too Large", "", b""),
            response("200 OK", "Lambda-Runtime-Aws-Request-Id: r2\r\n", br#"{"records":[]}"#),
            response("500 Internal Server Error", "", b""),
        ]]);
        assert!(asked[1].starts_with("POST /2018-06-01/runtime/invocation/r1/error HTTP/1.1\r\n"), "{}", asked[1]);
        assert!(asked[1].contains("\r\nLambda-Runtime-Function-Error-Type: Function.InvalidEvent\r\n"), "{}", asked[1]);
        assert!(asked[1].contains("missing field `records`"), "{}", asked[1]);
        assert!(asked[3].ends_with(r#"{"records":[]}"#), "{}", asked[3]);
        assert_eq!(end, "answering an invocation: the Runtime API answered 500 ");
    }

    #[test]
    fn a_connection_closed_between_two_requests_is_opened_again() {
        let (asked, _) = exchange(vec![
            vec![response("200 OK", "Lambda-Runtime-Aws-Request-Id: r1\r\n", br#"{"records":[]}"#)],
            vec![response("202 Accepted", "", b""), response("403 Forbidden", "", b"")],
        ]);
        assert!(asked[1].starts_with("POST /2018-06-01/runtime/invocation/r1/response"), "{}", asked[1]);
    }
}
