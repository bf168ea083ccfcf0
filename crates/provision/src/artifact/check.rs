//! Whether native code will run on Lambda.

use object::elf::{EM_AARCH64, EM_X86_64, Machine};

use super::elf::{Asks, Glibc, Needed};
use super::{Architecture, Target, cargo, runtime};
use crate::error::Error;

/// A problem with a file of the package, and its remedy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) remedy: String,
    /// Would another linker make it right?
    pub(super) too_new: bool,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), remedy: remedy.into(), too_new: false }
    }

    pub(super) fn into_error(self, doing: &str) -> Error {
        Error::new(doing, self.what).hint(self.remedy)
    }
}

/// An executable that Lambda starts; `beside` are the names of the files that go with it.
///
/// # Errors
/// It is for another architecture, asks for a loader, a glibc or a library that the runtime does not have, or is none.
pub(super) fn executable(binary: &[u8], target: &Target, beside: &[&str]) -> Result<(), Wrong> {
    let name = "`bootstrap`";
    let asks = Asks::of(binary).map_err(|cause| {
        let what = format!("{name} is neither a script nor a 64-bit Linux executable: {cause}");
        Wrong::new(what, "build it for Linux, for example with --target x86_64-unknown-linux-gnu")
    })?;
    machine(name, asks.machine, target.architecture)?;
    loader(asks.interpreter.as_deref(), target.architecture)?;
    glibc(name, asks.glibc.as_ref(), target)?;
    libraries(name, &asks.libraries, target, beside)
}

/// A shared library, or a module of Python or Node.js. Which libraries it loads itself is not looked at: such packages
/// bring their own, and find them in their own ways.
pub(super) fn shared_object(name: &str, binary: &[u8], target: &Target) -> Result<(), Wrong> {
    let name = format!("`{name}`");
    // A file that only looks like a library (a linker's script) is never loaded.
    let Ok(asks) = Asks::of(binary) else { return Ok(()) };
    machine(&name, asks.machine, target.architecture)?;
    glibc(&name, asks.glibc.as_ref(), target)
}

fn machine(name: &str, machine: Machine, architecture: Architecture) -> Result<(), Wrong> {
    let wanted = match architecture {
        Architecture::X86_64 => EM_X86_64,
        Architecture::Arm64 => EM_AARCH64,
    };
    if machine == wanted {
        return Ok(());
    }
    let is = match machine {
        EM_X86_64 => "x86_64".to_owned(),
        EM_AARCH64 => "arm64".to_owned(),
        other => format!("ELF machine {}", other.0),
    };
    let wanted = architecture.name();
    Err(Wrong::new(
        format!("{name} is built for {is}, but the function's architecture is {wanted}"),
        format!("build it for {wanted}, or change the function's `architecture`"),
    ))
}

fn loader(interpreter: Option<&str>, architecture: Architecture) -> Result<(), Wrong> {
    let has = match architecture {
        Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
    };
    match interpreter {
        Some(wanted) if wanted != has => Err(Wrong::new(
            format!("`bootstrap` needs the loader {wanted}, but Lambda has {has}"),
            "link it statically (-C target-feature=+crt-static), or against glibc",
        )),
        _ => Ok(()),
    }
}

fn glibc(name: &str, needed: Option<&Needed>, target: &Target) -> Result<(), Wrong> {
    let (Some(needed), Some(has)) = (needed, runtime::glibc_of(&target.runtime)) else { return Ok(()) };
    if needed.version <= has {
        return Ok(());
    }
    let Glibc(major, minor) = has;
    let (runtime, triple) = (&target.runtime, cargo::triple(target.architecture));
    let symbol = needed.symbol.as_deref().map_or(String::new(), |symbol| format!(" (symbol {symbol})"));
    let what = format!(
        "{name} needs {}{symbol}, but {runtime} has glibc {major}.{minor}; it was linked on a newer system",
        needed.name
    );
    let remedy = format!(
        "install cargo-zigbuild (pip install cargo-zigbuild), with which a `crate:` is then linked for glibc \
         {major}.{minor}; or link it statically: rustflags = [\"-C\", \"target-feature=+crt-static\"] for {triple} in \
         .cargo/config.toml"
    );
    Err(Wrong { too_new: true, ..Wrong::new(what, remedy) })
}

fn libraries(name: &str, needed: &[String], target: &Target, beside: &[&str]) -> Result<(), Wrong> {
    // Lambda's LD_LIBRARY_PATH has the code's folder and its lib/, and those of layers.
    let brought =
        |library: &str| beside.iter().any(|file| *file == library || file.strip_prefix("lib/") == Some(library));
    let has = |library: &str| runtime::has_library(&target.runtime, library).unwrap_or(true);
    let missing: Vec<&str> =
        needed.iter().map(String::as_str).filter(|library| !has(library) && !brought(library)).collect();
    if missing.is_empty() || target.layers {
        return Ok(());
    }
    let (missing, runtime) = (missing.join(", "), &target.runtime);
    Err(Wrong::new(
        format!("{name} links {missing} dynamically, which {runtime} does not have"),
        "link it statically (many crates have a feature `vendored` or `bundled`), put the library into lib/ beside \
         bootstrap, or give the function a layer that has it",
    ))
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::super::elf::tests::dynamic;
    use super::*;

    fn target(architecture: Architecture, runtime: &str) -> Target {
        Target { architecture, ..Target::of(runtime, "bootstrap") }
    }

    fn host(runtime: &str) -> Target {
        target(Architecture::here(), runtime)
    }

    #[test]
    fn a_binary_for_the_functions_architecture_passes_and_any_other_is_named() {
        let mut binary = dynamic();
        assert_eq!(executable(&binary, &host("provided.later"), &[]), Ok(()));
        let other = match Architecture::here() {
            Architecture::X86_64 => Architecture::Arm64,
            Architecture::Arm64 => Architecture::X86_64,
        };
        let wrong = executable(&binary, &target(other, "provided.later"), &[]).expect_err("it is not for that");
        assert!(
            wrong.what.ends_with(&format!("but the function's architecture is {}", other.name())),
            "{}",
            wrong.what
        );
        let wrong = shared_object("a/b.so", &binary, &target(other, "python3.13")).expect_err("it is not for that");
        assert!(wrong.what.starts_with("`a/b.so` is built for"), "{}", wrong.what);
        binary[E_MACHINE] = 243;
        let wrong = executable(&binary, &host("provided.later"), &[]).expect_err("243 is RISC-V");
        assert!(wrong.what.contains("built for ELF machine 243"), "{}", wrong.what);
    }

    /// The offset of the machine field in an ELF header.
    const E_MACHINE: usize = 18;

    #[test]
    fn too_new_a_glibc_is_refused_with_symbol_and_remedies() {
        let wrong = executable(&dynamic(), &host("provided.al2"), &[]).expect_err("std asks for more than 2.26");
        let symbol =
            Regex::new(r"needs GLIBC_2\.\d+ \(symbol \w+\), but provided.al2 has glibc 2.26").expect("it is valid");
        assert!(symbol.is_match(&wrong.what) && wrong.too_new, "{}", wrong.what);
        assert!(wrong.remedy.contains("cargo-zigbuild") && wrong.remedy.contains("crt-static"), "{}", wrong.remedy);
    }

    #[test]
    fn another_loader_than_lambdas_is_refused() {
        let wrong = loader(Some("/lib/ld-musl-x86_64.so.1"), Architecture::X86_64).expect_err("it is musl's");
        assert!(wrong.what.contains("needs the loader /lib/ld-musl-x86_64.so.1"), "{}", wrong.what);
        assert_eq!(loader(None, Architecture::X86_64), Ok(()));
    }

    #[test]
    fn a_library_that_the_runtime_lacks_is_refused_unless_it_is_brought() {
        let target = target(Architecture::X86_64, "provided.al2023");
        let needed = ["libc.so.6", "libpq.so.5", "libssl.so.1.1"].map(str::to_owned);
        let wrong = libraries("it", &needed, &target, &["bootstrap"]).expect_err("two are missing");
        assert!(
            wrong.what.ends_with("links libpq.so.5, libssl.so.1.1 dynamically, which provided.al2023 does not have"),
            "{}",
            wrong.what
        );
        assert_eq!(libraries("it", &needed, &target, &["lib/libpq.so.5", "libssl.so.1.1"]), Ok(()));
        assert_eq!(libraries("it", &needed, &Target { layers: true, ..target }, &[]), Ok(()));
        assert_eq!(libraries("it", &needed, &host("provided.al2"), &[]), Ok(()));
    }

    #[test]
    fn what_is_no_executable_is_refused() {
        for not_elf in [&b""[..], b"MZ\x90", b"\x7fELF", &dynamic()[..100]] {
            let wrong = executable(not_elf, &host("provided.al2023"), &[]).expect_err("it is no executable");
            assert!(wrong.what.contains("neither a script nor a 64-bit Linux executable"), "{}", wrong.what);
        }
    }
}
