//! Records and logs that people look at: `put`, `tail`, `logs` and `flush`, one after another and beside each other.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::with::{Engine, KEYS};
use super::{SPEC, Trial};

/// Fails every third record, and says what it saw.
const FAILS: &str = "print('saw', number); answer['result'] = 'Ok' if number % 3 else 'ProcessingFailed'";

fn trial() -> Trial {
    let trial = Trial::new(FAILS);
    let spec = SPEC.replace("shards: 2", "shards: 1, samples: { templates: ['{\"n\":{{counter}}}'] }");
    trial.write("provision.yaml", &spec.replace("good: changed/good/", "logs: true, good: changed/good/"));
    trial
}

#[test]
fn records_are_put_delivered_and_shown_with_their_failures_and_logs() {
    let trial = trial();
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["put", "--local", "--count", "6"], 0, &["put 6 records (42 bytes) into stream trial-events"]);
    trial.expect(&["flush", "--local"], 0, &["trial-changed delivered 6 records", "trial-raw delivered 6 records"]);
    trial.expect(&["flush", "--local"], 0, &["trial-raw had nothing to deliver"]);

    let all = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n{\"n\":6}\n";
    assert_eq!(trial.expect(&["tail", "--local"], 0, &[]).out, all);
    assert_eq!(trial.expect(&["tail", "--local", "--delivery", "raw"], 0, &[]).out, all);
    let changed = trial.expect(&["tail", "--local", "--delivery", "changed", "--jq", "select(.N > 2) | .N"], 0, &[]);
    assert_eq!(changed.out, "4\n5\n");
    let failed = trial.expect(&["tail", "--local", "--delivery", "changed", "--failed"], 0, &[]);
    assert_eq!(failed.out, "{\"n\":3}\n{\"n\":6}\n");
    assert!(failed.err.contains("Lambda.ProcessingFailedStatus: "), "{}", failed.err);

    let logs = trial.expect(&["logs", "--local"], 0, &["saw 1", "saw 6"]).out;
    assert!(logs.contains("delivery.changed  Lambda.ProcessingFailedStatus: "), "{logs}");
    assert!(logs.contains("-> the function returned ProcessingFailed"), "{logs}");
    let of_delivery = trial.expect(&["logs", "--local", "--delivery", "changed"], 0, &[]).out;
    assert!(!of_delivery.contains("saw 1"), "{of_delivery}");
}

#[test]
fn what_is_buffered_is_delivered_before_down_and_can_be_read_afterwards() {
    let trial = trial();
    trial.expect(&["up", "--local", "--ready", "data"], 0, &["next:"]);
    let canaries = trial.expect(&["cat", "--local", "raw/good/", "--max", "1"], 0, &[]).out;
    assert_eq!(canaries, "{\"n\":1}\n", "the canary is a sample");
    trial.expect(&["put", "--local", "--count", "3"], 0, &[]);
    let engine = Engine::start(&["--fault", "firehose>s3:PutObject=503"]);
    let at = |words: &[&str]| trial.run_with(&[words, &["--endpoint", &engine.url]].concat(), &KEYS);
    assert_eq!((at(&["up"]).code, at(&["put", "--count", "2"]).code), (0, 0));
    let refused = at(&["down", "--yes", "--drain"]);
    assert!(refused.code == 1 && refused.err.contains("still holds 2 records"), "{}", refused.err);
    assert!(at(&["plan", "--detailed-exitcode"]).code == 0, "nothing is deleted");

    trial.expect(&["down", "--local", "--yes", "--drain"], 0, &["delivery raw delivered 3 records"]);
    let raw = trial.expect(&["cat", "--local", "raw/good/", "--jq", ".n"], 0, &[]).out;
    assert_eq!(raw, "1\n1\n2\n3\n");
    let failed = trial.expect(&["cat", "--local", "s3://trial-lake-eu/changed/bad/"], 0, &[]);
    assert!(failed.out == "{\"n\":3}\n" && failed.err.contains("Lambda.ProcessingFailedStatus"), "{}", failed.err);
    trial.expect(&["cat", "--local", "nothing/"], 1, &["there is no object s3://trial-lake-eu/nothing/"]);
    trial.expect(&["cat", "--local", "provision.yaml"], 64, &["name an object or a prefix"]);
}

#[test]
fn failed_records_are_replayed_once_through_the_function_as_it_is_now() {
    let trial = trial();
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["put", "--local", "--count", "6"], 0, &[]);
    trial.expect(&["flush", "--local"], 0, &[]);
    let replay = ["replay", "--local", "--delivery", "changed"];
    let dry =
        trial.expect(&[&replay[..], &["--dry-run"]].concat(), 0, &["delivery changed: 2 records would be replayed"]);
    assert!(dry.out.contains("{\"n\":3}\n        failed: Lambda.ProcessingFailedStatus: "), "{}", dry.out);
    trial.expect(&replay, 1, &["0 of 2 records replayed, 2 failed again", "now:    Lambda.ProcessingFailedStatus"]);

    trial.write("transform/handler.py", &super::handler("pass"));
    trial.expect(&["up", "--local"], 0, &["updated function.change"]);
    trial.expect(&[&replay[..], &["--error-type", "S3"]].concat(), 0, &["0 of 0 records replayed"]);
    trial.expect(
        &[&replay[..], &["--since", "1h", "--error-type", "Lambda"]].concat(),
        0,
        &["2 of 2 records replayed"],
    );
    trial.expect(&replay, 0, &["0 of 0 records replayed", "replayed before: 2 records"]);
    let count = |flags: &[&str]| trial.expect(&[&["tail", "--local"], flags].concat(), 0, &[]).out.lines().count();
    assert_eq!(count(&["--delivery", "changed"]), 6);
    assert_eq!((count(&["--delivery", "raw"]), count(&["--delivery", "changed", "--failed"])), (6, 2));
    trial.expect(&["down", "--local", "--yes", "--purge-data"], 0, &["deleted bucket.lake"]);
}

#[test]
fn records_that_go_through_the_source_come_to_every_delivery_stream_again() {
    let trial = trial();
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["put", "--local", "--count", "3"], 0, &[]);
    trial.expect(&["flush", "--local"], 0, &[]);
    trial.write("transform/handler.py", &super::handler("pass"));
    trial.expect(&["up", "--local"], 0, &[]);
    let replay = ["replay", "--local", "--delivery", "changed", "--through-source"];
    trial.expect(&replay, 0, &["delivery raw will get these records a second time", "1 of 1 record replayed"]);
    trial.expect(&replay, 0, &["0 of 0 records replayed"]);
    trial.expect(&["flush", "--local"], 0, &["trial-changed delivered 1 record", "trial-raw delivered 1 record"]);
    trial.expect(&["replay", "--local", "--delivery", "direct", "--through-source"], 1, &["no stream feeds"]);
}

/// A command whose output is read line by line.
fn follow(trial: &Trial, engine: &Engine, words: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(words).args(["--follow", "--endpoint", &engine.url]).envs(KEYS).current_dir(trial.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    (child, out)
}

#[test]
fn logs_and_records_are_followed_until_a_signal_comes() {
    let trial = trial();
    let engine = Engine::start(&[]);
    let run = |words: &[&str]| {
        let ran = trial.run_with(&[words, &["--endpoint", &engine.url]].concat(), &KEYS);
        assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.out, ran.err);
    };
    run(&["up"]);
    run(&["put", "--count", "1"]);
    let (mut tail, mut records) = follow(&trial, &engine, &["tail"]);
    let (mut logs, mut events) = follow(&trial, &engine, &["logs", "--function", "change"]);
    let mut line = String::new();
    records.read_line(&mut line).expect("the record that was there");
    assert_eq!(line, "{\"n\":1}\n");
    run(&["put", "--count", "1"]);
    records.read_line(&mut line).expect("the record that came");
    assert_eq!(line, "{\"n\":1}\n{\"n\":1}\n");
    run(&["flush"]);
    let mut seen = String::new();
    while !seen.contains("saw 1") {
        assert_ne!(events.read_line(&mut seen).expect("an event"), 0, "{seen}");
    }
    for child in [&mut tail, &mut logs] {
        let id = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}

#[test]
fn a_put_that_is_interrupted_says_how_much_it_has_put() {
    let trial = trial();
    let engine = Engine::start(&[]);
    assert_eq!(trial.run_with(&["up", "--endpoint", &engine.url], &KEYS).code, 0);
    let (mut tail, mut records) = follow(&trial, &engine, &["tail"]);
    let mut put = Command::new(env!("CARGO_BIN_EXE_provision"));
    put.args(["put", "--rate", "1", "--count", "100000", "--endpoint", &engine.url]);
    let put = put.envs(KEYS).current_dir(trial.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let put = put.spawn().expect("the binary runs");
    records.read_line(&mut String::new()).expect("a record that was put");
    let signal = |child: &Child| {
        let id = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    };
    signal(&put);
    let ended = put.wait_with_output().expect("it ends");
    let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("stopping: nothing more is put"), "{said}");
    assert!(said.contains("before the signal") && said.contains("the rest was not"), "{said}");
    assert!(!said.contains("steps"), "{said}");
    signal(&tail);
    tail.wait().expect("it ends");
}

#[test]
fn a_replay_into_the_stream_that_is_interrupted_says_how_much_it_has_put() {
    let trial = trial();
    // The signal comes while the error records are listed.
    let engine = Engine::start(&["--fault", "s3:ListObjectsV2=latency:3s"]);
    for words in [&["up"][..], &["put", "--count", "3"], &["flush"]] {
        let ran = trial.run_with(&[words, &["--endpoint", &engine.url]].concat(), &KEYS);
        assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.out, ran.err);
    }
    let mut replay = Command::new(env!("CARGO_BIN_EXE_provision"));
    replay.args(["replay", "--delivery", "changed", "--through-source", "--endpoint", &engine.url]);
    let replay = replay.envs(KEYS).current_dir(trial.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut replay = replay.spawn().expect("the binary runs");
    let (mut said, mut lines) = (String::new(), BufReader::new(replay.stdout.take().expect("it is piped")));
    while !said.contains("a second time") {
        assert_ne!(lines.read_line(&mut said).expect("a line"), 0, "{said}");
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&replay), rustix::process::Signal::INT)
        .expect("it runs");
    lines.read_to_string(&mut said).expect("the rest");
    let ended = replay.wait_with_output().expect("it ends");
    said.push_str(&String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("stopping: waiting up to 4 s for requests under way"), "{said}");
    assert!(said.contains("put 0 records into the stream before the signal; another replay puts the rest"), "{said}");
}

/// The desktop's program for addresses is one of ours here, which writes the address into a pipe.
#[cfg(target_os = "linux")]
#[test]
fn a_served_emulator_opens_its_page_when_it_is_asked_to() {
    use std::os::unix::fs::PermissionsExt;

    let trial = Trial::new("pass");
    let (opener, pipe) = (trial.path().join("xdg-open"), trial.path().join("pipe"));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
    trial.write("xdg-open", &format!("#!/bin/sh\necho \"$1\" > {}\n", pipe.display()));
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = format!("{}:{}", trial.path().display(), std::env::var("PATH").unwrap_or_default());
    let mut serve = Command::new(env!("CARGO_BIN_EXE_provision"));
    serve.args(["local", "serve", "--port", "0", "--memory", "--open"]).env("PATH", path);
    let mut serve = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let opened = std::fs::read_to_string(&pipe).expect("an address");
    assert!(opened.starts_with("http://127.0.0.1:") && opened.trim_end().ends_with("/_local/"), "{opened}");
    serve.kill().expect("it runs");
    serve.wait().expect("it ends");
}
