//! Walking folders: the same order everywhere, and without what is not input.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::archive::Entry;
use super::{left_out, links};

/// Every file under `folder` but in folders that `skip` names, by its name in the folder, sorted. Links are followed, but not to a
/// folder that they are in.
pub(super) fn under(folder: &Path, skip: impl Fn(&str) -> bool + Copy) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let skip = |path: &Path| skip(&name_of(path));
    walk(folder, "", &skip, Some(&mut Vec::new()), &mut found)?;
    found.sort();
    Ok(found)
}

/// `way`: the real folders that lead here; `None` where links are found as they are.
fn walk(
    folder: &Path,
    prefix: &str,
    skip: &dyn Fn(&Path) -> bool,
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
        let inside = format!("{prefix}{}", name_of(&path));
        let metadata = if way.is_some() { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        match metadata.map_err(|cause| at(&path, cause))?.is_dir() {
            true if skip(&path) => {}
            true => walk(&path, &format!("{inside}/"), skip, way.as_deref_mut(), found)?,
            false => found.push((inside, path)),
        }
    }
    way.map(Vec::pop);
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A folder's files as they go into a zip for this runtime, and the names of folders that are left out and should be heard of.
pub(super) fn deployable(folder: &Path, runtime: &str) -> io::Result<(Vec<Entry>, BTreeSet<String>)> {
    let told = RefCell::new(BTreeSet::new());
    let skip = |path: &Path| {
        let name = name_of(path);
        let why = left_out::why(&name, path.join("pyvenv.cfg").is_file(), runtime);
        if why == Some(left_out::Why::Told) {
            told.borrow_mut().insert(name);
        }
        why.is_some()
    };
    let mut found = Vec::new();
    walk(folder, "", &skip, None, &mut found)?;
    found.sort();
    let entries = found.into_iter().map(|(name, path)| entry(folder, name, &path)).collect::<io::Result<_>>()?;
    Ok((entries, told.into_inner()))
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
        return Err(at(path, io::Error::other(format!("it is {what}; a package can only contain files"))));
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
    fn a_virtual_environment_is_left_out_and_told() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a temporary folder takes folders");
            fs::write(path, "").expect("a temporary folder takes files");
        };
        for name in
            ["app.py", "lib/one.py", "venv/pyvenv.cfg", "venv/a.py", "lib/node_modules/a.js", "__pycache__/a.pyc"]
        {
            write(name);
        }
        let (entries, told) = deployable(folder.path(), "python3.13").expect("it can be read");
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["app.py", "lib/one.py"]);
        assert_eq!(told.into_iter().collect::<Vec<_>>(), ["node_modules", "venv"]);
    }

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
