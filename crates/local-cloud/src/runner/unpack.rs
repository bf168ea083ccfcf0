//! A function's zip as a folder: unpacked once, gone with the last process that uses it.

use std::fs::{self, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use aws_facts::lambda::MAX_UNPACKED_BYTES;
use bytes::Bytes;
use tempfile::TempDir;
use zip::ZipArchive;

use crate::service::lambda::MAX_ENTRIES;

/// Folders that are made on the way to entries, and looked at on the way to links: the name of one entry may be thousands of folders.
const MAX_FOLDERS: usize = 4 * MAX_ENTRIES;
/// The longest target of a link, in bytes: Linux's.
const MAX_TARGET_BYTES: u64 = 4095;

/// Unpacks into a new temporary folder in `place`, keeping permission bits and the links that stay inside.
///
/// # Errors
/// An entry or a link that would leave the folder, and an entry that would be written through a link.
pub fn unpack(code: Bytes, place: &Path) -> io::Result<TempDir> {
    unpack_within(MAX_FOLDERS, code, place)
}

fn unpack_within(mut folders: usize, code: Bytes, place: &Path) -> io::Result<TempDir> {
    let mut archive = ZipArchive::new(Cursor::new(code)).map_err(io::Error::other)?;
    let folder = tempfile::Builder::new().prefix("lambda-").tempdir_in(place)?;
    let mut left = MAX_UNPACKED_BYTES;
    let mut links = vec![];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let leads_out = |name: &str| io::Error::other(format!("{name} leads out of the zip"));
        let inside = entry.enclosed_name().ok_or_else(|| leads_out(&entry.name().unwrap_or_default()))?;
        let target = folder.path().join(&inside);
        if entry.is_symlink() {
            let to = link_target(&mut entry)?;
            if !stays_inside(&inside, &to) {
                return Err(leads_out(&format!("the link {} to {}", inside.display(), to.display())));
            }
            links.push((inside, to));
            continue;
        }
        if entry.is_dir() {
            make_folder(&target, &mut folders)?;
            continue;
        }
        make_folder(target.parent().unwrap_or(folder.path()), &mut folders)?;
        let mode = entry.unix_mode().unwrap_or(0o644);
        left = left.checked_sub(write(&mut entry, &target, mode, left)?).ok_or_else(too_large)?;
    }
    // Last, so that nothing is written through one: an entry that would be has made a folder in its place.
    for (inside, to) in links {
        link(folder.path(), &inside, &to, &mut folders)
            .map_err(|error| io::Error::new(error.kind(), format!("the link {}: {error}", inside.display())))?;
    }
    Ok(folder)
}

fn link_target(entry: &mut impl Read) -> io::Result<PathBuf> {
    let mut target = String::new();
    entry.take(MAX_TARGET_BYTES + 1).read_to_string(&mut target)?;
    Ok(target.into())
}

/// Does a link at `inside` stay in the folder? Ways up are allowed at the beginning only, where each is a real folder's:
/// after a name, which may be a link itself, `..` leads nobody knows where.
pub fn stays_inside(inside: &Path, to: &Path) -> bool {
    let mut depth = inside.components().count() - 1;
    let mut named = false;
    to.components().all(|component| match component {
        Component::Normal(_) => {
            named = true;
            true
        }
        Component::CurDir => true,
        Component::ParentDir if named || depth == 0 => false,
        Component::ParentDir => {
            depth -= 1;
            true
        }
        Component::RootDir | Component::Prefix(_) => false,
    })
}

/// Each folder on the way must be one, and no link made before.
fn link(folder: &Path, inside: &Path, to: &Path, folders: &mut usize) -> io::Result<()> {
    let mut parent = folder.to_owned();
    for part in inside.parent().into_iter().flat_map(Path::components) {
        one_of(folders)?;
        parent.push(part);
        match fs::symlink_metadata(&parent) {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Err(io::Error::other(format!("{} is no folder", part.as_os_str().display()))),
            Err(_) => fs::create_dir(&parent)?,
        }
    }
    symlink(to, folder.join(inside)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::other("it is in the place of another entry"),
        _ => error,
    })
}

/// With those on the way, as far as there are folders left.
fn make_folder(folder: &Path, left: &mut usize) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    missing.into_iter().rev().try_for_each(|folder| {
        one_of(left)?;
        fs::create_dir(folder)
    })
}

fn one_of(folders: &mut usize) -> io::Result<()> {
    *folders = folders.checked_sub(1).ok_or_else(|| io::Error::other("the code has too many folders"))?;
    Ok(())
}

fn write(entry: impl io::Read, target: &Path, mode: u32, left: u64) -> io::Result<u64> {
    let mut file = fs::File::create(target)?;
    let written = io::copy(&mut entry.take(left + 1), &mut file)?;
    // Readable by us whatever the zip says: a file that is not could not be removed or run.
    file.set_permissions(Permissions::from_mode(mode & 0o777 | 0o600))?;
    Ok(written)
}

fn too_large() -> io::Error {
    io::Error::other(format!("the unpacked code is larger than {MAX_UNPACKED_BYTES} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_on_the_way_are_counted_once_and_those_to_links_each_time() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let options = zip::write::SimpleFileOptions::default();
        let zip_of = |files: &[&str], links: &[&str]| -> Bytes {
            let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
            files.iter().for_each(|name| zip.start_file(*name, options).expect("a new name"));
            links.iter().for_each(|name| zip.add_symlink(*name, "x", options).expect("a new name"));
            zip.finish().expect("in memory").into_inner().into()
        };
        for (files, links, folders) in
            [(&["a/b/c/1", "a/b/c/2", "a/b/d/"][..], &[][..], 4), (&["a/b/1"], &["a/b/2", "a/c/3"], 2 + 2 + 2)]
        {
            assert!(unpack_within(folders, zip_of(files, links), place.path()).is_ok(), "{files:?} {links:?}");
            let refused = unpack_within(folders - 1, zip_of(files, links), place.path()).expect_err("one is too many");
            assert!(refused.to_string().contains("too many folders"), "{refused}");
        }
    }

    /// Nothing is written beside the folder, and it can be removed.
    #[test]
    fn fuzz_unpack() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let inside = place.path().join("functions");
        fs::create_dir(&inside).expect("it is ours");
        fuzz::over("zip", |code| {
            if let Ok(folder) = unpack(Bytes::copy_from_slice(code), &inside) {
                folder.close().expect("it can be removed");
            }
            let count = |folder: &Path| fs::read_dir(folder).expect("it is there").count();
            assert_eq!((count(place.path()), count(&inside)), (1, 0));
        });
    }
}
