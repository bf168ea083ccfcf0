//! Every flag of every command does something, or is refused: with it, a command says what it does not say without it.

use std::collections::BTreeSet;

use clap::CommandFactory;
use provision::cli::Cli;

use super::secrets::nobody_is_known;
use super::{Ran, Trial};

const SPEC: &str = "version: 1
stack: trial
target: { region: us-east-1 }
environments: { same: { names: \"${name}\" } }
streams:
  events: { name: trial-events, shards: 1 }
buckets:
  lake: { name: trial-lake-eu }
functions:
  change: { name: trial-change, code: { dir: transform }, runtime: python3.13, handler: handler.handle, timeout: 20s }
deliveries:
  raw: { name: trial-raw, from: events, bucket: lake, good: raw/good/, bad: raw/bad/, logs: false }
";

/// Gives back what it gets.
const HANDLER: &str = "def handle(event, context):
    return {'records': [{'recordId': one['recordId'], 'result': 'Ok', 'data': one['data']} for one in event['records']]}
";

/// A command without the flag, the flag, what is run afterwards (nothing: the command itself is looked at), and the exit code
/// and a text that are seen with the flag and not without it.
struct Row(&'static [&'static str], &'static [&'static str], &'static [&'static str], i32, &'static str);

const NONE: &[&str] = &[];

/// Commands that read a spec and reach a cloud; those that need no spec; and those that reach none.
const OF_A_SPEC: &[&[&str]] = &[
    &["plan"],
    &["up"],
    &["with"],
    &["verify"],
    &["put", "provision.yaml", "records"],
    &["tail"],
    &["cat", "provision.yaml", "raw"],
    &["logs"],
    &["replay", "--delivery", "raw"],
    &["diff-data", "--against", "deployed", "--from-stream"],
    &["flush"],
    &["down"],
    &["status"],
    &["history"],
    &["outputs"],
    &["doctor"],
    &["invoke", "--from-stream"],
];
const OF_AN_ACCOUNT: &[&[&str]] = &[&["list"], &["gc"]];
const OFFLINE: &[&[&str]] = &[&["validate"], &["render"], &["test-transform"], &["permissions", "provision.yaml"]];

/// Flags that no run of the binary shows: the command, its flag, and a file of tests with a test in it that does.
const ELSEWHERE: &[(&str, &[&str], &str, &str)] = &[
    ("plan", &["allow-data-loss"], "tests/changes.rs", "a_stream_is_replaced_only_where_its_data_may_be_lost"),
    ("up", &["allow-data-loss"], "tests/changes.rs", "a_stream_is_replaced_only_where_its_data_may_be_lost"),
    ("up", &["lock-timeout"], "tests/lease.rs", "a_wait_that_is_too_long_ends_and_says_whose_run_it_waited_for"),
    ("down", &["lock-timeout"], "tests/lease.rs", "a_wait_that_is_too_long_ends_and_says_whose_run_it_waited_for"),
    ("gc", &["lock-timeout"], "tests/lease.rs", "a_wait_that_is_too_long_ends_and_says_whose_run_it_waited_for"),
    ("with", &["lock-timeout"], "tests/lease.rs", "a_wait_that_is_too_long_ends_and_says_whose_run_it_waited_for"),
    ("down", &["receipt"], "tests/receipt.rs", "a_receipt_says_what_is_gone_what_stays_and_what_is_there_again"),
    ("gc", &["receipt"], "tests/receipt.rs", "a_receipt_says_what_is_gone_what_stays_and_what_is_there_again"),
    ("up", &["parallelism"], "src/schedule.rs", "no_more_are_handed_out_than_asked_for"),
    ("down", &["parallelism"], "src/schedule.rs", "no_more_are_handed_out_than_asked_for"),
    ("gc", &["parallelism"], "src/schedule.rs", "no_more_are_handed_out_than_asked_for"),
    ("down", &["scan"], "tests/scan.rs", "a_down_removes_a_continuation_that_has_no_first_page"),
    ("gc", &["scan"], "tests/scan.rs", "a_gc_removes_of_an_expired_environment_what_its_record_does_not_name"),
    ("list", &["scan"], "tests/scan.rs", "a_list_tells_what_no_record_names"),
    (
        "doctor",
        &["for"],
        "tests/permissions/doctor.rs",
        "every_permission_is_asked_for_and_what_is_missing_is_named_with_its_resource",
    ),
    ("tail", &["follow"], "tests/follow.rs", "each_record_is_read_once_and_those_of_a_key_in_order_through_a_reshard"),
    ("tail", &["since"], "tests/follow.rs", "each_record_is_read_once_and_those_of_a_key_in_order_through_a_reshard"),
    ("logs", &["follow"], "tests/cli/data.rs", "logs_and_records_are_followed_until_a_signal_comes"),
    ("put", &["ordered"], "tests/put.rs", "records_of_a_key_stay_in_order_though_some_are_refused"),
    ("put", &["fail-fast"], "tests/put.rs", "records_that_cannot_be_put_are_told_and_the_others_go_on_or_not"),
    ("put", &["rate"], "tests/put.rs", "a_rate_is_kept_to_and_a_stream_that_accepts_nothing_is_given_up"),
    ("verify", &["timeout"], "src/command/verify/settle.rs", "a_timeout_goes_before_what_the_buffers_allow"),
    ("verify", &["rate"], "tests/put.rs", "a_rate_is_kept_to_and_a_stream_that_accepts_nothing_is_given_up"),
    ("verify", &["size", "partition-keys"], "tests/verify.rs", "foreign_objects_are_neither_counted_nor_deleted"),
    (
        "verify",
        &["identity"],
        "tests/verify.rs",
        "a_function_whose_answers_do_not_tell_records_apart_needs_an_identity",
    ),
    ("verify", &["ready"], "tests/verify.rs", "a_new_delivery_stream_that_does_not_read_yet_is_waited_for"),
    ("up", &["ready"], "tests/verify.rs", "an_environment_is_ready_when_a_record_came_out_of_each_delivery_stream"),
    (
        "replay",
        &["delivery", "since", "error-type", "through-source", "dry-run"],
        "tests/cli/data.rs",
        "failed_records_are_replayed_once_through_the_function_as_it_is_now",
    ),
    (
        "diff-data",
        &["against", "records", "from-stream", "from-prefix", "max", "markdown", "detailed-exitcode"],
        "tests/cli/transform.rs",
        "two_versions_of_a_function_are_compared_over_the_same_records",
    ),
    ("with", &["ready"], "tests/cli/with.rs", "an_environment_goes_whatever_becomes_of_the_command"),
    ("with", &["receipt"], "tests/cli/with.rs", "an_environment_goes_whatever_becomes_of_the_command"),
    ("down", &["drain"], "tests/cli/data.rs", "what_is_buffered_is_delivered_before_down_and_can_be_read_afterwards"),
    ("cat", &["max"], "tests/cli/data.rs", "what_is_buffered_is_delivered_before_down_and_can_be_read_afterwards"),
    ("with", &["keep-on-failure"], "tests/cli/with.rs", "an_environment_goes_whatever_becomes_of_the_command"),
    ("with", &["ttl"], "tests/cli/with.rs", "an_environment_goes_whatever_becomes_of_the_command"),
    ("local serve", &["open"], "tests/cli/data.rs", "a_served_emulator_opens_its_page_when_it_is_asked_to"),
    (
        "local serve",
        &[
            "port",
            "account",
            "speed",
            "clock",
            "paused",
            "enforce-iam",
            "fault",
            "delays",
            "consistency",
            "limits",
            "require-signature",
            "data-dir",
            "memory",
        ],
        "src/command/local/serve.rs",
        "each_flag_of_the_engine_changes_its_settings",
    ),
];

/// On a stack that is up, was verified and has expired. Each row is run on a copy of that.
const ROWS: &[Row] = &[
    Row(&["plan", "less.yaml", "--local"], &["--prune"], NONE, 0, "- delivery.raw"),
    Row(&["plan", "other.yaml", "--local"], &["--adopt"], NONE, 0, "~ stream.events"),
    Row(&["plan", "less.yaml", "--local", "--prune"], &["--detailed-exitcode"], NONE, 2, "to delete"),
    Row(&["plan", "--local"], &["--out", "nowhere/p.json"], NONE, 1, "writing nowhere/p.json"),
    Row(&["up", "--local"], &["--plan", "nowhere"], NONE, 1, "reading the plan nowhere"),
    Row(&["up", "less.yaml", "--local", "--yes"], &["--prune"], NONE, 0, "deleted delivery.raw"),
    Row(&["up", "other.yaml", "--local", "--yes"], &["--adopt"], NONE, 0, "updated stream.events"),
    Row(&["up", "less.yaml", "--local", "--prune"], &["--yes"], NONE, 0, "deleted delivery.raw"),
    Row(&["up", "--local"], &["--ttl", "9h"], &["list", "--local"], 0, "expires 20"),
    Row(&["up", "less.yaml", "--local", "--prune", "--yes"], &["--owner", "bo"], &["list", "--local"], 0, "owner bo"),
    Row(
        &["put", "provision.yaml", "records", "--local"],
        &["--stream", "nope"],
        NONE,
        1,
        "the spec has no stream nope",
    ),
    Row(&["put", "provision.yaml", "records", "--local"], &["--delivery", "raw"], NONE, 1, "delivery raw reads stream"),
    Row(&["put", "provision.yaml", "records", "--local"], &["--format", "whole"], NONE, 0, "put 1 record (8 bytes)"),
    Row(&["put", "provision.yaml", "records", "--local"], &["--key", ".k"], NONE, 1, "gives no partition key"),
    Row(&["put", "provision.yaml", "records", "--local"], &["--count", "0"], NONE, 0, "put 0 records"),
    Row(&["put", "provision.yaml", "records", "--local"], &["--envelope", "kpl"], NONE, 0, "put 1 record (36 bytes)"),
    Row(&["tail", "--local"], &["--stream", "nope"], NONE, 1, "the spec has no stream nope"),
    Row(&["tail", "--local"], &["--delivery", "nope"], NONE, 1, "the spec has no delivery nope"),
    Row(&["tail", "--local", "--delivery", "raw"], &["--failed"], NONE, 0, "no record in the last"),
    Row(&["tail", "--local", "--since", "1h"], &["--key", "nobody"], NONE, 0, "no record in the last"),
    Row(&["tail", "--local", "--since", "1h"], &["--jq", ".n + 1000"], NONE, 0, "1000\n"),
    Row(&["tail", "--local", "--since", "1h"], &["--max", "0"], NONE, 0, "no record in the last"),
    Row(&["cat", "raw/", "--local"], &["--jq", ".n + 1000"], NONE, 0, "1000\n"),
    Row(&["logs", "--local"], &["--function", "nope"], NONE, 1, "the spec has no function nope"),
    Row(&["logs", "--local"], &["--delivery", "raw"], NONE, 1, "delivery raw logs no errors"),
    Row(&["logs", "--local"], &["--since", "1s"], NONE, 0, "no log event in the last 1 s"),
    Row(&["flush", "--local"], &["--delivery", "nope"], NONE, 1, "the spec has no delivery nope"),
    Row(&["verify", "--local"], &["--records", "7"], NONE, 0, "sending 7 records"),
    Row(&["verify", "--local"], &["--junit", "nowhere/a.xml"], NONE, 1, "writing nowhere/a.xml"),
    Row(&["verify", "--local"], &["--html", "nowhere/a.html"], NONE, 1, "writing nowhere/a.html"),
    Row(&["test-transform", "--cases", "1"], &["--junit", "nowhere/a.xml"], NONE, 1, "writing nowhere/a.xml"),
    Row(&["verify", "--local"], &["--clean"], &["down", "--local", "--yes"], 0, "1 object"),
    Row(&["invoke"], &["--records", "records"], NONE, 0, "{\"n\":7}"),
    Row(&["invoke"], &["--event", "event.json"], NONE, 0, "{\"n\":8}"),
    Row(&["invoke", "--local"], &["--from-stream"], NONE, 1, "to function change"),
    Row(&["test-transform", "--cases", "0"], &["--records", "nowhere"], NONE, 1, "nowhere"),
    Row(&["test-transform"], &["--cases", "1"], NONE, 0, "in 33 cases"),
    Row(&["test-transform", "--cases", "1"], &["--seed", "2"], NONE, 0, "seed 2"),
    Row(&["test-transform", "--cases", "0"], &["--region", "mars-1"], NONE, 1, "differs from the"),
    Row(&["down", "--local"], &["--yes"], NONE, 0, "deleted stream.events"),
    Row(&["down", "--local", "--yes"], &["--wait"], NONE, 0, "7 deleted"),
    Row(&["down", "--local", "--yes"], &["--purge-data"], NONE, 0, "deleted bucket.lake"),
    Row(&["down", "--local", "--yes"], &["--owner", "bo"], &["history", "--local"], 0, "down by bo"),
    Row(&["down", "--local"], &["--stack", "missing"], NONE, 0, "missing in account"),
    Row(&["history", "--local"], &["--stack", "missing"], NONE, 0, "missing in account"),
    Row(&["list", "--local"], &["--stack", "missing"], NONE, 0, "no environments"),
    Row(&["list", "--local"], &["--env", "missing"], NONE, 0, "no environments"),
    Row(&["list", "--local"], &["--env-prefix", "missing"], NONE, 0, "no environments"),
    Row(&["list", "--local"], &["--owner", "bo"], NONE, 0, "no environments"),
    Row(&["list", "--local", "--stack", "endless"], &["--expired"], NONE, 0, "no environments"),
    Row(&["gc", "--local"], &["--stack", "missing"], NONE, 0, "no environment has expired"),
    Row(&["gc", "--local"], &["--env", "missing"], NONE, 0, "no environment has expired"),
    Row(&["gc", "--local"], &["--env-prefix", "missing"], NONE, 0, "no environment has expired"),
    Row(&["gc", "--local", "--stack", "endless"], &["--older-than", "1s"], NONE, 5, "--yes"),
    Row(&["gc", "--local", "--yes"], &["--max", "0"], NONE, 0, "--max 0"),
    Row(&["gc", "--local"], &["--yes"], NONE, 0, "deleted stream.events"),
    Row(&["gc", "--local", "--yes"], &["--purge-data"], NONE, 0, "deleted bucket.lake"),
    Row(&["outputs", "--local"], &["--format", "dotenv"], NONE, 0, "STREAM_EVENTS_NAME="),
    Row(&["outputs", "--local"], &["--name", "a"], NONE, 64, "--name does nothing here"),
    Row(&["outputs", "missing.yaml", "--local"], &["--planned"], NONE, 0, "missing-events"),
    Row(&["permissions"], &["--region", "eu-west-1"], NONE, 0, "eu-west-1"),
    Row(&["permissions"], &["--account", "111122223333"], NONE, 0, "111122223333"),
    Row(&["permissions", "--format", "table"], &["--for", "scan"], NONE, 0, "scan"),
    Row(&["permissions"], &["--for", "data"], NONE, 0, "\"kinesis:GetShardIterator\",\n        \"kinesis:ListShards\""),
    Row(&["permissions"], &["--format", "table"], NONE, 0, "read "),
    Row(
        &["permissions", "--account", "111122223333"],
        &["--trust", "github:a/b"],
        NONE,
        0,
        "AssumeRoleWithWebIdentity",
    ),
    Row(&["permissions"], &["--env", "pr-1"], NONE, 64, "--env does nothing here"),
    Row(&["permissions"], &["--set", "A=b"], NONE, 64, "--set does nothing here"),
    Row(&["init", "new"], &["--transform", "rust"], NONE, 1, "firehose-transform"),
    Row(&["schema"], &["--events"], NONE, 0, "Events of provision"),
    Row(&["init", "new"], &["--ci", "github"], NONE, 0, "wrote new/.github/workflows/provision.yml"),
    Row(&["init", "new"], &["--name", "demo"], &["render", "new/provision.yaml"], 0, "stack: demo"),
    Row(&["init", "new"], &["--sdk-path", "nowhere"], NONE, 1, "nowhere"),
];

/// Every flag, but those that all commands have: `plan --prune`.
fn flags() -> BTreeSet<String> {
    fn of(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
        let flags = command.get_arguments().filter(|argument| !argument.is_global_set());
        found.extend(flags.filter_map(clap::Arg::get_long).map(|flag| format!("{path} --{flag}")));
        for inner in command.get_subcommands() {
            of(inner, format!("{path} {}", inner.get_name()).trim(), found);
        }
    }
    let mut found = BTreeSet::new();
    of(&Cli::command(), "", &mut found);
    found
}

#[test]
fn every_flag_has_a_row_that_shows_what_it_does() {
    let mut shown: BTreeSet<String> =
        ROWS.iter().map(|Row(base, flag, ..)| format!("{} {}", base[0], flag[0])).collect();
    let of = |commands: &[&[&str]], flags: &[&str]| -> Vec<String> {
        commands.iter().flat_map(|command| flags.iter().map(|flag| format!("{} --{flag}", command[0]))).collect()
    };
    shown.extend(of(OF_A_SPEC, &["env", "set", "region", "profile", "endpoint", "ca-bundle", "local"]));
    shown.extend(of(OF_AN_ACCOUNT, &["region", "profile", "endpoint", "ca-bundle", "local"]));
    shown.extend(of(OFFLINE, &["env", "set"]));
    for (command, flags, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        assert!(text.is_ok_and(|text| text.contains(&format!("fn {test}("))), "{file} has no test {test}");
        shown.extend(of(&[&[*command]], flags));
    }
    let flags = flags();
    let (unseen, unknown): (Vec<_>, Vec<_>) = (flags.difference(&shown).collect(), shown.difference(&flags).collect());
    assert!(unseen.is_empty() && unknown.is_empty(), "without a row: {unseen:?}; no flag: {unknown:?}");
}

/// A stack that is up, was verified (which moved the clock on by ten minutes), and has expired; and one that never does.
fn prepared() -> Trial {
    let trial = Trial::new("pass");
    trial.write("transform/handler.py", HANDLER);
    trial.write("provision.yaml", SPEC);
    trial.write("less.yaml", &SPEC.replace("deliveries:\n  raw: ", "# "));
    trial.write("other.yaml", &SPEC.replace("stack: trial", "stack: other"));
    let endless = "version: 1\nstack: endless\ntarget: { region: us-east-1 }\nstreams: { events: { name: endless, shards: 1 } }\n";
    trial
        .write("missing.yaml", &endless.replace("endless", "missing").replace("name: missing", "name: missing-events"));
    trial.write("endless.yaml", endless);
    trial.write("records", "{\"n\":7}\n");
    trial.write("event.json", r#"{"records":[{"recordId":"a","data":"eyJuIjo4fQ=="}]}"#);
    trial.expect(&["up", "endless.yaml", "--local"], 0, &[]);
    trial.expect(&["up", "--local", "--ttl", "5m", "--owner", "ana"], 0, &[]);
    trial.expect(&["verify", "--local", "--records", "1"], 0, &[]);
    trial
}

/// A copy of that with what every command and flag does to it.
fn copied(prepared: &Trial) -> Trial {
    let copy = Trial(tempfile::tempdir().expect("a temporary folder"));
    let mut cp = std::process::Command::new("cp");
    let copied = cp.arg("-a").arg(prepared.path().join(".")).arg(copy.path()).status().expect("there is cp");
    assert!(copied.success());
    copy
}

fn shows(ran: &Ran, code: i32, said: &str) -> bool {
    ran.code == code && (ran.out.contains(said) || ran.err.contains(said))
}

/// The mismatch of a row, if there is one.
fn unheeded(Row(base, flag, then, code, said): &Row, prepared: &Trial) -> Option<String> {
    let seen = |arguments: &[&str]| {
        let trial = copied(prepared);
        let ran = trial.run(arguments);
        let ran = if then.is_empty() { ran } else { trial.run(then) };
        (shows(&ran, *code, said), format!("{}: {}{}", ran.code, ran.out, ran.err))
    };
    let ((with, text), (without, text_without)) = (seen(&[*base, *flag].concat()), seen(base));
    let why = format!("{base:?} {flag:?}: {code} {said:?}\n--- with\n{text}\n--- without\n{text_without}");
    (!with || without).then_some(why)
}

#[test]
fn with_each_flag_a_command_does_what_it_does_not_do_without() {
    let prepared = prepared();
    let rows = std::sync::Mutex::new(ROWS.iter());
    let next = || rows.lock().expect("no row panics while it holds this").next();
    let shown = || std::iter::from_fn(next).filter_map(|row| unheeded(row, &prepared)).collect::<Vec<_>>();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads = [0; 4].map(|_| scope.spawn(shown));
        threads.into_iter().flat_map(|thread| thread.join().expect("no row panics")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn words<'a>(command: &[&'a str], flags: &[&'a str]) -> Vec<&'a str> {
    let last: &[&str] = if command[0] == "with" { &["--", "true"] } else { &[] };
    [command, flags, last].concat()
}

#[test]
fn each_flag_about_the_target_is_heeded_by_every_command_that_takes_it() {
    let trial = prepared();
    // `with` wants an environment, and a command last.
    let nowhere = [("AWS_EC2_METADATA_DISABLED", "true"), ("PROVISION_ENV", "pr-1")];
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDENV"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-environment"),
        ("AWS_REGION", "us-east-1"),
        ("PROVISION_ENV", "pr-1"),
    ];
    let (address, asked) = nobody_is_known();
    let endpoint = format!("http://{address}");
    let wrong = |command: &[&str], flags: &[&str], ran: Ran| {
        panic!("{command:?} {flags:?}: {}\n{}\n{}", ran.code, ran.out, ran.err);
    };
    let expect = |command: &[&str], flags: &[&str], code: i32, said: &str| {
        let ran = trial.run_with(&words(command, flags), &nowhere);
        if !shows(&ran, code, said) {
            wrong(command, flags, ran);
        }
    };
    for command in [OF_A_SPEC, OFFLINE].concat() {
        expect(command, &["--env", "same"], 3, "would be the same in every environment");
        expect(command, &["--set", "NOPE=1"], 3, "the spec has no `${NOPE}`");
    }
    for command in OF_A_SPEC {
        expect(command, &["--local", "--region", "mars-1"], 1, "differs from the");
    }
    for command in OF_AN_ACCOUNT {
        expect(command, &["--local", "--region", "eu-west-1"], 0, "no environment");
    }
    for command in [OF_A_SPEC, OF_AN_ACCOUNT].concat() {
        expect(command, &["--region", "us-east-1", "--profile", "nobody"], 1, "there is no such profile");
        expect(command, &["--region", "us-east-1", "--ca-bundle", "nowhere.pem"], 1, "nowhere.pem");
        expect(command, &["--local", "--profile", "nobody"], 64, "cannot be used with");
        expect(command, &["--local", "--ca-bundle", "nowhere.pem"], 64, "cannot be used with");
        expect(command, &["--local", "--endpoint", &endpoint], 64, "cannot be used with");
        expect(command, &["--region", "us-east-1"], 1, "no usable credentials");
        let ran = trial.run_with(&words(command, &["--local"]), &nowhere);
        assert!(!ran.err.contains("no usable credentials"), "{command:?}: {}", ran.err);
        let _ = asked.try_iter().count();
        let ran = trial.run_with(&words(command, &["--endpoint", &endpoint]), &keys);
        assert!(ran.code == 1 && asked.try_iter().count() > 0, "{command:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn what_would_do_nothing_is_refused() {
    let trial = Trial::new("pass");
    for (arguments, said) in [
        (&["down", "--stack", "trial", "--set", "A=b", "--local"][..], "--set does nothing here: with --stack"),
        (&["history", "--stack", "trial", "--set", "A=b", "--local"], "--set does nothing here: with --stack"),
        (&["list", "--set", "A=b", "--local"], "--set"),
        (&["gc", "--set", "A=b", "--local"], "--set"),
        (&["gc", "--older-than", "1s", "--local"], "--older-than needs --stack, --env or --env-prefix"),
        (
            &["gc", "--older-than", "1s", "--env-prefix", "", "--local"],
            "--older-than needs --stack, --env or --env-prefix",
        ),
        (&["gc", "--env", "a", "--env-prefix", "b"], "cannot be used with"),
        (&["up", "--plan", "p.json", "--prune"], "cannot be used with"),
        (&["up", "--plan", "p.json", "--adopt"], "cannot be used with"),
        (&["up", "--plan", "p.json", "--allow-data-loss"], "cannot be used with"),
        (&["up", "--plan", "p.json", "--lock-timeout", "9s"], "cannot be used with"),
        (&["with", "--local", "--ttl", "1h", "--", "true"], "--ttl does nothing here: --local keeps nothing"),
        (&["invoke", "--local"], "--local does nothing here"),
        (&["invoke", "--profile", "p"], "--profile does nothing here"),
        (&["test-transform", "--local"], "--local"),
        (&["doctor", "--local", "--for", "up"], "cannot be used with"),
        (&["init", "--transform", "python", "--sdk-path", "a"], "--sdk-path does nothing here"),
        (&["init", "--ci", "gitlab", "--name", "a"], "--name does nothing here: ./provision.yaml exists"),
        (&["permissions", "--trust", "github:a/b", "--for", "up"], "cannot be used with"),
        (&["permissions", "--trust", "github:a/b", "--format", "table"], "--format table does nothing here"),
        (&["completions", "bash", "--output", "json"], "--output json does nothing here"),
    ] {
        trial.expect(arguments, 64, &[said]);
    }
}
