//! The real binary in a folder of its own, with `--local`: exit codes, and the lines that matter.

mod ci;
mod data;
mod events;
mod examples;
mod exports;
mod fixture;
mod flags;
mod json_schema;
mod machine;
mod profile;
mod saved_plan;
mod secrets;
mod signals;
mod transform;
mod with;
mod workflows;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
streams:
  events: { name: trial-events, shards: 2 }
buckets:
  lake: { name: trial-lake-eu }
functions:
  change: { name: trial-change, code: { dir: transform }, runtime: python3.13, handler: handler.handle, timeout: 20s }
deliveries:
  raw: { name: trial-raw, from: events, bucket: lake, good: raw/good/, bad: raw/bad/ }
  changed: { name: trial-changed, from: events, transform: change, bucket: lake, good: changed/good/, bad: changed/bad/ }
  direct: { name: trial-direct, bucket: lake, good: direct/good/, bad: direct/bad/ }
";

/// Answers each record with itself, in upper case: `{answer}` may change one answer, `number` is the record's.
const HANDLER: &str = "import base64, json

def handle(event, context):
    answers = []
    for record in event['records']:
        data = base64.b64decode(record['data'])
        number = json.loads(data)['n']
        answer = {'recordId': record['recordId'], 'result': 'Ok', 'data': base64.b64encode(data.upper()).decode()}
        BREAK
        answers.append(answer)
    return {'records': answers}
";

struct Trial(TempDir);

/// A transform; `breaks` is a line of Python that spoils an answer.
fn handler(breaks: &str) -> String {
    HANDLER.replace("BREAK", breaks)
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Trial {
    /// A folder with a spec and a transform; `breaks` is a line of Python that spoils an answer.
    fn new(breaks: &str) -> Trial {
        let trial = Trial(tempfile::tempdir().expect("a temporary folder"));
        std::fs::create_dir(trial.path().join("transform")).expect("the folder is new");
        trial.write("transform/handler.py", &handler(breaks));
        trial.write("provision.yaml", SPEC);
        trial
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the folder can be written to");
    }

    /// Runs the binary; nothing of the environment reaches it but where programs are, and Rust.
    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    /// With these variables too.
    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(std::process::Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path());
        // Where the Rust is that builds a crate; HOME is another here.
        for (variable, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
            let usual = || std::env::home_dir().unwrap_or_default().join(folder).into();
            command.env(variable, std::env::var_os(variable).unwrap_or_else(usual));
        }
        command.envs(variables.iter().copied());
        let Output { status, stdout, stderr } = command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("the output is text");
        Ran { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// Runs it and wants this exit code and each of these in what it says.
    fn expect(&self, arguments: &[&str], code: i32, said: &[&str]) -> Ran {
        let ran = self.run(arguments);
        let told = format!("{arguments:?}: {}\n{}\n{}", ran.code, ran.out, ran.err);
        assert_eq!(ran.code, code, "{told}");
        for said in said {
            assert!(ran.out.contains(said) || ran.err.contains(said), "{said:?} is not in {told}");
        }
        ran
    }
}

#[test]
fn up_verify_and_down_do_what_they_say_and_again_is_nothing() {
    let trial = Trial::new("pass");
    trial.expect(&["plan", "--local", "--detailed-exitcode"], 2, &["+ stream.events", "to create"]);
    trial.expect(&["status", "--local"], 0, &["stream.events"]);
    let up = ["up", "--local", "--ttl", "8h", "--owner", "ana"];
    trial.expect(&up, 0, &["trial in account", "built-in emulator", "created stream.events", "next:"]);
    trial.expect(&["plan", "--local", "--detailed-exitcode"], 0, &["nothing to change"]);
    trial.expect(&["up", "--local"], 0, &["nothing to change"]);
    let verified = trial.expect(
        &["verify", "--local", "--records", "1200", "--clean"],
        0,
        &[
            "sending 1200 records into stream trial-events",
            "sending 1200 records into delivery stream trial-direct",
            "every delivery stream accounts for every record",
        ],
    );
    let complete = "delivered 1200, dropped 0, failed 0, missing 0, duplicated 0";
    assert_eq!(verified.out.matches(complete).count(), 3, "{}", verified.out);
    let outputs = trial.expect(&["outputs", "--local", "--format", "dotenv"], 0, &[]);
    assert!(outputs.out.lines().all(|line| line.split_once('=').is_some_and(|(name, _)| !name.is_empty())));
    trial.expect(&["status", "--local"], 0, &["exists"]);
    trial.expect(&["list", "--local"], 0, &["trial", "20 resources", "ana", "expires 20"]);
    trial.expect(&["gc", "--local"], 0, &["no environment has expired"]);
    trial.expect(&["history", "--local"], 0, &["up", "by ana", "done in", "20 created"]);
    trial.expect(&["down", "--local"], 5, &["confirmation", "--yes"]);
    trial.expect(&["down", "--local", "--yes"], 0, &["deleted stream.events", "deleted bucket.lake"]);
    trial.expect(&["down", "--local", "--yes"], 0, &["nothing to delete"]);
    trial.expect(&["list", "--local"], 0, &["no environments"]);
    trial.expect(&["history", "--local", "--stack", "trial"], 0, &["nothing was done here"]);
}

#[test]
fn what_cannot_be_done_has_its_own_exit_code_and_changes_nothing() {
    let trial = Trial::new("pass");
    trial.write("wrong.yaml", &SPEC.replace("shards: 2", "shard: 2"));
    trial.expect(&["up", "wrong.yaml", "--local"], 3, &["shard", "wrong.yaml:5:"]);
    let place = [r#""file":"wrong.yaml","line":5,"column":33,"what":"#, "did you mean `shards`?"];
    trial.expect(&["up", "wrong.yaml", "--local", "--output", "json"], 3, &place);
    trial.expect(&["validate", "wrong.yaml", "--output", "json"], 3, &place);
    trial.expect(&["up", "nowhere.yaml", "--local"], 3, &["nowhere.yaml"]);
    trial.expect(&["up", "--ttl", "soon"], 64, &["write a duration"]);
    trial.expect(&["up", "--locale"], 64, &["--locale"]);
    trial.expect(&["fly"], 64, &["fly"]);
    trial.expect(&["verify", "--local"], 1, &["does not exist", "run `provision up` first"]);
    trial.expect(&["plan", "--local", "--detailed-exitcode"], 2, &["20 to create"]);
}

#[test]
fn a_replacement_wants_consent_where_nobody_can_be_asked() {
    let trial = Trial::new("pass");
    trial.expect(&["up", "--local"], 0, &[]);
    trial.write("provision.yaml", &SPEC.replace("name: trial-direct,", "name: trial-direct, from: events,"));
    trial.expect(
        &["up", "--local"],
        5,
        &["-/+ delivery.direct", "the source of a delivery stream cannot be changed", "pass --yes"],
    );
    trial.expect(&["up", "--local", "--yes"], 0, &["replaced delivery.direct"]);
    trial.write("provision.yaml", &SPEC.replace("  direct:", "  # direct:"));
    trial.expect(&["up", "--local"], 0, &["delivery.direct trial-direct is no longer in the spec", "--prune"]);
    trial.expect(&["up", "--local", "--prune"], 5, &["pass --yes"]);
    trial.expect(&["up", "--local", "--prune", "--yes"], 0, &["deleted delivery.direct"]);
}

/// The thing that is broken, the line that breaks it, and verify's counts for 20 records: all are accounted for, as Firehose treats them.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    (
        "a misspelt result",
        "answer['result'] = 'OK'",
        "delivered 0, dropped 0, failed 20, missing 0",
        "the result is \"OK\", not Ok, Dropped or ProcessingFailed",
    ),
    ("an exception", "raise KeyError('lost')", "delivered 0, dropped 0, failed 20, missing 0", "KeyError: 'lost'"),
    (
        "what is not base64",
        "answer['data'] = '*'",
        "delivered 0, dropped 0, failed 20, missing 0",
        "`data` is not base64",
    ),
    ("one record forgotten", "if number == 7: continue", "delivered 19, dropped 0, failed 1, missing 0", ""),
    (
        "one record dropped",
        "if number == 7: answer['result'] = 'Dropped'",
        "delivered 19, dropped 1, failed 0, missing 0",
        "",
    ),
    ("no answer", "return None", "delivered 0, dropped 0, failed 20, missing 0", "the response cannot be read"),
];

#[test]
fn what_a_broken_transform_fails_is_accounted_for_under_the_error_prefix() {
    for (what, breaks, account, why) in BROKEN {
        let trial = Trial::new(breaks);
        trial.expect(&["up", "--local"], 0, &[]);
        let said = [*account, *why, "every delivery stream accounts for every record"];
        let ran = trial.expect(&["verify", "--local", "--records", "20"], 0, &said);
        assert_eq!(ran.out.matches("delivered 20,").count(), 2, "{what}: {}", ran.out);
    }
}

/// One poisoned record fails whichever batch it is in: the others may be delivered or not, but none may be lost.
#[test]
fn records_that_fail_with_their_batch_are_accounted_for() {
    let trial = Trial::new("if number == 7: raise KeyError('seven')");
    trial.expect(&["up", "--local"], 0, &[]);
    let said = ["KeyError: 'seven'", "missing 0", "every delivery stream accounts for every record"];
    trial.expect(&["verify", "--local", "--records", "700"], 0, &said);
}
