//! Zips kept from before: one file for each crate, binary and target, named by the fingerprint of what it was built from.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::cpu::Level;
use super::inputs::Package;
use super::{Target, cargo};
use crate::error::{Error, Result};
use crate::workdir;

/// The path of the zip for the current state of a source, whether or not it exists yet.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    /// The part of the name that all states of one source share.
    stem: String,
    fingerprint: String,
}

impl Slot {
    pub(super) fn of_crate(path: &Path, bin: Option<&str>, target: &Target, cache_dir: &Path) -> Result<Slot> {
        let package = Package::at(path)?;
        let level = Level::to_build(&package.folder, target.architecture);
        let (architecture, runtime) = (target.architecture.name(), &target.runtime);
        let recipe = format!("{:?} {level:?} {bin:?} {architecture} {runtime}", cargo::PROFILE);
        let fingerprint = package
            .fingerprint(&recipe)
            .map_err(|cause| Error::new(format!("reading the sources of crate {}", path.display()), cause))?;
        let identity = Sha256::digest(format!("{} {recipe}", package.folder.display()));
        Ok(Slot {
            folder: cache_dir.join("artifacts"),
            stem: hex::encode(&identity[..8]),
            fingerprint: hex::encode(&fingerprint[..16]),
        })
    }

    /// `None` when nothing is kept of this state.
    pub(super) fn read(&self) -> Result<Option<Bytes>> {
        match fs::read(self.file()) {
            Ok(zip) => Ok(Some(zip.into())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::new(format!("reading {}", self.file().display()), cause)),
        }
    }

    /// Keeps a zip, in place of those of earlier states. Whoever reads meanwhile sees a whole file or none.
    pub(super) fn write(&self, zip: &[u8]) -> Result<()> {
        self.replace(zip).map_err(|cause| Error::new(format!("writing {}", self.file().display()), cause))
    }

    fn replace(&self, zip: &[u8]) -> io::Result<()> {
        workdir::make(self.folder.parent().unwrap_or(&self.folder))?;
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(zip)?;
        for earlier in fs::read_dir(&self.folder)? {
            let earlier = earlier?;
            if earlier.file_name().to_string_lossy().starts_with(&self.stem) {
                remove(&earlier.path())?;
            }
        }
        file.persist(self.file())?;
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("{}-{}.zip", self.stem, self.fingerprint))
    }
}

/// Another process may have been faster.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
