//! The transform in Rust as the process that Lambda runs, and the same in Python, through the same checks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use firehose_transform::testing::{direct_put_event, kinesis_event};
use serde_json::{Value, json};

/// Payloads, and what becomes of each: its squares, or nothing where it fails.
const CASES: [(&str, Option<&str>); 12] = [
    (r#"{"a": 1, "b": 2, "c": 3}"#, Some(r#"{"a":1,"b":4,"c":9}"#)),
    (r#"{"i":-7,"f":1.5,"zero":0}"#, Some(r#"{"i":49,"f":2.25,"zero":0}"#)),
    (r#"{"wide":4294967296}"#, Some(r#"{"wide":18446744073709551616}"#)),
    (r#"{"é":2}"#, Some(r#"{"é":4}"#)),
    ("{}", Some("{}")),
    ("", None),
    ("[1]", None),
    (r#"{"a":"1"}"#, None),
    (r#"{"a":true}"#, None),
    (r#"{"a":{"b":1}}"#, None),
    (r#"{"a":1}{"a":2}"#, None),
    (r#"{"a":1e200}"#, None),
];

/// The events, and the answers that are expected, in order.
fn checks() -> Vec<(Vec<u8>, Value)> {
    let payloads = CASES.map(|(payload, _)| payload);
    let answer = |(number, (_, squares)): (usize, (&str, Option<&str>))| match squares {
        Some(squares) => ok(&format!("id-{number}"), squares),
        None => failed(&format!("id-{number}")),
    };
    let answers: Vec<Value> = CASES.into_iter().enumerate().map(answer).collect();
    let hostile = json!({"new": 1, "records": [
        {"recordId": "not base64", "data": "e30"}, {"recordId": "not text", "data": "/w=="}, {"recordId": "\"ü\"", "data": "e30="},
    ]});
    vec![
        (kinesis_event(payloads), json!({ "records": answers })),
        (direct_put_event(payloads), json!({ "records": answers })),
        (
            hostile.to_string().into_bytes(),
            json!({"records": [failed("not base64"), failed("not text"), ok("\"ü\"", "{}")]}),
        ),
        (br#"{"records":[]}"#.to_vec(), json!({"records": []})),
    ]
}

fn ok(id: &str, data: &str) -> Value {
    json!({"recordId": id, "result": "Ok", "data": base64_simd::STANDARD.encode_to_string(data)})
}

fn failed(id: &str) -> Value {
    json!({"recordId": id, "result": "ProcessingFailed"})
}

#[test]
fn the_handler_keeps_the_contract() {
    let mut handler = Handler::start();
    for (event, expected) in checks() {
        assert_eq!(handler.invoke(&event), ("response".to_owned(), expected));
    }
    let (outcome, error) = handler.invoke(b"{}");
    assert_eq!((outcome.as_str(), &error["errorType"]), ("error", &json!("Function.InvalidEvent")));
}

#[test]
fn the_python_handler_keeps_the_contract() {
    let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks/python-transform");
    let program =
        "import json, sys, transform; json.dump(transform.lambda_handler(json.load(sys.stdin), None), sys.stderr)";
    for (event, expected) in checks() {
        let mut python = Command::new("python3");
        python.args(["-c", program]).env("PYTHONPATH", &stacks).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut python =
            python.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("python3 runs");
        python.stdin.take().expect("it is piped").write_all(&event).expect("Python reads");
        let output = python.wait_with_output().expect("it is our child");
        let said = String::from_utf8(output.stderr).expect("it is text");
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap_or_else(|_| panic!("{said}")), expected);
    }
}

#[test]
fn failures_are_logged_with_the_ids_of_request_and_record() {
    let mut handler = Handler::start();
    handler.invoke(&kinesis_event(["[]"]));
    let logged = handler.kill_and_read_log();
    let line: Value = serde_json::from_str(logged.lines().next().unwrap_or_default()).expect(&logged);
    assert_eq!(
        (&line["requestId"], &line["recordId"], &line["level"]),
        (&json!("request-1"), &json!("id-0"), &json!("ERROR"))
    );
    assert!(line["message"].as_str().is_some_and(|why| why.contains("an object was expected")), "{line}");
}

/// While it waits for an invocation, SIGTERM ends the process at once and cleanly.
#[test]
fn sigterm_is_a_clean_end() {
    let mut handler = Handler::start();
    handler.invoke(br#"{"records":[]}"#);
    handler.read_request(); // it waits for the next
    let kill = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", handler.child.id())).status();
    assert!(kill.expect("sh runs").success());
    assert_eq!(handler.child.wait().expect("it is our child").code(), Some(0));
}

/// The process, and its Runtime API.
struct Handler {
    child: Child,
    connection: BufReader<TcpStream>,
    requests: u32,
}

impl Handler {
    fn start() -> Handler {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().expect("it is bound").to_string());
        let child = command.stderr(Stdio::piped()).spawn().expect("the handler starts");
        let (stream, _) = listener.accept().expect("the handler connects");
        Handler { child, connection: BufReader::new(stream), requests: 0 }
    }

    /// Gives it an event. Returns whether it answered with a `response` or an `error`, and with what.
    fn invoke(&mut self, event: &[u8]) -> (String, Value) {
        self.requests += 1;
        let (asked, _) = self.read_request();
        assert!(asked.starts_with("GET /2018-06-01/runtime/invocation/next "), "{asked}");
        let id = format!("Lambda-Runtime-Aws-Request-Id: request-{}\r\n", self.requests);
        self.respond("200 OK", &id, event);
        let (answered, body) = self.read_request();
        self.respond("202 Accepted", "", b"");
        let path = answered.split(' ').nth(1).unwrap_or_default();
        let outcome = path.rsplit('/').next().unwrap_or_default().to_owned();
        (outcome, serde_json::from_slice(&body).expect("the answer is JSON"))
    }

    fn respond(&mut self, status: &str, headers: &str, body: &[u8]) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        self.connection.get_mut().write_all(&[head.as_bytes(), body].concat()).expect("the handler reads");
    }

    fn read_request(&mut self) -> (String, Vec<u8>) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                self.connection.read_line(&mut head).expect("the handler writes"),
                0,
                "the handler is gone: {head}"
            );
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length is sent");
        let mut body = vec![0; length.parse().expect("a length is a number")];
        self.connection.read_exact(&mut body).expect("the body is as long as it says");
        (head, body)
    }

    fn kill_and_read_log(mut self) -> String {
        self.read_request(); // its log is written before it asks again
        self.child.kill().expect("it is our child");
        let mut log = String::new();
        self.child.stderr.take().expect("it is piped").read_to_string(&mut log).expect("it is text");
        log
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
