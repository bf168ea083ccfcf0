//! Walking folders: the same order everywhere, and without what is not input.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::archive::Entry;

/// Every file under `folder` but in folders that `skip` names, by its name in the folder, sorted. Links are followed.
pub(super) fn under(folder: &Path, skip: impl Fn(&str) -> bool + Copy) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    walk(folder, "", skip, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    skip: impl Fn(&str) -> bool + Copy,
    found: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|cause| at(folder, cause))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inside = format!("{prefix}{name}");
        let is_dir = fs::metadata(&path).map_err(|cause| at(&path, cause))?.is_dir();
        match is_dir {
            true if skip(&name) => {}
            true => walk(&path, &format!("{inside}/"), skip, found)?,
            false => found.push((inside, path)),
        }
    }
    Ok(())
}

/// A folder's files as they go into a zip.
pub(super) fn deployable(folder: &Path) -> io::Result<Vec<Entry>> {
    under(folder, |name| matches!(name, "__pycache__" | ".git"))?
        .into_iter()
        .map(|(name, path)| {
            let executable = fs::metadata(&path)?.permissions().mode() & 0o111 != 0;
            Ok(Entry { name, executable, bytes: fs::read(&path).map_err(|cause| at(&path, cause))? })
        })
        .collect()
}

/// The operating system does not say which file.
pub(super) fn at(path: &Path, cause: io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}
