//! Specs as people write them: the examples load, wrong ones are explained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use provision::spec::stack::{Entry, Stack};
use provision::spec::{LoadOptions, load, read, render, schema};

fn stacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks")
}

fn example(name: &str, env: Option<&str>) -> Stack {
    let options = LoadOptions { env: env.map(str::to_owned), ..LoadOptions::default() };
    let loaded = load(&stacks().join(name), &options).unwrap_or_else(|wrong| panic!("{name}:\n{wrong}"));
    assert!(loaded.warnings.is_empty(), "{name}:\n{}", loaded.warnings);
    loaded.stack
}

const EXAMPLES: [&str; 3] = ["kinesis-test.yaml", "everything.yaml", "existing.yaml"];

#[test]
fn the_examples_load_without_a_mistake_or_a_warning() {
    for name in EXAMPLES {
        example(name, None);
        example(name, Some("pr-42"));
    }
}

#[test]
fn the_experiment_has_the_names_it_was_born_with() {
    let stack = example("kinesis-test.yaml", None);
    let names: Vec<&str> = stack.deliveries.values().map(Entry::physical).collect();
    assert_eq!(names, ["test-delivery2", "test-delivery1"], "processed, raw");
    assert_eq!(stack.streams["events"].physical(), "kinesis-test");
    assert_eq!(stack.buckets["lake"].physical(), "eq-sanhe-for-everything");
    let lake = stack.buckets["lake"].managed().unwrap();
    assert_eq!(lake.desired.prefixes.len(), 4, "{:?}", lake.desired.prefixes);
}

#[test]
fn an_environment_has_names_and_prefixes_of_its_own_but_shares_the_bucket() {
    let stack = example("everything.yaml", Some("pr-42"));
    assert_eq!(stack.streams["events"].physical(), "everything-events-pr-42");
    assert_eq!(stack.buckets["lake"].physical(), "everything-lake-eu");
    let processed = stack.deliveries["processed"].managed().unwrap();
    assert_eq!(processed.physical, "everything-processed-pr-42");
    assert_eq!(processed.desired.good, "pull-requests/pr-42/everything/processed/");
    assert_eq!(
        processed.desired.backup.as_ref().unwrap().prefix,
        "pull-requests/pr-42/everything/backup/!{timestamp:yyyy}/"
    );
}

#[test]
fn a_rendered_spec_means_the_same() {
    for name in EXAMPLES {
        let stack = example(name, Some("pr-42"));
        let rendered = render(&stack);
        let again = read(&stack.file, &rendered, &LoadOptions::default());
        let again = again.unwrap_or_else(|wrong| panic!("{rendered}\n{wrong}")).stack;
        assert_eq!(format!("{:#?}", Stack { env: None, ..stack }), format!("{again:#?}"), "{rendered}");
    }
}

#[test]
fn variables_come_from_set_then_from_the_environment() {
    let text = "version: 1\nstack: s\nstreams: {e: {name: n, shards: '${N}', retention: '${T:-24h}'}}\n";
    let options = LoadOptions {
        set: vec![("N".into(), "3".into())],
        variables: BTreeMap::from([("N".into(), "9".into()), ("T".into(), "48h".into())]),
        ..LoadOptions::default()
    };
    let stack = read(Path::new("s.yaml"), text, &options).unwrap_or_else(|wrong| panic!("{wrong}")).stack;
    let stream = &stack.streams["e"].managed().unwrap().desired;
    assert_eq!(format!("{:?} {}", stream.mode, stream.retention_hours), "Provisioned { shards: 3 } 48");
}

#[test]
fn names_past_a_limit_are_shortened_in_an_environment() {
    let name = "d".repeat(60);
    let text = format!(
        "version: 1\nstack: s\nbuckets: {{b: {{name: bbb}}}}\n\
         deliveries: {{d: {{name: {name}, bucket: b, good: g/}}}}\n"
    );
    let options = LoadOptions { env: Some("a-long-environment".into()), ..LoadOptions::default() };
    let stack = read(Path::new("s.yaml"), &text, &options).unwrap_or_else(|wrong| panic!("{wrong}")).stack;
    let physical = stack.deliveries["d"].physical();
    assert!((55..=64).contains(&physical.len()), "{physical}");
    assert!(physical.starts_with("dddd"), "{physical}");
}

#[test]
fn the_checked_in_schema_is_the_one_that_is_generated() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/stack.schema.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, schema()).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(checked_in == schema(), "stale: run the tests once with BLESS=1");
}
