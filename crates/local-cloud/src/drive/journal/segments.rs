//! The logs of records on disk: files that are only ever appended to. redb would write a record several times over, and take
//! longer over it than all the rest of the call. A file goes as soon as every record in it is trimmed or its log removed.
//!
//! A killed process may leave the last frame of the last file unfinished: it was acknowledged to nobody, and is cut off.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame;
use crate::service::kinesis::log::LogChange;

mod read;
#[cfg(test)]
mod tests;

use read::Read;

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

#[derive(Debug)]
pub struct Segments {
    folder: PathBuf,
    logs: HashMap<Arc<str>, Known>,
    full: Vec<Segment>,
    current: Option<Current>,
    next_id: u64,
    next_number: u64,
    buffer: Vec<u8>,
}

impl Segments {
    /// Those of a folder that was read, to be continued. What nobody may ask for any more goes.
    fn continued(folder: &Path, read: Read) -> io::Result<Segments> {
        let mut segments = Segments {
            folder: folder.to_owned(),
            logs: read.logs,
            full: read.full,
            current: read.last.map(|(segment, whole)| Current::reopen(segment, whole)).transpose()?,
            next_id: read.next_id,
            next_number: read.next_number,
            buffer: vec![],
        };
        segments.drop_finished()?;
        Ok(segments)
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
        self.begin_segment()?;
        let current = self.current.as_mut().expect("it was begun");
        let known = match (self.logs.get_mut(change.log()), change) {
            (Some(known), _) => known,
            (None, LogChange::Append { log, first, .. }) => {
                self.next_id += 1;
                self.logs.entry(Arc::clone(log)).or_insert(Known { id: self.next_id - 1, first: *first })
            }
            (None, _) => return Ok(()),
        };
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
            let path = path_of(&self.folder, self.next_number);
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
}

/// The name of a file, and back.
fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

fn number_of(file_name: &str) -> Option<u64> {
    file_name.strip_suffix(".log")?.parse().ok()
}
