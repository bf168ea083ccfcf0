//! Output for other programs: outputs in their formats, JSON with members, and names of environments from a CI's variables.

use serde_json::Value;

use super::Trial;

const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
streams:
  events: { name: trial-events, shards: 1 }
";

fn trial() -> Trial {
    let trial = Trial::new("pass");
    trial.write("provision.yaml", SPEC);
    trial
}

#[test]
fn outputs_of_what_does_not_exist_are_an_error_unless_they_are_planned() {
    let trial = trial();
    let none =
        trial.expect(&["outputs", "--local", "--format", "shell"], 1, &["do not exist", "stream.events", "--planned"]);
    assert_eq!(none.out, "");
    trial.expect(&["outputs", "--local", "--planned", "--format", "dotenv"], 0, &["STREAM_EVENTS_NAME=trial-events\n"]);
    trial.expect(&["up", "--local"], 0, &[]);
    trial.expect(&["outputs", "--local", "--format", "dotenv"], 0, &["AWS_DEFAULT_REGION=us-east-1\n"]);
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/trial-events\n";
    for name in ["STREAM_EVENTS_ARN", "stream.events.arn"] {
        let raw = trial.expect(&["outputs", "--local", "--format", "raw", "--name", name], 0, &[]);
        assert_eq!(raw.out, arn);
    }
    let unknown = ["outputs", "--local", "--format", "raw", "--name", "STREAM_ARN"];
    trial.expect(&unknown, 1, &["there is no output STREAM_ARN", "STREAM_EVENTS_ARN"]);
    trial.expect(&["outputs", "--local", "--format", "raw"], 64, &["--name"]);
    trial.expect(&["outputs", "--local", "--name", "a"], 64, &["--name does nothing here"]);
    trial.expect(&["outputs", "--local", "--format", "json", "--output", "json"], 64, &["--format does nothing here"]);
}

#[test]
fn what_is_printed_for_programs_has_members() {
    let trial = trial();
    let event = |arguments: &[&str]| -> Value {
        let ran = trial.expect(&[arguments, &["--output", "json"]].concat(), 0, &[]);
        serde_json::from_str(ran.out.lines().last().unwrap_or_default()).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
    };
    let outputs = event(&["outputs", "--local", "--planned"]);
    assert_eq!(outputs["outputs"]["variables"]["STREAM_EVENTS_NAME"], "trial-events", "{outputs}");
    assert_eq!(outputs["outputs"]["resources"][0]["values"]["name"], "trial-events", "{outputs}");
    assert_eq!(event(&["render"])["spec"]["streams"]["events"]["name"], "trial-events");
    assert_eq!(event(&["schema"])["schema"]["title"], "Stack spec of provision");
    assert!(event(&["local", "tables"])["tables"]["rates"].is_array());
}

#[test]
fn an_environment_is_named_by_any_text_and_by_the_job() {
    let trial = trial();
    trial.write("pull.json", r#"{"pull_request":{"number":7}}"#);
    let github = |event| [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", event), ("GITHUB_EVENT_PATH", "pull.json")];
    let named = |arguments: &[&str], variables: &[(&str, &str)]| {
        let ran = trial.run_with(&[&["render"], arguments].concat(), variables);
        let name = ran.out.lines().find_map(|line| line.trim().strip_prefix("name: ")).unwrap_or_default().to_owned();
        (ran.code, name, ran.err)
    };
    for (arguments, variables, expected) in [
        (&[][..], &[][..], "trial-events"),
        (&["--env", "pr-1"], &[], "trial-events-pr-1"),
        (&["--env", "feature/ABC-1"], &[], "trial-events-feature-abc-1-"),
        (&[], &[("PROVISION_ENV", "pr-2")], "trial-events-pr-2"),
        (&[], &[("PROVISION_ENV", "")], "trial-events"),
        (&["--env", "pr-1"], &[("PROVISION_ENV", "pr-2")], "trial-events-pr-1"),
        (&["--env", "auto"], &github("pull_request")[..], "trial-events-pr-7"),
        (&[], &[("PROVISION_ENV", "auto"), ("GITLAB_CI", "true"), ("CI_COMMIT_BRANCH", "fix")], "trial-events-fix"),
    ] {
        let (code, name, err) = named(arguments, variables);
        let whole = !expected.ends_with('-') && name == expected;
        let hashed = expected.ends_with('-') && name.len() == expected.len() + 10 && name.starts_with(expected);
        assert!(code == 0 && (whole || hashed), "{arguments:?} {variables:?}: {name}{err}");
    }
    let (code, _, err) = named(&["--env", "auto"], &[]);
    assert!(code == 64 && err.contains("GitHub Actions, GitLab CI, Buildkite or CircleCI"), "{err}");
}
