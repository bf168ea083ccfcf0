use std::collections::BTreeMap;

use super::super::commit::Committed;
use super::super::damage::Damage;
use super::*;
use crate::record::{Numbering, Record};
use crate::time::Millis;
use local_world::log::Log;

/// Logs, and where they are kept.
struct Kept {
    logs: BTreeMap<String, Log>,
    segments: Segments,
    commit: Commit,
    latest: Millis,
    damage: Vec<Damage>,
}

fn commit_path(folder: &Path) -> PathBuf {
    folder.join("commit")
}

fn try_open(folder: &Path, owned: &[&str]) -> Kept {
    let committed = Commit::read(&commit_path(folder)).expect("it can be read");
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    let end = committed.map(|committed| committed.end);
    let found = read(folder, end, End::default(), |change| {
        logs.entry(change.log().to_owned()).or_default().restore(change.clone());
        owned.contains(&change.log())
    });
    let found = found.expect("the folder can be read");
    logs.retain(|name, _| owned.contains(&name.as_str()));
    let disk = Disk::default();
    let mut commit =
        Commit::open(&commit_path(folder), &disk, committed.unwrap_or_default()).expect("it can be written");
    let (latest, damage) = (found.latest, found.damage.clone());
    let segments = if damage.is_empty() {
        found.continued(folder, end, &disk)
    } else {
        let rescued = found.rescue(folder, end, End::default(), &disk, &[]).expect("it can be written");
        rescued.publish(&folder.join("aside"), &mut commit)
    };
    Kept { logs, segments: segments.expect("it can be written"), commit, latest, damage }
}

fn open(folder: &Path, owned: &[&str]) -> Kept {
    let kept = try_open(folder, owned);
    assert_eq!(kept.damage, []);
    kept
}

impl Kept {
    fn put(&mut self, name: &str, size: usize) {
        let log = self.logs.entry(name.to_owned()).or_default();
        let numbering = Numbering { created_s: 1, shard: 0 };
        let sequence = numbering.sequence(log.next(), 1_500);
        let record = Record { sequence, partition_key: "k".into(), data: vec![1; size].into(), arrival: 1_500 };
        log.append(numbering, record.into());
        self.keep(name);
    }

    fn keep(&mut self, name: &str) {
        let mut changes = crate::changes::Changes::new(true);
        self.logs.get_mut(name).expect("it is there").take_changes(|| name.to_owned(), &mut changes);
        self.segments.append(&changes.logs, &mut self.commit).expect("it can be written");
        self.segments.trim(&changes.logs, &mut self.commit).expect("it can be written");
    }

    fn spans(&self) -> Vec<(&str, u64, u64)> {
        self.logs.iter().map(|(name, log)| (name.as_str(), log.base(), log.next())).collect()
    }

    fn records(&self) -> usize {
        self.logs.values().map(|log| log.from(0).count()).sum()
    }
}

fn files(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it is there").file_name());
    names.filter(|name| name.to_str().and_then(number_of).is_some()).count()
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("it is there");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("it can be written");
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
fn what_was_not_acknowledged_is_cut_off_whether_or_not_it_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    kept.put("a", 10);
    let acknowledged = std::fs::read(commit_path(folder.path())).expect("it is there");
    kept.put("a", 10);
    let file = folder.path().join("00000000.log");
    let whole = std::fs::read(&file).expect("it is there");
    for cut in 0..15 {
        std::fs::write(&file, &whole[..whole.len() - cut]).expect("it can be written");
        std::fs::write(commit_path(folder.path()), &acknowledged).expect("it can be written");
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
fn whatever_bit_is_flipped_or_byte_cut_off_the_rest_is_kept_and_what_is_lost_is_counted() {
    const RECORDS: usize = 12;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    (0..RECORDS).for_each(|n| kept.put(["a", "b", "c"][n % 3], 5 * n));
    drop(kept);
    let (file, commit) = (folder.path().join("00000000.log"), commit_path(folder.path()));
    let [whole, committed] = [&file, &commit].map(|path| std::fs::read(path).expect("it is there"));
    let mut lost_in_all = 0;
    let mut check = |at: usize, how: &str, damaged: &[u8]| {
        let _ = std::fs::remove_dir_all(folder.path().join("aside"));
        for path in std::fs::read_dir(folder.path()).expect("it is there") {
            std::fs::remove_file(path.expect("it is there").path()).expect("it can be removed");
        }
        std::fs::write(&file, damaged).expect("it can be written");
        std::fs::write(&commit, &committed).expect("it can be written");
        let kept = try_open(folder.path(), &["a", "b", "c"]);
        let [damage] = kept.damage.as_slice() else { panic!("{how} {at}: {:?}", kept.damage) };
        assert_eq!(damage.file, file);
        assert!(damage.counted && damage.offset.is_some_and(|offset| offset as usize <= at), "{how} {at}: {damage}");
        let lost = damage.lost_records as usize;
        assert_eq!(kept.records() + lost, RECORDS, "{how} {at}: {damage}");
        assert!(how == "cut" || lost <= 1, "{how} {at}: {damage}");
        let again = open(folder.path(), &["a", "b", "c"]);
        assert_eq!(again.records() + lost, RECORDS, "what was saved stays so");
        lost_in_all += lost;
    };
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        check(at, "flip", &flipped);
        check(at, "cut", &whole[..at]);
    }
    println!("{} damaged files, {lost_in_all} records lost and counted", 2 * whole.len());
    assert!(lost_in_all > 0);
}

#[test]
fn a_file_that_is_missing_is_missed_and_counted_wherever_it_was() {
    for gone in 0..3 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut kept = open(folder.path(), &[]);
        for records in [2, 1, 4] {
            (1..records).for_each(|_| kept.put("a", 10));
            kept.put("a", if records < 4 { FULL as usize } else { 10 });
        }
        let path = path_of(folder.path(), gone);
        std::fs::remove_file(&path).expect("it is there");
        let kept = try_open(folder.path(), &["a"]);
        let lost = [2, 1, 4][gone as usize];
        assert_eq!(kept.records() as u64, 7 - lost);
        let [damage] = kept.damage.as_slice() else { panic!("{:?}", kept.damage) };
        assert_eq!((&damage.file, damage.lost_records, damage.counted), (&path, lost, true), "{damage}");
        assert_eq!(open(folder.path(), &["a"]).records() as u64, 7 - lost);
    }
}

#[test]
fn without_the_list_of_files_all_are_counted_together() {
    for (damaged, lost) in [(false, 0), (true, 1)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut kept = open(folder.path(), &[]);
        kept.put("a", FULL as usize);
        kept.put("b", 10);
        change(&index::path_in(folder.path()), |bytes| bytes[7] ^= 1);
        if damaged {
            std::fs::remove_file(path_of(folder.path(), 0)).expect("it is there");
        }
        let kept = try_open(folder.path(), &["a", "b"]);
        let [damage] = kept.damage.as_slice() else { panic!("{:?}", kept.damage) };
        assert_eq!((damage.lost_records, damage.counted, kept.records()), (lost, true, 2 - lost as usize), "{damage}");
    }
}

#[test]
fn without_word_of_how_far_it_was_written_all_there_is_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut kept = open(folder.path(), &[]);
    (0..3).for_each(|_| kept.put("a", 10));
    let end = Committed { end: kept.segments.end(), turn: 0 }.end;
    std::fs::remove_file(commit_path(folder.path())).expect("it is there");
    assert_eq!(open(folder.path(), &["a"]).spans(), [("a", 0, 3)]);
    std::fs::remove_file(path_of(folder.path(), 0)).expect("it is there");
    let found = read(folder.path(), None, end, |_| true).expect("it can be read");
    assert!(matches!(found.damage.as_slice(), [Damage { lost_records: 3, counted: false, .. }]), "{:?}", found.damage);
}
