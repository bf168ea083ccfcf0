//! The requirements of a binary on its system, read from the ELF file.

use object::elf::{DT_NEEDED, FileHeader64, GNU_PROPERTY_X86_ISA_1_NEEDED, Machine, SHT_DYNSYM};
use object::read::elf::{FileHeader, ProgramHeader, SectionTable, Sym};
use object::{Endianness, SymbolIndex};

use super::cpu::Level;

type Header = FileHeader64<Endianness>;

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glibc(pub(super) u32, pub(super) u32);

impl Glibc {
    /// `GLIBC_2.34`, also with a patch level; and the mark of packed relocations, which 2.36 was the first to read.
    fn parse(name: &str) -> Option<Glibc> {
        if name == "GLIBC_ABI_DT_RELR" {
            return Some(Glibc(2, 36));
        }
        let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
        Some(Glibc(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

/// The requirements of a binary on its system.
pub(super) struct Asks {
    pub(super) machine: Machine,
    /// `None`: it is linked statically, or is a library.
    pub(super) interpreter: Option<String>,
    pub(super) glibc: Option<Needed>,
    /// Shared libraries, by name.
    pub(super) libraries: Vec<String>,
    /// The level of x86-64 that it says it needs. Most say nothing.
    pub(super) x86_64_level: Option<Level>,
}

/// The highest version of glibc that is asked for, and one symbol that asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) version: Glibc,
    pub(super) name: String,
    pub(super) symbol: Option<String>,
}

impl Asks {
    pub(super) fn of(binary: &[u8]) -> object::read::Result<Asks> {
        let header = Header::parse(binary)?;
        let endian = header.endian()?;
        let (mut interpreter, mut x86_64_level) = (None, None);
        for segment in header.program_headers(endian, binary)? {
            if let Some(path) = segment.interpreter(endian, binary)? {
                interpreter = Some(text(path));
            }
            x86_64_level = x86_64_level.max(level(segment, endian, binary)?);
        }
        let sections = header.sections(endian, binary)?;
        let mut glibc = highest_glibc(&sections, endian, binary)?;
        if let Some(needed) = &mut glibc {
            needed.symbol = symbol_of(&sections, endian, binary, &needed.name)?;
        }
        let table = sections.dynamic_table(endian, binary)?;
        let mut libraries = vec![];
        for entry in table.iter().filter(|entry| entry.tag == DT_NEEDED) {
            libraries.push(text(table.string(entry)?));
        }
        Ok(Asks { machine: header.e_machine(endian), interpreter, glibc, libraries, x86_64_level })
    }
}

/// The processor level that the notes of one segment require.
fn level(
    segment: &<Header as FileHeader>::ProgramHeader,
    endian: Endianness,
    binary: &[u8],
) -> object::read::Result<Option<Level>> {
    let Some(mut notes) = segment.notes(endian, binary)? else { return Ok(None) };
    let mut highest = None;
    while let Some(note) = notes.next()? {
        for property in note.gnu_properties(endian).into_iter().flatten() {
            let property = property?;
            if property.pr_type() == GNU_PROPERTY_X86_ISA_1_NEEDED {
                // Bit 0 is level 1, and each level's bit stands for all below it too.
                highest = highest.max(Some(Level(32 - property.data_u32(endian)?.leading_zeros())));
            }
        }
    }
    Ok(highest)
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
            let Some(version) = Glibc::parse(&name) else { continue };
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
pub(super) mod tests {
    use super::*;

    /// This test's own binary: dynamically linked against this machine's glibc.
    pub(in super::super) fn dynamic() -> Vec<u8> {
        let path = std::env::current_exe().expect("a running test has a binary");
        std::fs::read(path).expect("the binary of a running test is there")
    }

    #[test]
    fn a_dynamic_binary_names_its_loader_its_libraries_and_its_glibc() {
        let asks = Asks::of(&dynamic()).expect("it is an ELF");
        assert!(
            asks.interpreter.as_deref().is_some_and(|loader| loader.contains("/ld-linux")),
            "{:?}",
            asks.interpreter
        );
        assert!(asks.libraries.iter().any(|name| name == "libc.so.6"), "{:?}", asks.libraries);
        let glibc = asks.glibc.expect("it asks for one");
        assert!(glibc.version > Glibc(2, 17) && glibc.symbol.is_some(), "{glibc:?}");
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
            assert_eq!(Glibc::parse(name), version, "{name}");
        }
        assert!(Glibc(2, 4) < Glibc(2, 34));
    }
}
