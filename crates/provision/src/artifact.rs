//! From a code source to the zip that is uploaded: built by cargo, zipped from a folder, or taken as it is, and in each
//! case checked before anything on AWS changes.
//!
//! The same source gives the same zip, byte for byte, wherever its folder is. What was built is kept by a fingerprint of
//! its inputs, so that an `up` without a change starts no process.

mod archive;
mod cache;
mod cargo;
mod check;
pub mod cpu;
mod elf;
mod files;
#[cfg(test)]
mod fuzz;
mod handler;
mod inputs;
pub mod interpreter;
mod left_out;
mod links;
mod package;
mod requirements;
mod runtime;

use std::collections::HashSet;
use std::path::Path;

use base64_simd::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
pub use cargo::{has_zigbuild, triple};

use archive::Entry;
use cpu::Level;
use inputs::Package;
use requirements::Requirements;

/// The source of a function's code. Paths are absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// A cargo package's folder. `bin` names the binary where the package has several.
    Crate { path: &'a Path, bin: Option<&'a str> },
    /// A zip somebody else made, uploaded as it is.
    Zip(&'a Path),
    /// A folder, zipped here without `__pycache__` and `.git`, and with the packages that a `requirements.txt` in it names. Links that
    /// stay in it are kept as links.
    Dir(&'a Path),
}

/// The platform that the code runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub architecture: Architecture,
    /// Lambda's name of it: `provided.al2023`, `python3.13`, ...
    pub runtime: String,
    /// `bootstrap`, `app.handler`, ...
    pub handler: String,
    /// Whether the function has layers: they may contain files that the package lacks.
    pub layers: bool,
}

impl Target {
    /// On this machine's architecture, without layers.
    pub fn of(runtime: &str, handler: &str) -> Target {
        let (runtime, handler) = (runtime.to_owned(), handler.to_owned());
        Target { architecture: Architecture::here(), runtime, handler, layers: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Arm64,
}

impl Architecture {
    /// This machine's.
    pub fn here() -> Architecture {
        match std::env::consts::ARCH {
            "aarch64" => Architecture::Arm64,
            _ => Architecture::X86_64,
        }
    }

    /// As Lambda spells it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }
}

/// A deployment package that Lambda will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub zip: Bytes,
    /// Lambda's `CodeSha256`.
    pub sha256_base64: String,
    /// For people: `crate crates/handler`.
    pub from: String,
}

impl Artifact {
    fn new(source: &Source<'_>, zip: Bytes) -> Artifact {
        let sha256_base64 = STANDARD.encode_to_string(Sha256::digest(&zip));
        Artifact { zip, sha256_base64, from: source.to_string() }
    }
}

impl std::fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Crate { path, bin: None } => write!(f, "crate {}", path.display()),
            Source::Crate { path, bin: Some(bin) } => write!(f, "binary {bin} of crate {}", path.display()),
            Source::Zip(path) => write!(f, "zip {}", path.display()),
            Source::Dir(path) => write!(f, "folder {}", path.display()),
        }
    }
}

/// The artifact, built only if it is not kept from before. `cache_dir` is made if need be; what is kept there may be
/// deleted at any time. Where cargo has to write the lock file first, that changes the inputs, and the next call asks
/// cargo once more. `progress` gets cargo's lines, such as `Compiling handler v0.1.0`.
///
/// # Errors
/// The source is missing or not what it is said to be, the build fails (with the compiler's own words), or Lambda would
/// not run or not take the result: wrong architecture, too new a glibc, a missing library, no executable `bootstrap`, no such handler, too
/// large.
pub async fn build(
    source: Source<'_>,
    target: &Target,
    cache_dir: &Path,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Artifact> {
    match source {
        Source::Crate { path, bin } => {
            let kept = cache::Slot::of_crate(path, bin, target, cache_dir)?;
            let zip = match kept.read()? {
                Some(zip) => zip,
                None => {
                    let zip = from_crate(&source, path, bin, target, cache_dir, progress).await?;
                    kept.write(&zip)?;
                    zip
                }
            };
            Ok(Artifact::new(&source, zip))
        }
        Source::Zip(path) => from_zip(&source, path, target),
        Source::Dir(path) => {
            let requirements = required(&source, path, target, cache_dir)?;
            if let Some(requirements) = requirements.filter(|requirements| !requirements.are_installed()) {
                requirements.install(progress).await?;
            }
            let packed = from_dir(&source, path, target, cache_dir)?;
            Ok(packed.expect("its packages are installed"))
        }
    }
}

/// The artifact, if that takes no build: kept from before, or not a crate at all. Starts no process.
///
/// # Errors
/// As [`build`], for what it looks at.
pub fn up_to_date(source: Source<'_>, target: &Target, cache_dir: &Path) -> Result<Option<Artifact>> {
    match source {
        Source::Crate { path, bin } => {
            let kept = cache::Slot::of_crate(path, bin, target, cache_dir)?.read()?;
            Ok(kept.map(|zip| Artifact::new(&source, zip)))
        }
        Source::Zip(path) => from_zip(&source, path, target).map(Some),
        Source::Dir(path) => from_dir(&source, path, target, cache_dir),
    }
}

async fn from_crate(
    source: &Source<'_>,
    path: &Path,
    bin: Option<&str>,
    target: &Target,
    cache_dir: &Path,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Bytes> {
    let building = format!("building {source}");
    let target_dir = cache_dir.join("target");
    let level = Level::to_build(&Package::at(path)?.folder, target.architecture);
    let order = cargo::Order { path, bin, architecture: target.architecture, level, target_dir: &target_dir };
    let zig = cargo::has_zigbuild();
    let glibc = runtime::glibc_of(&target.runtime);
    // Another architecture wants another linker; a glibc older than this machine's too, which is known afterwards.
    let first =
        if zig && target.architecture != Architecture::here() { cargo::With::Zig(glibc) } else { cargo::With::Cargo };
    let mut binary = cargo::build(&order, first, progress).await?;
    let mut checked = check::executable(&binary, target, &[]);
    if zig && first == cargo::With::Cargo && checked.as_ref().is_err_and(|wrong| wrong.too_new) {
        progress("its glibc is too new for Lambda: linking it again, with cargo zigbuild");
        binary = cargo::build(&order, cargo::With::Zig(glibc), progress).await?;
        checked = check::executable(&binary, target, &[]);
    }
    checked.map_err(|wrong| wrong.into_error(&building))?;
    archive::pack(&building, vec![Entry::executable(archive::BOOTSTRAP, binary)], level)
}

fn from_zip(source: &Source<'_>, path: &Path, target: &Target) -> Result<Artifact> {
    let reading = format!("reading {source}");
    let zip = files::read(path).map_err(|cause| Error::new(&reading, cause))?;
    let entries = archive::entries(&reading, &zip, |name| package::is_looked_into(name, target))?;
    package::check(&entries, target).map_err(|wrong| wrong.into_error(&reading))?;
    Ok(Artifact::new(source, zip.into()))
}

fn required<'a>(
    source: &Source<'_>,
    path: &'a Path,
    target: &'a Target,
    cache_dir: &Path,
) -> Result<Option<Requirements<'a>>> {
    Requirements::of(path, target, cache_dir).map_err(|cause| Error::new(format!("packing {source}"), cause))
}

/// `None` if packages must be installed first.
fn from_dir(source: &Source<'_>, path: &Path, target: &Target, cache_dir: &Path) -> Result<Option<Artifact>> {
    let packing = format!("packing {source}");
    let failed = |cause| Error::new(&packing, cause);
    let requirements = required(source, path, target, cache_dir)?;
    let installed = match &requirements {
        Some(requirements) if !requirements.are_installed() => return Ok(None),
        Some(requirements) => requirements.installed().map_err(failed)?,
        None => vec![],
    };
    let (mut entries, without) = files::deployable(path, &target.runtime).map_err(failed)?;
    let own: HashSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    entries.extend(installed.into_iter().filter(|entry| !own.contains(&entry.name)));
    package::check(&entries, target).map_err(|wrong| wrong.into_error(&packing))?;
    let mut artifact = Artifact::new(source, archive::pack(&packing, entries, None)?);
    if requirements.is_some() {
        artifact.from += " with requirements.txt";
    }
    if !without.is_empty() {
        artifact.from += &format!(", without {}", without.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(Some(artifact))
}

#[cfg(test)]
mod tests;
