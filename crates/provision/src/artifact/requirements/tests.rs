//! Installing from wheels on disk, without a network.

use std::io::{Cursor, Write};

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::artifact::{self, Source};

/// A wheel: a zip with the files of a package, and what describes it.
/// <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>
fn wheel(folder: &Path, name: &str, version: &str, tag: &str) {
    let info = format!("{name}-{version}.dist-info");
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let kind = format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n");
    let program = format!("[console_scripts]\n{name} = {name}:run\n");
    for (path, text) in [
        (format!("{name}/__init__.py"), format!("version = '{version}'\ndef run(): pass\n")),
        (format!("{info}/METADATA"), metadata),
        (format!("{info}/WHEEL"), kind),
        (format!("{info}/entry_points.txt"), program),
        (format!("{info}/RECORD"), String::new()),
    ] {
        zip.start_file(path, SimpleFileOptions::default()).expect("a zip takes files");
        zip.write_all(text.as_bytes()).expect("a zip takes files");
    }
    let bytes = zip.finish().expect("a zip ends").into_inner();
    fs::write(folder.join(format!("{name}-{version}-{tag}.whl")), bytes).expect("the folder is ours");
}

/// A function that needs the package `greeting`, from a folder of wheels.
fn code(wheels: &Path, requirement: &str) -> TempDir {
    let code = tempfile::tempdir().expect("there is a folder for temporary files");
    let requirements = format!("--no-index\n--find-links {}\n{requirement}\n", wheels.display());
    fs::write(code.path().join(FILE), requirements).expect("the folder is ours");
    fs::write(code.path().join("app.py"), "import greeting\ndef handle(event, context): pass\n").expect("it is ours");
    code
}

fn target(architecture: Architecture) -> Target {
    Target { architecture, ..Target::of("python3.13", "app.handle") }
}

fn names(zip: &[u8]) -> Vec<String> {
    let entries = artifact::archive::entries("reading", zip, |_| false).expect("it is a zip");
    entries.into_iter().map(|entry| entry.name).collect()
}

#[tokio::test]
async fn packages_are_installed_once_and_to_the_same_zip_on_any_machine() {
    let (wheels, cache, other_cache) = (folder(), folder(), folder());
    wheel(wheels.path(), "greeting", "1.0", "py3-none-any");
    let (one, two) = (code(wheels.path(), "greeting==1.0"), code(wheels.path(), "greeting==1.0"));
    let target = target(Architecture::here());
    let source = Source::Dir(one.path());
    assert_eq!(artifact::up_to_date(source, &target, cache.path()).expect("it can be read"), None);

    let mut said = vec![];
    let built = artifact::build(source, &target, cache.path(), &mut |line| said.push(line.to_owned())).await;
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    assert!(said.iter().any(|line| line == "Installing collected packages: greeting"), "{said:?}");
    let expected = [
        "app.py",
        "greeting-1.0.dist-info/METADATA",
        "greeting-1.0.dist-info/WHEEL",
        "greeting-1.0.dist-info/entry_points.txt",
        "greeting/__init__.py",
        FILE,
    ];
    assert_eq!(names(&built.zip), expected);

    let elsewhere = artifact::build(Source::Dir(two.path()), &target, other_cache.path(), &mut |_| ()).await;
    assert_eq!(elsewhere.expect("it can be installed").zip, built.zip);
    fs::remove_dir_all(wheels.path()).expect("the folder is ours");
    let again = artifact::build(source, &target, cache.path(), &mut |line| panic!("pip was started: {line}")).await;
    assert_eq!(again.expect("it is kept"), built);
    assert_eq!(artifact::up_to_date(source, &target, cache.path()).expect("it can be read"), Some(built));
}

#[tokio::test]
async fn a_package_is_for_the_functions_platform_and_not_for_this_machine() {
    let (wheels, cache) = (folder(), folder());
    wheel(wheels.path(), "greeting", "1.0", "cp313-cp313-manylinux_2_28_aarch64");
    let code = code(wheels.path(), "greeting");
    let build = async |architecture| {
        artifact::build(Source::Dir(code.path()), &target(architecture), cache.path(), &mut |_| ()).await
    };
    let arm = build(Architecture::Arm64).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(names(&arm.zip).contains(&"greeting/__init__.py".to_owned()));
    let error = build(Architecture::X86_64).await.expect_err("there is no wheel for it");
    assert!(error.to_string().contains("No matching distribution found for greeting"), "{error}");
    let hint = error.what_next().unwrap_or_default();
    assert!(hint.contains("a wheel for python3.13 on x86_64"), "{hint}");
}

#[test]
fn other_requirements_and_packages_on_disk_are_inputs() {
    let code = folder();
    for (name, text) in
        [(FILE, "-r more.txt\n./local.whl\n"), ("more.txt", "--constraint=pins.txt\n"), ("pins.txt", "")]
    {
        fs::write(code.path().join(name), text).expect("the folder is ours");
    }
    fs::write(code.path().join("local.whl"), [0xff]).expect("the folder is ours");
    let fingerprint = || {
        let (target, cache) = (target(Architecture::here()), Path::new("/cache"));
        Requirements::of(code.path(), &target, cache).expect("it can be read").expect("it names some").folder
    };
    let mut seen = BTreeSet::from([fingerprint()]);
    for name in ["pins.txt", "local.whl", "more.txt"] {
        fs::write(code.path().join(name), "--constraint=pins.txt\nother").expect("the folder is ours");
        assert!(seen.insert(fingerprint()), "{name}");
    }
}

#[test]
fn packages_beside_the_code_are_taken_as_they_are() {
    let code = folder();
    fs::write(code.path().join(FILE), "greeting").expect("the folder is ours");
    let is_some = |runtime: &str| {
        let target = Target::of(runtime, "app.handle");
        Requirements::of(code.path(), &target, Path::new("/cache")).expect("it can be read").is_some()
    };
    assert!(is_some("python3.13") && !is_some("nodejs22.x"));
    fs::create_dir(code.path().join("greeting-1.0.dist-info")).expect("the folder is ours");
    assert!(!is_some("python3.13"));
}

#[test]
fn a_machine_without_pip_is_told_what_to_do() {
    let target = target(Architecture::Arm64);
    let hint = remedy("/usr/bin/python3: No module named pip", &target);
    assert!(hint.contains("apt install python3-pip") && hint.contains("--platform manylinux2014_aarch64"), "{hint}");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is a folder for temporary files")
}
