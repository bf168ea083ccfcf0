//! Whether a zip or a folder has what its runtime will look for.

use std::path::Path;

use super::archive::{BOOTSTRAP, Entry};
use super::check::{self, Wrong};
use super::{Target, handler};

/// Whether the checks read the content of the file and not only its name. Other files need not be unpacked.
pub(super) fn is_looked_into(name: &str, target: &Target) -> bool {
    name == BOOTSTRAP || is_shared_object(name) || handler::files(target).iter().any(|file| file == name)
}

pub(super) fn check(entries: &[Entry], target: &Target) -> Result<(), Wrong> {
    if target.runtime.starts_with("provided") {
        bootstrap(entries, target)?;
    } else {
        handler::check(entries, target)?;
    }
    for entry in entries.iter().filter(|entry| is_shared_object(&entry.name)) {
        check::shared_object(&entry.name, &entry.bytes, target)?;
    }
    python_tags(entries, target)
}

fn is_shared_object(name: &str) -> bool {
    let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    file.ends_with(".so") || file.contains(".so.") || file.ends_with(".node")
}

fn bootstrap(entries: &[Entry], target: &Target) -> Result<(), Wrong> {
    let found = entries.iter().find(|entry| entry.name == BOOTSTRAP);
    match found {
        None if target.layers => Ok(()),
        None => Err(Wrong::new(
            format!("{} runs the file `bootstrap`, but there is none at the root", target.runtime),
            "name the executable `bootstrap`, or set the `runtime` that the code is for",
        )),
        Some(entry) if !entry.executable => Err(Wrong::new(
            "`bootstrap` is not executable",
            "run chmod +x bootstrap, and zip it with a tool that keeps file modes",
        )),
        // A script names its interpreter itself; there is nothing in it to check.
        Some(entry) if entry.bytes.starts_with(b"#!") => Ok(()),
        Some(entry) => {
            let beside: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
            check::executable(&entry.bytes, target, &beside)
        }
    }
}

/// A compiled module of Python names the version it is for: `_core.cpython-313-x86_64-linux-gnu.so`.
fn python_tags(entries: &[Entry], target: &Target) -> Result<(), Wrong> {
    let Some(wanted) = target.runtime.strip_prefix("python").map(|version| version.replace('.', "")) else {
        return Ok(());
    };
    let tags = |name: &str| {
        let (stem, rest) = name.split_once(".cpython-")?;
        Some((stem.to_owned(), rest.split(['-', '.']).next()?.to_owned()))
    };
    let modules: Vec<(String, String)> = entries.iter().filter_map(|entry| tags(&entry.name)).collect();
    let right = |stem: &str| modules.iter().any(|(other, version)| other == stem && *version == wanted);
    let Some((stem, version)) = modules.iter().find(|(stem, _)| !right(stem)) else { return Ok(()) };
    let runtime = &target.runtime;
    let (major, minor) = version.split_at(version.chars().next().map_or(0, char::len_utf8));
    let platform = match target.architecture {
        super::Architecture::X86_64 => "manylinux_2_17_x86_64",
        super::Architecture::Arm64 => "manylinux_2_17_aarch64",
    };
    Err(Wrong::new(
        format!("the module `{stem}` is compiled for Python {major}.{minor}, but the function's runtime is {runtime}"),
        format!(
            "install its packages for the runtime: pip install --platform {platform} --python-version {} \
             --only-binary=:all: --target FOLDER",
            runtime.trim_start_matches("python")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry { name: name.into(), executable: false, bytes: vec![], link: None }
    }

    #[test]
    fn shared_objects_are_known_by_their_names() {
        for name in ["a.so", "lib/libx.so.1.2", "n/_core.cpython-313-x86_64-linux-gnu.so", "build/x.node"] {
            assert!(is_shared_object(name), "{name}");
        }
        for name in ["a.py", "also", "x.so_", "readme.sofa"] {
            assert!(!is_shared_object(name), "{name}");
        }
    }

    #[test]
    fn a_module_compiled_for_another_python_is_named() {
        let target = Target::of("python3.13", "a.b");
        let of = |names: &[&str]| python_tags(&names.iter().map(|name| entry(name)).collect::<Vec<_>>(), &target);
        let wrong = of(&["numpy/_core.cpython-311-x86_64-linux-gnu.so"]).expect_err("it is for another");
        assert!(wrong.what.starts_with("the module `numpy/_core` is compiled for Python 3.11, but"), "{}", wrong.what);
        assert!(wrong.remedy.contains("--python-version 3.13"), "{}", wrong.remedy);
        assert_eq!(
            of(&["x.cpython-311-x86_64-linux-gnu.so", "x.cpython-313-x86_64-linux-gnu.so", "y.abi3.so"]),
            Ok(())
        );
        let provided = Target::of("provided.al2023", "bootstrap");
        assert_eq!(python_tags(&[entry("x.cpython-311-x86_64-linux-gnu.so")], &provided), Ok(()));
    }
}
