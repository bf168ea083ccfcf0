//! Whether a binary will run on Lambda, from the ELF itself.

use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64, Machine, SHT_DYNSYM};
use object::read::elf::{FileHeader, ProgramHeader, SectionTable, Sym};
use object::{Endianness, SymbolIndex};

use super::{Architecture, Target, cargo};
use crate::error::{Error, Result};

type Header = FileHeader64<Endianness>;

/// What is wrong with a `bootstrap`, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    what: String,
    remedy: String,
}

impl Wrong {
    pub(super) fn no_bootstrap(runtime: &str) -> Wrong {
        Wrong {
            what: format!("{runtime} runs a file `bootstrap`, and there is none at the root"),
            remedy: "name the executable `bootstrap`, or give the function the runtime its code is for".to_owned(),
        }
    }

    pub(super) fn not_executable() -> Wrong {
        Wrong {
            what: "its `bootstrap` is not marked executable".to_owned(),
            remedy: "chmod +x bootstrap, and zip with a tool that keeps modes".to_owned(),
        }
    }

    fn not_elf(cause: impl std::fmt::Display) -> Wrong {
        Wrong {
            what: format!("its `bootstrap` is neither a script nor a 64-bit Linux executable: {cause}"),
            remedy: "build it for Linux, for example with --target x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    pub(super) fn into_error(self, doing: &str) -> Error {
        Error::new(doing, self.what).hint(self.remedy)
    }
}

/// # Errors
/// The binary is for another architecture, asks for an interpreter or a glibc that the runtime does not have, or is none.
pub(super) fn check(binary: &[u8], target: &Target) -> Result<(), Wrong> {
    let asks = Asks::of(binary).map_err(Wrong::not_elf)?;
    check_machine(asks.machine, target.architecture)?;
    check_interpreter(asks.interpreter.as_deref(), target.architecture)?;
    match (asks.glibc, glibc_of(&target.runtime)) {
        (Some(needed), Some(has)) if needed.version > has => Err(too_new(&needed, has, target)),
        _ => Ok(()),
    }
}

fn check_machine(machine: Machine, architecture: Architecture) -> Result<(), Wrong> {
    let (wanted, name) = match architecture {
        Architecture::X86_64 => (EM_X86_64, "x86_64"),
        Architecture::Arm64 => (EM_AARCH64, "arm64"),
    };
    if machine == wanted {
        return Ok(());
    }
    let is = match machine {
        EM_X86_64 => "x86_64".to_owned(),
        EM_AARCH64 => "arm64".to_owned(),
        other => format!("ELF machine {}", other.0),
    };
    Err(Wrong {
        what: format!("its `bootstrap` is built for {is}, and the function's architecture is {name}"),
        remedy: format!("build it for {name}, or change the function's `architecture`"),
    })
}

fn check_interpreter(interpreter: Option<&str>, architecture: Architecture) -> Result<(), Wrong> {
    let has = match architecture {
        Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
    };
    match interpreter {
        Some(wanted) if wanted != has => Err(Wrong {
            what: format!("its `bootstrap` is loaded by {wanted}, and Lambda has {has}"),
            remedy: "link it statically (-C target-feature=+crt-static), or against glibc".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn too_new(needed: &Needed, has: Glibc, target: &Target) -> Wrong {
    let Glibc(major, minor) = has;
    let (runtime, triple) = (&target.runtime, cargo::triple(target.architecture));
    let symbol = needed.symbol.as_deref().map_or(String::new(), |symbol| format!(" (symbol {symbol})"));
    Wrong {
        what: format!(
            "its `bootstrap` needs {}{symbol}, and {runtime} has glibc {major}.{minor}: it was linked on a newer system",
            needed.name
        ),
        remedy: format!(
            "build it with `cargo zigbuild --target {triple}.{major}.{minor}` and give the function the \
             `zip:` or `dir:`, or link it statically: rustflags = [\"-C\", \"target-feature=+crt-static\"] for the target \
             in .cargo/config.toml"
        ),
    }
}

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Glibc(u32, u32);

/// The version a runtime has, where it is known.
/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
fn glibc_of(runtime: &str) -> Option<Glibc> {
    match runtime {
        "provided.al2023" => Some(Glibc(2, 34)),
        "provided.al2" => Some(Glibc(2, 26)),
        _ => None,
    }
}

/// `GLIBC_2.34`, also with a patch level; and the mark of packed relocations, which 2.36 was the first to read.
fn parse_glibc(name: &str) -> Option<Glibc> {
    if name == "GLIBC_ABI_DT_RELR" {
        return Some(Glibc(2, 36));
    }
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    Some(Glibc(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// What a binary asks of the system it runs on.
struct Asks {
    machine: Machine,
    interpreter: Option<String>,
    glibc: Option<Needed>,
}

/// The highest version of glibc that is asked for, and one symbol that asks for it.
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    version: Glibc,
    name: String,
    symbol: Option<String>,
}

impl Asks {
    fn of(binary: &[u8]) -> object::read::Result<Asks> {
        let header = Header::parse(binary)?;
        let endian = header.endian()?;
        let mut interpreter = None;
        for segment in header.program_headers(endian, binary)? {
            if let Some(path) = segment.interpreter(endian, binary)? {
                interpreter = Some(text(path));
            }
        }
        let sections = header.sections(endian, binary)?;
        let mut glibc = highest_glibc(&sections, endian, binary)?;
        if let Some(needed) = &mut glibc {
            needed.symbol = symbol_of(&sections, endian, binary, &needed.name)?;
        }
        Ok(Asks { machine: header.e_machine(endian), interpreter, glibc })
    }
}

fn highest_glibc(
    sections: &SectionTable<'_, Header>,
    endian: Endianness,
    binary: &[u8],
) -> object::read::Result<Option<Needed>> {
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, binary)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, binary, link)?;
    let mut highest: Option<Needed> = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = text(version.name(endian, strings)?);
            let Some(version) = parse_glibc(&name) else { continue };
            if highest.as_ref().is_none_or(|highest| version > highest.version) {
                highest = Some(Needed { version, name, symbol: None });
            }
        }
    }
    Ok(highest)
}

fn symbol_of(
    sections: &SectionTable<'_, Header>,
    endian: Endianness,
    binary: &[u8],
    version_name: &str,
) -> object::read::Result<Option<String>> {
    let Some(versions) = sections.versions(endian, binary)? else {
        return Ok(None);
    };
    let symbols = sections.symbols(endian, binary, SHT_DYNSYM)?;
    for index in 1..symbols.len() {
        let index = SymbolIndex(index);
        let version = versions.version(versions.version_index(endian, index).index())?;
        if version.is_some_and(|version| version.name() == version_name.as_bytes()) {
            return Ok(Some(text(symbols.symbol(index)?.name(endian, symbols.strings())?)));
        }
    }
    Ok(None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    fn target(architecture: Architecture, runtime: &str) -> Target {
        Target { architecture, runtime: runtime.to_owned() }
    }

    fn host() -> Architecture {
        match std::env::consts::ARCH {
            "aarch64" => Architecture::Arm64,
            _ => Architecture::X86_64,
        }
    }

    /// This test's own binary: dynamically linked against this machine's glibc.
    fn dynamic() -> Vec<u8> {
        let path = std::env::current_exe().expect("a running test has a binary");
        std::fs::read(path).expect("the binary of a running test is there")
    }

    #[test]
    fn a_binary_for_the_functions_architecture_passes_and_any_other_is_named() {
        let mut binary = dynamic();
        assert_eq!(check(&binary, &target(host(), "provided.later")), Ok(()));
        let (other, name) = match host() {
            Architecture::X86_64 => (Architecture::Arm64, "arm64"),
            Architecture::Arm64 => (Architecture::X86_64, "x86_64"),
        };
        let wrong = check(&binary, &target(other, "provided.later")).expect_err("it is not for that");
        assert!(wrong.what.ends_with(&format!("and the function's architecture is {name}")), "{}", wrong.what);
        binary[E_MACHINE] = 243;
        let wrong = check(&binary, &target(host(), "provided.later")).expect_err("243 is RISC-V");
        assert!(wrong.what.contains("built for ELF machine 243"), "{}", wrong.what);
    }

    /// Where an ELF header has its machine.
    const E_MACHINE: usize = 18;

    #[test]
    fn too_new_a_glibc_is_refused_with_symbol_and_remedies() {
        let wrong = check(&dynamic(), &target(host(), "provided.al2")).expect_err("std asks for more than 2.26");
        let symbol =
            Regex::new(r"needs GLIBC_2\.\d+ \(symbol \w+\), and provided.al2 has glibc 2.26").expect("it is valid");
        assert!(symbol.is_match(&wrong.what), "{}", wrong.what);
        assert!(wrong.remedy.contains("cargo zigbuild") && wrong.remedy.contains("crt-static"), "{}", wrong.remedy);
    }

    #[test]
    fn another_loader_than_lambdas_is_refused() {
        let wrong =
            check_interpreter(Some("/lib/ld-musl-x86_64.so.1"), Architecture::X86_64).expect_err("it is musl's");
        assert!(wrong.what.contains("loaded by /lib/ld-musl-x86_64.so.1"), "{}", wrong.what);
        assert_eq!(check_interpreter(None, Architecture::X86_64), Ok(()));
    }

    #[test]
    fn what_is_no_executable_is_refused() {
        for not_elf in [&b""[..], b"MZ\x90", b"\x7fELF", &dynamic()[..100]] {
            let wrong = check(not_elf, &target(host(), "provided.al2023")).expect_err("it is no executable");
            assert!(wrong.what.contains("neither a script nor a 64-bit Linux executable"), "{}", wrong.what);
        }
    }

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        let table = [
            ("GLIBC_2.34", Some(Glibc(2, 34))),
            ("GLIBC_2.2.5", Some(Glibc(2, 2))),
            ("GLIBC_ABI_DT_RELR", Some(Glibc(2, 36))),
            ("GLIBC_PRIVATE", None),
            ("GCC_3.0", None),
        ];
        for (name, version) in table {
            assert_eq!(parse_glibc(name), version, "{name}");
        }
        assert!(Glibc(2, 4) < Glibc(2, 34));
    }
}
