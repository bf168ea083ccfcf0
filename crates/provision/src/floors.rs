//! The floors of this crate: a module names only what stands below it.

use std::path::Path;

/// From the ground up.
const FLOORS: &[&str] = &[
    // The ground: plain data and helpers.
    "change",
    "error",
    "names",
    "ledger",
    "secret",
    "prefix",
    "claims",
    "seen",
    "transient",
    "waits",
    "outcome",
    "environment_name",
    "firehose_errors",
    "job",
    "workdir",
    // Calls to AWS.
    "cloud",
    "wait",
    "send",
    // A plan, pure.
    "plan",
    "schedule",
    // The spec's words, and a section of any kind.
    "yaml",
    "section",
    // Packages; the kinds, object-safe, and their table.
    "source",
    "artifact",
    "resource",
    "node",
    "kinds",
    // A stack, and what follows from it.
    "spec",
    "derive",
    "permissions",
    "outputs",
    "exports",
    // Reading an account.
    "doctor",
    "scan",
    "record",
    "survey",
    "saved_plan",
    // Functions and records, run here.
    "producer",
    "transform",
    "verify",
    "follow",
    "replay",
    // Reporting.
    "event",
    "exit",
    "interrupt",
    "report",
    // The whole of a command.
    "apply",
    "run",
    "args",
    "serving",
    "session",
    "surroundings",
    "command",
    "cli",
];

#[test]
fn every_module_names_only_what_stands_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    floors::check(FLOORS, &[root]).unwrap_or_else(|wrong| panic!("these point up:\n{wrong}"));
}
