//! Fuzz targets: zips and executables.

use super::{Architecture, Target, archive, check, package};

fn targets() -> impl Iterator<Item = Target> {
    let runtimes = [("provided.al2023", "bootstrap"), ("python3.13", "a.handler"), ("nodejs22.x", "lib/a.handler")];
    let of = |(runtime, handler)| {
        [Architecture::X86_64, Architecture::Arm64]
            .map(|architecture| Target { architecture, ..Target::of(runtime, handler) })
    };
    runtimes.into_iter().flat_map(of)
}

#[test]
fn fuzz_zip() {
    fuzz::over("zip", |zip| {
        let _ = archive::comment("", zip);
        for target in targets() {
            if let Ok(entries) = archive::entries("", zip, |name| package::is_looked_into(name, &target)) {
                let _ = package::check(&entries, &target);
            }
        }
    });
}

#[test]
fn fuzz_elf() {
    fuzz::over("elf", |binary| {
        for target in targets() {
            let _ = check::executable(binary, &target, &["libx.so"]);
            let _ = check::shared_object("libx.so", binary, &target);
        }
    });
}
