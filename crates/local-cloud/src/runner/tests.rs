use bytes::Bytes;
use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use super::*;

mod hostile;
mod links;

/// Answers its process id and count of invocations; crashes, hangs, prints or fails when the event says so.
const PYTHON: &str = r#"
import base64, logging, os, time
count = 0
def handler(event, context):
    global count
    count += 1
    print("invocation", count)
    if event.get("log"): logging.getLogger("app").warning("seen")
    if event.get("crash"): os._exit(3)
    if event.get("hang"): time.sleep(600)
    if event.get("grow"): hoard = bytearray(300 << 20); time.sleep(600)
    if event.get("fail"): raise ValueError("no")
    if event.get("large"): return "x" * 6291556
    return {"pid": os.getpid(), "count": count, "data": base64.b64encode(b"hi"), "home": os.environ.get("HOME"),
            "client": vars(context.client_context) if context.client_context else None}
"#;

/// A `provided.al2023` function without any library: speaks the Runtime API with python's.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import http.client, os
c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    c.request("GET", "/2018-06-01/runtime/invocation/next")
    r = c.getresponse(); event = r.read()
    c.request("POST", f"/2018-06-01/runtime/invocation/{r.headers['Lambda-Runtime-Aws-Request-Id']}/response", event)
    c.getresponse().read()
"#;

fn zip_of(files: &[(&str, &str, u32)]) -> Bytes {
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, text, mode) in files {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner().into()
}

fn image(runtime: &str, code: Bytes) -> FunctionImage {
    FunctionImage {
        arn: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
        invoked_arn: "arn:aws:lambda:us-east-1:000000000000:function:f:live".into(),
        name: "f".into(),
        version: "$LATEST".into(),
        runtime: runtime.into(),
        handler: "app.handler".into(),
        code_sha256: base64_simd::STANDARD.encode_to_string(Sha256::digest(&code)),
        code,
        revision: "1".into(),
        environment: Default::default(),
        layers: vec![],
        timeout_s: 60,
        memory_mib: 128,
        region: "us-east-1".into(),
        log_group: "/aws/lambda/f".into(),
        log_stream: "s".into(),
    }
}

pub fn python() -> FunctionImage {
    image("python3.13", zip_of(&[("app.py", PYTHON, 0o644)]))
}

fn json(outcome: &InvokeOutcome) -> serde_json::Value {
    serde_json::from_slice(&outcome.payload).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_process_stays_warm_until_its_revision_changes_or_it_is_retired() {
    let runner = Runner::new();
    let mut function = python();
    let first = json(&runner.invoke(&function, "{}".into()).await);
    assert_eq!((&first["count"], &first["data"], &first["home"]), (&1.into(), &"aGk=".into(), &().into()));
    let second = json(&runner.invoke(&function, "{}".into()).await);
    assert_eq!((&second["count"], &second["pid"]), (&2.into(), &first["pid"]));
    function.revision = "2".into();
    let third = json(&runner.invoke(&function, "{}".into()).await);
    assert_eq!(third["count"], 1);
    runner.retire(&function.arn);
    let fourth = json(&runner.invoke(&function, "{}".into()).await);
    assert_eq!(fourth["count"], 1);
    runner.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_leap_while_a_function_runs() {
    let runner = Runner::new();
    let before = tokio::time::Instant::now();
    let timer = tokio::spawn(tokio::time::sleep(Duration::from_secs(3600)));
    let function = python();
    runner.invoke(&function, "{}".into()).await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    timer.abort();
}

#[tokio::test]
async fn the_log_tells_what_the_function_wrote_between_lambdas_own_lines() {
    let runner = Runner::new();
    let outcome = runner.invoke(&python(), "{}".into()).await;
    let starts: Vec<&str> = outcome.log.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(starts, ["START", "invocation", "END", "REPORT"], "{:?}", outcome.log);
    assert!(outcome.log[3].contains("\tInit Duration: "), "{}", outcome.log[3]);
    let warm = runner.invoke(&python(), "{}".into()).await;
    assert!(!warm.log[3].contains("Init Duration"), "{}", warm.log[3]);
}

#[tokio::test]
async fn failures_are_told_as_lambda_tells_them() {
    let runner = Runner::new();
    let (python, mut hasty) = (python(), python());
    hasty.timeout_s = 1;
    let empty = image("provided.al2023", zip_of(&[("other", "", 0o755)]));
    let java = image("java21", zip_of(&[("Main.class", "", 0o644)]));
    let mut misnamed = python.clone();
    misnamed.handler = "nothing.handler".into();
    misnamed.revision = "misnamed".into();
    for (function, event, error_type, message) in [
        (&python, r#"{"fail":1}"#, "ValueError", "no"),
        (&python, r#"{"crash":1}"#, "Runtime.ExitError", "Error: Runtime exited with error: exit status 3"),
        (&hasty, r#"{"hang":1}"#, "Sandbox.Timedout", "Error: Task timed out after 1.00 seconds"),
        (&python, r#"{"grow":1}"#, "Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed"),
        (&python, r#"{"large":1}"#, "Function.ResponseSizeTooLarge", "(6291556 bytes)."),
        (
            &empty,
            "{}",
            "Runtime.InvalidEntrypoint",
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        ),
        (&misnamed, "{}", "Runtime.ImportModuleError", "No module named 'nothing'"),
        (
            &java,
            "{}",
            "Runtime.InvalidEntrypoint",
            "the built-in emulator runs provided.*, python3.* and nodejs*, not java21",
        ),
    ] {
        let outcome = runner.invoke(function, Bytes::from(event).into()).await;
        let document = json(&outcome);
        assert_eq!(outcome.function_error.as_deref(), Some("Unhandled"));
        assert_eq!(document["errorType"], error_type);
        let told = document["errorMessage"].as_str().unwrap();
        assert!(told.ends_with(message), "{told}");
    }
    let failed = json(&runner.invoke(&python, r#"{"fail":1}"#.into()).await);
    assert!(uuid::Uuid::parse_str(failed["requestId"].as_str().unwrap()).is_ok());
    let trace = failed["stackTrace"].as_array().unwrap();
    assert!(trace.len() == 1 && trace[0].as_str().unwrap().contains("app.py"), "the handler's own frames: {trace:?}");
    let after = json(&runner.invoke(&python, "{}".into()).await);
    assert_eq!(after["count"], 3, "crashed and hung processes are replaced, the one that answered too much is kept");
}

#[tokio::test]
async fn a_bootstrap_runs_several_at_once_and_ends_with_its_runner() {
    let runner = Runner::new();
    let function = image("provided.al2023", zip_of(&[("bootstrap", BOOTSTRAP, 0o755), ("lib/x", "", 0o644)]));
    let events: Vec<Bytes> = (0..12).map(|n| format!("[{n}]").into()).collect();
    let outcomes =
        futures::future::join_all(events.iter().map(|event| runner.invoke(&function, event.clone().into()))).await;
    let answers: Vec<Bytes> = outcomes.into_iter().map(|outcome| outcome.payload).collect();
    assert_eq!(answers, events);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_function_that_hangs() {
    let runner = Runner::new();
    let (function, began) = (python(), Instant::now());
    let (outcome, ()) = tokio::join!(runner.invoke(&function, r#"{"hang":1}"#.into()), runner.close());
    assert_eq!(json(&outcome)["errorType"], "Runtime.Unavailable");
    assert!(began.elapsed() < Duration::from_secs(30));
}

const NODE: &str = r#"
let count = 0;
exports.handler = async (event, context) => {
  count += 1;
  if (event.fail) throw new RangeError("no");
  return { count, name: context.functionName, left: context.getRemainingTimeInMillis() > 0 };
};
exports.early = (event, context, callback) => setTimeout(() => callback(null, "called back"), 1);
"#;

#[tokio::test(start_paused = true)]
async fn node_runs_handlers_that_promise_and_handlers_that_call_back() {
    let node = std::process::Command::new("node").arg("--version").output();
    assert!(node.is_ok(), "node is needed: scripts/check puts one into .tools/venv/bin");
    let runner = Runner::new();
    let mut function = image("nodejs22.x", zip_of(&[("app.js", NODE, 0o644)]));
    for count in 1..3 {
        let answer = json(&runner.invoke(&function, "{}".into()).await);
        assert_eq!(answer, serde_json::json!({ "count": count, "name": "f", "left": true }));
    }
    let failed = runner.invoke(&function, r#"{"fail":1}"#.into()).await;
    let document = json(&failed);
    assert_eq!((&document["errorType"], &document["errorMessage"]), (&"RangeError".into(), &"no".into()));
    function.handler = "app.early".into();
    function.revision = "2".into();
    assert_eq!(runner.invoke(&function, "{}".into()).await.payload, r#""called back""#);
    function.handler = "other.handler".into();
    function.revision = "3".into();
    let document = json(&runner.invoke(&function, "{}".into()).await);
    assert_eq!(document["errorType"], "Runtime.ImportModuleError");
}

/// The answer of a function that evaluates this expression. The `beside` files lie in `node_modules` of a folder above the function's.
async fn with_packages_above(expression: &str, beside: &[(&str, &str)]) -> InvokeOutcome {
    let above = tempfile::tempdir().unwrap();
    for (name, text) in beside {
        let path = above.path().join("node_modules").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let app = format!("exports.handler = async () => {expression};");
    let own = ("node_modules/own/index.js", "module.exports = require('nested');", 0o644);
    let nested = ("node_modules/own/node_modules/nested/index.js", "module.exports = 'own';", 0o644);
    let runner = Runner::in_folder(above.path().to_owned());
    let outcome =
        runner.invoke(&image("nodejs22.x", zip_of(&[("app.js", &app, 0o644), own, nested])), "{}".into()).await;
    runner.close().await;
    outcome
}

#[tokio::test]
async fn node_finds_the_functions_packages_and_not_those_of_this_machine() {
    let beside = [("greeting/index.js", "module.exports = 'hello';")];
    let own = with_packages_above("require('own') + require('path').sep", &beside).await;
    assert_eq!(own.payload, r#""own/""#, "{:?}", own.log);
    let hooks =
        std::process::Command::new("node").args(["-p", "typeof require('module').registerHooks"]).output().unwrap();
    // Before Node.js 22.15 only `require` can be watched.
    let watched = if hooks.stdout.starts_with(b"function") { 2 } else { 1 };
    for code in ["require('greeting')", "(await import('greeting')).default"].into_iter().take(watched) {
        let outcome = with_packages_above(code, &beside).await;
        let document = json(&outcome);
        let told = document["errorMessage"].as_str().unwrap();
        assert!(told.starts_with("Cannot find") && told.contains("'greeting'"), "{told}");
    }
}

#[tokio::test]
async fn layers_that_are_not_unpacked_are_named_in_the_log() {
    let function = FunctionImage { layers: vec!["arn:1".into(), "arn:2".into()], ..python() };
    let log = Runner::new().invoke(&function, "{}".into()).await.log;
    assert_eq!(log[0], "LAYERS The built-in emulator unpacks none of: arn:1 arn:2");
    assert!(log[4].starts_with("REPORT") && log[4].ends_with(" ms\t"), "{log:?}");
}

#[tokio::test]
async fn what_a_python_function_logs_is_written_as_on_aws() {
    let logged = Runner::new().invoke(&python(), r#"{"log":1}"#.into()).await.log;
    let words: Vec<&str> = logged[2].split('\t').collect();
    let id = logged[0].split(' ').nth(2).unwrap();
    assert_eq!((words[0], words[2], words[3]), ("[WARNING]", id, "seen"), "{logged:?}");
    assert!(jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.3f%z", words[1].replace('Z', "+0000")).is_ok(), "{logged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_context_reaches_the_function() {
    let runner = Runner::new();
    let client_context = Some(r#"{"custom":{"who":"m\u00fc"}}"#.to_owned());
    let answer = json(&runner.invoke(&python(), Input { payload: "{}".into(), client_context, nested: false }).await);
    assert_eq!(answer["client"], serde_json::json!({ "client": null, "custom": { "who": "mü" }, "env": null }));
}
