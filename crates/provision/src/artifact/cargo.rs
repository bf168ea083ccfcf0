//! Building a crate with cargo, in a profile and a target folder of its own.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::Architecture;
use super::cpu::Level;
use super::elf::Glibc;
use super::inputs::Package;
use crate::error::{Error, Result};

/// The profile's settings. Panics unwind: a transform that panics over one record must fail that record alone.
pub(super) const PROFILE: [(&str, &str); 6] = [
    ("inherits", "\"release\""),
    ("opt-level", "3"),
    ("lto", "\"fat\""),
    ("codegen-units", "1"),
    ("panic", "\"unwind\""),
    ("strip", "\"symbols\""),
];
const PROFILE_NAME: &str = "provision-lambda";

/// Lines that cargo prints during a successful build. Anything else is shown when a build fails.
const PROGRESS: [&str; 11] = [
    "Adding",
    "Blocking",
    "Checking",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Locking",
    "Replacing",
    "Updating",
];

/// One build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The package's folder.
    pub(super) path: &'a Path,
    /// The binary, where there are several.
    pub(super) bin: Option<&'a str>,
    pub(super) architecture: Architecture,
    /// The processor level.
    pub(super) level: Option<Level>,
    pub(super) target_dir: &'a Path,
}

/// The linker to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Cargo,
    /// `cargo zigbuild`, which links for other architectures, and for an older glibc.
    Zig(Option<Glibc>),
}

/// Whether `cargo zigbuild` is installed.
pub fn has_zigbuild() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(home().map(|home| home.join("bin")));
    folders.any(|folder| folder.join("cargo-zigbuild").is_file())
}

/// Builds and returns the package's binary, `bin` or the only one.
///
/// Compiler flags from the environment do not take part, so that two people get the same bytes; those for the target in
/// cargo's configuration files (`[target.x86_64-unknown-linux-gnu]`) do, and a `target-cpu` there goes before ours.
pub(super) async fn build(order: &Order<'_>, with: With, progress: &mut (dyn FnMut(&str) + Send)) -> Result<Vec<u8>> {
    let building = format!("building crate {}", order.path.display());
    let package = Package::at(order.path)?;
    let output = run(command(&package, order, with), progress).await.map_err(|cause| {
        let missing = cause.kind() == io::ErrorKind::NotFound;
        let error = Error::new(&building, format!("running cargo: {cause}"));
        if missing { error.hint("install Rust from https://rustup.rs, or give the function a `zip:`") } else { error }
    })?;
    if !output.success {
        let hint = remedy(&output.said, order.architecture);
        return Err(Error::new(&building, output.said).hint(hint));
    }
    let executable = only_binary(&building, &output.executables)?;
    tokio::fs::read(executable).await.map_err(|cause| Error::new(&building, cause))
}

/// A hint for a failed build, if its output shows the reason.
fn remedy(said: &str, architecture: Architecture) -> String {
    let triple = triple(architecture);
    let cross = architecture != Architecture::here();
    match () {
        () if said.contains("target may not be installed") => format!("rustup target add {triple}"),
        () if cross && said.contains("linking with") || said.contains("linker `") => {
            format!(
                "install cargo-zigbuild (pip install cargo-zigbuild), or set a linker for {triple} in .cargo/config.toml"
            )
        }
        () => "nothing was changed; run cargo build in the crate to see more".to_owned(),
    }
}

fn command(package: &Package, order: &Order<'_>, with: With) -> Command {
    let (target, target_dir) = (triple(order.architecture), order.target_dir);
    let (verb, target_and_glibc) = match with {
        With::Cargo => ("build", target.to_owned()),
        With::Zig(None) => ("zigbuild", target.to_owned()),
        With::Zig(Some(Glibc(major, minor))) => ("zigbuild", format!("{target}.{major}.{minor}")),
    };
    let mut command = Command::new("cargo");
    command.current_dir(&package.folder).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
    command.args([verb, "--profile", PROFILE_NAME, "--target", &target_and_glibc]);
    command.arg("--message-format=json-render-diagnostics");
    command.arg("--target-dir").arg(target_dir);
    command.args(PROFILE.iter().flat_map(|(key, value)| config(format!("profile.{PROFILE_NAME}.{key}={value}"))));
    command.args(config(format!("target.{target}.rustflags={}", flags(package, order))));
    match order.bin {
        Some(bin) => command.args(["--bin", bin]),
        None => command.arg("--bins"),
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn config(setting: String) -> [String; 2] {
    ["--config".to_owned(), setting]
}

/// Rust's name of what Lambda runs.
pub fn triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

/// Flags that keep this machine's paths out of the binary and name the processor, as a TOML list. (A JSON list of texts is one.)
fn flags(package: &Package, order: &Order<'_>) -> serde_json::Value {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let home = home().map(|home| remap(&home, "/cargo"));
    let paths = home.into_iter().chain([remap(&package.root, "/src"), remap(order.target_dir, "/target")]);
    paths.chain(order.level.map(|level| format!("-Ctarget-cpu={level}"))).collect()
}

/// Cargo's home folder.
pub(super) fn home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// The result of one run of cargo.
struct Output {
    success: bool,
    executables: Vec<Executable>,
    /// Diagnostics, as the compiler words them.
    said: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Executable {
    bin: String,
    path: PathBuf,
}

async fn run(mut command: Command, progress: &mut (dyn FnMut(&str) + Send)) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().expect("it was piped by whoever made the command");
    let stderr = child.stderr.take().expect("it was piped by whoever made the command");
    let mut executables = Vec::new();
    let mut said = String::new();
    tokio::try_join!(
        each_line(stdout, |line| executables.extend(executable(line))),
        each_line(stderr, |line| match is_progress(line) {
            true => progress(line.trim_start()),
            false => said.extend([line, "\n"]),
        }),
    )?;
    Ok(Output { success: child.wait().await?.success(), executables, said: said.trim_end().to_owned() })
}

/// Hands over each line that a program writes.
pub(super) async fn each_line(from: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut lines = BufReader::new(from).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        take(&String::from_utf8_lossy(&line));
    }
    Ok(())
}

/// Cargo sets the verb to the right of a column of twelve; a diagnostic's own lines never start so.
fn is_progress(line: &str) -> bool {
    let verb = line.split_whitespace().next().unwrap_or_default();
    line.starts_with(' ') && PROGRESS.contains(&verb) && line.len() - line.trim_start().len() + verb.len() == 12
}

/// A binary that one of cargo's messages announces.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(message: &str) -> Option<Executable> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        executable: PathBuf,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    // Every other kind of message lacks one of the fields, or has null for the executable.
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    let is_bin = artifact.target.kind.iter().any(|kind| kind == "bin");
    is_bin.then_some(Executable { bin: artifact.target.name, path: artifact.executable })
}

fn only_binary<'a>(building: &str, executables: &'a [Executable]) -> Result<&'a Path> {
    match executables {
        [only] => Ok(&only.path),
        [] => Err(Error::new(building, "the package has no binary").hint("add src/main.rs")),
        several => {
            let names: Vec<_> = several.iter().map(|executable| executable.bin.as_str()).collect();
            let names = names.join(", ");
            Err(Error::new(building, format!("the package has several binaries: {names}"))
                .hint("choose one with `bin:`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(with: With, architecture: Architecture) -> Vec<String> {
        let package = Package { folder: "/w/app".into(), root: "/w".into() };
        let order = Order {
            path: Path::new("/w/app"),
            bin: Some("b"),
            architecture,
            level: Some(Level(3)),
            target_dir: Path::new("/t"),
        };
        let command = command(&package, &order, with);
        command.as_std().get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn zig_is_told_the_glibc_and_the_rest_is_the_same() {
        let plain = arguments(With::Cargo, Architecture::Arm64);
        let zig = arguments(With::Zig(Some(Glibc(2, 34))), Architecture::Arm64);
        assert_eq!((plain[0].as_str(), zig[0].as_str()), ("build", "zigbuild"));
        let differ: Vec<_> = plain.iter().zip(&zig).skip(1).filter(|(plain, zig)| plain != zig).collect();
        let (triple, with_glibc) =
            ("aarch64-unknown-linux-gnu".to_owned(), "aarch64-unknown-linux-gnu.2.34".to_owned());
        assert_eq!(differ, [(&triple, &with_glibc)]);
        for flag in ["--remap-path-prefix=/w=/src", "-Ctarget-cpu=x86-64-v3"] {
            assert!(plain.iter().any(|argument| argument.contains(flag)), "{plain:?}");
        }
    }

    #[test]
    fn what_is_missing_for_another_architecture_is_named() {
        let other = match Architecture::here() {
            Architecture::X86_64 => Architecture::Arm64,
            Architecture::Arm64 => Architecture::X86_64,
        };
        let table = [
            (
                "error[E0463]: can't find crate for `core`\n = note: the `x` target may not be installed",
                "rustup target add",
            ),
            ("error: linking with `cc` failed: exit status: 1", "install cargo-zigbuild"),
            ("error: linker `aarch64-linux-gnu-gcc` not found", "install cargo-zigbuild"),
            ("error: expected one of", "nothing was changed"),
        ];
        for (said, hint) in table {
            let told = remedy(said, other);
            assert!(told.starts_with(hint), "{said}: {told}");
        }
        assert!(remedy("error: linking with `cc` failed", Architecture::here()).starts_with("nothing was changed"));
    }

    #[test]
    fn progress_is_told_from_diagnostics() {
        for line in
            ["   Compiling handler v0.1.0 (/src)", "    Finished `release` profile", "    Updating crates.io index"]
        {
            assert!(is_progress(line), "{line}");
        }
        for line in
            ["", "error: could not compile", "warning: unused", "  --> src/main.rs:1:1", "   | Compiling", "Finished"]
        {
            assert!(!is_progress(line), "{line}");
        }
    }

    #[test]
    fn of_cargos_messages_only_built_binaries_count() {
        let message = |kind: &str, executable: &str| {
            let target = format!(r#"{{"kind":["{kind}"],"name":"bootstrap"}}"#);
            format!(r#"{{"reason":"compiler-artifact","target":{target},"executable":{executable}}}"#)
        };
        let built = Executable { bin: "bootstrap".into(), path: "/t/bootstrap".into() };
        assert_eq!(executable(&message("bin", r#""/t/bootstrap""#)), Some(built));
        for other in [message("lib", "null"), message("example", r#""/t/e""#), r#"{"reason":"build-finished"}"#.into()]
        {
            assert_eq!(executable(&other), None, "{other}");
        }
    }

    #[test]
    fn one_binary_is_taken_and_any_other_number_is_an_error_that_names_them() {
        let of =
            |names: &[&str]| names.iter().map(|name| Executable { bin: (*name).into(), path: name.into() }).collect();
        let table: [(Vec<Executable>, _); 3] = [
            (of(&["a"]), Ok(Path::new("a"))),
            (of(&[]), Err("building: the package has no binary")),
            (of(&["a", "b"]), Err("building: the package has several binaries: a, b")),
        ];
        for (executables, expected) in table {
            let found = only_binary("building", &executables).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        }
    }
}
