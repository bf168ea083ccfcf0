//! The checks of the fuzz targets, on their corpora and on changes to them, where no fuzzer is installed.

#[path = "../fuzz/check.rs"]
mod check;
#[path = "../fuzz/json.rs"]
mod json;
#[path = "../fuzz/value.rs"]
mod value;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("it is here").map(|file| file.expect("it is readable").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("it is readable")).collect()
}

#[test]
fn the_corpora_hold() {
    let (events, payloads) = (corpus("event"), corpus("json"));
    assert!(events.len() >= 10 && payloads.len() >= 10);
    events.iter().for_each(|event| check::event(event));
    payloads.iter().for_each(|payload| json::json(payload));
    payloads.iter().for_each(|payload| value::value(payload));
}

/// One step of a fuzzer.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, &'static str),
    Remove(Index, Index),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let words = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "1e9",
        "\"records\":[",
        "\"recordId\":\"x\"",
        "\"data\":\"aGk=\"",
        "é",
        "\u{1}",
        "-0",
        "1.5e3",
        "\\ud83d",
        "18446744073709551616",
        "true",
        " ",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), prop::sample::select(words.to_vec())).prop_map(|(at, word)| Change::Insert(at, word)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Remove(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn apply(event: &mut Vec<u8>, change: &Change) {
    let end = event.len() + 1;
    let range = |from: &Index, to: &Index| {
        let (from, to) = (from.index(end), to.index(end));
        from.min(to)..from.max(to)
    };
    match change {
        Change::Set(at, byte) => {
            if let Some(old) = event.get_mut(at.index(end)) {
                *old = *byte;
            }
        }
        Change::Insert(at, word) => {
            event.splice(at.index(end)..at.index(end), word.bytes());
        }
        Change::Remove(from, to) => {
            event.drain(range(from, to));
        }
        Change::Repeat(from, to) => {
            let part = event[range(from, to)].to_vec();
            event.splice(to.index(end)..to.index(end), part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn changes_to_events_hold(seed: Index, changes in prop::collection::vec(change(), 1..4)) {
        let corpus = corpus("event");
        let mut event = corpus[seed.index(corpus.len())].clone();
        changes.iter().for_each(|change| apply(&mut event, change));
        check::event(&event);
    }

    #[test]
    fn changes_to_payloads_hold(seed: Index, changes in prop::collection::vec(change(), 1..3)) {
        let corpus = corpus("json");
        let mut payload = corpus[seed.index(corpus.len())].clone();
        changes.iter().for_each(|change| apply(&mut payload, change));
        json::json(&payload);
        value::value(&payload);
    }
}
