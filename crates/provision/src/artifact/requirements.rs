//! The packages that `requirements.txt` beside a Python function names: installed by pip for the function's platform, into a folder
//! that is kept until the file changes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::archive::Entry;
use super::elf::Glibc;
use super::{Architecture, Target, files, runtime};
use crate::artifact::cargo::each_line;
use crate::error::{Error, Result};
use crate::workdir;

const FILE: &str = "requirements.txt";

/// Files that pip writes about an installation, and that nothing imports. It names paths of this machine, or the time.
const NOTES: [&str; 4] = ["INSTALLER", "RECORD", "REQUESTED", "direct_url.json"];

/// The folder for the packages of a function in the state of its requirements, whether or not it exists yet.
#[derive(Debug)]
pub(super) struct Requirements<'a> {
    code: &'a Path,
    target: &'a Target,
    folder: PathBuf,
    stem: String,
}

impl<'a> Requirements<'a> {
    /// `None`: the function is not in Python, names no packages, or has them beside its code.
    pub(super) fn of(code: &'a Path, target: &'a Target, cache_dir: &Path) -> io::Result<Option<Requirements<'a>>> {
        let named = code.join(FILE);
        if !target.runtime.starts_with("python3") || !named.is_file() || are_beside(code)? {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        hash.update(format!("{} {}", target.runtime, target.architecture.name()));
        for path in inputs(code, &named)? {
            let bytes = files::read(&path)?;
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        let identity = Sha256::digest(format!("{} {} {}", code.display(), target.runtime, target.architecture.name()));
        let stem = hex::encode(&identity[..8]);
        let folder = cache_dir.join("packages").join(format!("{stem}-{}", hex::encode(&hash.finalize()[..16])));
        Ok(Some(Requirements { code, target, folder, stem }))
    }

    pub(super) fn are_installed(&self) -> bool {
        self.folder.is_dir()
    }

    /// The installed files.
    pub(super) fn installed(&self) -> io::Result<Vec<Entry>> {
        let (mut entries, _) = files::deployable(&self.folder, &self.target.runtime)?;
        entries.retain(|entry| is_imported(&entry.name));
        Ok(entries)
    }

    /// Installs them. A run that is killed leaves nothing that counts as installed.
    ///
    /// # Errors
    /// pip is missing, or fails: with its own words.
    pub(super) async fn install(&self, progress: &mut (dyn FnMut(&str) + Send)) -> Result<()> {
        let installing = format!("installing the packages of {}", self.code.join(FILE).display());
        let failed = |cause: io::Error| Error::new(&installing, cause);
        let parent = self.folder.parent().unwrap_or(&self.folder);
        workdir::make(parent.parent().unwrap_or(parent)).map_err(failed)?;
        fs::create_dir_all(parent).map_err(failed)?;
        let into = tempfile::Builder::new().prefix(".installing-").tempdir_in(parent).map_err(failed)?;
        let mut said = String::new();
        let success = run(command(self.code, self.target, into.path()), progress, &mut said).await;
        let success = success
            .map_err(|cause| Error::new(&installing, format!("running python3: {cause}")).hint(instead(self.target)))?;
        if !success {
            let hint = remedy(&said, self.target);
            return Err(Error::new(&installing, said.trim_end()).hint(hint));
        }
        self.keep(into).map_err(failed)
    }

    /// Takes the place of what was installed for earlier requirements. Another process may have been faster.
    fn keep(&self, installed: tempfile::TempDir) -> io::Result<()> {
        for earlier in fs::read_dir(self.folder.parent().unwrap_or(&self.folder))? {
            let earlier = earlier?.path();
            let name = earlier.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(&self.stem) && earlier != self.folder {
                fs::remove_dir_all(earlier)?;
            }
        }
        match fs::rename(installed.path(), &self.folder) {
            Err(_) if self.folder.is_dir() => Ok(()),
            done => done,
        }
    }
}

/// Whether packages are installed beside the code already: each has a folder `NAME-VERSION.dist-info`.
fn are_beside(code: &Path) -> io::Result<bool> {
    let mut names = fs::read_dir(code).map_err(|cause| files::at(code, cause))?;
    names.try_fold(false, |found, entry| Ok(found || entry?.file_name().to_string_lossy().ends_with(".dist-info")))
}

/// The file, and each file that a word in it names: other requirements, constraints, packages.
fn inputs(code: &Path, named: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let (mut found, mut unread) = (BTreeSet::from([named.to_owned()]), vec![named.to_owned()]);
    while let Some(path) = unread.pop() {
        let Ok(text) = files::read_to_string(&path) else { continue };
        let folders = [path.parent().unwrap_or(code), code];
        let words = text.split(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty());
        for file in words.flat_map(|word| folders.map(|folder| folder.join(word))).filter(|file| file.is_file()) {
            if found.insert(file.clone()) && file.extension().is_some_and(|ending| ending == "txt" || ending == "in") {
                unread.push(file);
            }
        }
    }
    Ok(found)
}

/// Programs of packages name this machine's Python, and nothing imports them.
fn is_imported(name: &str) -> bool {
    let (top, rest) = name.split_once('/').unwrap_or((name, ""));
    top != "bin" && !(top.ends_with(".dist-info") && NOTES.contains(&rest))
}

fn command(code: &Path, target: &Target, into: &Path) -> Command {
    let mut command = Command::new("python3");
    command.current_dir(code);
    command.args(["-m", "pip", "install", "--requirement", FILE, "--only-binary=:all:", "--implementation=cp"]);
    command.args(["--python-version", target.runtime.trim_start_matches("python")]);
    command.args(platforms(target).iter().flat_map(|platform| ["--platform", platform]));
    command.args(["--no-compile", "--no-input", "--disable-pip-version-check", "--target"]).arg(into);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The platforms whose packages run there, the newest first: <https://peps.python.org/pep-0600/>.
fn platforms(target: &Target) -> Vec<String> {
    let processor = match target.architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    };
    let Glibc(_, newest) = runtime::glibc_of(&target.runtime).unwrap_or(Glibc(2, 17));
    let numbered = (17..=newest).rev().map(|minor| format!("manylinux_2_{minor}_{processor}"));
    numbered.chain([format!("manylinux2014_{processor}")]).collect()
}

async fn run(mut command: Command, progress: &mut (dyn FnMut(&str) + Send), said: &mut String) -> io::Result<bool> {
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().expect("it was piped by whoever made the command");
    let stderr = child.stderr.take().expect("it was piped by whoever made the command");
    tokio::try_join!(
        each_line(stdout, |line| if is_progress(line) {
            progress(line.trim())
        }),
        each_line(stderr, |line| said.extend([line, "\n"])),
    )?;
    Ok(child.wait().await?.success())
}

fn is_progress(line: &str) -> bool {
    ["Collecting ", "Installing collected "].iter().any(|verb| line.starts_with(verb))
}

/// A hint for a failed installation, if its output shows the reason.
fn remedy(said: &str, target: &Target) -> String {
    if said.contains("No module named pip") {
        return instead(target);
    }
    if said.contains("No matching distribution") || said.contains("from versions:") {
        let (architecture, runtime) = (target.architecture.name(), &target.runtime);
        return format!("choose a version that has a wheel for {runtime} on {architecture}; sources are not built");
    }
    "nothing was changed; PIP_INDEX_URL and pip's other settings hold here too".to_owned()
}

fn instead(target: &Target) -> String {
    format!(
        "install pip for python3 (apt install python3-pip), or install the packages beside the code: pip install -r {FILE} --platform \
         {} --python-version {} --only-binary=:all: --target FOLDER",
        platforms(target).last().map_or("", String::as_str),
        target.runtime.trim_start_matches("python")
    )
}

#[cfg(test)]
#[path = "requirements/tests.rs"]
mod tests;
