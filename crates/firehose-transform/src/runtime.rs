//! The loop over Lambda's Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::env;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::batch::Reply;
use crate::error::EventError;
use crate::http::{Answer, Client};
use crate::log::{self, Level};
use crate::outcome::IntoOutcome;
use crate::record::{Invocation, Record};
use crate::runner::Runner;
use crate::shutdown::{self, Hook, Turn};

const API: &str = "/2018-06-01/runtime";
const ECHOED: &str = "Lambda-Runtime-Invocation-Id";
/// Firehose waits no longer, whatever the function's own time-out:
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
const FIREHOSE_WAITS: Duration = Duration::from_secs(300);

/// Serves Lambda invocations until Lambda ends the process. It is all that `main` needs:
///
/// ```no_run
/// use firehose_transform::{Outcome, Record, run};
///
/// fn main() -> std::process::ExitCode {
///     run(|record: &Record<'_>| Outcome::bytes(record.bytes().to_ascii_uppercase()))
/// }
/// ```
///
/// The transform may borrow or own what it shares between records. Several threads may call it at the same time.
///
/// Returns success after SIGTERM. Returns failure, after logging why, if the process was not started by Lambda
/// (`AWS_LAMBDA_RUNTIME_API` is not set) or if the Runtime API fails.
pub fn run<O: IntoOutcome>(transform: impl Fn(&Record<'_>) -> O + Sync) -> ExitCode {
    Runner::new().run(transform)
}

/// [`run`] for a transform that waits for something, such as a database or a service. Up to [`in_flight`](Runner::in_flight)
/// records of a batch are transformed at the same time, in one task of your async runtime. Answers keep the order of the records.
///
/// ```no_run
/// use std::process::ExitCode;
/// use firehose_transform::{Error, Outcome, Record, run_async};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> ExitCode {
///     run_async(add_owner).await
/// }
///
/// async fn add_owner(record: &Record<'_>) -> Result<Outcome, Error> {
///     let key = record.partition_key().ok_or("the record has no partition key")?;
///     let owner = look_up(key).await.map_err(Error::new)?;
///     Ok(Outcome::unchanged().with_partition_key("owner", owner))
/// }
///
/// async fn look_up(key: &str) -> std::io::Result<String> {
///     Ok(format!("owner of {key}")) // a real one asks a service
/// }
/// ```
///
/// Between invocations this blocks its thread. Nothing is lost by that, because Lambda freezes the whole process then.
///
/// Returns as [`run`] does.
pub async fn run_async<O: IntoOutcome>(transform: impl AsyncFn(&Record<'_>) -> O) -> ExitCode {
    Runner::new().run_async(transform).await
}

impl Runner<'_> {
    /// Serves Lambda invocations with these settings. See [`run`] for when it returns.
    pub fn run<O: IntoOutcome>(self, transform: impl Fn(&Record<'_>) -> O + Sync) -> ExitCode {
        let mut lambda = match Lambda::start(self.before_exit.clone()) {
            Ok(lambda) => lambda,
            Err(error) => return ended(Err(error)),
        };
        ended(lambda.serve(&self, transform))
    }

    /// Serves Lambda invocations with these settings and an asynchronous transform. See [`run_async`].
    pub async fn run_async<O: IntoOutcome>(self, transform: impl AsyncFn(&Record<'_>) -> O) -> ExitCode {
        let mut lambda = match Lambda::start(self.before_exit.clone()) {
            Ok(lambda) => lambda,
            Err(error) => return ended(Err(error)),
        };
        ended(lambda.serve_async(&self, transform).await)
    }
}

fn ended(end: Result<(), RuntimeError>) -> ExitCode {
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::line(Level::Error, error, &Invocation::default(), None);
            ExitCode::FAILURE
        }
    }
}

/// The connection to Lambda, and whose turn it is: the loop's or the signal's.
struct Lambda {
    api: Client,
    turn: Arc<Turn>,
    before_exit: Hook,
}

/// An invocation to answer.
struct Next {
    invocation: Invocation,
    answer: Answer,
}

impl Lambda {
    fn start(before_exit: Hook) -> Result<Lambda, RuntimeError> {
        let doing = "starting the transform";
        let address = env::var("AWS_LAMBDA_RUNTIME_API").map_err(|_| RuntimeError {
            doing,
            why: "AWS_LAMBDA_RUNTIME_API is not set: this program is run by Lambda, or by an emulator of it".to_owned(),
        })?;
        let turn = shutdown::watch(before_exit.clone()).map_err(self::doing(doing))?;
        Ok(Lambda { api: Client::new(address), turn, before_exit })
    }

    /// Returns `Ok` after SIGTERM only: otherwise there is always a next invocation.
    fn serve<O: IntoOutcome>(
        &mut self,
        runner: &Runner<'_>,
        transform: impl Fn(&Record<'_>) -> O + Sync,
    ) -> Result<(), RuntimeError> {
        let mut reply = Reply::default();
        while let Some(next) = self.next()? {
            let answered = runner.answer(&next.answer.body, &next.invocation, &mut reply, &transform);
            self.answer(next, answered.map(|()| &reply))?;
        }
        (self.before_exit)();
        Ok(())
    }

    async fn serve_async<O: IntoOutcome>(
        &mut self,
        runner: &Runner<'_>,
        transform: impl AsyncFn(&Record<'_>) -> O,
    ) -> Result<(), RuntimeError> {
        let mut reply = Reply::default();
        while let Some(next) = self.next()? {
            let answered = runner.answer_async(&next.answer.body, &next.invocation, &mut reply, &transform).await;
            self.answer(next, answered.map(|()| &reply))?;
        }
        (self.before_exit)();
        Ok(())
    }

    /// `None` after SIGTERM.
    fn next(&mut self) -> Result<Option<Next>, RuntimeError> {
        if self.turn.end() {
            return Ok(None);
        }
        let answer =
            self.api.get(&format!("{API}/invocation/next")).map_err(doing("asking for the next invocation"))?;
        if answer.status != 200 {
            return Err(RuntimeError::refused("asking for the next invocation", &answer));
        }
        while !self.turn.begin() {
            thread::park(); // the signal was faster, and its thread is ending the process
        }
        Ok(Some(Next { invocation: invocation(&answer), answer }))
    }

    fn answer(&mut self, next: Next, answered: Result<&Reply, EventError>) -> Result<(), RuntimeError> {
        let Next { invocation, answer: event } = next;
        let accepted = match answered {
            Ok(reply) => {
                log::failures(&reply.failures, &invocation);
                post(&mut self.api, &event, &invocation, "response", None, &reply.response)
            }
            Err(error) => {
                log::line(Level::Error, &error, &invocation, None);
                post(&mut self.api, &event, &invocation, "error", Some("Function.InvalidEvent"), &error_body(&error))
            }
        }?;
        self.api.recycle(event);
        self::accepted(&invocation, &accepted)
    }
}

fn invocation(next: &Answer) -> Invocation {
    let header = |name| next.header(name).map(str::to_owned);
    let deadline_ms = next.header("Lambda-Runtime-Deadline-Ms").and_then(|ms| ms.parse().ok());
    let deadline = deadline_ms.and_then(|ms| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms)));
    Invocation {
        request_id: header("Lambda-Runtime-Aws-Request-Id").unwrap_or_default(),
        deadline: deadline.map(|deadline| deadline.min(SystemTime::now() + FIREHOSE_WAITS)),
        trace_id: header("Lambda-Runtime-Trace-Id"),
        function_arn: header("Lambda-Runtime-Invoked-Function-Arn"),
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

/// A refused answer costs its invocation. The process ends only if the API forbids access or has failed, as its documentation asks.
fn accepted(invocation: &Invocation, answer: &Answer) -> Result<(), RuntimeError> {
    match answer.status {
        200..300 => Ok(()),
        403 | 500.. => Err(RuntimeError::refused("answering an invocation", answer)),
        _ => {
            let refused = RuntimeError::refused("answering the invocation", answer);
            log::line(Level::Error, refused, invocation, None);
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
        let (client, turn) = (Client::new(address), Arc::new(Turn::default()));
        let mut lambda = Lambda { api: client, turn, before_exit: Arc::new(|| {}) };
        let end = lambda.serve(&Runner::new(), |record: &Record<'_>| {
            Outcome::text(record.invocation().trace_id.clone().unwrap_or_default())
        });
        let end = end.expect_err("nothing asks for the end");
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
        assert!(asked[1].contains("an event with `records` was expected"), "{}", asked[1]);
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
