//! Commands that only read stop at a signal at once, wherever they wait.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::Trial;
use super::with::{Engine, KEYS};

fn start(trial: &Trial, words: &[&str], url: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.args(words).args(["--region", "us-east-1", "--endpoint", url]).envs(KEYS).current_dir(trial.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

fn stops(child: Child, signal: Signal, code: i32) {
    kill_process(Pid::from_child(&child), signal).expect("it runs");
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(code), "{said}");
    assert_eq!(said.trim(), "stopping: this command changes nothing");
}

/// The first answer never comes.
#[test]
fn a_command_that_reads_stops_while_it_finds_out_where_it_is() {
    let trial = Trial::new("pass");
    for (words, signal, code) in [
        ("plan", Signal::INT, 130),
        ("status", Signal::TERM, 143),
        ("list", Signal::INT, 130),
        ("list", Signal::TERM, 143),
    ] {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        let child = start(&trial, &[words], &url);
        let _asked = silent.accept().expect("it asks");
        stops(child, signal, code);
    }
}

/// All answers but the first come after a minute.
#[test]
fn a_command_that_reads_stops_while_it_reads() {
    let trial = Trial::new("pass");
    let engine = Engine::start(&["--fault", "*:Describe*=latency:60s", "--fault", "iam:*=latency:60s"]);
    for (words, signal, code) in [("plan", Signal::INT, 130), ("status", Signal::TERM, 143)] {
        let mut child = start(&trial, &[words], &engine.url);
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        assert_ne!(out.read_line(&mut String::new()).expect("where it is"), 0);
        stops(child, signal, code);
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "");
    }
}
