//! How files of a data folder are made and written: nobody but this user reads them. Tests let writes fail here.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
#[cfg(test)]
use std::sync::{Arc, atomic::AtomicI64, atomic::Ordering};

/// The disk of a data folder. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    /// How many writes it still takes. None: as many as there are.
    #[cfg(test)]
    room: Option<Arc<AtomicI64>>,
}

impl Disk {
    /// A disk that takes so many writes, and as many more as are added.
    #[cfg(test)]
    pub fn with_room(room: &Arc<AtomicI64>) -> Disk {
        Disk { room: Some(Arc::clone(room)) }
    }

    /// Before each write.
    pub fn takes_a_write(&self) -> io::Result<()> {
        #[cfg(test)]
        if self.room.as_ref().is_some_and(|room| room.fetch_sub(1, Ordering::SeqCst) <= 0) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.takes_a_write()?;
        file.write_all(bytes)
    }

    pub fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.takes_a_write()?;
        file.write_all_at(bytes, offset)
    }

    /// Replaces a file's content, all of it or nothing.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = options().truncate(true).open(&new)?;
        self.append(&mut file, bytes)?;
        std::fs::rename(&new, path)
    }

    /// Fails where nothing more of any size can be written into this folder.
    pub fn probe(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join("probe.new");
        // As a constant, the zeros would be a mebibyte of the program.
        let zeros = vec![0; PROBE];
        let probed = options()
            .truncate(true)
            .open(&path)
            .and_then(|mut file| self.append(&mut file, &zeros).and_then(|()| file.sync_data()));
        // If the file cannot be removed, the next probe writes over it.
        let _ = std::fs::remove_file(&path);
        probed
    }
}

/// So many bytes are room enough to try again.
const PROBE: usize = 1 << 20;

/// Creates a folder, and those above it, for this user only. One that is there stays as it is.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// From now on only this user reads what is at these names in a folder, and in their folders. The folder itself is closed to
/// others too, unless it holds something else.
pub fn close_to_others(folder: &Path, names: &[&str]) -> io::Result<()> {
    let mut ours = true;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_name().to_str().is_some_and(|name| names.contains(&name)) {
            true => close_all(&entry.path())?,
            false => ours = false,
        }
    }
    if ours { set_mode(folder, 0o700) } else { Ok(()) }
}

/// Links are left alone.
fn close_all(path: &Path) -> io::Result<()> {
    let kind = path.symlink_metadata()?.file_type();
    if kind.is_file() {
        return set_mode(path, 0o600);
    }
    if kind.is_dir() {
        set_mode(path, 0o700)?;
        for entry in std::fs::read_dir(path)? {
            close_all(&entry?.path())?;
        }
    }
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    if path.metadata()?.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// To read and write a file, which is made for this user only if it is not there.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}
