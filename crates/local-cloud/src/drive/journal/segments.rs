//! The logs of records on disk: files that are only ever appended to. redb would write a record several times over, and take
//! longer over it than all the rest of the call. A file goes as soon as every record in it is trimmed or its log removed.
//!
//! A killed process may leave the last frame of the last file unfinished: it was acknowledged to nobody, and is cut off.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use crate::service::kinesis::log::LogChange;
use crate::settings::Millis;

/// A file that has grown to this many bytes is followed by another.
const FULL: u64 = 64 << 20;
/// So much of the buffer is kept from one write to the next.
const BUFFER: usize = 1 << 20;

/// What is known of a log that exists.
#[derive(Debug, Default)]
struct Known {
    id: u64,
    /// The first ordinal that is kept.
    first: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    /// By a log's id, the ordinal after its last record here; 0 where there is none. All are named in the file.
    ends: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Current {
    file: File,
    /// Of whole frames.
    bytes: u64,
    segment: Segment,
}

impl Current {
    /// To be continued after so many bytes; what follows them is cut off.
    fn reopen(segment: Segment, bytes: u64) -> io::Result<Current> {
        let mut file = OpenOptions::new().write(true).open(&segment.path)?;
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Current { file, bytes, segment })
    }
}

/// What is learned while the files are read.
#[derive(Debug, Default)]
struct Reading {
    names: HashMap<u64, String>,
    /// Logs that are nobody's.
    unowned: HashSet<u64>,
    latest: Millis,
}

#[derive(Debug)]
pub struct Segments {
    folder: PathBuf,
    logs: HashMap<String, Known>,
    full: Vec<Segment>,
    current: Option<Current>,
    next_id: u64,
    next_number: u64,
    buffer: Vec<u8>,
}

impl Segments {
    /// Reads all there is in a folder, which is created if it is not there, and hands it to `each`, which says whether there is
    /// somebody whose log it is. Gives the latest time of a record too.
    pub fn open(folder: &Path, mut each: impl FnMut(LogChange) -> bool) -> io::Result<(Segments, Millis)> {
        std::fs::create_dir_all(folder)?;
        let mut segments = Segments {
            folder: folder.to_owned(),
            logs: HashMap::new(),
            full: vec![],
            current: None,
            next_id: 0,
            next_number: 0,
            buffer: vec![],
        };
        let mut numbers: Vec<u64> = vec![];
        for entry in std::fs::read_dir(folder)? {
            numbers.extend(entry?.file_name().to_str().and_then(number_of));
        }
        numbers.sort_unstable();
        let mut reading = Reading::default();
        for number in &numbers {
            let path = segments.path(*number);
            let content = std::fs::read(&path)?;
            let mut segment = Segment { path, ends: HashMap::new() };
            let mut whole = 0;
            while let Some((frame, length)) = frame::next(&content[whole..]) {
                whole += length;
                segments.take_in(frame, &mut segment, &mut reading, &mut each);
            }
            segments.next_number = number + 1;
            if Some(number) == numbers.last() {
                segments.current = Some(Current::reopen(segment, whole as u64)?);
            } else if whole == content.len() {
                segments.full.push(segment);
            } else {
                let what = format!("{} cannot be understood after its first {whole} bytes", segment.path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        segments.drop_finished()?;
        Ok((segments, reading.latest))
    }

    fn take_in(
        &mut self,
        frame: Frame,
        segment: &mut Segment,
        reading: &mut Reading,
        each: &mut impl FnMut(LogChange) -> bool,
    ) {
        let id = frame.id();
        if let Frame::Name { name, .. } = frame {
            self.next_id = self.next_id.max(id + 1);
            segment.ends.entry(id).or_default();
            reading.names.insert(id, name);
            return;
        }
        let Some(log) = reading.names.get(&id).filter(|_| !reading.unowned.contains(&id)) else { return };
        let known = self.logs.entry(log.clone()).or_insert(Known { id, first: 0 });
        let log = log.clone();
        let change = match frame {
            Frame::Append { first, records, .. } => {
                segment.ends.insert(id, first + records.len() as u64);
                reading.latest = reading.latest.max(records.last().map_or(0, |record| record.arrival));
                LogChange::Append { log, first, records }
            }
            Frame::Trim { first, .. } => {
                known.first = first;
                LogChange::Trim { log, first }
            }
            Frame::Remove { .. } | Frame::Name { .. } => LogChange::Remove { log },
        };
        let name = change.log().to_owned();
        let removed = matches!(change, LogChange::Remove { .. });
        if !each(change) {
            reading.unowned.insert(id);
            self.logs.remove(&name);
        } else if removed {
            self.logs.remove(&name);
        }
    }

    /// What was put. It has reached the system when this returns.
    pub fn append(&mut self, changes: &[LogChange]) -> io::Result<()> {
        self.write(changes.iter().filter(|change| matches!(change, LogChange::Append { .. })))
    }

    /// What is of no more use: to be told once that is certain.
    pub fn trim(&mut self, changes: &[LogChange]) -> io::Result<()> {
        let trims = || changes.iter().filter(|change| !matches!(change, LogChange::Append { .. }));
        if trims().next().is_none() {
            return Ok(());
        }
        self.write(trims())?;
        self.drop_finished()
    }

    fn write<'a>(&mut self, mut changes: impl Iterator<Item = &'a LogChange>) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let written = changes.try_for_each(|change| self.frame(&mut buffer, change));
        let written = written.and_then(|()| self.flush(&buffer));
        buffer.shrink_to(BUFFER);
        self.buffer = buffer;
        written
    }

    /// Adds a change to what is to be written to the current file.
    fn frame(&mut self, buffer: &mut Vec<u8>, change: &LogChange) -> io::Result<()> {
        let fresh = !self.logs.contains_key(change.log());
        if fresh {
            let LogChange::Append { log, first, .. } = change else { return Ok(()) };
            self.logs.insert(log.clone(), Known { id: self.next_id, first: *first });
            self.next_id += 1;
        }
        self.begin_segment()?;
        let current = self.current.as_mut().expect("it was begun");
        let known = self.logs.get_mut(change.log()).expect("it was made known");
        let id = known.id;
        let end = current.segment.ends.entry(id).or_insert_with(|| {
            frame::name(buffer, id, change.log());
            0
        });
        match change {
            LogChange::Append { first, records, .. } => {
                frame::append(buffer, id, *first, records);
                *end = first + records.len() as u64;
            }
            LogChange::Trim { first, .. } => {
                frame::trim(buffer, id, *first);
                known.first = *first;
            }
            LogChange::Remove { log } => {
                frame::remove(buffer, id);
                self.logs.remove(log);
            }
        }
        Ok(())
    }

    /// Writes whole frames, or nothing. Then a file that is full is put aside.
    fn flush(&mut self, frames: &[u8]) -> io::Result<()> {
        let Some(current) = self.current.as_mut().filter(|_| !frames.is_empty()) else { return Ok(()) };
        if let Err(error) = current.file.write_all(frames) {
            let cut = current.file.set_len(current.bytes);
            // What was noted of this file is more than it holds. The next one begins with nothing.
            self.full.extend(self.current.take().map(|current| current.segment));
            return cut.and(Err(error));
        }
        current.bytes += frames.len() as u64;
        if current.bytes >= FULL {
            self.full.extend(self.current.take().map(|current| current.segment));
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        if self.current.is_none() {
            let path = self.path(self.next_number);
            let file = File::create(&path)?;
            self.next_number += 1;
            self.current = Some(Current { file, bytes: 0, segment: Segment { path, ends: HashMap::new() } });
        }
        Ok(())
    }

    /// Removes full files in which nothing is left that anybody may ask for. Where their logs begin is written again.
    fn drop_finished(&mut self) -> io::Result<()> {
        let firsts: HashMap<u64, u64> = self.logs.values().map(|known| (known.id, known.first)).collect();
        let finished = |segment: &mut Segment| {
            segment.ends.iter().all(|(id, end)| firsts.get(id).is_none_or(|first| end <= first))
        };
        let finished: Vec<Segment> = self.full.extract_if(.., finished).collect();
        if finished.is_empty() {
            return Ok(());
        }
        let gone: HashSet<u64> = finished.iter().flat_map(|segment| segment.ends.keys().copied()).collect();
        let kept = self.logs.iter().filter(|(_, known)| gone.contains(&known.id));
        let trims: Vec<LogChange> =
            kept.map(|(name, known)| LogChange::Trim { log: name.clone(), first: known.first }).collect();
        self.write(trims.iter())?;
        finished.iter().try_for_each(|segment| std::fs::remove_file(&segment.path))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:08}.log"))
    }
}

fn number_of(file_name: &str) -> Option<u64> {
    file_name.strip_suffix(".log")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::service::kinesis::log::{Log, Record};
    use crate::service::kinesis::sequence::Sequence;

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
}
