//! Specs as people write them: the examples load, wrong ones are explained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use provision::secret::Secrets;
use provision::spec::stack::{Entry, Stack};
use provision::spec::{LoadOptions, find, load, read, render, schema};

fn stacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks")
}

fn example(name: &str, env: Option<&str>) -> Stack {
    let options = LoadOptions { env: env.map(str::to_owned), ..LoadOptions::default() };
    let loaded = load(&stacks().join(name), &options).unwrap_or_else(|wrong| panic!("{name}:\n{wrong}"));
    assert!(loaded.warnings.is_empty(), "{name}:\n{}", loaded.warnings);
    loaded.stack
}

const EXAMPLES: [&str; 4] = ["kinesis-test.yaml", "everything.yaml", "existing.yaml", "page-views.yaml"];

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
        let rendered = render(&stack, &Secrets::default());
        let again = read(&stack.file, &rendered, &LoadOptions::default());
        let again = again.unwrap_or_else(|wrong| panic!("{rendered}\n{wrong}")).stack;
        assert_eq!(format!("{:#?}", Stack { env: None, unplaced: None, ..stack }), format!("{again:#?}"), "{rendered}");
    }
}

#[test]
fn what_is_not_said_is_filled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/defaults");
    let text = std::fs::read_to_string(folder.join("little.yaml")).unwrap();
    let options = LoadOptions { env: Some("pr-42".into()), ..LoadOptions::default() };
    let stack = read(Path::new("/specs/little.yaml"), &text, &options).unwrap_or_else(|wrong| panic!("{wrong}")).stack;
    assert_golden(&folder.join("filled-in.yaml"), &render(&stack, &Secrets::default()))
        .unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// Each is told in a line or two: on the stack of a test, which is smaller than a program's.
#[test]
fn no_spec_is_too_deep_and_none_stands_for_more_than_it_is() {
    const DEEP: usize = 100_000;
    let alias = |n: usize, of: &str| format!("a{n}: &a{n} [{}]\n", of.replace('#', &format!("*a{}", n - 1)));
    let chain = |of: &str, count| (1..count).map(|n| alias(n, of)).collect::<String>();
    let delivery = |fields: &str| {
        format!(
            "stack: s\nbuckets: {{b: {{name: some-bucket}}}}\nstreams: {{s: {{name: some-stream, shards: 1}}}}\n\
             deliveries: {{d: {{name: d, from: s, bucket: b, bad: bad/, {fields}}}}}"
        )
    };
    let query = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        delivery(&format!(
            "good: '!{{partitionKeyFromQuery:k}}/', partitioning: true, buffer: {{ size: 64MiB }}, metadata: '{{k: {open}1{close}}}'"
        ))
    };
    // (the spec after its version, what is said of it; nothing, where it is a spec)
    let table = [
        (format!("streams: {}{}", "[".repeat(DEEP), "]".repeat(DEEP)), "recursion limit exceeded"),
        (format!("streams: {}1{}", "{a: ".repeat(DEEP), "}".repeat(DEEP)), "recursion limit exceeded"),
        (format!("streams:\n  {}1", "- ".repeat(DEEP)), "recursion limit exceeded"),
        (
            "streams:\n".to_owned() + &(1..1_000).map(|n| " ".repeat(n) + "a:\n").collect::<String>(),
            "recursion limit exceeded",
        ),
        (format!("{} a", "?".repeat(DEEP)), "this is not YAML"),
        (format!("a0: &a0 [1]\n{}", chain("#", 1_000)), "stand for more than"),
        (format!("a0: &a0 [1]\n{}", chain("#,#", 60)), "stand for more than"),
        ("a: &a [*a]".into(), "an anchor that contains itself"),
        (format!("stack: {}x{}", "${A:-".repeat(DEEP), "}".repeat(DEEP)), "characters are too many"),
        (format!("stack: '{}'", "${".repeat(DEEP)), "`${` without `}`"),
        (format!("stack: '{}'", "a".repeat(DEEP)), "characters are too many"),
        (delivery(&format!("good: '{}'", "!{".repeat(DEEP))), "error"),
        (delivery(&format!("good: '{}'", "!{timestamp:y}/".repeat(34))), ""),
        (query(2_500), ""),
        (query(DEEP), "a text of 1 to 5120 characters"),
    ];
    for (rest, said) in table {
        let read = read(Path::new("/specs/deep.yaml"), &format!("version: 1\n{rest}\n"), &LoadOptions::default());
        match (read, said) {
            (Ok(_), "") => {}
            (Err(wrong), said) if !said.is_empty() => {
                let wrong = wrong.to_string();
                assert!(wrong.contains(said), "{rest:.40}: {wrong:.1000}");
            }
            (read, said) => {
                panic!("{rest:.200}: {said:?}, not {:.1000}", read.err().map_or("a spec".into(), |e| e.to_string()))
            }
        }
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
    assert!(assert_golden(&file, &schema()).is_ok(), "stale: run the tests once with BLESS=1");
}

#[test]
fn a_spec_that_is_not_there_is_said_to_be_missing() {
    let wrong = load(Path::new("no/such/spec.yaml"), &LoadOptions::default()).unwrap_err();
    assert!(wrong.to_string().starts_with("error: no/such/spec.yaml: the spec cannot be read: "), "{wrong}");
}

#[test]
#[cfg(unix)]
fn a_spec_without_an_end_is_not_read_for_ever_and_a_pipe_is_a_spec() {
    let options = LoadOptions::default();
    let wrong = load(Path::new("/dev/zero"), &options).expect_err("it has no end");
    assert!(wrong.to_string().contains("the spec cannot be read: it has more than 16777216 bytes"), "{wrong}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("stack.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()));
    let text = std::fs::read(stacks().join("kinesis-test.yaml")).expect("it is checked in");
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, text)
    });
    assert_eq!(load(&pipe, &options).expect("it is a good spec").stack.name, "kinesis-test");
    writer.join().expect("it does not panic").expect("it was read to its end");
}

#[test]
fn without_a_path_the_only_spec_is_found() {
    for (files, want) in [
        (&["provision.yaml", "stacks/a.yaml"][..], Ok("provision.yaml")),
        (&["stacks/a.yaml", "stacks/notes.txt"], Ok("stacks/a.yaml")),
        (&["stacks/b.yaml", "stacks/a.yml"], Err("there are several in stacks/: a.yml, b.yaml")),
        (&[], Err("there is neither provision.yaml nor one in stacks/")),
    ] {
        let cwd = tempfile::tempdir().unwrap();
        std::fs::create_dir(cwd.path().join("stacks")).unwrap();
        files.iter().for_each(|file| std::fs::write(cwd.path().join(file), "").unwrap());
        let found = find(None, cwd.path()).map_err(|error| error.to_string());
        match want {
            Ok(path) => assert_eq!(found.as_deref(), Ok(Path::new(path))),
            Err(why) => assert!(found.clone().is_err_and(|said| said.ends_with(why)), "{found:?}"),
        }
    }
}

/// Each folder entry `NAME.yaml` is wrong in some way; `NAME.txt` is what is said about it. A first line `# --env X` or
/// `# --set A=B` gives options. `BLESS=1` writes what is said now.
#[test]
fn wrong_specs_are_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 40, "{} wrong specs", files.len());
    let wrong: Vec<String> = files.iter().filter_map(|file| explained(file).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The message for `file` is the golden one.
fn explained(file: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file).unwrap();
    let options = options(&String::from_utf8_lossy(&bytes));
    let said = match load(file, &options) {
        Ok(loaded) => format!("only warnings:\n{}", loaded.warnings),
        Err(wrong) => wrong.to_string(),
    };
    let folder = format!("{}/", file.parent().unwrap().display());
    let said = said.replace(&folder, "") + "\n";
    assert_golden(&file.with_extension("txt"), &said)
}

/// `said` is what the file says. `BLESS=1` makes it so.
fn assert_golden(golden: &Path, said: &str) -> Result<(), String> {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(golden, said).unwrap();
    }
    let want = std::fs::read_to_string(golden).unwrap_or_default();
    match said == want {
        true => Ok(()),
        false => Err(format!("--- {}\n{said}\n--- instead of\n{want}", golden.display())),
    }
}

fn options(text: &str) -> LoadOptions {
    let first = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.trim_start_matches('#').split_whitespace().collect();
    let after = |flag: &str| words.iter().position(|word| *word == flag).map(|i| words[i + 1].to_owned());
    let set = after("--set").and_then(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())));
    LoadOptions { env: after("--env"), set: set.into_iter().collect(), ..LoadOptions::default() }
}
