//! The examples of this repository and the starters of `init`, built and run as people do, and a transform for Node.

use std::path::Path;
use std::process::Command;

use super::{SPEC, Trial};

/// One of the example stacks, with its crates where they are.
fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let spec = std::fs::read_to_string(root.join("stacks").join(name)).expect("the example is there");
    spec.replace("../crates", &root.join("crates").display().to_string())
}

#[test]
fn the_rust_examples_keep_the_contract_and_account_for_what_they_are_sent() {
    let trial = Trial::new("pass");
    trial.write("provision.yaml", &example("page-views.yaml"));
    trial.write("views", "{\"country\":\"DE\"}\n{\"country\":\"US\",\"robot\":true}\n{\"country\":\"AQ\"}\n[]\n");
    let said = ["\"region\":\"eu\"", "-> Dropped", "\"region\":\"other\"", "no region is known for the country"];
    trial.expect(&["invoke", "provision.yaml", "--records", "views"], 0, &said);
    trial.expect(&["test-transform", "provision.yaml", "--cases", "5"], 0, &["enrich satisfies Firehose's contract"]);

    // The records of verify are no page views: each must be found where the prefix says why it failed.
    trial.expect(&["up", "provision.yaml", "--local"], 0, &["created function.enrich", "created delivery.by-region"]);
    let said = ["failed 40, missing 0, duplicated 0", "views-failed/processing-failed/", "accounts for every record"];
    trial.expect(&["verify", "provision.yaml", "--local", "--records", "40"], 0, &said);

    trial.write("square.yaml", &example("kinesis-test.yaml"));
    trial.write("numbers", "{\"a\":12,\"b\":1.5}\n");
    trial.expect(&["invoke", "square.yaml", "--records", "numbers"], 0, &["-> Ok {\"a\":144,\"b\":2.25}"]);
    trial.expect(&["test-transform", "square.yaml", "--cases", "5"], 0, &["square satisfies Firehose's contract"]);
}

/// Answers each record with its bytes the other way round.
const NODE: &str = "exports.handle = async (event) => ({ records: event.records.map(answer) });

function answer({ recordId, data }) {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) return { recordId, result: 'ProcessingFailed' };
  return { recordId, result: 'Ok', data: bytes.reverse().toString('base64') };
}
";

#[test]
fn a_transform_for_node_is_invoked_and_tested_like_any_other() {
    let node = Command::new("node").arg("--version").output();
    assert!(node.is_ok(), "node is needed: scripts/check puts one into .tools/venv/bin");
    let trial = Trial::new("pass");
    trial.write("provision.yaml", &SPEC.replace("python3.13", "nodejs22.x"));
    trial.write("transform/handler.js", NODE);
    trial.write("records", "abc\n");
    trial.expect(&["invoke", "--records", "records"], 0, &["-> Ok cba", "1 Ok"]);
    trial.expect(&["test-transform", "--cases", "5"], 0, &["change satisfies Firehose's contract"]);

    trial.write("transform/handler.js", &NODE.replace("result: 'Ok'", "result: 'OK'"));
    trial.expect(&["invoke", "--records", "records"], 1, &["record 1: the result is \"OK\"", "Lambda.FunctionError"]);
    trial.expect(&["test-transform", "--cases", "5"], 1, &["the result is \"OK\""]);
}

#[test]
fn the_starters_keep_the_contract_and_account_for_what_they_are_sent() {
    for (language, file) in [("python", "transform.py"), ("node", "transform.mjs")] {
        let trial = Trial::new("pass");
        let wrote = format!("wrote new/transform/{file}");
        trial.expect(&["init", "new", "--transform", language], 0, &[&wrote, "next: provision up new/provision.yaml"]);
        let spec = "new/provision.yaml";
        trial.write("records", "hello, wörld\n");
        trial.expect(&["invoke", spec, "--records", "records"], 0, &["-> Ok HELLO, WÖRLD\\n", "1 Ok"]);
        trial.expect(&["test-transform", spec, "--cases", "5"], 0, &["satisfies Firehose's contract"]);
        trial.expect(&["up", spec, "--local"], 0, &["created function.transform"]);
        trial.expect(
            &["verify", spec, "--local", "--records", "40"],
            0,
            &["every delivery stream accounts for every record"],
        );
    }
}
