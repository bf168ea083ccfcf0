//! `invoke` and `test-transform`: a transform's own code, run without any cloud.

use super::Trial;

#[test]
fn invoke_shows_each_record_before_and_after() {
    let trial = Trial::new("if number == 2: answer['result'] = 'Dropped'\n        print('saw', number)");
    trial.write("records", "{\"n\":1}\n{\"n\":2}\n");
    let said =
        ["{\"n\":1}\n", "-> Ok {\"N\":1}", "-> Dropped", "saw 2", "the response is valid: 1 Ok, 1 Dropped", "MB"];
    trial.expect(&["invoke", "provision.yaml", "change", "--records", "records"], 0, &said);
    let event = r#"{"records":[{"recordId":"a","data":"eyJuIjo3fQ=="}]}"#;
    trial.write("event.json", event);
    trial.expect(&["invoke", "trial-change", "--event", "event.json"], 0, &["{\"n\":7}", "-> Ok {\"N\":7}"]);
    trial.write("event.json", "{}");
    trial.expect(&["invoke", "--event", "event.json"], 1, &["missing field `records`", "--records"]);
    trial.expect(&["invoke", "chance"], 1, &["the spec has no function chance", "it has change"]);
    trial.expect(&["invoke", "--event", "a", "--from-stream"], 64, &["--from-stream"]);
}

#[test]
fn invoke_for_programs_is_an_event_with_everything_in_it() {
    let trial = Trial::new("answer['metadata'] = {'partitionKeys': {'n': str(number)}}");
    trial.write("records", "{\"n\":1}");
    let ran = trial.expect(&["invoke", "--records", "records", "--output", "json"], 0, &[]);
    let event: serde_json::Value =
        serde_json::from_str(ran.out.lines().last().expect("it says something")).expect("JSON");
    let (event, result) = (&event["event"], &event["result"]);
    assert_eq!((event.as_str(), result["kept"].as_bool()), (Some("invoked"), Some(true)), "{}", ran.out);
    let record = &result["records"][0];
    let told = [&record["result"], &record["before"]["text"], &record["after"]["text"], &record["partition_keys"]["n"]];
    assert_eq!(told, ["Ok", "{\"n\":1}", "{\"N\":1}", "1"], "{}", ran.out);
    assert!(result["billed_ms"].is_number() && result["peak_memory_mib"].is_number(), "{}", ran.out);
}

/// Runs git in a folder, with a name and without the settings of this machine.
fn git(trial: &Trial, words: &[&str]) {
    let mut git = std::process::Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-C"]).arg(trial.path()).args(words);
    let ran = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("there is git");
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn two_versions_of_a_function_are_compared_over_the_same_records() {
    let trial = Trial::new("pass");
    trial.write(".gitignore", ".provision/\n");
    git(&trial, &["init", "-q"]);
    git(&trial, &["add", "."]);
    git(&trial, &["commit", "-q", "-m", "first"]);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(trial.path().join("old.zip")).expect("it is made"));
    zip.start_file("handler.py", zip::write::SimpleFileOptions::default()).expect("an entry");
    std::io::Write::write_all(&mut zip, super::handler("pass").as_bytes()).expect("it is written");
    zip.finish().expect("it is whole");
    trial.write("records", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["put", "provision.yaml", "records", "--local"], 0, &[]);
    trial.expect(&["flush", "--local"], 0, &[]);
    let diff = |words: &[&str], code: i32, said: &[&str]| trial.expect(&[&["diff-data"], words].concat(), code, said);
    let same = ["--against", "HEAD", "--records", "records", "--detailed-exitcode"];
    diff(&same, 0, &["change against HEAD: 3 of 3 records answered alike"]);

    trial.write("transform/handler.py", &super::handler("if number == 2: answer['result'] = 'Dropped'"));
    let changed = ["Ok -> Dropped: 1 record", "record {\"n\":2}", "- {\"N\":2}", "+ Dropped"];
    diff(&same, 2, &changed);
    diff(&["--against", "old.zip", "--records", "records"], 0, &changed);
    diff(&["--against", "deployed", "--local", "--from-prefix", "raw/good/"], 0, &changed);
    diff(&["--against", "deployed", "--local", "--from-stream", "--max", "1"], 0, &["1 of 1 record answered alike"]);
    let markdown = diff(&["--against", "HEAD", "--records", "records", "--markdown"], 0, &[]).out;
    assert!(markdown.starts_with("### `change` against `HEAD`\n"), "{markdown}");
    diff(&["--against", "no-such-branch", "--records", "records"], 1, &["running git rev-parse", "a git revision"]);
    diff(&["--against", "--version", "--records", "records"], 64, &[]);
    diff(&["--against", "HEAD", "--records", "records", "--local"], 64, &["--local does nothing here"]);
    diff(&["--against", "HEAD"], 64, &["--from-stream"]);
}

/// A line that breaks the answer, and the report of `invoke`.
const BROKEN: &[(&str, &[&str])] = &[
    (
        "answer['result'] = 'OK'",
        &["record 1: the result is \"OK\"", "fails with the whole batch", "Lambda.FunctionError"],
    ),
    (
        "if number == 1: continue",
        &["record 1: the record is missing from the response", "-> Ok {\"N\":2}", "Lambda.MissingRecordId"],
    ),
    (
        "raise KeyError('lost')",
        &["the function failed: KeyError: 'lost'", "every record of the batch under the error prefix"],
    ),
    ("answer['metadata'] = {'partitionKeys': {'n': number}}", &["partition key \"n\" is a number"]),
];

#[test]
fn invoke_ends_with_an_error_when_the_contract_is_broken() {
    let trial = Trial::new("pass");
    trial.write("records", "{\"n\":1}\n{\"n\":2}\n");
    for (breaks, said) in BROKEN {
        trial.write("transform/handler.py", &super::HANDLER.replace("BREAK", breaks));
        trial.expect(&["invoke", "--records", "records"], 1, said);
    }
}

#[test]
fn invoke_reads_the_newest_records_of_the_stream() {
    let trial = Trial::new("pass");
    trial.expect(&["invoke", "--from-stream", "--local"], 1, &["trial-events"]);
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["invoke", "--from-stream", "--local"], 1, &["received no record in the last hour"]);
    trial.expect(&["verify", "--local", "--records", "30"], 0, &[]);
    let ran = trial.expect(&["invoke", "--from-stream", "--local"], 0, &["was invoked with 10 records", "10 Ok"]);
    assert_eq!(ran.out.matches("-> Ok {\"RUN\":").count(), 10, "{}", ran.out);
}

/// Careful with everything that is no JSON object with a number.
const CAREFUL: &str = "import base64, json

def handle(event, context):
    return {'records': [answer(record) for record in event['records']]}

def answer(record):
    try:
        data = base64.b64decode(record['data'], validate=True)
        BREAK
        return {'recordId': record['recordId'], 'result': 'Ok', 'data': base64.b64encode(data).decode()}
    except (ValueError, RecursionError):
        return {'recordId': record['recordId'], 'result': 'ProcessingFailed'}
";

#[test]
fn a_careful_transform_passes_and_a_careless_one_is_shown_the_record_that_breaks_it() {
    let trial = Trial::new("pass");
    let test = ["test-transform", "provision.yaml", "change", "--cases", "10", "--seed", "3"];
    trial.write("transform/handler.py", &CAREFUL.replace("BREAK", "json.loads(data)"));
    let said =
        ["✓ bytes that are not UTF-8", "✓ ten thousand tiny records", "change satisfies Firehose's contract", "seed 3"];
    trial.expect(&test, 0, &said);

    trial.write("transform/handler.py", &CAREFUL.replace("BREAK", "if b'NaN' in data: raise KeyError('nan')"));
    let broken = trial.expect(
        &test,
        1,
        &[
            "✗ numbers that are not valid JSON",
            "the function failed: KeyError: 'nan'",
            "causes it, 1 record:",
            "    NaN\n",
        ],
    );
    let replay = broken
        .out
        .lines()
        .find_map(|line| line.split_once("try again: provision "))
        .expect("it says how to try again")
        .1;
    trial.expect(&replay.split(' ').collect::<Vec<_>>(), 1, &["KeyError: 'nan'"]);
}

#[test]
fn a_thread_that_fails_and_a_process_that_ends_are_faults_although_the_response_is_valid() {
    let trial = Trial::new("pass");
    let test = ["test-transform", "--cases", "0"];
    let thread = "import threading\n        t = threading.Thread(target=lambda: json.loads(data)); t.start(); t.join()";
    trial.write("transform/handler.py", &CAREFUL.replace("BREAK", thread));
    let said =
        ["✗ JSON cut off", "of the handler ended with an exception: json.decoder.JSONDecodeError", "✓ one record"];
    trial.expect(&test, 1, &said);
    // The process ends when it asks for the second invocation.
    let ends = "
import http.client, os
ask, asked = http.client.HTTPConnection.request, []
def request(self, method, *rest):
    if method == 'GET' and asked:
        os._exit(3)
    asked.append(method)
    return ask(self, method, *rest)
http.client.HTTPConnection.request = request
";
    trial.write("transform/handler.py", &(CAREFUL.replace("BREAK", "pass") + ends));
    let ran = trial.expect(&test, 1, &["✗ one record", "violates"]);
    assert!(!ran.out.contains("✓ one record"), "{}", ran.out);
}

#[test]
fn three_time_outs_end_the_test() {
    let trial = Trial::new("pass");
    trial.write("provision.yaml", &super::SPEC.replace("timeout: 20s", "timeout: 1s"));
    trial.write("transform/handler.py", "import time\ndef handle(event, context):\n    time.sleep(600)\n");
    let said = [
        "Task timed out after 1.00 seconds",
        "contract in 3 of 4 cases, 1 warning",
        "stopped after three time-outs: 68 cases not tried",
    ];
    let ran = trial.expect(&["test-transform"], 1, &said);
    assert_eq!(ran.out.matches("✗ ").count(), 3, "{}", ran.out);
}

/// A transform in Rust with nothing but the standard library: it speaks to the Runtime API itself, and answers each record
/// with itself. It relies on the event being JSON on one line, with the fields in the order in which Firehose sends them.
const RUST: &str = r##"
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn main() -> std::io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("Lambda sets it");
    let mut stream = TcpStream::connect(&api)?;
    loop {
        let (id, event) = call(&mut stream, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n")?;
        let texts = |name: &str| event.split(&format!("\"{name}\":\"")).skip(1).map(|rest| rest.split('"').next().unwrap_or("").to_owned()).collect::<Vec<_>>();
        let one = |(id, data): (String, String)| {
            // As a library does that answers for a handler that panicked.
            let _ = std::panic::catch_unwind(|| assert!(std::env::var("FRAGILE").is_err() || data != "aGVsbG8sIHdvcmxk", "lost"));
            format!(r#"{{"recordId":"{id}","result":"Ok","data":"{data}"}}"#)
        };
        let answers: Vec<String> = texts("recordId").into_iter().zip(texts("data")).map(one).collect();
        let body = format!(r#"{{"records":[{}]}}"#, answers.join(","));
        let head = format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: api\r\nContent-Length: {}\r\n\r\n", body.len());
        call(&mut stream, &(head + &body))?;
    }
}

fn call(stream: &mut TcpStream, request: &str) -> std::io::Result<(String, String)> {
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() { break }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => id = value.to_owned(),
            "content-length" => length = value.parse().expect("a length is a number"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((id, String::from_utf8(body).expect("JSON is text")))
}
"##;

#[test]
fn a_crate_is_built_once_and_the_same_binary_runs_everywhere() {
    let trial = Trial::new("pass");
    std::fs::create_dir_all(trial.path().join("rust/src")).expect("the folder is new");
    trial.write("rust/Cargo.toml", "[workspace]\n[package]\nname = \"bootstrap\"\nedition = \"2024\"\n");
    trial.write("rust/src/main.rs", RUST);
    let python = "code: { dir: transform }, runtime: python3.13, handler: handler.handle";
    assert!(super::SPEC.contains(python));
    let rust = "code: { crate: rust }, runtime: provided.al2023";
    trial.write("provision.yaml", &super::SPEC.replace(python, rust));

    let built = trial.expect(&["invoke", "change"], 0, &["built crate rust in ", "-> Ok hello, world", "3 Ok"]);
    assert!(built.out.contains("peak") || built.out.contains("MB"), "{}", built.out);
    let again =
        trial.expect(&["test-transform", "--cases", "5"], 0, &["✓ a full buffer of large records", "satisfies"]);
    assert!(!again.out.contains("built crate"), "{}", again.out);
    trial.write("fragile.yaml", &super::SPEC.replace(python, &format!("{rust}, environment: {{ FRAGILE: yes }}")));
    let said = [
        "✗ text that is not JSON",
        "the handler crashed",
        "the handler panicked at src/main.rs:",
        "smallest batch that causes it, 1 record:\n    hello, world\n",
        " crashed in ",
    ];
    trial.expect(&["test-transform", "fragile.yaml", "--cases", "0"], 1, &said);
    trial.expect(
        &["invoke", "fragile.yaml"],
        0,
        &["! the handler panicked at src/main.rs:", "the response is valid: 3 Ok"],
    );
    trial.expect(&["up", "provision.yaml", "--local"], 0, &["created function.change"]);
    let said = ["every delivery stream accounts for every record"];
    let ran = trial.expect(&["verify", "--local", "--records", "600"], 0, &said);
    assert_eq!(ran.out.matches("delivered 600,").count(), 3, "{}", ran.out);
    let nothing = trial.expect(&["up", "--local"], 0, &["nothing to change"]);
    assert!(!nothing.out.contains("built crate"), "{}", nothing.out);
}

#[test]
fn what_is_built_for_another_processor_is_not_run_on_this_one() {
    let trial = Trial::new("pass");
    let mut zip =
        zip::ZipWriter::new(std::fs::File::create(trial.path().join("code.zip")).expect("the folder is ours"));
    let executable = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", executable).expect("a zip takes files");
    std::io::Write::write_all(&mut zip, b"#!/bin/sh\n").expect("the folder is ours");
    zip.set_comment("x86-64-v9").expect("a zip takes a comment");
    zip.finish().expect("the folder is ours");
    let python = "code: { dir: transform }, runtime: python3.13, handler: handler.handle";
    let zipped = "code: { zip: code.zip }, runtime: provided.al2023";
    trial.write("provision.yaml", &super::SPEC.replace(python, zipped));
    for command in [&["invoke"][..], &["test-transform"], &["up", "--local"]] {
        trial.expect(command, 1, &["it needs a processor of level x86-64-v9", "target-cpu="]);
    }
}
