//! The files read again, in the order they were written, around what is damaged.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::commit::End;
use super::super::damage::Damage;
use super::super::disk::{Disk, create_folder};
use super::super::frame::{self, Frame, Place};
use super::index::{self, Full};
use super::{FULL, Known, Segment, Segments, number_of, path_of};
use crate::changes::LogChange;
use crate::record::Compact;
use crate::time::Millis;

/// The logs and the damage that were found in a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The latest time of a record.
    pub latest: Millis,
    pub damage: Vec<Damage>,
    /// No log has lost more records than that.
    pub lost_at_most: u64,
    pub(super) logs: HashMap<Arc<str>, Known>,
    pub(super) segments: Vec<Segment>,
    pub(super) next_id: u64,
    /// That of the next file: 0 where there was none yet.
    pub next_number: u64,
    /// Files that nobody was told of, or that were about to go.
    leftover: Vec<PathBuf>,
    names: HashMap<u64, Arc<str>>,
    /// Logs that are nobody's.
    unowned: HashSet<u64>,
}

/// Reads all there is in a folder and hands it to `each`, which says whether there is somebody whose log it is.
///
/// `end` is how far the files were written, unless that is not known any more: then it was at least as far as `floor`.
///
/// # Errors
/// Where files cannot be read at all. That they are damaged or not there is no error.
pub fn read(folder: &Path, end: Option<End>, floor: End, mut each: impl FnMut(LogChange) -> bool) -> io::Result<Found> {
    let mut found = Found::default();
    let numbers = numbers(folder)?;
    let index = index::read(folder)?;
    let listed: Option<Vec<Full>> = index
        .as_ref()
        .ok()
        .map(|files| files.iter().filter(|file| end.is_none_or(|end| file.number < end.segment)).copied().collect());
    let mut expected: BTreeMap<u64, Full> = listed.iter().flatten().map(|file| (file.number, *file)).collect();
    if let Some(End { segment, bytes, records, .. }) = end.filter(|end| end.bytes > 0) {
        expected.insert(segment, Full { number: segment, bytes, records });
    }
    let mut before = 0;
    for number in numbers.iter().copied() {
        let known = expected.remove(&number);
        let unlisted = end.is_some_and(|end| number >= end.segment || listed.is_some());
        if known.is_none() && unlisted {
            found.leftover.push(path_of(folder, number));
            continue;
        }
        let least = if end.is_none() && number == floor.segment { floor.records } else { 0 };
        let counted_by_index = end.is_some() && listed.is_none();
        let records = found.file(folder, number, known, least, counted_by_index, &mut each)?;
        if end.is_none_or(|end| number != end.segment) {
            before += records;
        }
    }
    for (number, file) in expected {
        found.missing(path_of(folder, number), file.records, true);
    }
    if end.is_none() && floor.bytes > 0 && !numbers.contains(&floor.segment) {
        found.missing(path_of(folder, floor.segment), floor.records, false);
        found.lost_at_most += 2 * FULL;
    }
    if let (Err(what), Some(end)) = (index, end.filter(|end| end.before > 0)) {
        let lost = end.before.saturating_sub(before);
        found.lost_at_most += lost;
        let what = format!("{what}, which lists all files but the last");
        let file = index::path_in(folder);
        found.damage.push(Damage { file, what, lost_records: lost, counted: true, ..Damage::default() });
    }
    found.next_number = numbers.last().map_or(0, |last| last + 1).max(end.map_or(0, |end| end.segment));
    if end.is_some_and(|end| end.bytes > 0) {
        found.next_number = found.next_number.max(end.map_or(0, |end| end.segment + 1));
    }
    Ok(found)
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> = vec![];
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        entries => {
            for entry in entries? {
                numbers.extend(entry?.file_name().to_str().and_then(number_of));
            }
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

impl Found {
    /// To be continued, where nothing is damaged. What nobody may ask for any more goes.
    pub fn continued(mut self, folder: &Path, end: Option<End>, disk: &Disk) -> io::Result<Segments> {
        create_folder(folder)?;
        self.leftover.iter().try_for_each(std::fs::remove_file)?;
        let last = self.segments.pop_if(|last| end.is_none_or(|end| last.number == end.segment));
        Ok(Segments {
            folder: folder.to_owned(),
            disk: disk.clone(),
            logs: self.logs,
            full: self.segments,
            current: last.map(|last| Segments::reopen(folder, last)).transpose()?,
            next_id: self.next_id,
            next_number: self.next_number,
            buffer: vec![],
        })
    }

    fn missing(&mut self, file: PathBuf, records: u64, counted: bool) {
        self.lost_at_most += records;
        let what = "it is missing".to_owned();
        self.damage.push(Damage { file, what, lost_records: records, counted, ..Damage::default() });
    }

    /// Gives how many records of the file could be read.
    fn file(
        &mut self,
        folder: &Path,
        number: u64,
        known: Option<Full>,
        least: u64,
        counted_elsewhere: bool,
        each: &mut impl FnMut(LogChange) -> bool,
    ) -> io::Result<u64> {
        let path = path_of(folder, number);
        let content = std::fs::read(&path)?;
        let length = known.map_or(content.len(), |known| content.len().min(known.bytes as usize));
        let mut segment = Segment { number, ..Segment::default() };
        // Start and length in bytes of what cannot be read.
        let mut damaged: Vec<(usize, usize)> = vec![];
        let mut at = 0;
        while at < length {
            let (rest, place) = (&content[at..length], Place { segment: number, offset: at as u64 });
            if let Some((frame, bytes)) = frame::next(rest, place) {
                if !self.take_in(frame, &mut segment, each) {
                    damaged.push((at, bytes));
                }
                at += bytes;
            } else {
                let bytes = frame::skipped(rest, place);
                damaged.push((at, bytes));
                at += bytes;
            }
        }
        if let Some(missing) = known.map(|known| known.bytes as usize - length).filter(|missing| *missing > 0) {
            damaged.push((length, missing));
        }
        let expected = known.map_or(least, |known| known.records);
        let lost = expected.saturating_sub(segment.records);
        let bytes: usize = damaged.iter().map(|(_, bytes)| bytes).sum();
        self.lost_at_most += if known.is_some() { lost } else { lost.max(bytes as u64) };
        if !damaged.is_empty() || lost > 0 {
            let what = match damaged.as_slice() {
                [(_, bytes)] => format!("{bytes} bytes cannot be read"),
                places => format!("{bytes} bytes in {} places cannot be read", places.len()),
            };
            let offset = damaged.first().map(|(at, _)| *at as u64);
            let counted = known.is_some() || counted_elsewhere;
            self.damage.push(Damage { file: path, offset, what, lost_records: lost, counted, ..Damage::default() });
        }
        let records = segment.records;
        segment.bytes = at as u64;
        self.segments.push(segment);
        Ok(records)
    }

    /// Gives whether it is known of which log it is.
    fn take_in(&mut self, frame: Frame, segment: &mut Segment, each: &mut impl FnMut(LogChange) -> bool) -> bool {
        let id = frame.id();
        self.next_id = self.next_id.max(id + 1);
        if let Frame::Name { name, .. } = frame {
            segment.ends.entry(id).or_default();
            self.names.insert(id, name.into());
            return true;
        }
        let Some(log) = self.names.get(&id).cloned() else { return false };
        if let Frame::Append { records, .. } = &frame {
            segment.records += records.len() as u64;
        }
        if self.unowned.contains(&id) {
            return true;
        }
        let known = self.logs.entry(Arc::clone(&log)).or_insert(Known { id, first: 0 });
        let change = match frame {
            Frame::Append { first, numbering, records, .. } => {
                segment.ends.insert(id, first + records.len() as u64);
                self.latest = self.latest.max(records.last().map_or(0, Compact::arrival));
                LogChange::Append { log: Arc::clone(&log), first, numbering, records }
            }
            Frame::Trim { first, .. } => {
                known.first = first;
                LogChange::Trim { log: Arc::clone(&log), first }
            }
            Frame::Lose { next, .. } => {
                segment.ends.insert(id, next);
                LogChange::Lose { log: Arc::clone(&log), next }
            }
            Frame::Remove { .. } | Frame::Name { .. } => LogChange::Remove { log: Arc::clone(&log) },
        };
        let removed = matches!(change, LogChange::Remove { .. });
        if !each(change) {
            self.unowned.insert(id);
            self.logs.remove(&log);
        } else if removed {
            self.logs.remove(&log);
        }
        true
    }
}

impl Segments {
    /// The segments of a folder that has none yet.
    pub fn new(folder: &Path, disk: &Disk, next_number: u64) -> Segments {
        Segments {
            folder: folder.to_owned(),
            disk: disk.clone(),
            logs: HashMap::new(),
            full: vec![],
            current: None,
            next_id: 0,
            next_number,
            buffer: vec![],
        }
    }
}
