//! The files read again, in the order they were written.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::super::frame::{self, Frame};
use super::{Known, Segment, Segments, number_of, path_of};
use crate::service::kinesis::log::LogChange;
use crate::settings::Millis;

/// What is learned while the files are read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) logs: HashMap<Arc<str>, Known>,
    pub(super) full: Vec<Segment>,
    /// The last file, and how many bytes of it are whole frames.
    pub(super) last: Option<(Segment, u64)>,
    pub(super) next_id: u64,
    pub(super) next_number: u64,
    names: HashMap<u64, Arc<str>>,
    /// Logs that are nobody's.
    unowned: HashSet<u64>,
    latest: Millis,
}

impl Segments {
    /// Reads all there is in a folder, which is created if it is not there, and hands it to `each`, which says whether there is
    /// somebody whose log it is. Gives the latest time of a record too.
    ///
    /// # Errors
    /// Where the folder cannot be used, or a file but the last is not understood to its end.
    pub fn open(folder: &Path, mut each: impl FnMut(LogChange) -> bool) -> io::Result<(Segments, Millis)> {
        std::fs::create_dir_all(folder)?;
        let mut numbers: Vec<u64> = vec![];
        for entry in std::fs::read_dir(folder)? {
            numbers.extend(entry?.file_name().to_str().and_then(number_of));
        }
        numbers.sort_unstable();
        let mut read = Read::default();
        for number in &numbers {
            read.file(folder, *number, numbers.last() == Some(number), &mut each)?;
        }
        let latest = read.latest;
        Ok((Segments::continued(folder, read)?, latest))
    }
}

impl Read {
    fn file(
        &mut self,
        folder: &Path,
        number: u64,
        is_last: bool,
        each: &mut impl FnMut(LogChange) -> bool,
    ) -> io::Result<()> {
        let path = path_of(folder, number);
        let content = std::fs::read(&path)?;
        let mut segment = Segment { path, ends: HashMap::new() };
        let mut whole = 0;
        while let Some((frame, length)) = frame::next(&content[whole..]) {
            whole += length;
            self.take_in(frame, &mut segment, each);
        }
        self.next_number = number + 1;
        if is_last {
            self.last = Some((segment, whole as u64));
        } else if whole == content.len() {
            self.full.push(segment);
        } else {
            let what = format!("{} cannot be understood after its first {whole} bytes", segment.path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(())
    }

    fn take_in(&mut self, frame: Frame, segment: &mut Segment, each: &mut impl FnMut(LogChange) -> bool) {
        let id = frame.id();
        if let Frame::Name { name, .. } = frame {
            self.next_id = self.next_id.max(id + 1);
            segment.ends.entry(id).or_default();
            self.names.insert(id, name.into());
            return;
        }
        let Some(log) = self.names.get(&id).filter(|_| !self.unowned.contains(&id)).cloned() else { return };
        let known = self.logs.entry(Arc::clone(&log)).or_insert(Known { id, first: 0 });
        let change = match frame {
            Frame::Append { first, records, .. } => {
                segment.ends.insert(id, first + records.len() as u64);
                self.latest = self.latest.max(records.last().map_or(0, |record| record.arrival));
                LogChange::Append { log: Arc::clone(&log), first, records }
            }
            Frame::Trim { first, .. } => {
                known.first = first;
                LogChange::Trim { log: Arc::clone(&log), first }
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
    }
}
