//! `plan --out FILE` and `up --plan FILE`: exactly that plan is applied, or nothing.

use serde_json::Value;

use super::{Ran, Trial};

const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
environments: { \"*\": { names: \"${name}-${env}\" } }
streams:
  events: { name: trial-events, shards: 1 }
functions:
  change:
    name: trial-change
    code: { dir: transform }
    runtime: python3.13
    handler: handler.handle
    environment: { API_KEY: \"${API_KEY}\", LEVEL: \"${LEVEL:-info}\" }
";
const SECRET: (&str, &str) = ("API_KEY", "hush\"hush-0815");

fn trial() -> Trial {
    let trial = Trial::new("pass");
    trial.write("provision.yaml", SPEC);
    trial
}

fn run(trial: &Trial, words: &str) -> Ran {
    trial.run_with(&words.split(' ').collect::<Vec<_>>(), &[SECRET])
}

#[track_caller]
fn expect(trial: &Trial, words: &str, code: i32, said: &str) {
    let ran = run(trial, words);
    assert!(
        ran.code == code && format!("{}{}", ran.out, ran.err).contains(said),
        "{words}: {} {}{}",
        ran.code,
        ran.out,
        ran.err
    );
}

fn file(trial: &Trial) -> String {
    std::fs::read_to_string(trial.path().join("p.json")).expect("it was written")
}

#[test]
fn a_plan_in_a_file_is_applied_once_and_has_no_secret() {
    let trial = trial();
    expect(&trial, "plan --local --out p.json", 0, "provision up provision.yaml --local --plan p.json");
    let text = file(&trial);
    assert!(text.contains("\"stack\": \"trial\"") && !text.contains("hush"), "{text}");
    expect(&trial, "up --local --plan p.json --ttl 8h", 0, "created function.change");
    expect(&trial, "list --local", 0, "expires 20");
    expect(&trial, "up --local --plan p.json", 1, "changed since the plan was made: function.change (trial-change)");
    // A plan without changes is one too.
    expect(&trial, "plan --local --out p.json --detailed-exitcode", 0, "nothing to change");
    expect(&trial, "up --local --plan p.json", 0, "nothing to change");
    // The consents are part of the plan; that somebody says yes is not.
    trial.write("provision.yaml", &SPEC.replace("streams:\n  events: { name: trial-events, shards: 1 }\n", ""));
    expect(&trial, "plan --local --prune --out p.json", 0, "- stream.events");
    expect(&trial, "up --local --plan p.json", 5, "pass --yes");
    expect(&trial, "up --local --plan p.json --yes", 0, "deleted stream.events");
}

/// Each of them makes the plan another one. Nothing is changed then.
#[test]
fn a_plan_is_refused_where_anything_is_not_as_it_was() {
    let trial = trial();
    expect(&trial, "up --local", 0, "created");
    trial.write("provision.yaml", &SPEC.replace("shards: 1", "shards: 2"));
    expect(&trial, "plan --local --out p.json", 0, "~ stream.events");
    let saved = file(&trial);
    let refused = |words: &str, said: &str| {
        expect(&trial, words, 1, said);
        expect(&trial, "plan --local", 0, "shards");
    };
    refused("up --local --plan p.json --env pr-1", "it is a plan for environment (none), and this is pr-1");
    refused("up --local --plan p.json --set LEVEL=debug", "the spec, or a variable in it, has changed");
    refused("up --local --plan missing.json", "reading the plan missing.json");
    trial.write("transform/more.py", "");
    refused("up --local --plan p.json", "changed since the plan was made: function.change (trial-change)");
    std::fs::remove_file(trial.path().join("transform/more.py")).expect("it is there");
    trial.write("provision.yaml", &SPEC.replace("shards: 1", "shards: 2, retention: 48h"));
    refused("up --local --plan p.json", "the spec, or a variable in it, has changed");
    trial.write("provision.yaml", &SPEC.replace("shards: 1", "shards: 2"));

    let changed = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&saved).expect("it is JSON");
        change(&mut value);
        trial.write("p.json", &value.to_string());
    };
    for (change, said) in [
        ((|plan| plan["format"] = 2.into()) as fn(&mut Value), "(format 2), and this is provision"),
        (|plan| plan["provision"] = "0.0.1".into(), "it is a plan of provision 0.0.1"),
        (
            |plan| plan["target"]["account"] = "111122223333".into(),
            "for account 111122223333, and this is 000000000000",
        ),
        (|plan| plan["target"]["region"] = "eu-west-1".into(), "for region eu-west-1, and this is us-east-1"),
        (|plan| plan["target"]["place"] = "AWS".into(), "for target AWS, and this is the built-in emulator"),
        (|plan| plan["target"]["stack"] = "other".into(), "for stack other, and this is trial"),
        (|plan| plan["lease"] = 7.into(), "another run has changed this environment"),
        (|plan| plan["plan"]["steps"] = Value::Array(vec![]), "the file was changed"),
        (|plan| drop(plan.as_object_mut().map(|plan| plan.remove("spec"))), "it is not a plan"),
    ] {
        changed(change);
        refused("up --local --plan p.json", said);
    }
    trial.write("p.json", &saved[..saved.len() / 2]);
    refused("up --local --plan p.json", "it is not a plan that `provision plan --out` wrote");

    // Somebody else's change in between, and its opposite: the resources are as they were.
    trial.write("other.yaml", &SPEC.replace("shards: 1", "shards: 1, retention: 48h"));
    trial.write("before.yaml", SPEC);
    expect(&trial, "up other.yaml --local", 0, "updated stream.events");
    trial.write("p.json", &saved);
    refused("up --local --plan p.json", "changed since the plan was made: stream.events (trial-events)");
    expect(&trial, "up before.yaml --local", 0, "updated stream.events");
    refused("up --local --plan p.json", "another run has changed this environment since the plan was made");
    expect(&trial, "plan --local --out p.json", 0, "~ stream.events");
    expect(&trial, "up --local --plan p.json", 0, "updated stream.events");
}

#[test]
fn a_refused_plan_is_not_written() {
    let trial = trial();
    trial.write("other.yaml", &SPEC.replace("stack: trial", "stack: other"));
    expect(&trial, "up other.yaml --local", 0, "created");
    expect(&trial, "plan --local --out p.json", 5, "p.json was not written, because the plan is refused");
    assert!(!trial.path().join("p.json").exists());
}
