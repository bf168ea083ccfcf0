//! The floors of this crate and of `local-world`, kept by a test: a module names only what stands on a lower floor than itself, so that
//! no two floors need each other. Where a thing belongs: one service, `service`; two services, `world`; bytes, `wire`; what waits or
//! writes, `drive`; HTTP in and out, `exchange`.
//!
//! What is checked is each path in the code (`use` lines too) that begins with `crate`, `super`, `self` or a child that is a floor.
//! Comments may name what stands above, and tests may drive a whole world.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A module belongs to the longest name that it begins with.
const FLOORS: &[&str] = &[
    // The ground: plain data and helpers.
    "glob",
    "arn",
    "time",
    "host",
    "brief",
    "request",
    "record",
    "allowance",
    "faults",
    "target",
    "changes",
    "anomalies",
    "log",
    "table",
    "settings",
    // What the service models say; Firehose's pipeline; what a turn asks of the driver.
    "model",
    "flow",
    "effect",
    // Each service's state and the operations on it.
    "service",
    "service::iam",
    "service::sts",
    "service::logs",
    "service::s3",
    "service::kinesis",
    "service::lambda",
    "service::firehose",
    // All states together.
    "world",
    "world::access",
    "world::functions",
    "world::delivery",
    "world::services",
    "world::turns",
    "world::dump",
    // Bytes and calls; functions as processes.
    "wire",
    "runner",
    "rates",
    "course",
    // The clock, the journal and the effects.
    "drive",
    // The doors.
    "control",
    "exchange",
    "server",
    "connector",
];

/// A path that the code names, and its line.
type Named = (usize, Vec<String>);

/// Every path of a file, whole: `use a::{b, c::d}` names two.
fn named(text: &str, module: &[String]) -> Vec<Named> {
    let mut found = vec![];
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    // Line by line, so that a place in what is left of the code is one in the file.
    let code: String = code.lines().map(|line| format!("{}\n", without_comment(line))).collect();
    for (at, _) in code.match_indices("::") {
        let start = code[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |before| before + 1);
        let first = &code[start..at];
        let goes_on = code[..start].ends_with("::");
        let child = FLOORS.contains(&format!("{}::{first}", module.join("::")).as_str());
        if goes_on || !(child || ["crate", "super", "self"].contains(&first)) {
            continue;
        }
        let line = code[..start].matches('\n').count() + 1;
        let mut paths = vec![];
        expand(&code[start..], vec![], &mut paths);
        found.extend(paths.into_iter().map(|path| (line, absolute(path, module))));
    }
    found
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// Adds the paths that the text begins with. Gives how much of it they are.
fn expand(text: &str, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let skip = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    let mut at = skip(0);
    loop {
        let end = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text.len(), |end| at + end);
        path.push(text[at..end].to_owned());
        at = end;
        let Some(rest) = text[at..].strip_prefix("::") else {
            paths.push(path);
            return at;
        };
        at += 2;
        if !rest.starts_with('{') {
            continue;
        }
        at += 1;
        while !text[at..].trim_start().starts_with('}') {
            at += expand(&text[at..], path.clone(), paths);
            // `*`, or another name for it.
            at += text[at..].find([',', '}']).expect("a group ends");
            at += usize::from(text[at..].starts_with(','));
        }
        return skip(at) + 1;
    }
}

/// From the crate's root on, without `crate`.
fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut out: Vec<String> = if path[0] == "crate" { vec![] } else { module.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(out.pop()),
            _ => out.push(name),
        }
    }
    out
}

/// On which floor a module or an item is.
fn floor(path: &[String]) -> Option<usize> {
    let of = |length: usize| FLOORS.iter().position(|floor| *floor == path[..length].join("::"));
    (1..=path.len().min(2)).rev().find_map(of)
}

/// Each line of a module that names what stands above it, or on no floor.
fn pointing_up(module: &[String], text: &str) -> Vec<String> {
    let Some(own) = floor(module) else { return vec![format!("{} is on no floor", module.join("::"))] };
    let up = named(text, module).into_iter().filter(|(_, path)| !path.is_empty()).filter_map(|(line, path)| {
        let (above, path) = (floor(&path), path.join("::"));
        match above {
            None => Some(format!("line {line}: {path} is on no floor")),
            Some(above) if above > own => Some(format!("line {line}: {} names {path}, above it", FLOORS[own])),
            Some(_) => None,
        }
    });
    up.collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources can be listed").path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.extend(Some(path).filter(|path| path.extension().is_some_and(|end| end == "rs"))),
        }
    }
}

/// The module of a file; none of the crate's root, which names everything, and of tests.
fn module_of(file: &Path) -> Option<Vec<String>> {
    let names: Vec<String> = file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let of_tests = names.iter().any(|name| ["lib", "tests", "fuzz", "floors"].contains(&name.as_str()));
    Some(names).filter(|_| !of_tests)
}

#[test]
fn every_module_names_only_what_stands_below_it() {
    let (mut files, mut up, mut used) = (vec![], vec![], vec![false; FLOORS.len()]);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a folder of crates");
    for name in ["local-world", "local-cloud"] {
        let root = crates.join(name).join("src");
        sources(&root, &mut files);
        for file in files.drain(..) {
            let path = file.strip_prefix(&root).expect("it is in there");
            let Some(module) = module_of(path) else { continue };
            if let Some(floor) = floor(&module) {
                used[floor] = true;
            }
            let text = fs::read_to_string(&file).expect("a source is text");
            let lines = pointing_up(&module, &text).into_iter();
            up.extend(lines.map(|line| format!("{name}/src/{}, {line}", path.display())));
        }
    }
    assert!(up.is_empty(), "these point up:\n{}", up.join("\n"));
    let empty: Vec<&str> = FLOORS.iter().zip(used).filter(|(_, used)| !used).map(|(floor, _)| *floor).collect();
    assert!(empty.is_empty(), "nothing is on these floors: {empty:?}");
}

#[test]
fn a_path_that_points_up_is_found_however_it_is_written() {
    let up = |module: &str, text: &str| {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        pointing_up(&module, text)
    };
    for (module, text, expected) in [
        ("wire::s3", "use crate::drive::Engine;", "line 1: wire names drive::Engine, above it"),
        ("wire", "\nuse crate::{\n    arn,\n    drive::{Engine as E, Pace},\n};", "drive::Engine, drive::Pace"),
        ("service::iam::tag", "fn f() { crate::service::s3::dump() }", "service::s3::dump"),
        ("service::iam", "use super::kinesis::{self, State};", "service::kinesis, service::kinesis::State"),
        ("service::iam", "use super::super::world::World;", "world::World"),
        ("world", "use self::turns::Turn;", "world::turns::Turn"),
        ("world", "use turns::Turn;", "world::turns::Turn"),
        ("table", "macro_rules! m { () => { $crate::wire::brief() } }", "wire::brief"),
        ("table", "use crate::nowhere::X;", "line 1: nowhere::X is on no floor"),
        ("nowhere", "", "nowhere is on no floor"),
        ("wire", "use crate::{arn, time::*};\nuse super::world::{World, services::{Call, SERVICES}};", ""),
        ("wire", "//! [`crate::drive`]\nlet x = 1; // crate::drive\n", ""),
        ("wire", "#[cfg(test)]\nmod tests {\n    use crate::drive::Engine;\n}", ""),
    ] {
        let found = up(module, text);
        let parts: Vec<&str> = expected.split(", ").filter(|part| !part.is_empty() && *part != "above it").collect();
        assert_eq!(found.len(), parts.len(), "{text}: {found:?}");
        assert!(found.iter().zip(parts).all(|(found, part)| found.contains(part)), "{text}: {found:?}");
    }
}
