//! The commands that the tests of stops and faults disturb: commands on stacks, each with the world that it should leave.

use std::collections::{BTreeMap, BTreeSet};

use local_cloud::Delays;
use provision::cloud::{self, Cx};
use provision::event::Summary;
use provision::names::Tags;
use provision::plan::Permits;
use provision::run::{self, How};
use serde_json::Value;

use super::line::Sent;
use super::{Bench, Done, experiment, stack};

#[derive(Debug, Clone)]
pub enum Command {
    /// With everything that could be asked: `--prune --adopt --allow-data-loss --yes`.
    Up(String),
    /// With the spec, or by the name of the stack.
    Down(Option<String>),
}

impl Command {
    /// The permits of an `up`.
    pub fn spec(&self) -> Option<&str> {
        match self {
            Command::Up(spec) => Some(spec),
            Command::Down(_) => None,
        }
    }
}

/// A command on a stack as another command left it.
#[derive(Debug, Clone)]
pub struct Story {
    /// The resources that exist when the command begins.
    pub before: Option<String>,
    pub command: Command,
}

/// The world after a command.
#[derive(Debug)]
pub struct World {
    /// The engine's dump.
    there: Value,
    /// How many versions each function has.
    pub versions: BTreeMap<String, usize>,
    record: Vec<String>,
    tags: BTreeMap<String, Option<Tags>>,
}

impl World {
    /// Each fact in a line.
    pub fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        flatten(&self.there, "", &mut lines);
        // A record that once had more members keeps its continuation.
        lines.retain(|line| !line.starts_with("logs us-east-1 /provision/kinesis-test/-/"));
        lines.extend(self.versions.iter().map(|(function, count)| format!("{function} has {count} versions")));
        lines.extend(self.record.iter().map(|member| format!("record: {member}")));
        lines.extend(self.tags.iter().map(|(name, tags)| format!("{name}: {tags:?}")));
        lines
    }
}

fn flatten(value: &Value, path: &str, lines: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            flatten(value, &format!("{path}{}{key}", if path.is_empty() { "" } else { " " }), lines);
        }),
        Value::Array(members) => {
            lines.extend(members.iter().map(|member| format!("{path} {}", member.as_str().unwrap_or("?"))))
        }
        other => drop(lines.insert(format!("{path} {other}"))),
    }
}

pub fn up(before: Option<String>, spec: String) -> Story {
    Story { before, command: Command::Up(spec) }
}

pub fn down(before: String, by_name: bool) -> Story {
    let spec = Some(before.clone()).filter(|_| !by_name);
    Story { before: Some(before), command: Command::Down(spec) }
}

/// As stacks/everything.yaml, without resources of others.
pub fn everything() -> String {
    include_str!("../changes/stack.yaml").to_owned()
}

/// Each resource of the experiment has something to update.
pub fn updated() -> String {
    experiment()
        .replace("shards: 1, retention: 24h", "shards: 2, retention: 48h, metrics: [IncomingBytes]")
        .replace("{ name: eq-sanhe-for-everything }", "{ name: eq-sanhe-for-everything, expire: 7d }")
        .replace("memory: 256MiB", "memory: 512MiB, description: changed")
        .replace("tags: { team: data }", "tags: { team: platform, more: tags }")
        .replace("    good: data/kinesis-test/raw/", "    buffer: { size: 2MiB }\n    good: data/kinesis-test/raw/")
}

/// A stream under another name, a delivery stream under another key, a prefix that moved, and a delivery stream that went.
pub fn replaced() -> String {
    let text = experiment().replace("{ name: kinesis-test,", "{ name: kinesis-test-2,");
    let text = text.replace("  processed:\n", "  cooked:\n    moved: { from: processed }\n");
    text.replace("raw/good/", "crude/good/")
        + "  direct: { name: direct, bucket: lake, good: direct/, bad: direct-bad/ }\n"
}

pub fn everything_updated() -> String {
    [
        ("shards: 2", "shards: 4"),
        ("tags: { team: data }", "tags: { team: platform }"),
        ("tags: { tier: gold }", "tags: { tier: silver, owner: me }"),
        ("expire: 7d", "expire: 30d"),
        ("[dynamodb:GetItem]", "[dynamodb:GetItem, dynamodb:Query]"),
        ("LOG_LEVEL: debug", "LOG_LEVEL: info"),
        ("memory: 192MiB", "memory: 256MiB"),
        ("good: changes/processed/", "good: changes/done/"),
    ]
    .iter()
    .fold(everything(), |text, (before, after)| text.replace(before, after))
}

pub fn everything_replaced() -> String {
    let text = everything().replace("name: changes-direct\n", "name: changes-direct\n    from: clicks\n");
    text.replace("name: changes-aliased", "name: changes-renamed")
        .replace("name: changes-raw\n", "name: changes-crude\n")
}

/// More members than one log group has tags for.
pub fn two_pages(buffer: &str) -> String {
    let delivery = |n: usize| {
        format!(
            "  d{n}: {{name: d-{n}, from: e, bucket: lake, good: g/{n}/, bad: b/{n}/, buffer: {{size: {buffer}}}}}\n"
        )
    };
    let deliveries: String = (0..11).map(delivery).collect();
    format!(
        "version: 1\nstack: kinesis-test\nstreams: {{e: {{name: e, shards: 1}}}}\n\
         buckets: {{lake: {{name: many-lake}}}}\ndeliveries:\n{deliveries}"
    )
}

/// Versions are published, and no alias follows them.
pub fn published(memory: &str) -> String {
    let function = |key: &str| {
        format!(
            "  {key}: {{ name: {key}, publish: true, memory: {memory}, code: {{ dir: python-transform }}, \
             runtime: python3.13, handler: transform.lambda_handler }}\n"
        )
    };
    format!("version: 1\nstack: kinesis-test\nfunctions:\n{}{}", function("one"), function("two"))
}

impl Story {
    /// The world when the command begins.
    pub async fn begin(&self) -> Bench {
        let mut bench = Bench::new(Delays::FAST).await;
        for name in ["developer-boundary", "other-boundary"] {
            let all =
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
            bench.cx.iam().create_policy().policy_name(name).policy_document(all).send().await.unwrap();
        }
        if let Some(before) = &self.before {
            let summary = run_anew(&mut bench, &Command::Up(before.clone())).await;
            assert!(summary.complete(), "{summary:?}");
        }
        bench
    }
}

/// A new process begins. In an unkind world AWS's anomalies are met from now on, all of them; with the same seed the same.
pub fn start(bench: &mut Bench, unkind: Option<u64>) {
    forget(bench);
    bench.line.begin(vec![]);
    if let Some(seed) = unkind {
        // Pauses between looks are drawn.
        fastrand::seed(seed);
        bench.engine.set_consistency(format!("aws,seed={seed}").parse().expect("words"));
    }
}

/// The command, undisturbed: what it sends, and what it leaves.
pub async fn whole(story: &Story, unkind: Option<u64>) -> (Vec<Sent>, World) {
    let mut bench = story.begin().await;
    start(&mut bench, unkind);
    run_command(&bench, &story.command).await;
    let sent = bench.line.sent();
    (sent, world(&mut bench, story.command.spec()).await)
}

/// Runs a command as a new process would, that knows nothing of those before.
pub async fn run_anew(bench: &mut Bench, command: &Command) -> Summary {
    forget(bench);
    run_command(bench, command).await
}

/// The next command comes from a new process.
pub fn forget(bench: &mut Bench) {
    let http = bench.line.clone().to(&bench.engine);
    let cx = Cx::new(cloud::within(http, "us-east-1"), (*bench.cx.names).clone());
    bench.cx = Cx { options: bench.cx.options.clone(), ..cx };
}

pub async fn run_command(bench: &Bench, command: &Command) -> Summary {
    try_command(bench, command).await.unwrap_or_else(|errors| panic!("{errors:?}"))
}

pub async fn try_command(bench: &Bench, command: &Command) -> Done {
    match command {
        Command::Up(text) => {
            let all = Permits { prune: true, adopt: true, data_loss: true };
            super::up(&bench.cx, &stack(text), all, &How::new("up"), &bench.events()).await
        }
        Command::Down(text) => {
            let spec = text.as_deref().map(stack);
            super::down(&bench.cx, spec.as_ref(), &How::new("down"), &bench.events()).await
        }
    }
}

/// Everything that exists once all has settled; `spec`: whose resources' tags are looked at.
pub async fn world(bench: &mut Bench, spec: Option<&str>) -> World {
    bench.engine.advance(std::time::Duration::from_secs(120)).await;
    forget(bench);
    let record = bench.named().await;
    let spec = spec.map(stack);
    let looked = Box::pin(run::decide_down(&bench.cx, spec.as_ref(), &bench.events())).await;
    let (survey, _) = looked.unwrap_or_else(|errors| panic!("{errors:?}"));
    let live = survey.facts.iter().filter(|fact| fact.live);
    let tags =
        live.map(|fact| (format!("{} {}", fact.name.address.kind, fact.name.physical), fact.tags.clone().flatten()));
    World { tags: tags.collect(), there: bench.engine.dump(), versions: versions(bench).await, record }
}

async fn versions(bench: &Bench) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for function in
        bench.engine.dump()["lambda"]["us-east-1"].as_array().into_iter().flatten().filter_map(Value::as_str)
    {
        let listed = bench.cx.lambda().list_versions_by_function().function_name(function).send().await.unwrap();
        counts.insert(function.to_owned(), listed.versions().len());
    }
    counts
}

/// The difference, if there is one.
pub fn same(found: &World, expected: &World) -> Result<(), String> {
    let (found, expected) = (found.lines(), expected.lines());
    let more: Vec<_> = found.difference(&expected).collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    match more.is_empty() && missing.is_empty() {
        true => Ok(()),
        false => Err(format!("there is {more:#?} instead of {missing:#?}")),
    }
}
