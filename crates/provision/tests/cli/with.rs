//! `with`: an environment for one command, which goes whatever becomes of the command.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Ran, Trial};

pub const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
streams:
  events: { name: trial-events, shards: 1 }
buckets:
  lake: { name: trial-lake-eu }
deliveries:
  raw: { name: trial-raw, from: events, bucket: lake, good: \"${env:-none}/good/\", bad: \"${env:-none}/bad/\" }
";
pub const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

pub fn trial() -> Trial {
    let trial = Trial::new("pass");
    trial.write("provision.yaml", SPEC);
    trial
}

/// `provision local serve`, ended when it is dropped.
pub struct Engine {
    process: Child,
    pub url: String,
}

impl Engine {
    pub fn start(words: &[&str]) -> Engine {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_provision"));
        serve
            .args(["local", "serve", "--port", "0", "--memory", "--delays", "none"])
            .args(words)
            .stdout(Stdio::piped());
        let mut process = serve.spawn().expect("the binary runs");
        let url = line(&mut process).strip_prefix("listening on ").expect("an address").to_owned();
        Engine { process, url }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The next line that a process prints.
fn line(process: &mut Child) -> String {
    let mut line = String::new();
    let mut out = BufReader::with_capacity(1, process.stdout.as_mut().expect("it is piped"));
    out.read_line(&mut line).expect("it prints a line");
    line.trim().to_owned()
}

impl Trial {
    fn at(&self, engine: &Engine, arguments: &[&str], flags: &[&str], last: &[&str]) -> Ran {
        self.run_with(&[arguments, &["--endpoint", &engine.url], flags, last].concat(), &KEYS)
    }

    fn environments(&self, engine: &Engine) -> String {
        self.at(engine, &["list"], &["--region", "us-east-1"], &[]).out
    }
}

#[test]
fn a_command_finds_outputs_and_an_engine_of_its_own() {
    let trial = trial();
    let script = "echo $STREAM_EVENTS_NAME $AWS_REGION $AWS_DEFAULT_REGION $AWS_ACCESS_KEY_ID $DELIVERY_RAW_GOOD; \
                  echo $AWS_ENDPOINT_URL; exit 7";
    let with = ["with", "--local", "--", "sh", "-c", script];
    let (one, two) = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| trial.run(&with)));
        let [one, two] = both.map(|ran| ran.join().expect("it ran"));
        (one, two)
    });
    for ran in [&one, &two] {
        assert_eq!(ran.code, 7, "{}{}", ran.out, ran.err);
        assert!(
            ran.out
                .starts_with("trial-events us-east-1 us-east-1 local s3://trial-lake-eu/none/good/\nhttp://127.0.0.1:")
        );
        assert!(ran.err.contains("created stream.events"), "{}", ran.err);
    }
    assert_ne!(one.out, two.out, "each has an engine of its own");
    trial.expect(&["list", "--local"], 0, &["no environments"]);
}

/// A command that the command starts reaches the same emulator.
#[test]
fn a_command_inside_reaches_the_same_engine() {
    let trial = trial();
    let inside = [env!("CARGO_BIN_EXE_provision"), "status"];
    let ran = trial.expect(&[&["with", "--local", "--"], &inside[..]].concat(), 0, &["stream.events"]);
    assert!(ran.out.contains("exists") && !ran.out.contains("missing"), "{}", ran.out);
}

#[test]
fn an_environment_goes_whatever_becomes_of_the_command() {
    let (trial, engine) = (trial(), Engine::start(&[]));
    let list = format!("{} list --endpoint {} --region us-east-1", env!("CARGO_BIN_EXE_provision"), engine.url);
    for (script, code) in [(list.as_str(), 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        let ran = trial.at(&engine, &["with"], &["--env", "pr-1", "--ttl", "9h"], &["--", "sh", "-c", script]);
        assert_eq!(ran.code, code, "{script}: {}{}", ran.out, ran.err);
        assert!(code != 0 || ran.out.contains("trial --env pr-1") && ran.out.contains("expires 2"), "{}", ran.out);
        assert_eq!(trial.environments(&engine), "no environments\n", "{script}: {}", ran.err);
    }
    let ran = trial.at(&engine, &["with"], &["--env", "pr-1"], &["--", "no-such-command"]);
    assert!(ran.code == 127 && ran.err.contains("running no-such-command"), "{}: {}", ran.code, ran.err);
    assert_eq!(trial.environments(&engine), "no environments\n");
    let kept = trial.at(&engine, &["with"], &["--env", "pr-1", "--keep-on-failure"], &["--", "false"]);
    let down = format!("`provision down provision.yaml --endpoint {} --env pr-1` deletes it", engine.url);
    assert!(kept.code == 1 && kept.err.contains(&down), "{}", kept.err);
    assert!(trial.environments(&engine).contains("trial --env pr-1"));
    let again = trial.at(&engine, &["with"], &["--env", "pr-1", "--keep-on-failure"], &["--", "true"]);
    assert_eq!((again.code, trial.environments(&engine)), (0, "no environments\n".to_owned()), "{}", again.err);

    // Data has come out of each delivery stream before the command runs, and the receipt says that all is gone.
    let flags = ["--env", "pr-1", "--ready", "data", "--receipt", "receipt.json"];
    let list =
        format!("{} cat --endpoint {} --region us-east-1 pr-1/good/", env!("CARGO_BIN_EXE_provision"), engine.url);
    let ran = trial.at(&engine, &["with"], &flags, &["--", "sh", "-c", &list]);
    assert!(ran.code == 0 && ran.out.contains("\"n\":0"), "{}{}", ran.out, ran.err);
    let receipt = std::fs::read_to_string(trial.path().join("receipt.json")).expect("it was written");
    let receipt: serde_json::Value = serde_json::from_str(&receipt).expect("it is JSON");
    let resources = receipt["environments"][0]["resources"].as_array().expect("a list");
    assert!(
        resources.len() > 5 && resources.iter().all(|one| one["state"] == "gone" || one["state"] == "deleting"),
        "{receipt:#}"
    );
}

#[test]
fn a_failed_up_runs_no_command_and_a_failed_down_is_told_by_the_code() {
    let trial = trial();
    let touch = ["--", "sh", "-c", "touch ran; exit 7"];
    let engine = Engine::start(&["--fault", "firehose:CreateDeliveryStream=AccessDenied"]);
    let ran = trial.at(&engine, &["with"], &["--env", "pr-1"], &touch);
    assert!(ran.code == 4 && !trial.path().join("ran").exists(), "{}{}", ran.code, ran.err);
    assert_eq!(trial.environments(&engine), "no environments\n", "{}", ran.err);
    let engine = Engine::start(&["--fault", "kinesis:DeleteStream=AccessDenied"]);
    let ran = trial.at(&engine, &["with"], &["--env", "pr-1"], &["--", "true"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let ran = trial.at(&engine, &["with"], &["--env", "pr-2"], &touch);
    assert!(ran.code == 7 && trial.path().join("ran").exists(), "{}{}", ran.code, ran.err);
}

#[test]
fn what_was_brought_up_to_stay_is_not_taken() {
    let (trial, engine) = (trial(), Engine::start(&[]));
    assert_eq!(trial.at(&engine, &["up"], &["--env", "dev"], &[]).code, 0);
    let ran = trial.at(&engine, &["with"], &["--env", "dev"], &["--", "true"]);
    assert!(ran.code == 1 && ran.err.contains("never expires"), "{}{}", ran.code, ran.err);
    assert!(trial.environments(&engine).contains("trial --env dev"));
    let ran = trial.at(&engine, &["with"], &[], &["--", "true"]);
    assert!(ran.code == 64 && ran.err.contains("--env"), "{}{}", ran.code, ran.err);
    trial.expect(&["with", "--local", "--keep-on-failure", "--", "true"], 64, &["--keep-on-failure does nothing here"]);
}

/// As GitHub Actions cancels a job: SIGINT, and SIGTERM while the environment is being removed.
#[test]
fn a_cancelled_job_leaves_nothing() {
    let (trial, engine) = (trial(), Engine::start(&[]));
    let script = "trap 'echo interrupted >> told' INT; trap 'echo terminated >> told; exit' TERM; echo ready; \
                  while true; do sleep 0.01; done";
    let (aws, local) = (["--endpoint", &engine.url, "--env", "pr-1"], ["--local", "--env", "pr-1", "--verbose"]);
    for (target, signals, code) in
        [(aws, &["-INT", "-TERM"][..], 130), (aws, &["-TERM"], 143), (local, &["-INT", "-TERM"], 130)]
    {
        let mut with = Command::new(env!("CARGO_BIN_EXE_provision"));
        with.arg("with").args(target).args(["--", "sh", "-c", script]);
        with.current_dir(trial.path()).envs(KEYS).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut with = with.spawn().expect("the binary runs");
        assert_eq!(line(&mut with), "ready");
        for signal in signals {
            let sent = Command::new("kill").args([signal, with.id().to_string().as_str()]).status();
            assert!(sent.is_ok_and(|status| status.success()));
        }
        let status = with.wait().expect("it ends");
        assert_eq!(status.code(), Some(code), "{target:?} {signals:?}");
        assert_eq!(trial.environments(&engine), "no environments\n");
        let told = std::fs::read_to_string(trial.path().join("told")).expect("the command was told");
        let begins = if signals.len() == 2 { "interrupted\n" } else { "terminated\n" };
        assert!(told.starts_with(begins) && told.ends_with("terminated\n"), "{target:?} {signals:?}: {told}");
        std::fs::remove_file(trial.path().join("told")).expect("it is there");
    }
}

/// A step that hangs is waited for five seconds, so that the record is written and the lease given back before a runner kills the
/// command. The `down` after it begins at once.
#[test]
fn an_interrupted_up_ends_in_time_and_gives_its_lease_back() {
    let (trial, engine) = (trial(), Engine::start(&["--fault", "iam:CreateRole=latency:60s"]));
    let mut up = Command::new(env!("CARGO_BIN_EXE_provision"));
    up.args(["up", "--endpoint", &engine.url, "--env", "pr-1"]).current_dir(trial.path()).envs(KEYS);
    let mut up = up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    while !line(&mut up).contains("created bucket.lake") {}
    let began = std::time::Instant::now();
    for signal in ["-INT", "-TERM"] {
        let sent = Command::new("kill").args([signal, up.id().to_string().as_str()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }
    let ended = up.wait_with_output().expect("it ends");
    let out = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.code() == Some(130) && out.contains("interrupted while it ran"), "{out}");
    // Less than the step takes. How much less is a matter of this machine's load; `tests/interrupts.rs` has the seconds.
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
    let down = trial.at(&engine, &["down", "--yes"], &["--env", "pr-1"], &[]);
    let waited = format!("{}{}", down.out, down.err).contains("waiting for `up`");
    assert!(down.code == 0 && !waited, "{}{}", down.out, down.err);
    assert_eq!(trial.environments(&engine), "no environments\n");
}

/// It neither runs its command in an environment that another run changes, nor deletes it.
#[test]
fn with_gives_up_beside_another_run_and_takes_nothing_of_it() {
    let (trial, engine) = (trial(), Engine::start(&["--fault", "iam:CreateRole=latency:3600s"]));
    let mut up = Command::new(env!("CARGO_BIN_EXE_provision"));
    up.args(["up", "--endpoint", &engine.url, "--env", "pr-1", "--ttl", "1h"]).current_dir(trial.path()).envs(KEYS);
    let mut up = up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    while !line(&mut up).contains("created bucket.lake") {}
    let ran = trial.at(&engine, &["with"], &["--env", "pr-1", "--lock-timeout", "0s"], &["--", "touch", "ran"]);
    let environments = trial.environments(&engine);
    up.kill().and_then(|()| up.wait()).expect("it runs");
    assert!(
        ran.code == 1 && ran.err.contains("waiting for `up`") && ran.err.contains("gave up"),
        "{}: {}",
        ran.code,
        ran.err
    );
    assert!(!trial.path().join("ran").exists(), "{}", ran.err);
    assert!(environments.contains("trial --env pr-1"), "{environments}");
}
