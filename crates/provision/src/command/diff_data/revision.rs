//! The spec and the code of an older revision, in a folder of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Variables;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::exit::Stop;
use crate::session;
use crate::spec::{self, stack::Stack};

/// The stack that this file described at that revision, for the account and region of today.
///
/// # Errors
/// There is no such revision, the spec was not there, or it was wrong.
pub fn stack(revision: &str, file: &Path, variables: &Variables, cx: &Cx) -> Result<Stack, Stop> {
    let file = session::current_dir()?.join(file);
    let file = file.canonicalize().map_err(|e| Error::new(format!("finding {}", file.display()), e))?;
    let folder = file.parent().expect("a file is in a folder");
    let root = PathBuf::from(git(folder, &[OsStr::new("rev-parse"), OsStr::new("--show-toplevel")], None)?);
    // A revision that begins with a dash would be an option.
    let commit = format!("{revision}^{{commit}}");
    let named = [OsStr::new("rev-parse"), "--verify".as_ref(), "--end-of-options".as_ref(), commit.as_ref()];
    let commit = git(folder, &named, None).map_err(|error| {
        error.hint("--against takes a git revision of this repository, a file that ends in .zip, or `deployed`")
    })?;
    let at = checked_out(&root, &commit, &cx.options.work_dir)?;
    let inside = file.strip_prefix(&root).map_err(|e| Error::new(format!("finding {} in git", file.display()), e))?;
    let loaded = spec::load(&at.join(inside), &variables.options()?)?;
    Ok(loaded.stack.at(&cx.names.account, &cx.names.region)?)
}

/// The files of a commit. They are written once, under another name first, so that a folder of this name is whole.
fn checked_out(root: &Path, commit: &str, work_dir: &Path) -> Result<PathBuf> {
    let folder = work_dir.join("revisions").join(commit);
    if folder.is_dir() {
        return Ok(folder);
    }
    let failed = |e: std::io::Error| Error::new(format!("writing the files of {commit}"), e);
    crate::workdir::make(work_dir).map_err(failed)?;
    std::fs::create_dir_all(work_dir.join("revisions")).map_err(failed)?;
    let made = tempfile::tempdir_in(work_dir).map_err(failed)?;
    let (index, files) = (made.path().join("index"), made.path().join("files"));
    std::fs::create_dir(&files).map_err(failed)?;
    let mut prefix = OsStr::new("--prefix=").to_owned();
    prefix.push(&files);
    prefix.push("/");
    git(root, &[OsStr::new("read-tree"), commit.as_ref()], Some(&index))?;
    git(root, &[OsStr::new("checkout-index"), "--all".as_ref(), &prefix], Some(&index))?;
    match std::fs::rename(&files, &folder) {
        Err(_) if folder.is_dir() => Ok(folder),
        renamed => renamed.map(|()| folder).map_err(failed),
    }
}

/// The output of git, in the index of its own that `index` is.
fn git(folder: &Path, words: &[&OsStr], index: Option<&Path>) -> Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let doing = || format!("running git {}", words.first().map_or("".into(), |word| word.to_string_lossy()));
    let ran = command.output().map_err(|e| Error::new(doing(), e))?;
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned()),
        false => Err(Error::new(doing(), String::from_utf8_lossy(&ran.stderr).trim().to_owned())),
    }
}
