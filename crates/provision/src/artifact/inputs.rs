//! The input files of a crate's build, and a fingerprint of them. Reads files and starts no process.
//!
//! The inputs are the workspace's manifest, lock file, cargo configuration and toolchain file, and the folders of the
//! package and of every package that it or the workspace refers to by path. Manifests are not parsed: each quoted text
//! in them that names a folder with a manifest counts. That can be too much, which costs a call of cargo that finds
//! nothing to do; it cannot be too little. Not seen: files outside of these folders that a build script or
//! `include_str!` reads, the version of the compiler, and the environment.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex_lite::Regex;
use sha2::{Digest, Sha256};

use super::files;
use crate::error::{Error, Result};

const MANIFEST: &str = "Cargo.toml";
const BESIDE_THE_ROOT: [&str; 6] =
    [MANIFEST, "Cargo.lock", ".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""([^"\n]+)"|'([^'\n]+)'"#).expect("the expression is a constant that a test uses"));

/// A package's folder and the folder of its workspace, both canonical.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) folder: PathBuf,
    pub(super) root: PathBuf,
}

impl Package {
    /// # Errors
    /// There is no manifest of a package.
    pub(super) fn at(path: &Path) -> Result<Package> {
        let building = || format!("building crate {}", path.display());
        let manifest = files::read_to_string(&path.join(MANIFEST)).map_err(|cause| {
            Error::new(building(), cause).hint("use the folder of a cargo package, which has its Cargo.toml")
        })?;
        if !has_table(&manifest, "package") {
            return Err(Error::new(building(), "its Cargo.toml is a workspace without a package")
                .hint("use the folder of one of its members"));
        }
        let folder = path.canonicalize().map_err(|cause| Error::new(building(), cause))?;
        let root = folder.ancestors().find(|folder| is_workspace(folder)).unwrap_or(&folder).to_owned();
        Ok(Package { folder, root })
    }

    /// SHA-256 over `recipe` and the inputs' names, relative to the workspace, and contents.
    pub(super) fn fingerprint(&self, recipe: &str) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // The length keeps a name and a content from running into each other.
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(recipe.as_bytes());
        for path in self.inputs()? {
            add(path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().as_bytes());
            add(&files::read(&path)?);
        }
        Ok(hash.finalize().into())
    }

    fn inputs(&self) -> io::Result<BTreeSet<PathBuf>> {
        let beside = |folder: &Path| BESIDE_THE_ROOT.map(|name| folder.join(name));
        let mut inputs: BTreeSet<PathBuf> = beside(&self.root).into_iter().chain(beside(&self.folder)).collect();
        inputs.retain(|path| path.is_file());
        for folder in self.folders()? {
            let found = files::under(&folder, |name| name == "target" || name.starts_with('.'))?;
            inputs.extend(found.into_iter().map(|(_, path)| path));
        }
        Ok(inputs)
    }

    /// The package's folder and those of all packages it may depend on by path. The workspace's manifest is read too,
    /// for it is where `workspace = true` leads.
    fn folders(&self) -> io::Result<BTreeSet<PathBuf>> {
        let mut folders = BTreeSet::from([self.folder.clone()]);
        let mut unread = vec![self.folder.clone(), self.root.clone()];
        while let Some(folder) = unread.pop() {
            for dependency in packages_named_in(&folder)? {
                if folders.insert(dependency.clone()) {
                    unread.push(dependency);
                }
            }
        }
        Ok(folders)
    }
}

fn packages_named_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let manifest = folder.join(MANIFEST);
    let text = files::read_to_string(&manifest)?;
    let quoted = QUOTED.captures_iter(&text).filter_map(|found| found.get(1).or(found.get(2)));
    let folders = quoted.map(|path| folder.join(path.as_str())).filter(|path| path.join(MANIFEST).is_file());
    folders.map(|path| path.canonicalize()).collect()
}

fn is_workspace(folder: &Path) -> bool {
    files::read_to_string(&folder.join(MANIFEST)).is_ok_and(|manifest| has_table(&manifest, "workspace"))
}

/// Whether a manifest has `[name]` or `[name.…]`.
fn has_table(manifest: &str, name: &str) -> bool {
    manifest.lines().filter_map(|line| line.trim_start().strip_prefix('[')).any(|table| {
        table.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with([']', '.']))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const WORKSPACE: [(&str, &str); 9] = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['c*']\n[workspace.dependencies]\nshared = { path = \"shared\" } # isn't far",
        ),
        ("Cargo.lock", "version = 4"),
        (".cargo/config.toml", ""),
        (
            "crate/Cargo.toml",
            "[package]\nname = 'crate'\n[dependencies]\nnear = { path = '../near' }\nshared.workspace = true",
        ),
        ("crate/src/main.rs", "fn main() {}"),
        ("near/Cargo.toml", "[package]\n[dependencies.far]\npath = \"../far\""),
        ("far/Cargo.toml", "[package]\n[dependencies]\nnear = { path = '../near' }"),
        ("shared/Cargo.toml", "[package]"),
        ("apart/Cargo.toml", "[package]"),
    ];

    fn put(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a temporary folder takes folders");
        fs::write(path, text).expect("a temporary folder takes files");
    }

    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("there is a folder for temporary files");
        for (name, text) in WORKSPACE {
            put(root.path(), name, text);
        }
        root
    }

    fn fingerprint(root: &Path, recipe: &str) -> [u8; 32] {
        let package = Package::at(&root.join("crate")).expect("the package is there");
        package.fingerprint(recipe).expect("its files can be read")
    }

    #[test]
    fn the_fingerprint_follows_the_inputs_and_nothing_else() {
        let root = workspace();
        let mut last = fingerprint(root.path(), "");
        let table = [
            ("crate/src/main.rs", true),
            ("crate/src/new.rs", true),
            ("crate/rust-toolchain.toml", true),
            ("near/src/lib.rs", true),
            ("far/src/lib.rs", true),
            ("shared/src/lib.rs", true),
            ("Cargo.lock", true),
            (".cargo/config.toml", true),
            ("rust-toolchain", true),
            ("apart/src/lib.rs", false),
            ("README.md", false),
            ("crate/target/debug/crate", false),
            ("near/.idea/workspace.xml", false),
        ];
        for (name, is_input) in table {
            put(root.path(), name, "changed");
            let now = fingerprint(root.path(), "");
            assert_eq!(now != last, is_input, "{name}");
            last = now;
        }
        assert_ne!(fingerprint(root.path(), "another profile"), last);
    }

    #[test]
    fn the_fingerprint_is_the_same_in_another_folder() {
        let (one, two) = (workspace(), workspace());
        assert_eq!(fingerprint(one.path(), ""), fingerprint(two.path(), ""));
    }

    #[test]
    fn a_folder_without_a_package_is_refused_with_what_to_name_instead() {
        let root = workspace();
        let error = Package::at(root.path()).expect_err("it is the workspace's");
        assert!(error.to_string().ends_with("its Cargo.toml is a workspace without a package"), "{error}");
        let error = Package::at(&root.path().join("crate/src")).expect_err("there is no manifest");
        assert!(error.to_string().contains("crate/src/Cargo.toml: No such file"), "{error}");
        assert_eq!(error.what_next(), Some("use the folder of a cargo package, which has its Cargo.toml"));
    }
}
