//! The workflows that `init --ci` writes: their steps are run here as a runner would, with the emulator in the place of AWS.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use serde_yaml::Value;

use super::Trial;
use super::with::{Engine, KEYS};

type Variables = BTreeMap<String, String>;

/// A project with the programs that steps run: `provision`, and package installers that only say what they were given.
fn project(system: &str) -> Trial {
    let trial = Trial::new("pass");
    std::fs::create_dir(trial.path().join("bin")).expect("the folder is new");
    symlink(env!("CARGO_BIN_EXE_provision"), trial.path().join("bin/provision")).expect("a link");
    for installer in ["pip", "pipx"] {
        let name = format!("bin/{installer}");
        trial.write(&name, "#!/bin/sh\necho \"installs $*\"\n");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(trial.path().join(name), executable).expect("it is ours");
    }
    trial.write("event.json", r#"{"pull_request":{"number":12}}"#);
    trial.expect(&["init", "provision.yaml", "--ci", system], 0, &["wrote .git", "what to set up"]);
    trial
}

fn read(trial: &Trial, path: &str) -> (String, Value) {
    let text = std::fs::read_to_string(trial.path().join(path)).expect("it was written");
    let value = serde_yaml::from_str(&text).expect("YAML");
    (text, value)
}

/// Runs a step, and wants it to succeed.
fn step(trial: &Trial, script: &str, variables: &Variables) -> String {
    let path = format!("{}:{}", trial.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(trial.path()).env_clear();
    bash.env("PATH", path).env("HOME", trial.path()).envs(variables).stdin(std::process::Stdio::null());
    let Output { status, stdout, stderr } = bash.output().expect("bash runs");
    let told = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{script}: {status}\n{told}");
    told
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn variables(value: Option<&Value>) -> Variables {
    let pairs = value.and_then(Value::as_mapping).into_iter().flatten();
    let text = |value: &Value| value.as_str().expect("a variable is a text").to_owned();
    pairs.map(|(name, value)| (text(name), text(value))).collect()
}

/// The text that a runner puts in the place of an expression. One that is not known here fails the test.
fn evaluated(expression: &str) -> &'static str {
    match expression {
        "vars.PROVISION_PACKAGE" => "https://packages.example/provision.whl",
        "vars.AWS_ROLE" => "arn:aws:iam::111122223333:role/ci",
        "github.event.number" => "12",
        other => panic!("the expression {other} is not known here"),
    }
}

/// The environment of a GitHub job, its expressions evaluated.
fn of_job(job: &Value, trial: &Trial, engine: &Engine, event: &str) -> Variables {
    let mut all = variables(job.get("env"));
    for value in all.values_mut() {
        if let Some(expression) = value.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) {
            *value = evaluated(expression).to_owned();
        }
    }
    let event_file = trial.path().join("event.json").display().to_string();
    let runner = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_EVENT_PATH", &event_file),
        ("AWS_ENDPOINT_URL", &engine.url),
    ];
    all.extend(runner.iter().chain(&KEYS).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    all
}

fn steps(job: &Value) -> &[Value] {
    job.get("steps").and_then(Value::as_sequence).expect("a job has steps")
}

fn environments(trial: &Trial, engine: &Engine) -> String {
    let list = ["list", "--endpoint", &engine.url, "--region", "us-east-1"];
    trial.run_with(&list, &KEYS).out
}

#[test]
fn the_workflow_for_github_tests_a_pull_request_and_leaves_nothing() {
    let (trial, engine) = (project("github"), Engine::start(&[]));
    let (source, workflow) = read(&trial, ".github/workflows/provision.yml");
    for part in source.split("${{ ").skip(1) {
        evaluated(part.split(" }}").next().unwrap_or_default());
    }
    let jobs = &workflow["jobs"];
    for (name, event) in [("emulator", "pull_request"), ("aws", "pull_request"), ("gc", "schedule")] {
        let job = &jobs[name];
        let all = of_job(job, &trial, &engine, event);
        for one in steps(job) {
            if let Some(action) = text(one, "uses") {
                let (_, version) = action.split_once("@v").expect("an action with a version");
                assert!(version.parse::<u32>().is_ok(), "{action} is not pinned to a major version");
            }
            let Some(script) = text(one, "run") else { continue };
            assert!(!script.contains("${{"), "an expression in a script may be somebody's text: {script}");
            let told = step(&trial, script, &all);
            match text(one, "name") {
                Some("install provision") => assert!(told.contains("installs install https://packages"), "{told}"),
                Some("up") => assert!(environments(&trial, &engine).contains("trial --env pr-12"), "{told}"),
                _ => {}
            }
        }
        assert_eq!(environments(&trial, &engine), "no environments\n", "{name}");
    }
    for results in ["provision-emulator.xml", "provision-aws.xml"] {
        let (junit, _) = (std::fs::read_to_string(trial.path().join(results)).expect("results"), ());
        assert!(junit.contains("tests=\"3\" failures=\"0\""), "{junit}");
    }
    // The last step of a job that fails or is canceled.
    let aws = &jobs["aws"];
    let all = of_job(aws, &trial, &engine, "pull_request");
    let run = |wanted: &dyn Fn(&Value) -> bool| {
        let scripts = steps(aws).iter().filter(|step| wanted(step)).filter_map(|step| text(step, "run"));
        scripts.for_each(|script| drop(step(&trial, script, &all)));
    };
    run(&|step| text(step, "name") == Some("up"));
    run(&|step| text(step, "if") == Some("always()"));
    assert_eq!(environments(&trial, &engine), "no environments\n");
}

#[test]
fn the_workflow_for_gitlab_tests_a_merge_request_and_leaves_nothing() {
    let (trial, engine) = (project("gitlab"), Engine::start(&[]));
    let (_, includer) = read(&trial, ".gitlab-ci.yml");
    let path = includer["include"][0]["local"].as_str().expect("a path");
    let (_, workflow) = read(&trial, path);
    for (name, source) in [
        ("provision-emulator", "merge_request_event"),
        ("provision-aws", "merge_request_event"),
        ("provision-gc", "schedule"),
    ] {
        // A job, and what it extends, the nearest first.
        let chain: Vec<&Value> = std::iter::successors(Some(&workflow[name]), |job| {
            Some(workflow.get(text(job, "extends")?).expect("a job extends what is there"))
        })
        .collect();
        let mut all: Variables = chain.iter().rev().flat_map(|job| variables(job.get("variables"))).collect();
        let token = trial.path().join("token").display().to_string();
        all.insert("AWS_WEB_IDENTITY_TOKEN_FILE".into(), token.clone());
        let runner = [
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_ID", "3"),
            ("CI_PIPELINE_SOURCE", source),
            ("CI_MERGE_REQUEST_IID", "12"),
            ("PROVISION_PACKAGE", "https://packages.example/provision.whl"),
            ("PROVISION_TOKEN", "a-token"),
            ("AWS_ENDPOINT_URL", &engine.url),
        ];
        all.extend(runner.iter().chain(&KEYS).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let lines = |key: &str| {
            let lines = chain.iter().find_map(|job| job.get(key)).and_then(Value::as_sequence).expect("lines");
            lines.iter().map(|line| line.as_str().expect("a line").to_owned()).collect::<Vec<_>>()
        };
        let script = [lines("before_script"), lines("script")].concat().join("\n");
        let told = step(&trial, &script, &all);
        assert!(told.contains("installs install --quiet https://packages.example"), "{told}");
        assert_eq!(environments(&trial, &engine), "no environments\n", "{name}");
        let kept = std::fs::read_to_string(&token).ok();
        assert_eq!(kept.as_deref(), (name != "provision-emulator").then_some("a-token"));
        let _ = std::fs::remove_file(&token);
    }
    for results in ["provision-emulator.xml", "provision-aws.xml"] {
        let junit = std::fs::read_to_string(trial.path().join(results)).expect("results");
        assert!(junit.contains("tests=\"3\" failures=\"0\""), "{junit}");
    }
}

#[test]
fn a_workflow_is_for_the_repository_of_its_spec_and_overwrites_nothing() {
    let trial = Trial::new("pass");
    for folder in [".git", "stacks"] {
        std::fs::create_dir(trial.path().join(folder)).expect("the folder is new");
    }
    let spec = std::fs::read_to_string(trial.path().join("provision.yaml")).expect("a spec");
    trial.write("stacks/one.yaml", &spec.replace("us-east-1", "eu-west-1"));
    trial.write(".gitlab-ci.yml", "mine");
    let init = ["init", "stacks/one.yaml", "--ci", "gitlab"];
    trial.expect(&init, 0, &["wrote .gitlab/provision.yml", "add this to .gitlab-ci.yml:\ninclude:"]);
    let (text, _) = read(&trial, ".gitlab/provision.yml");
    assert!(text.contains("provision with stacks/one.yaml") && text.contains("--stack trial --region eu-west-1"));
    assert_eq!(std::fs::read_to_string(trial.path().join(".gitlab-ci.yml")).expect("it stays"), "mine");
    trial.expect(&init, 1, &["the file exists", "nothing was written"]);
    trial.write("stacks/my one.yaml", &spec);
    trial.expect(&["init", "stacks/my one.yaml", "--ci", "github"], 1, &["would need quotes"]);

    // Where there is a workflow already, a new project is not begun either.
    let wrote = ["wrote new/provision.yaml", "wrote .github/workflows/provision.yml"];
    trial.expect(&["init", "new", "--ci", "github"], 0, &wrote);
    trial.expect(&["init", "newer", "--ci", "github"], 1, &["the file exists", "nothing was written"]);
    assert!(!trial.path().join("newer").exists());
}
