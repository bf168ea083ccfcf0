//! The processor that a crate is built for, and whether this machine has what a binary needs.
//!
//! A binary that was built here does not say it (the linker that Rust brings drops the note), so its zip does: in its comment.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Architecture;
use super::archive::{self, BOOTSTRAP};
use super::cargo;
use super::elf::Asks;
use super::files;
use crate::error::{Error, Result};

/// A level of x86-64, 1 to 4. <https://gitlab.com/x86-psABIs/x86-64-ABI>, "micro-architecture levels".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(pub(super) u32);

/// The level that every x86_64 machine of Lambda has: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-avx2.html>.
const LAMBDA: Level = Level(3);

/// As compilers spell it.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x86-64-v{}", self.0)
    }
}

impl Level {
    /// Reads the level from the comment of a zip that this program wrote.
    fn parse(comment: &[u8]) -> Option<Level> {
        let digits = comment.strip_prefix(b"x86-64-v")?;
        std::str::from_utf8(digits).ok()?.parse().ok().map(Level)
    }

    /// The level that the crate in this folder is built for. `None` leaves the choice to cargo's configuration, where a file of it
    /// that cargo would read mentions a `target-cpu`, whatever for.
    pub(super) fn to_build(folder: &Path, architecture: Architecture) -> Option<Level> {
        let chosen = |file: PathBuf| files::read_to_string(&file).is_ok_and(|text| text.contains("target-cpu"));
        match architecture {
            Architecture::X86_64 => (!configurations(folder).any(chosen)).then_some(LAMBDA),
            Architecture::Arm64 => None,
        }
    }
}

/// The files in which cargo looks for its configuration: <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>.
fn configurations(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let folders = folder.ancestors().map(|folder| folder.join(".cargo")).chain(cargo::home());
    folders.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)))
}

/// Refuses to run a package's `bootstrap` where it would end with an illegal instruction.
///
/// # Errors
/// The zip's comment or the binary's note names a level of x86-64 that is more than this processor has.
pub fn check_here(name: &str, zip: &[u8]) -> Result<()> {
    let running = format!("running {name}");
    let entries = archive::entries(&running, zip, |file| file == BOOTSTRAP)?;
    let Some(bootstrap) = entries.iter().find(|entry| entry.name == BOOTSTRAP) else { return Ok(()) };
    let noted = Asks::of(&bootstrap.bytes).ok().and_then(|asks| asks.x86_64_level);
    let needed = Level::parse(&archive::comment(&running, zip)?).max(noted);
    enough(&running, needed, here())
}

fn enough(running: &str, needed: Option<Level>, here: Level) -> Result<()> {
    match needed {
        Some(needed) if needed > here => {
            let why = format!("it needs a processor of level {needed}, but this machine's is {here}");
            Err(Error::new(running, why).hint(format!(
                "Lambda's has {LAMBDA}; run this elsewhere, or have it built for this one: rustflags = [\"-C\", \"target-cpu={here}\"] under \
                 [target.x86_64-unknown-linux-gnu] in .cargo/config.toml"
            )))
        }
        _ => Ok(()),
    }
}

/// This processor's.
#[cfg(target_arch = "x86_64")]
fn here() -> Level {
    macro_rules! all {
        ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* };
    }
    let v2 = all!("cmpxchg16b" "popcnt" "sse3" "ssse3" "sse4.1" "sse4.2");
    let v3 = v2 && all!("avx" "avx2" "bmi1" "bmi2" "f16c" "fma" "lzcnt" "movbe" "xsave");
    let v4 = v3 && all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl");
    Level(1 + u32::from(v2) + u32::from(v3) + u32::from(v4))
}

/// Another architecture's binary says nothing of it.
#[cfg(not(target_arch = "x86_64"))]
fn here() -> Level {
    Level(1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn more_than_the_processor_has_is_refused() {
        for (needed, here) in [(None, 1), (Some(1), 1), (Some(3), 3), (Some(3), 4)] {
            assert!(enough("running f", needed.map(Level), Level(here)).is_ok(), "{needed:?} on {here}");
        }
        let error = enough("running f", Some(Level(3)), Level(2)).expect_err("it is more");
        let told = "running f: it needs a processor of level x86-64-v3, but this machine's is x86-64-v2";
        assert_eq!(error.to_string(), told);
        assert!(error.what_next().is_some_and(|hint| hint.contains("target-cpu=x86-64-v2")), "{error:?}");
    }

    #[test]
    fn a_zip_that_says_what_it_needs_is_asked() {
        let bootstrap = || vec![archive::Entry::executable(BOOTSTRAP, b"#!/bin/sh".to_vec())];
        let zip = |level| archive::pack("packing", bootstrap(), level).expect("a small file can be zipped");
        assert!(check_here("f", &zip(None)).is_ok());
        assert!(check_here("f", &zip(Some(Level(1)))).is_ok());
        let error = check_here("f", &zip(Some(Level(9)))).expect_err("there is no such processor");
        assert!(error.to_string().starts_with("running f: it needs a processor of level x86-64-v9"), "{error}");
    }

    #[test]
    fn a_crate_is_built_for_lambda_unless_cargo_is_told_a_processor() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let package = folder.path().join("crates/app");
        fs::create_dir_all(package.join(".cargo")).expect("a temporary folder takes folders");
        fs::write(package.join(".cargo/config.toml"), "[net]").expect("a temporary folder takes files");
        assert_eq!(Level::to_build(&package, Architecture::X86_64), Some(LAMBDA));
        assert_eq!(Level::to_build(&package, Architecture::Arm64), None);

        fs::create_dir(folder.path().join(".cargo")).expect("a temporary folder takes folders");
        let flags = "[target.x86_64-unknown-linux-gnu]\nrustflags = ['-Ctarget-cpu=x86-64']";
        fs::write(folder.path().join(".cargo/config"), flags).expect("a temporary folder takes files");
        assert_eq!(Level::to_build(&package, Architecture::X86_64), None);
    }
}
