//! Zips: written so that the same files give the same bytes, and read for what Lambda will look at.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use aws_facts::lambda::{MAX_UNPACKED_BYTES, MAX_ZIP_BYTES};
use bytes::Bytes;
use local_cloud::functions::stays_inside;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::cpu::Level;
use super::links;
use crate::error::{Error, Result};

pub(super) const BOOTSTRAP: &str = "bootstrap";

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path in the zip, with `/`.
    pub(super) name: String,
    /// For a link, the mode of the file that it points to.
    pub(super) executable: bool,
    /// For a link, the content of the file that it points to.
    pub(super) bytes: Vec<u8>,
    /// The target, if it is a link.
    pub(super) link: Option<String>,
}

impl Entry {
    pub(super) fn executable(name: &str, bytes: Vec<u8>) -> Entry {
        Entry { name: name.to_owned(), executable: true, bytes, link: None }
    }

    fn unzipped_bytes(&self) -> u64 {
        self.link.as_ref().map_or(self.bytes.len(), String::len) as u64
    }
}

/// Writes a zip that depends on nothing but the entries' names, modes and bytes: not on their order, and not on when. The level of
/// processor that a binary among them needs becomes its comment.
pub(super) fn pack(doing: &str, mut entries: Vec<Entry>, level: Option<Level>) -> Result<Bytes> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    check_unzipped(doing, entries.iter().map(Entry::unzipped_bytes).sum())?;
    let zip = write(&entries, level).map_err(|cause| Error::new(doing, cause))?;
    check_zipped(doing, zip.len() as u64)?;
    Ok(zip.into())
}

fn write(entries: &[Entry], level: Option<Level>) -> Result<Vec<u8>, ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 });
        match &entry.link {
            Some(to) => writer.add_symlink(entry.name.as_str(), to.as_str(), options.unix_permissions(0o777))?,
            None => {
                writer.start_file(entry.name.as_str(), options)?;
                writer.write_all(&entry.bytes)?;
            }
        }
    }
    if let Some(level) = level {
        writer.set_comment(level.to_string())?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The comment of the zip.
pub(super) fn comment(doing: &str, zip: &[u8]) -> Result<Vec<u8>> {
    let archive = ZipArchive::new(Cursor::new(zip)).map_err(|cause| Error::new(doing, cause))?;
    Ok(archive.comment().to_vec())
}

/// The files of somebody's zip, after checking it against Lambda's limits. Only the `wanted` ones are unpacked; the others
/// come without their bytes.
pub(super) fn entries(doing: &str, zip: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>> {
    let failed = |cause: ZipError| Error::new(doing, cause);
    check_zipped(doing, zip.len() as u64)?;
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(failed)?;
    let mut unzipped_bytes = 0_u64;
    for index in 0..archive.len() {
        unzipped_bytes = unzipped_bytes.saturating_add(archive.by_index(index).map_err(failed)?.size());
    }
    check_unzipped(doing, unzipped_bytes)?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(failed)?;
        let name = file.name().map_err(failed)?.into_owned();
        let executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let is_link = file.is_symlink();
        let wanted = wanted(&name);
        let mut bytes = Vec::new();
        if is_link || wanted {
            let mut file = (&mut file).take(MAX_UNPACKED_BYTES);
            file.read_to_end(&mut bytes).map_err(|cause| Error::new(doing, cause))?;
        }
        drop(file);
        let mut entry = Entry { name, executable, bytes, link: None };
        if is_link {
            follow(&mut archive, &mut entry, wanted).map_err(|cause| Error::new(doing, cause))?;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// A link whose bytes are where it leads becomes one with the bytes and mode of the file there, if that is `wanted`. One that leads to
/// another link, or out of the zip, stays without: Lambda finds out.
fn follow(archive: &mut ZipArchive<Cursor<&[u8]>>, entry: &mut Entry, wanted: bool) -> std::io::Result<()> {
    let to = String::from_utf8(std::mem::take(&mut entry.bytes)).map_err(std::io::Error::other)?;
    if wanted
        && stays_inside(Path::new(&entry.name), Path::new(&to))
        && let Ok(file) = archive.by_name(&links::target(&entry.name, &to))
    {
        entry.executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        file.take(MAX_UNPACKED_BYTES).read_to_end(&mut entry.bytes)?;
    }
    entry.link = Some(to);
    Ok(())
}

fn check_zipped(doing: &str, bytes: u64) -> Result<()> {
    within(doing, "the zip", bytes, MAX_ZIP_BYTES, "leave out what the function does not need, or move it to a layer")
}

fn check_unzipped(doing: &str, bytes: u64) -> Result<()> {
    within(doing, "the unzipped code", bytes, MAX_UNPACKED_BYTES, "leave out what the function does not need")
}

fn within(doing: &str, what: &str, bytes: u64, most: u64, hint: &str) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    Err(Error::new(doing, format!("{what} has {bytes} bytes; Lambda accepts at most {most}")).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let module = Entry { name: "lib/module.py".into(), executable: false, bytes: b"pass".to_vec(), link: None };
        vec![module, Entry::executable("bootstrap", b"#!/bin/sh".to_vec())]
    }

    #[test]
    fn a_zip_depends_on_neither_order_nor_time_and_keeps_what_runs_executable() {
        let zip = pack("packing", entries(), None).expect("two small files can be zipped");
        let reversed = pack("packing", entries().into_iter().rev().collect(), None);
        assert_eq!(reversed.expect("two small files can be zipped"), zip);
        let mut archive = ZipArchive::new(Cursor::new(zip)).expect("it is a zip");
        let listed: Vec<_> = (0..archive.len())
            .map(|index| {
                let file = archive.by_index(index).expect("it is in the zip");
                let name = file.name().expect("names are text").into_owned();
                (name, file.unix_mode().map(|mode| mode & 0o777), file.last_modified())
            })
            .collect();
        let when = Some(DateTime::DEFAULT);
        assert_eq!(listed, [("bootstrap".into(), Some(0o755), when), ("lib/module.py".into(), Some(0o644), when)]);
    }

    #[test]
    fn a_zip_is_listed_whole_and_unpacked_only_as_far_as_wanted() {
        let zip = pack("packing", entries(), None).expect("two small files can be zipped");
        let read = super::entries("reading", &zip, |name| name == BOOTSTRAP).expect("it is a zip");
        let [module, bootstrap] = <[Entry; 2]>::try_from(entries()).expect("there are two");
        assert_eq!(read, [bootstrap, Entry { bytes: vec![], ..module }]);
        let error = super::entries("packing zip x.zip", b"not a zip", |_| true).expect_err("it is no zip");
        assert!(error.to_string().starts_with("packing zip x.zip: "), "{error}");
    }

    #[test]
    fn what_is_over_a_limit_is_refused_with_both_numbers() {
        assert!(check_zipped("packing", MAX_ZIP_BYTES).is_ok());
        let error = check_zipped("packing", MAX_ZIP_BYTES + 1).expect_err("it is one byte too large");
        assert_eq!(error.to_string(), "packing: the zip has 52428801 bytes; Lambda accepts at most 52428800");
        let error = check_unzipped("packing", MAX_UNPACKED_BYTES + 1).expect_err("it is one byte too large");
        assert_eq!(
            error.to_string(),
            "packing: the unzipped code has 262144001 bytes; Lambda accepts at most 262144000"
        );
    }
}
