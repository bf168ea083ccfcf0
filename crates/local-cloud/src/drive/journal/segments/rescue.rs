//! Damaged files are not continued: what is whole in them is written again, and they are put aside.

use std::io;
use std::path::{Path, PathBuf};

use super::super::commit::{Commit, End};
use super::super::disk::{Disk, create_folder};
use super::read::{self, Found};
use super::{Segments, index, path_of};
use crate::changes::LogChange;

/// The undamaged records, in new files that nothing refers to until [`Rescued::publish`].
#[derive(Debug)]
pub struct Rescued {
    segments: Segments,
    old: Vec<PathBuf>,
}

impl Found {
    /// Reads the same again, and writes what is somebody's; `more` is written last.
    pub fn rescue(
        &self,
        folder: &Path,
        end: Option<End>,
        floor: End,
        disk: &Disk,
        more: &[LogChange],
    ) -> io::Result<Rescued> {
        create_folder(folder)?;
        let mut segments = Segments::new(folder, disk, self.next_number);
        let mut written = Ok(());
        read::read(folder, end, floor, |change| {
            let owned = self.logs.contains_key(change.log());
            if owned && written.is_ok() {
                written = segments.put(std::iter::once(&change));
            }
            owned
        })?;
        written?;
        if !more.is_empty() {
            segments.put(more.iter())?;
        }
        let mut old: Vec<PathBuf> = self.segments.iter().map(|segment| path_of(folder, segment.number)).collect();
        old.push(index::path_in(folder));
        Ok(Rescued { segments, old })
    }
}

impl Rescued {
    /// From now on the new files count. The old ones go to another folder. Whoever is killed meanwhile leaves all files, and no
    /// word of how far they are written, so that the next one reads all of them.
    pub fn publish(self, aside: &Path, commit: &mut Commit) -> io::Result<Segments> {
        let Rescued { segments, old } = self;
        create_folder(aside)?;
        commit.forget()?;
        for path in old.iter().filter(|path| path.exists()) {
            std::fs::rename(path, aside.join(path.file_name().expect("a file of the folder")))?;
        }
        segments.write_index()?;
        commit.end(segments.end())?;
        Ok(segments)
    }
}
