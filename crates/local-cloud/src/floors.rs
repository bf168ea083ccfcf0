//! The floors of this crate and of `local-world`: a module names only what stands below it. Where a thing belongs: one service,
//! `service`; two services, `world`; bytes, `wire`; what waits or writes, `drive`; HTTP in and out, `exchange`.

use std::path::Path;

/// From the ground up. A module belongs to the longest name that it begins with.
const FLOORS: &[&str] = &[
    // The ground: plain data and helpers.
    "glob",
    "arn",
    "time",
    "host",
    "brief",
    "request",
    "record",
    "allowance",
    "faults",
    "target",
    "changes",
    "anomalies",
    "log",
    "table",
    "settings",
    // The service models; Firehose's pipeline; the effects of a turn.
    "model",
    "flow",
    "recent",
    "effect",
    // Each service's state and the operations on it.
    "service",
    "service::iam",
    "service::sts",
    "service::logs",
    "service::s3",
    "service::kinesis",
    "service::lambda",
    "service::firehose",
    // All states together.
    "world",
    "world::access",
    "world::functions",
    "world::delivery",
    "world::services",
    "world::turns",
    "world::dump",
    "world::watch",
    // Bytes and calls; functions as processes.
    "wire",
    "runner",
    "rates",
    "course",
    // The clock, the journal and the effects.
    "drive",
    // HTTP in and out.
    "page",
    "control",
    "exchange",
    "server",
    "connector",
];

#[test]
fn every_module_names_only_what_stands_below_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder of crates");
    let roots = ["local-world", "local-cloud"].map(|name| crates.join(name).join("src"));
    floors::check(FLOORS, &roots).unwrap_or_else(|wrong| panic!("these point up:\n{wrong}"));
}
