//! AWS answers late, and refuses with "try again". Every anomaly that the engine knows is survived by every command, alone and
//! together with all others.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::{Bench, experiment, stack};
use local_cloud::anomalies::{About, Row, Shown, rows};
use local_cloud::{Delays, Settings};
use provision::error::Error;
use provision::transient::{self, TRANSIENTS, Transient};

/// Longer than any anomaly lasts: then reads tell the truth.
const SETTLED: Duration = Duration::from_secs(900);

const OPTIONS: &str = "{ name: eq-sanhe-for-everything, expire: 7d, versioning: true, tls_only: true, \
                       encryption: \"arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-0000-0000-000000000000\", \
                       access_logs: { bucket: logs, prefix: lake/ } }\n  logs: { name: eq-sanhe-for-logs }";

/// The experiment with something of every kind that an update changes.
fn changed() -> String {
    experiment()
        .replace("shards: 1, retention: 24h", "shards: 2, retention: 48h, metrics: [IncomingBytes]")
        .replace("{ name: eq-sanhe-for-everything }", OPTIONS)
        .replace("memory: 256MiB", "memory: 512MiB, alias: live, description: changed")
        .replace("tags: { team: data }", "tags: { team: platform, more: tags }")
        .replace(
            "    good: data/kinesis-test/raw/good/",
            "    buffer: { size: 2MiB }\n    good: data/kinesis-test/raw/good/",
        )
}

/// `up`, a changing `up`, the way back, `down`, and `up` at once after it.
async fn lives(consistency: &str) {
    let settings = Settings {
        delays: Delays::AWS,
        consistency: consistency.parse().unwrap_or_else(|error| panic!("{error}")),
        ..Settings::default()
    };
    let bench = Bench::with(settings).await;
    for text in [experiment(), changed(), experiment()] {
        let stack = stack(&text);
        bench.up(&stack).await;
        tokio::time::sleep(SETTLED).await;
        let plan = bench.plan(&stack).await;
        assert!(plan.is_empty() && plan.refusals.is_empty(), "{consistency}: {plan:#?}");
    }
    bench.down(None).await;
    bench.up(&stack(&experiment())).await;
    tokio::time::sleep(SETTLED).await;
    bench.down(None).await;
    tokio::time::sleep(SETTLED).await;
    assert!(bench.members().await.is_empty(), "{consistency}");
    let nodes = bench.plan(&stack(&experiment())).await;
    assert!(nodes.same.is_empty() && nodes.refusals.is_empty(), "{consistency}: {nodes:#?}");
}

#[tokio::test(start_paused = true)]
async fn each_anomaly_alone_is_survived() {
    for row in local_cloud::anomalies::rows() {
        lives(row.name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_anomalies_together_are_survived() {
    for seed in 0..2 {
        lives(&format!("aws,seed={seed}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn anomalies_that_come_now_and_then_are_survived() {
    for seed in 0..3 {
        lives(&format!("aws,rate=0.3,seed={seed}")).await;
    }
}

/// Anomalies that no row of the transients survives.
const BY_RULE: &[(&str, &str)] = &[
    ("kinesis-stale", READ_BACK),
    ("kinesis-not-active", SENT_AGAIN),
    ("kinesis-still-updating", SENT_AGAIN),
    ("firehose-stale", READ_BACK),
    ("firehose-late-tags", NOT_READ),
    (
        "firehose-late-reading",
        "`--ready data` and `verify` put a canary record every 30 s until one comes out | the buffers and 300 s |",
    ),
    ("lambda-stale", READ_BACK),
    ("lambda-late-tags", NOT_READ),
    ("iam-stale", NOT_READ),
    ("iam-stale-policy", NOT_READ),
    ("iam-lingering", VANISHED),
    ("iam-short-pages", "all pages are read"),
    ("s3-stale", NOT_READ),
    ("s3-lingering", VANISHED),
    ("logs-absent", NOT_READ),
    ("logs-stale", NOT_READ),
    ("logs-empty-pages", "pages are read until the token repeats"),
    ("logs-late-events", "no decision depends on them; `history` shows what exists"),
    (
        "logs-late-streams",
        "a stream that exists already counts as created; who has the lease is decided by creating one",
    ),
];
const READ_BACK: &str = "an accepted change is not sent again; reads are repeated until they show it | 60 s |";
const SENT_AGAIN: &str = "the change is retried, unless a read shows it | 60 s |";
const NOT_READ: &str = "no decision depends on a read after our own change";
const VANISHED: &str = "a resource that a read shows but a change does not find is created";

/// How AWS answers about a resource that it does not see.
fn absent(kind: &str) -> &'static str {
    match kind {
        "bucket" => "NoSuchBucket",
        "role" => "NoSuchEntity",
        _ => "ResourceNotFoundException",
    }
}

/// The kind of resource whose calls meet an anomaly.
fn kind(row: &Row) -> &'static str {
    match row.about {
        About::Stream => "stream",
        About::DeliveryStream => "delivery",
        About::Function => "function",
        About::Bucket => "bucket",
        About::LogGroup => "log_group",
        About::Role | About::RolePolicy if row.at[0].starts_with("firehose:") => "delivery",
        About::Role | About::RolePolicy if row.at[0].starts_with("lambda:") => "function",
        About::Role | About::RolePolicy => "role",
    }
}

/// The transients that an anomaly is.
fn transients(row: &Row) -> Vec<&'static Transient> {
    let (kind, just_created) = (kind(row), Some(Duration::ZERO));
    let find =
        |code: &str, message: &str| transient::find(kind, &Error::of_item("calling", code, message), just_created);
    let creates = row.after.iter().any(|operation| operation.contains(":Create"));
    match row.shown {
        Shown::Refused(wordings) => wordings.iter().filter_map(|words| find(words.code, words.message)).collect(),
        // Before it was created there was none.
        Shown::Stale if creates => find(absent(kind), "").into_iter().collect(),
        Shown::Stale | Shown::EmptyPages | Shown::ShortPages | Shown::Late | Shown::Unread => vec![],
    }
}

fn told(row: &Transient) -> String {
    format!("the call is retried, waiting for {} | {} s", row.waits_for, row.limit.as_secs())
}

/// Every anomaly, and every transient that is none of them, with how it is survived.
fn survived() -> Vec<String> {
    let mut lines = vec![];
    for row in rows() {
        let by_rule = BY_RULE.iter().find(|(name, _)| *name == row.name).map(|(_, rule)| *rule);
        let by_rows: BTreeSet<String> = transients(row).into_iter().map(told).collect();
        match by_rule {
            Some(rule) if rule.ends_with('|') => lines.push(format!("| {} | {rule}", row.name)),
            Some(rule) => lines.push(format!("| {} | {rule} | |", row.name)),
            None => lines.extend(by_rows.into_iter().map(|told| format!("| {} | {told} |", row.name))),
        }
    }
    let known: Vec<&Transient> = rows().flat_map(transients).collect();
    for row in TRANSIENTS.iter().filter(|row| !known.iter().any(|known| std::ptr::eq(*known, *row))) {
        let words = [row.code, row.message].join(" ");
        lines.push(format!("| {} | {} |", words.trim(), told(row)));
    }
    lines
}

#[test]
fn the_documentation_says_how_each_anomaly_is_survived() {
    for row in rows() {
        let whole = match row.shown {
            Shown::Refused(wordings) => transients(row).len() == wordings.len(),
            _ => !transients(row).is_empty(),
        };
        let by_rule = BY_RULE.iter().any(|(name, _)| *name == row.name);
        assert!(whole || by_rule, "nothing says how {} is survived", row.name);
    }
    for (name, _) in BY_RULE {
        assert!(local_cloud::anomalies::row(name).is_some(), "there is no anomaly {name}");
    }
    let documentation = include_str!("../README.md");
    let (_, section) =
        documentation.split_once("\n## AWS's delays and transient errors").expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let table: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let wanted = survived();
    assert!(table == wanted, "write into crates/provision/README.md:\n{}", wanted.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_was_lost_is_awaited_where_reads_are_late() {
    for rule in ["iam:CreateRole=lost-reply", "firehose:UpdateDestination=lost-reply"] {
        let consistency = "aws".parse().expect("all rows");
        let bench = Bench::with(Settings { delays: Delays::AWS, consistency, ..Settings::default() }).await;
        bench.engine.inject(format!("{rule},count=1").parse().unwrap_or_else(|error| panic!("{error}")));
        for text in [experiment(), changed()] {
            bench.up(&stack(&text)).await;
        }
        let (_, _, injected) = bench.engine.faults().remove(0);
        assert_eq!(injected, 1, "{rule}");
    }
}
