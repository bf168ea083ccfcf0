//! Runtimes that break the Runtime API's rules: each is told as what it is, and the runner goes on.

use bytes::Bytes;

use super::super::written::MAX_LINE_BYTES;
use super::{Runner, image, json, zip_of};

/// Does what its event says, and answers what the API said to it.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os, socket, sys, time
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")

def send(head, body=b"", length=None):
    s = socket.create_connection((host, int(port)))
    length = len(body) if length is None else length
    s.sendall(f"{head} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + body)
    return s

def reply(s):
    file = s.makefile("rb")
    status, headers = int(file.readline().split()[1]), {}
    while line := file.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return status, headers, file.read(int(headers.get("content-length", 0)))

count = 0
while True:
    _, headers, event = reply(send("GET /2018-06-01/runtime/invocation/next"))
    count += 1
    way, said = json.loads(event), []
    about = "POST /2018-06-01/runtime/invocation/" + headers["lambda-runtime-aws-request-id"]
    if way == "cut off":
        send(about + "/response", b"12345", 100).close()
        continue
    if way == "cut off by exit":
        s = send(about + "/response", b"12345", 100)
        os._exit(7)
    if way == "short": s = send(about + "/response", b"12345", 100); time.sleep(600)
    if way == "too large":
        status, _, _ = reply(send(about + "/response", b"x" * 6291557))
        print("answered", status)
        continue
    if way == "endless error":
        s = socket.create_connection((host, int(port)))
        s.sendall((about + "/error HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        while True: s.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
    if way == "exit": sys.exit(0)
    if way == "largest":
        reply(send(about + "/response", b'"' + b"x" * 6291554 + b'"'))
        continue
    if way == "garbage":
        for sent in b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"A" * 1000000 + b"\r\n\r\n":
            s = socket.create_connection((host, int(port)))
            try:
                s.sendall(sent)
                said.append(reply(s)[0] // 100)
            except OSError: said.append(4)  # refused before it was all sent
    if way == "many": keep = [socket.create_connection((host, int(port))) for _ in range(20)]
    if way == "other id": said.append(reply(send(about[:-1] + "/response", b"1"))[0])
    if way == "no route": said = [reply(send("GET /"))[0], reply(send(about + "/nothing"))[0]]
    if way == "closes": os.close(1); os.close(2)
    if way == "lines": sys.stdout.write("x\n" * 5000000); sys.stdout.flush()
    if way == "line":
        for _ in range(64): os.write(1, b"x" * (1 << 20))
        os.write(1, b"\n")
    if way == "binary": os.write(2, bytes(range(256)) * 1024)
    reply(send(about + "/response", json.dumps([count, *said]).encode()))
    if way == "twice": print("said", reply(send(about + "/response", b"2"))[0], flush=True)
"#;

#[tokio::test]
async fn a_runtime_that_breaks_the_rules_is_told_as_what_it_is() {
    let runner = Runner::new();
    let mut function = image("provided.al2023", zip_of(&[("bootstrap", BOOTSTRAP, 0o755)]));
    function.timeout_s = 30;
    let mut hasty = function.clone();
    hasty.timeout_s = 1;
    hasty.revision = "hasty".into();
    for (function, way, told) in [
        (&function, "cut off", "Runtime.TruncatedResponse: Error: the response ended after 5 bytes, before its end"),
        (&function, "cut off by exit", "Runtime.ExitError: Error: Runtime exited with error: exit status 7"),
        (&function, "exit", "Runtime.ExitError: Error: Runtime exited without providing a reason"),
        (&hasty, "short", "Sandbox.Timedout: Error: Task timed out after 1.00 seconds"),
        (
            &function,
            "too large",
            "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
        (
            &function,
            "endless error",
            "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
    ] {
        let outcome = runner.invoke(function, Bytes::from(format!("{way:?}")).into()).await;
        let document = json(&outcome);
        let message = document["errorMessage"].as_str().unwrap();
        let message = message.split_once(" Error: ").map_or(message.to_owned(), |(_, rest)| format!("Error: {rest}"));
        assert_eq!(format!("{}: {message}", document["errorType"].as_str().unwrap()), told, "{way}");
        assert_eq!(outcome.function_error.as_deref(), Some("Unhandled"), "{way}");
        if way == "short" {
            let note = "[the response began and did not end: 5 bytes of it came]";
            assert!(outcome.log.iter().any(|line| line == note), "{:?}", outcome.log);
        }
    }
    // One process survives all of these.
    for (way, answer) in [
        ("", "[1]"),
        ("garbage", "[2, 4, 4, 4]"),
        ("other id", "[3, 400]"),
        ("no route", "[4, 404, 404]"),
        ("many", "[5]"),
        ("twice", "[6]"),
        ("closes", "[7]"),
        ("", "[8]"),
    ] {
        let outcome = runner.invoke(&function, Bytes::from(format!("{way:?}")).into()).await;
        assert_eq!((&outcome.payload[..], &outcome.function_error), (answer.as_bytes(), &None), "{way}");
    }
    let largest = runner.invoke(&function, Bytes::from(r#""largest""#).into()).await;
    assert_eq!((largest.payload.len(), largest.function_error), (6_291_556, None));
}

#[tokio::test]
async fn a_runtime_that_asks_for_no_work_runs_out_of_time_and_a_late_one_does_not() {
    let runner = Runner::new();
    for (delay_s, told) in [("600", Some("Error: Task timed out after 2.00 seconds")), ("1", None)] {
        let late = BOOTSTRAP.replace("count = 0\n", &format!("count = 0\ntime.sleep({delay_s})\n"));
        let mut function = image("provided.al2023", zip_of(&[("bootstrap", &late, 0o755)]));
        function.timeout_s = 2;
        function.revision = delay_s.into();
        let outcome = runner.invoke(&function, Bytes::from_static(b"\"\"").into()).await;
        let message = json(&outcome)["errorMessage"].as_str().map(str::to_owned);
        assert_eq!(
            message.as_deref().and_then(|text| text.split_once(' ')?.1.split_once(' ')).map(|(_, text)| text),
            told,
            "{message:?}"
        );
        if told.is_some() {
            assert_eq!(json(&outcome)["errorType"], "Sandbox.Timedout");
        }
    }
}

#[tokio::test]
async fn what_a_function_writes_is_kept_within_bounds_that_its_log_tells() {
    let runner = Runner::new();
    let function = image("provided.al2023", zip_of(&[("bootstrap", BOOTSTRAP, 0o755)]));
    let logged = async |way: &str| runner.invoke(&function, Bytes::from(format!("{way:?}")).into()).await.log;
    let lines = logged("lines").await;
    let told = &lines[lines.len() - 3];
    // Output that was in the pipe when the function answered is in this log or in the next one.
    let cut: u64 = told.split("writes: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let kept = (lines.len() - 4) as u64;
    assert!(told.starts_with("[the built-in emulator keeps 4194304 bytes of what an invocation writes: "), "{told}");
    assert!(kept == 155_344 && kept + cut > 5_000_000 - (64 << 10), "{kept} and {cut}");

    let line = [logged("line").await, logged("").await].concat();
    assert!(line.iter().any(|line| line.len() == MAX_LINE_BYTES), "its beginning is kept");
    let told = "[the built-in emulator keeps 262118 bytes of a line: 66846746 bytes of this one were cut]";
    assert!(line.iter().any(|line| line == told), "{:?}", line.last());
    let binary = logged("binary").await;
    let some = binary.iter().any(|line| line.contains('\u{fffd}'));
    assert!(some && binary.iter().all(|line| line.len() <= MAX_LINE_BYTES), "{}", binary.len());
}
