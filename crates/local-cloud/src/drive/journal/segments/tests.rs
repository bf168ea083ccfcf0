use std::collections::BTreeMap;

use super::*;
use crate::service::kinesis::log::{Log, Record};
use crate::service::kinesis::sequence::Sequence;
use crate::settings::Millis;

/// Logs, and where they are kept.
struct Kept {
    logs: BTreeMap<String, Log>,
    segments: Segments,
    latest: Millis,
}

fn open(folder: &Path, owned: &[&str]) -> Kept {
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    let (segments, latest) = Segments::open(folder, |change| {
        logs.entry(change.log().to_owned()).or_default().restore(change.clone());
        owned.contains(&change.log())
    })
    .expect("the folder can be read");
    logs.retain(|name, _| owned.contains(&name.as_str()));
    Kept { logs, segments, latest }
}

impl Kept {
    fn put(&mut self, name: &str, size: usize) {
        let log = self.logs.entry(name.to_owned()).or_default();
        let sequence = Sequence::of_record(1, 0, log.next(), 1);
        log.append(Record { sequence, partition_key: "k".into(), data: vec![1; size].into(), arrival: 1_500 });
        self.keep(name);
    }

    fn keep(&mut self, name: &str) {
        let mut changes = crate::table::Changes::new(true);
        self.logs.get_mut(name).expect("it is there").take_changes(|| name.to_owned(), &mut changes);
        self.segments.append(&changes.logs).expect("it can be written");
        self.segments.trim(&changes.logs).expect("it can be written");
    }

    fn spans(&self) -> Vec<(&str, u64, u64)> {
        self.logs.iter().map(|(name, log)| (name.as_str(), log.base(), log.next())).collect()
    }
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("it is there").count()
}

#[test]
fn logs_come_back_and_go_on_and_those_of_nobody_are_forgotten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    for name in ["a", "b", "a"] {
        kept.put(name, 10);
    }
    let mut kept = open(folder.path(), &["a"]);
    assert_eq!((kept.spans(), kept.latest), (vec![("a", 0, 2)], 1_500));
    kept.put("c", 10);
    kept.put("a", 10);
    kept.logs.get_mut("a").expect("it is there").trim_to(1);
    kept.keep("a");
    assert_eq!(open(folder.path(), &["a", "c"]).spans(), [("a", 1, 3), ("c", 0, 1)]);
    assert_eq!(files(folder.path()), 1, "a file is continued");
}

#[test]
fn what_a_kill_left_unfinished_is_cut_off() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    kept.put("a", 10);
    kept.put("a", 10);
    let file = folder.path().join("00000000.log");
    let whole = std::fs::read(&file).expect("it is there");
    for cut in 1..15 {
        std::fs::write(&file, &whole[..whole.len() - cut]).expect("it can be written");
        let mut kept = open(folder.path(), &["a"]);
        assert_eq!(kept.spans(), [("a", 0, 1)], "{cut}");
        kept.put("a", 10);
        assert_eq!(open(folder.path(), &["a"]).spans(), [("a", 0, 2)], "{cut}");
    }
}

#[test]
fn a_file_goes_when_nothing_in_it_can_be_asked_for_and_no_ordinal_comes_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    kept.put("a", 10);
    kept.put("b", FULL as usize);
    kept.put("a", 10);
    assert_eq!(files(folder.path()), 2);
    kept.logs.get_mut("b").expect("it is there").trim_to(1);
    kept.keep("b");
    assert_eq!(files(folder.path()), 2, "there is a record of the other log in it");
    kept.logs.get_mut("a").expect("it is there").trim_to(2);
    kept.keep("a");
    assert_eq!(files(folder.path()), 1);
    assert_eq!(open(folder.path(), &["a", "b"]).spans(), [("a", 2, 2), ("b", 1, 1)]);
}

#[test]
fn a_file_that_is_broken_in_the_middle_of_all_is_not_read_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    kept.put("a", FULL as usize);
    kept.put("a", 10);
    std::fs::write(folder.path().join("00000000.log"), b"what?").expect("it can be written");
    let error = Segments::open(folder.path(), |_| true).expect_err("it cannot be understood");
    assert!(error.to_string().contains("00000000.log cannot be understood after its first 0 bytes"), "{error}");
}
