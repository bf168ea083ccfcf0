//! Walking folders: the same order everywhere, and without what is not input.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::archive::Entry;
use super::links;

/// Every file under `folder` but in folders that `skip` names, by its name in the folder, sorted. Links are followed, but not to a
/// folder that they are in.
pub(super) fn under(folder: &Path, skip: impl Fn(&str) -> bool + Copy) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    walk(folder, "", skip, Some(&mut Vec::new()), &mut found)?;
    found.sort();
    Ok(found)
}

/// `way`: the real folders that lead here; `None` where links are found as they are.
fn walk(
    folder: &Path,
    prefix: &str,
    skip: impl Fn(&str) -> bool + Copy,
    mut way: Option<&mut Vec<PathBuf>>,
    found: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    if let Some(way) = way.as_deref_mut() {
        let real = folder.canonicalize().map_err(|cause| at(folder, cause))?;
        if way.contains(&real) {
            return Ok(());
        }
        way.push(real);
    }
    for entry in fs::read_dir(folder).map_err(|cause| at(folder, cause))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inside = format!("{prefix}{name}");
        let metadata = if way.is_some() { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        match metadata.map_err(|cause| at(&path, cause))?.is_dir() {
            true if skip(&name) => {}
            true => walk(&path, &format!("{inside}/"), skip, way.as_deref_mut(), found)?,
            false => found.push((inside, path)),
        }
    }
    way.map(Vec::pop);
    Ok(())
}

/// A folder's files as they go into a zip.
pub(super) fn deployable(folder: &Path) -> io::Result<Vec<Entry>> {
    let skip = |name: &str| matches!(name, "__pycache__" | ".git");
    let mut found = Vec::new();
    walk(folder, "", skip, None, &mut found)?;
    found.sort();
    found.into_iter().map(|(name, path)| entry(folder, name, &path)).collect()
}

fn entry(folder: &Path, name: String, path: &Path) -> io::Result<Entry> {
    let link = match fs::symlink_metadata(path)?.is_symlink() {
        true => Some(links::kept(folder, &name, path).map_err(|cause| at(path, cause))?),
        false => None,
    };
    let metadata = fs::metadata(path).map_err(|cause| at(path, cause))?;
    let bytes = if metadata.is_dir() { vec![] } else { read(path)? };
    Ok(Entry { name, executable: metadata.permissions().mode() & 0o111 != 0, bytes, link })
}

/// Reads a file and nothing else: what is no file might never end, or never begin.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path).map_err(|cause| at(path, cause))?.file_type();
    let special = [
        (kind.is_fifo(), "a fifo"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
    ];
    if let Some((_, what)) = special.iter().find(|(is, _)| *is) {
        return Err(at(path, io::Error::other(format!("it is {what}, and only files can be read here"))));
    }
    fs::read(path).map_err(|cause| at(path, cause))
}

/// As [`read`].
pub(super) fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|cause| at(path, io::Error::other(cause)))
}

/// The operating system does not say which file.
pub(super) fn at(path: &Path, cause: io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_that_lead_back_are_followed_once() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        fs::create_dir_all(folder.path().join("a/b")).expect("a temporary folder takes folders");
        fs::write(folder.path().join("a/file"), "").expect("a temporary folder takes files");
        for (to, name) in [("..", "a/up"), ("../..", "a/b/top"), (".", "a/b/here"), ("../file", "a/b/link")] {
            symlink(to, folder.path().join(name)).expect("a temporary folder takes links");
        }
        let found = under(folder.path(), |_| false).expect("it ends");
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a/b/link", "a/file"]);
    }
}
