//! Specs that are large, or wrong in thousands of places: what they cost grows with their size, and what is said of them does not.

use std::path::Path;

use provision::spec::{Diagnostics, LoadOptions, Loaded, read};

fn load(text: &str) -> Result<Loaded, Diagnostics> {
    read(Path::new("large.yaml"), text, &LoadOptions::default())
}

/// A spec whose section `streams` has these lines.
fn streams(lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    format!("version: 1\nstack: large\nbuckets: {{lake: {{name: large-lake}}}}\nstreams:\n{lines}")
}

#[test]
fn ten_thousand_streams_with_one_alias_each_are_a_spec() {
    let shared = "s: {name: s, shards: 1, tags: &tags {team: data, cost: low}}".to_owned();
    let others = (0..10_000).map(|n| format!("s{n}: {{name: s-{n}, shards: 1, tags: *tags}}"));
    let loaded = load(&streams([shared].into_iter().chain(others))).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(loaded.stack.streams.len(), 10_001);
}

#[test]
fn a_thousand_deliveries_are_a_spec() {
    let delivery = |n: usize| format!("  d{n}: {{name: d-{n}, from: e, bucket: lake, good: g/{n}/, bad: b/{n}/}}\n");
    let deliveries: String = (0..1_000).map(delivery).collect();
    let text = streams(["e: {name: e, shards: 1}".to_owned()].into_iter()) + "deliveries:\n" + &deliveries;
    let loaded = load(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(loaded.stack.deliveries.len(), 1_000);
}

#[test]
fn what_aliases_blow_up_is_refused_where_it_gets_too_much() {
    let doubled = |n: usize| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","));
    let text = "version: 1\nstack: large\na0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    let text = text + &(1..9).map(doubled).collect::<String>();
    let said = load(&text).expect_err("it is too much").to_string();
    assert!(
        said.starts_with("error: the anchors and aliases of the spec stand for more than 200000 nodes\n"),
        "{said}"
    );
}

#[test]
fn of_thousands_of_mistakes_the_first_hundred_are_shown_and_all_are_told_to_programs() {
    // Thousands in lines of their own, and in one line.
    let lines = streams((0..8_000).map(|n| format!("s{n}: {{name: s-{n}, shards: x}}")));
    let one = (0..8_000).map(|n| format!("s{n}: {{name: s-{n}, shards: x}}")).collect::<Vec<_>>().join(", ");
    let one = format!("version: 1\nstack: large\nstreams: {{{one}}}\n");
    for text in [lines, one] {
        let wrong = load(&text).expect_err("every stream is wrong");
        let said = wrong.render(false);
        assert_eq!(said.matches("error: `x` is not a whole number").count(), 100);
        assert!(said.ends_with("large.yaml: 7900 more; `provision validate --output json` names every one"), "{said}");
        assert!(said.lines().all(|line| line.len() < 200), "a line is cut around its caret");
        let told = serde_json::to_value(&wrong).expect("mistakes serialise");
        let last = &told.as_array().expect("a list")[7_999];
        let at = text.rfind("shards: x").expect("the last") + "shards: ".len();
        let line_start = text[..at].rfind('\n').expect("not the first line") + 1;
        assert_eq!(last["line"], text[..at].matches('\n').count() + 1);
        assert_eq!(last["column"], at - line_start + 1);
    }
}

#[test]
fn the_place_of_a_mistake_in_a_long_line_is_told_though_the_line_is_cut() {
    let text = format!(
        "version: 1\nstack: large\nstreams: {{e: {{name: e, tags: {{a: '{}'}}, shardz: 1}}}}\n",
        "ä".repeat(500_000)
    );
    let wrong = load(&text).expect_err("a wrong key").render(false);
    assert!(wrong.contains("--> large.yaml:3:500039\n"), "{wrong}");
    assert!(wrong.contains("shardz: 1}}\n") && wrong.lines().all(|line| line.chars().count() < 200), "{wrong}");
}

#[test]
fn many_references_to_what_is_not_there_are_told() {
    let delivery =
        |n: usize| format!("  d{n}: {{name: d-{n}, from: s{n}x, bucket: lake, good: g/{n}/, bad: b/{n}/}}\n");
    let text = streams((0..2_000).map(|n| format!("s{n}: {{name: s-{n}, shards: 1}}"))) + "deliveries:\n";
    let wrong = load(&(text + &(0..2_000).map(delivery).collect::<String>())).expect_err("no such streams");
    let said = wrong.render(false);
    assert_eq!(wrong.len(), 2_000);
    assert!(said.contains("there is no `s0x`") && said.contains("did you mean `s0`?"), "{said}");
    assert!(said.len() < 100_000, "{} bytes", said.len());
}
