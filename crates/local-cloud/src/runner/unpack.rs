//! A function's zip as a folder: unpacked once, gone with the last process that uses it.

use std::fs::{self, Permissions};
use std::io::{self, Cursor};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use zip::ZipArchive;

/// Unpacked, a deployment package may be this large.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_UNPACKED_BYTES: u64 = 262_144_000;
/// And of so many entries, which is what the format has room for without its extension: a bound of ours, for the file system's sake.
pub const MAX_ENTRIES: usize = 65_535;

/// Unpacks into a new temporary folder in `place`, keeping permission bits. An entry that would leave the folder is an error, and
/// so is a link.
pub fn unpack(code: Bytes, place: &Path) -> io::Result<TempDir> {
    let mut archive = ZipArchive::new(Cursor::new(code)).map_err(io::Error::other)?;
    let folder = tempfile::Builder::new().prefix("lambda-").tempdir_in(place)?;
    let mut left = MAX_UNPACKED_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let inside = entry.enclosed_name().filter(|_| !entry.is_symlink());
        let inside = inside
            .ok_or_else(|| io::Error::other(format!("{} leads out of the zip", entry.name().unwrap_or_default())))?;
        let target = folder.path().join(inside);
        if entry.is_dir() {
            fs::create_dir_all(&target)?;
            continue;
        }
        let mode = entry.unix_mode().unwrap_or(0o644);
        left = left.checked_sub(write(&mut entry, &target, mode, left)?).ok_or_else(too_large)?;
    }
    Ok(folder)
}

fn write(entry: impl io::Read, target: &Path, mode: u32, left: u64) -> io::Result<u64> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::File::create(target)?;
    let written = io::copy(&mut entry.take(left + 1), &mut file)?;
    // Readable by us whatever the zip says: a file that is not could not be removed or run.
    file.set_permissions(Permissions::from_mode(mode & 0o777 | 0o600))?;
    Ok(written)
}

fn too_large() -> io::Error {
    io::Error::other(format!("the unpacked code is larger than {MAX_UNPACKED_BYTES} bytes"))
}
