//! Output for CI systems besides the log, and the levels of detail.

use super::Trial;
use super::with::{Engine, KEYS, SPEC, trial};

#[test]
fn github_gets_a_summary_outputs_and_annotations() {
    let trial = trial();
    let file = |name: &str| trial.path().join(name).display().to_string();
    let (summary, output) = (file("summary"), file("output"));
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &*summary), ("GITHUB_OUTPUT", &*output)];
    let ran = trial.run_with(&["up", "--local"], &github);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let read = |path: &str| std::fs::read_to_string(path).expect("it was written");
    let told = read(&summary);
    assert!(
        told.starts_with("### provision up\n\n`trial` in account 000000000000, us-east-1, built-in emulator"),
        "{told}"
    );
    assert!(told.contains("| create | stream.events | `trial-events` |\n"), "{told}");
    assert!(told.contains("| created stream.events | ") && told.contains("\ndone in "), "{told}");
    assert!(read(&output).contains("STREAM_EVENTS_NAME=trial-events\n"), "{}", read(&output));
    trial.write("wrong.yaml", &SPEC.replace("shards", "shard"));
    for arguments in [&["validate", "wrong.yaml"][..], &["plan", "wrong.yaml", "--local"]] {
        let ran = trial.run_with(arguments, &github);
        assert!(ran.code == 3 && ran.err.contains("::error file=wrong.yaml,line=5,col="), "{}{}", ran.out, ran.err);
        let elsewhere = trial.run(arguments);
        assert!(!elsewhere.err.contains("::error") && !elsewhere.out.contains("::error"), "{}", elsewhere.err);
    }
}

/// Its standard output is the command's; the summary has what was brought up and what was deleted.
#[test]
fn github_gets_a_summary_of_with() {
    let (trial, engine) = (trial(), Engine::start(&[]));
    let summary = trial.path().join("summary").display().to_string();
    let at = ["with", "--endpoint", &engine.url, "--env", "pr-1", "--", "echo", "out"];
    let variables = [&KEYS[..], &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &*summary)]].concat();
    let ran = trial.run_with(&at, &variables);
    assert_eq!((ran.code, &*ran.out), (0, "out\n"), "{}", ran.err);
    let told = std::fs::read_to_string(&summary).expect("it was written");
    let (up, down) = told.split_once("### provision down\n").expect("up, then down");
    assert!(up.starts_with("### provision up\n\n`trial --env pr-1` in account"), "{told}");
    assert!(up.contains("| create | stream.events | `trial-events-pr-1` |\n") && up.contains("\ndone in "), "{told}");
    assert!(down.contains("| delete | stream.events | `trial-events-pr-1` |\n"), "{told}");
    assert!(down.contains("| deleted stream.events | ") && down.contains("\ndone in "), "{told}");
}

#[test]
fn results_are_written_as_junit() {
    let trial = Trial::new("if number == 7: answer['result'] = 'OK'");
    let read = || std::fs::read_to_string(trial.path().join("results.xml")).expect("it was written");
    let verify = ["verify", "--local", "--records", "20", "--junit", "results.xml"];
    trial.expect(&verify, 1, &["run `provision up` first"]);
    let stopped = read();
    assert!(stopped.contains("tests=\"1\" failures=\"1\"") && stopped.contains("does not exist"), "{stopped}");
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&verify, 0, &[]);
    let verified = read();
    assert!(verified.contains("name=\"provision verify\" tests=\"3\" failures=\"0\""), "{verified}");
    assert!(verified.contains("<testcase classname=\"verify\" name=\"delivery.changed\"/>"), "{verified}");
    trial.expect(&["test-transform", "--cases", "1", "--junit", "results.xml"], 1, &[]);
    let tested = read();
    assert!(tested.contains("name=\"provision test-transform\"") && !tested.contains("failures=\"0\""), "{tested}");
    assert!(tested.contains("<failure message=\"") && tested.contains("provision invoke"), "{tested}");
}

/// A killed emulator leaves a file with its port, which another program may have got since.
#[test]
fn an_emulator_of_other_data_is_not_used() {
    let (trial, other) = (trial(), Engine::start(&[]));
    trial.expect(&["up", "--local"], 0, &["created stream.events"]);
    let address = other.url.trim_start_matches("http://");
    let stale = format!(r#"{{"url":"{}","address":"{address}","account":"000000000000"}}"#, other.url);
    trial.write(".provision/local/serving.json", &stale);
    trial.expect(&["plan", "--local", "--detailed-exitcode"], 0, &["nothing to change"]);
    trial.expect(&["local", "reset"], 0, &["deleted all data"]);
}

#[test]
fn a_quiet_command_tells_results_only() {
    let trial = trial();
    let up = trial.expect(&["up", "--local", "-q"], 0, &[]);
    assert!(up.out.starts_with("\nstream.events\n") && !up.out.contains("next:"), "{}", up.out);
    assert_eq!(trial.expect(&["plan", "--local", "-q"], 0, &[]).out, "");
    assert_eq!(trial.expect(&["down", "--local", "-q", "--yes"], 0, &[]).out, "");
    trial.expect(&["up", "--local", "-q", "-v"], 64, &["cannot be used with"]);
    trial.expect(&["up", "--local", "-q", "--output", "json"], 64, &["--quiet does nothing here"]);
}

#[test]
fn what_is_kept_here_ignores_itself() {
    let trial = trial();
    trial.expect(&["plan", "--local"], 0, &[]);
    let ignored = std::fs::read_to_string(trial.path().join(".provision/.gitignore"));
    assert_eq!(ignored.expect("it was written"), "*\n");
}

/// It is known by its health, and flushed: nobody waits for buffers of five minutes.
#[test]
fn verify_flushes_an_engine_of_ours_behind_an_endpoint() {
    let (trial, engine) = (trial(), Engine::start(&[]));
    let at = |command: &[&str]| trial.run_with(&[command, &["--endpoint", &engine.url]].concat(), &KEYS);
    assert_eq!(at(&["up"]).code, 0);
    let verified = at(&["verify", "--records", "20"]);
    let said = verified.out.contains("flushing the buffers") && verified.out.contains("delivered 20");
    assert!(verified.code == 0 && said, "{}{}", verified.out, verified.err);
}
