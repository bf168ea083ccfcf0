//! `--output json`: what commands print is what `schema/events.schema.json` says, and the schema says nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::json_schema::Schema;
use super::with::{Engine, KEYS};
use super::{Ran, SPEC, Trial};

/// Comes from long builds and waits; its one member is a text, as that of `said`.
const NOT_SEEN: &str = "working";

fn schema() -> Schema {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/events.schema.json");
    let text = std::fs::read_to_string(file).expect("the schema is there");
    Schema(serde_json::from_str(&text).expect("the schema is JSON"))
}

/// The names of the events in these lines, each of which must fit the schema.
fn names(schema: &Schema, lines: &str, told: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{told}: {line} is not JSON: {e}"));
        schema.check(&event).unwrap_or_else(|why| panic!("{told}: {why}\n{line}"));
        let time = event["time"].as_str().unwrap_or_default();
        assert!(time.len() == "2026-07-14T03:33:20.001Z".len() && time.ends_with('Z'), "{line}");
        event["event"].as_str().expect("a name").to_owned()
    };
    lines.lines().map(name).collect()
}

fn described(schema: &Schema) -> BTreeSet<String> {
    let events = schema.0["oneOf"].as_array().expect("one schema for each event");
    events.iter().map(|event| event["properties"]["event"]["const"].as_str().expect("its name").to_owned()).collect()
}

#[test]
fn every_event_is_as_its_schema_says() {
    let schema = schema();
    let trial = Trial::new("return None");
    trial.write("wrong.yaml", &SPEC.replace("shards: 2", "shard: 2"));
    trial.write("warned.yaml", &SPEC.replace("good: raw/good/", "good: raw/good"));
    let mut seen = BTreeSet::new();
    let mut see = |ran: Ran, code: i32, arguments: &[&str]| {
        let told = format!("{arguments:?}: {}\n{}", ran.code, ran.err);
        assert_eq!(ran.code, code, "{told}\n{}", ran.out);
        let lines = if arguments[0] == "with" { &ran.err } else { &ran.out };
        seen.extend(names(&schema, lines, &told));
    };
    let json = ["--output", "json"];
    for (code, arguments) in [
        (0, &["plan", "warned.yaml", "--local"][..]),
        (0, &["up", "--local", "--ttl", "1h"]),
        (0, &["status", "--local"]),
        (0, &["outputs", "--local"]),
        // A second and a half, in which progress is told.
        (
            0,
            &[
                "put",
                "provision.yaml",
                "provision.yaml",
                "--format",
                "lines",
                "--count",
                "15",
                "--rate",
                "10",
                "--local",
            ],
        ),
        (0, &["verify", "--local", "--records", "10"]),
        (0, &["tail", "--since", "1h", "--local"]),
        (0, &["cat", "raw/", "--local"]),
        (0, &["replay", "--delivery", "raw", "--local"]),
        (0, &["diff-data", "--against", "deployed", "--from-stream", "--max", "3", "--local"]),
        (0, &["logs", "--since", "1h", "--local"]),
        (0, &["doctor", "--local"]),
        (0, &["history", "--local"]),
        (0, &["list", "--local"]),
        (0, &["gc", "--local"]),
        (5, &["down", "--local"]),
        (0, &["down", "--local", "--yes", "--purge-data"]),
        (1, &["test-transform", "--cases", "1"]),
        (1, &["invoke", "--records", "provision.yaml"]),
        (0, &["validate"]),
        (3, &["plan", "wrong.yaml", "--local"]),
        (3, &["validate", "wrong.yaml"]),
        (0, &["render"]),
        (0, &["schema"]),
        (0, &["local", "tables"]),
        (64, &["gc", "--older-than", "1s", "--local"]),
    ] {
        see(trial.run(&[arguments, &json].concat()), code, arguments);
    }
    let with = ["with", "--local", "--output", "json", "--", "true"];
    see(trial.run(&with), 0, &with);

    // A step fails and others are skipped; and the record cannot be written at the end.
    for fault in ["kinesis:CreateStream=AccessDenied", "logs:TagResource=AccessDenied"] {
        let engine = Engine::start(&["--fault", fault]);
        let up = ["up", "--endpoint", &engine.url, "--output", "json"];
        see(trial.run_with(&up, &KEYS), 4, &up);
    }
    seen.insert(NOT_SEEN.to_owned());
    assert_eq!(seen, described(&schema));
}

/// Once, as an event, and not on standard error too.
#[test]
fn an_error_is_told_once() {
    let trial = Trial::new("pass");
    trial.expect(&["up", "--local"], 0, &[]);
    let json = trial.expect(&["down", "--local", "--output", "json"], 5, &[]);
    assert_eq!((json.out.matches("needs confirmation").count(), &*json.err), (1, ""), "{}", json.out);
    let people = trial.expect(&["down", "--local"], 5, &[]);
    assert_eq!(people.err.matches("needs confirmation").count(), 1, "{}", people.err);
    assert!(!people.out.contains("needs confirmation"), "{}", people.out);
    let with = ["with", "--local", "--output", "json", "--", "no-such-command"];
    let with = trial.expect(&with, 127, &[]);
    assert_eq!(with.err.matches("running no-such-command").count(), 1, "{}", with.err);
}
