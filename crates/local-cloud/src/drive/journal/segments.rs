//! The logs of records on disk: files that are only ever appended to. redb would write a record several times over, and take
//! longer over it than all the rest of the call. A file goes as soon as every record in it is trimmed or its log removed.
//!
//! A killed process may leave frames at the end of the last file that were acknowledged to nobody: they are behind the end that was
//! committed, and are cut off. What cannot be read before it is damaged. Then all that is whole is written again into new files.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit::{Commit, End};
use super::disk::{self, Disk};
use super::frame::{Frames, Place};
use crate::changes::LogChange;

mod index;
mod read;
mod rescue;
#[cfg(test)]
mod tests;

pub use read::{Found, read};

/// A file that has grown to this many bytes is followed by another.
const FULL: u64 = 64 << 20;
/// So much of the buffer is kept from one write to the next.
const BUFFER: usize = 1 << 20;

/// The state of a log that exists.
#[derive(Debug, Default)]
struct Known {
    id: u64,
    /// The first ordinal that is kept.
    first: u64,
}

#[derive(Debug, Default)]
struct Segment {
    number: u64,
    /// Bytes of whole frames.
    bytes: u64,
    /// Ever put into it.
    records: u64,
    /// By a log's id, the ordinal after its last record here; 0 where there is none. All are named in the file.
    ends: HashMap<u64, u64>,
}

/// When something could not be written, what is known here is more than the files hold: they are to be opened again.
#[derive(Debug)]
pub struct Segments {
    folder: PathBuf,
    disk: Disk,
    logs: HashMap<Arc<str>, Known>,
    full: Vec<Segment>,
    current: Option<(File, Segment)>,
    next_id: u64,
    next_number: u64,
    buffer: Vec<u8>,
}

impl Segments {
    /// Appends records. They have reached the operating system when this returns.
    pub fn append(&mut self, changes: &[LogChange], commit: &mut Commit) -> io::Result<()> {
        let appends = changes.iter().filter(|change| !ends(change));
        self.write(appends, commit)
    }

    /// Forgets records that are no longer needed. Call it only once that is certain.
    pub fn trim(&mut self, changes: &[LogChange], commit: &mut Commit) -> io::Result<()> {
        let trims = || changes.iter().filter(|change| ends(change));
        if trims().next().is_none() {
            return Ok(());
        }
        self.write(trims(), commit)?;
        self.drop_finished(commit)
    }

    /// How far they are written.
    pub fn end(&self) -> End {
        let before = self.full.iter().map(|segment| segment.records).sum();
        match &self.current {
            Some((_, Segment { number, bytes, records, .. })) => {
                End { segment: *number, bytes: *bytes, records: *records, before }
            }
            None => End { segment: self.next_number, bytes: 0, records: 0, before },
        }
    }

    fn write<'a>(&mut self, changes: impl Iterator<Item = &'a LogChange>, commit: &mut Commit) -> io::Result<()> {
        let mut changes = changes.peekable();
        if changes.peek().is_none() {
            return Ok(());
        }
        self.put(changes)?;
        commit.end(self.end())
    }

    fn put<'a>(&mut self, mut changes: impl Iterator<Item = &'a LogChange>) -> io::Result<()> {
        self.begin_segment()?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        changes.try_for_each(|change| self.frame(&mut buffer, change))?;
        let (file, segment) = self.current.as_mut().expect("it was begun");
        self.disk.append(file, &buffer)?;
        segment.bytes += buffer.len() as u64;
        buffer.shrink_to(BUFFER);
        self.buffer = buffer;
        Ok(())
    }

    /// Adds a change to what is to be written to the current file.
    fn frame(&mut self, buffer: &mut Vec<u8>, change: &LogChange) -> io::Result<()> {
        let known = match (self.logs.get_mut(change.log()), change) {
            (Some(known), _) => known,
            (None, LogChange::Remove { .. }) => return Ok(()),
            (None, LogChange::Append { log, .. } | LogChange::Trim { log, .. } | LogChange::Lose { log, .. }) => {
                self.next_id += 1;
                self.logs.entry(Arc::clone(log)).or_insert(Known { id: self.next_id - 1, first: 0 })
            }
        };
        let id = known.id;
        let (_, segment) = self.current.as_mut().expect("it was begun");
        let start = Place { segment: segment.number, offset: segment.bytes };
        let mut frames = Frames { out: buffer, start };
        let end = segment.ends.entry(id).or_insert_with(|| {
            // Twice, because all records of the log here would be nobody's without it.
            (0..2).for_each(|_| frames.name(id, change.log()));
            0
        });
        match change {
            LogChange::Append { first, numbering, records, .. } => {
                frames.append(id, *first, *numbering, records);
                *end = first + records.len() as u64;
                segment.records += records.len() as u64;
            }
            LogChange::Trim { first, .. } => {
                frames.trim(id, *first);
                known.first = *first;
            }
            LogChange::Lose { next, .. } => {
                frames.lose(id, *next);
                *end = *next;
            }
            LogChange::Remove { log } => {
                frames.remove(id);
                self.logs.remove(log);
            }
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|(_, segment)| segment.bytes >= FULL) {
            self.full.extend(self.current.take().map(|(_, segment)| segment));
            self.write_index()?;
        }
        if self.current.is_none() {
            let number = self.next_number;
            self.disk.takes_a_write()?;
            let file = disk::options().truncate(true).open(path_of(&self.folder, number))?;
            self.next_number += 1;
            self.current = Some((file, Segment { number, ..Segment::default() }));
        }
        Ok(())
    }

    /// To be continued after so many bytes; what follows them is cut off.
    fn reopen(folder: &Path, segment: Segment) -> io::Result<(File, Segment)> {
        let mut file = disk::options().truncate(false).open(path_of(folder, segment.number))?;
        if file.metadata()?.len() > segment.bytes {
            file.set_len(segment.bytes)?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok((file, segment))
    }

    fn write_index(&self) -> io::Result<()> {
        let files = self.full.iter().map(|Segment { number, bytes, records, .. }| index::Full {
            number: *number,
            bytes: *bytes,
            records: *records,
        });
        index::write(&self.disk, &self.folder, files)
    }

    /// Removes full files in which nothing is left that anybody may ask for. Where their logs begin is written again.
    pub fn drop_finished(&mut self, commit: &mut Commit) -> io::Result<()> {
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
        self.write(trims.iter(), commit)?;
        self.write_index()?;
        commit.end(self.end())?;
        finished.iter().try_for_each(|segment| std::fs::remove_file(path_of(&self.folder, segment.number)))
    }
}

/// Is it told only once that is certain?
fn ends(change: &LogChange) -> bool {
    matches!(change, LogChange::Trim { .. } | LogChange::Remove { .. })
}

/// The name of a file, and back.
fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

fn number_of(file_name: &str) -> Option<u64> {
    file_name.strip_suffix(".log")?.parse().ok()
}
