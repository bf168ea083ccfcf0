//! redb's file, or an image of it in memory. A commit has reached the system when it returns, and so outlives this process however
//! it ends; the disk gets it when the system writes it there, and at the latest when the emulator is closed. A machine that loses its
//! power may lose the journal: it holds nothing that cannot be made again, and waiting for the disk in every call would make each
//! of them many times slower.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, Database, DatabaseError, ReadOnlyDatabase, StorageBackend};

use super::disk::{Disk, options};

/// Nobody else has it: the folder is locked.
#[derive(Debug)]
struct JournalFile {
    file: File,
    disk: Disk,
}

impl StorageBackend for JournalFile {
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.takes_a_write()?;
        self.file.set_len(len)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write_at(&self.file, data, offset)
    }
}

/// A file in memory: changes to it never reach the disk.
#[derive(Debug)]
struct Image(Mutex<Vec<u8>>);

impl Image {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        // Each change is a single one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn range(bytes: &[u8], offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
        let start = usize::try_from(offset)
            .ok()
            .filter(|start| start.checked_add(length).is_some_and(|end| end <= bytes.len()));
        let start = start.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(start..start + length)
    }
}

type Locked<T> = Result<T, BackendError>;

/// Locks are for files.
impl StorageBackend for Image {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes();
        out.copy_from_slice(&bytes[Image::range(&bytes, offset, out.len())?]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes().resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes();
        let range = Image::range(&bytes, offset, data.len())?;
        bytes[range].copy_from_slice(data);
        Ok(())
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(true)
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(false)
    }
}

/// Opens or creates a file. Every page of it is checked: one that is damaged is an error.
pub fn open(path: &Path, disk: &Disk) -> Result<Database, DatabaseError> {
    let file = options().truncate(false).open(path)?;
    let backend = JournalFile { file, disk: disk.clone() };
    redb::Builder::new().set_check_integrity_on_open(true).create_with_backend(backend)
}

/// Creates a file in place of what an engine that was killed may have left there.
pub fn create(path: &Path, disk: &Disk) -> Result<Database, DatabaseError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => open(path, disk),
    }
}

/// Opens an image of what a file holds, which stays as it is. Every page of it is checked too.
pub fn image(path: &Path) -> Result<Database, DatabaseError> {
    let image = Image(Mutex::new(std::fs::read(path)?));
    redb::Builder::new().set_check_integrity_on_open(true).create_with_backend(image)
}

/// In redb's header: flags, one of which says that a file was not closed.
const FLAGS: usize = 9;
const NOT_CLOSED: u8 = 2;

/// Was it left by a process that was killed? Then what redb opens may be older than what was last written.
pub fn was_killed(path: &Path) -> io::Result<bool> {
    let mut header = [0; FLAGS + 1];
    File::open(path)?.read_exact_at(&mut header, 0)?;
    Ok(header[FLAGS] & NOT_CLOSED != 0)
}

/// An image of a damaged file, in which nothing is checked or repaired: what is read from it may be anything, and reading it may
/// panic.
pub fn unchecked(path: &Path) -> Result<ReadOnlyDatabase, DatabaseError> {
    let mut bytes = std::fs::read(path)?;
    if let Some(flags) = bytes.get_mut(FLAGS) {
        *flags &= !NOT_CLOSED;
    }
    // This kind of reader, which may stand beside a writer, needs nothing but the rows.
    let mode = redb::ConcurrencyMode::SingleWriter;
    redb::Builder::new().set_concurrency_mode(mode).open_read_only_with_backend(Image(Mutex::new(bytes)))
}
