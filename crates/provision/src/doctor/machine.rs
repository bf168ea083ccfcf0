//! This machine: what builds the functions, and what runs them here.

use std::collections::BTreeSet;
use std::path::Path;

use tokio::process::Command;

use super::Check;
use crate::artifact::interpreter::{INTERPRETERS, Interpreter};
use crate::artifact::{Architecture, has_zigbuild, triple};
use crate::resource::function::{Code, Function};
use crate::spec::stack::{Entry, Stack};

/// One line for each tool that the stack's functions need.
pub async fn checks(stack: &Stack) -> Vec<Check> {
    let functions: Vec<&Function> =
        stack.functions.values().filter_map(Entry::managed).map(|entry| &entry.desired).collect();
    let crates = functions.iter().filter(|function| matches!(function.code, Code::Crate { .. }));
    let architectures: BTreeSet<&str> = crates.clone().map(|function| function.architecture.name()).collect();
    let mut checks = vec![];
    if !architectures.is_empty() {
        checks.push(cargo().await);
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            if architectures.contains(architecture.name()) {
                checks.push(target(architecture).await);
                checks.push(linker(architecture));
            }
        }
    }
    let runtimes: BTreeSet<&str> = functions.iter().map(|function| function.runtime.as_str()).collect();
    for program in &INTERPRETERS {
        let of_it: Vec<&str> = runtimes.iter().copied().filter(|name| Interpreter::of(name) == Some(program)).collect();
        if !of_it.is_empty() {
            checks.push(interpreter(program, &of_it, program.version().await));
        }
    }
    for path in functions.iter().filter_map(|function| path_of(&function.code)).filter(|path| !path.exists()) {
        let found = format!("{} does not exist", path.display());
        checks.push(Check::failed("code", found, "create it, or correct `code` of the function"));
    }
    checks
}

fn path_of(code: &Code) -> Option<&Path> {
    match code {
        Code::Crate { path, .. } | Code::Zip { path } | Code::Dir { path } => Some(path),
        Code::S3 { .. } | Code::Ready(_) => None,
    }
}

/// The first line that a program writes, where it can be run.
async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

async fn cargo() -> Check {
    match said("cargo", &["--version"]).await {
        Some(version) => Check::good("cargo", version),
        None => Check::failed(
            "cargo",
            "cargo is not on the PATH",
            "install Rust from https://rustup.rs, or give the functions a `zip:`",
        ),
    }
}

async fn target(architecture: Architecture) -> Check {
    let triple = triple(architecture);
    let folder = said("rustc", &["--print", "target-libdir", "--target", triple]).await;
    match folder.is_some_and(|folder| Path::new(&folder).is_dir()) {
        true => Check::good("target", triple),
        false => Check::failed("target", format!("{triple} is not installed"), format!("rustup target add {triple}")),
    }
}

fn linker(architecture: Architecture) -> Check {
    let triple = triple(architecture);
    let variable = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
    if let Some(linker) = std::env::var_os(&variable) {
        return Check::good("linker", format!("{} for {triple}", linker.display()));
    }
    if has_zigbuild() {
        return Check::good("linker", format!("cargo-zigbuild for {triple}"));
    }
    let here = architecture == Architecture::here();
    match on_path("cc") {
        true if here => Check::good("linker", format!("cc for {triple}")),
        // Another may stand in cargo's configuration.
        true => Check::care(
            "linker",
            format!("cc on this machine does not link for {triple}"),
            format!(
                "install cargo-zigbuild (pip install cargo-zigbuild), or set a linker for {triple} in .cargo/config.toml"
            ),
        ),
        false => Check::failed(
            "linker",
            format!("cc is not on the PATH; it is needed to link for {triple}"),
            "install a C compiler (apt install gcc, xcode-select --install), or cargo-zigbuild",
        ),
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Functions run here for `--local`, `invoke`, `verify` and `test-transform`.
fn interpreter(interpreter: &Interpreter, runtimes: &[&str], version: Option<String>) -> Check {
    let (program, wanted) = (interpreter.program, runtimes.join(", "));
    let Some(version) = version else {
        let found = format!("{program} is not on the PATH, so {wanted} functions cannot run here");
        return Check::failed(
            "interpreter",
            found,
            format!("install {program}; verify, invoke and --local run functions on this machine"),
        );
    };
    match runtimes.iter().all(|runtime| interpreter.is_for(&version, runtime)) {
        true => Check::good("interpreter", format!("{program} {version} for {wanted}")),
        false => Check::care(
            "interpreter",
            format!("{program} is {version}, but the functions are for {wanted}"),
            format!("results here may differ from AWS; put the same version of {program} first on the PATH"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn an_interpreter_is_compared_with_the_runtimes_it_stands_for() {
        for (place, runtimes, version, state) in [
            (0, &["python3.13"][..], Some("3.13.7"), State::Good),
            (0, &["python3.12", "python3.13"], Some("3.13.7"), State::Care),
            (0, &["python3.13"], None, State::Failed),
            (1, &["nodejs22.x"], Some("22.1.0"), State::Good),
        ] {
            let check = interpreter(&INTERPRETERS[place], runtimes, version.map(str::to_owned));
            assert_eq!(check.state, state, "{check:?}");
            assert_eq!(check.remedy.is_none(), state == State::Good, "{check:?}");
        }
    }
}
