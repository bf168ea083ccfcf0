//! The floors of a crate, kept by a test: a module names only what stands on a lower floor than itself, so that no two floors need
//! each other.
//!
//! It checks each path in the code (`use` lines too) that begins with `crate`, `super`, `self` or a child that is a floor.
//! Comments may name what stands above, and so may `mod tests`. The crate's root names everything.

use std::fs;
use std::path::{Path, PathBuf};

/// Reads the sources below these folders, each the `src` of a crate. A module belongs to the longest of `floors` that it begins with;
/// `floors` begins with the ground.
///
/// # Errors
/// The lines that name what stands above them or on no floor, and the floors that nothing is on.
///
/// # Panics
/// When the sources cannot be read.
pub fn check(floors: &[&str], roots: &[PathBuf]) -> Result<(), String> {
    let (mut wrong, mut used) = (vec![], vec![false; floors.len()]);
    for root in roots {
        let mut files = vec![];
        sources(root, &mut files);
        for file in files {
            let Some(module) = module_of(file.strip_prefix(root).expect("it is in there")) else { continue };
            if let Some(floor) = floor(&module, floors) {
                used[floor] = true;
            }
            let text = fs::read_to_string(&file).expect("a source is text");
            let lines = pointing_up(&module, &text, floors).into_iter();
            wrong.extend(lines.map(|line| format!("{}, {line}", file.display())));
        }
    }
    let empty = floors.iter().zip(used).filter(|(_, used)| !used);
    wrong.extend(empty.map(|(floor, _)| format!("nothing is on the floor {floor}")));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// A path that the code names, and its line.
type Named = (usize, Vec<String>);

/// Every path of a file, whole: `use a::{b, c::d}` names two.
fn named(text: &str, module: &[String], floors: &[&str]) -> Vec<Named> {
    let mut found = vec![];
    let tests = ["mod tests {", "pub(crate) mod tests {"].map(|tests| format!("#[cfg(test)]\n{tests}"));
    let end = tests.iter().filter_map(|tests| text.find(tests)).min().unwrap_or(text.len());
    let code = &text[..end];
    // Line by line, so that a place in what is left of the code is one in the file.
    let code: String = code.lines().map(|line| format!("{}\n", without_comment(line))).collect();
    for (at, _) in code.match_indices("::") {
        let start = code[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |before| before + 1);
        let first = &code[start..at];
        let goes_on = code[..start].ends_with("::");
        let child = floors.contains(&format!("{}::{first}", module.join("::")).as_str());
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
fn floor(path: &[String], floors: &[&str]) -> Option<usize> {
    let of = |length: usize| floors.iter().position(|floor| *floor == path[..length].join("::"));
    (1..=path.len().min(2)).rev().find_map(of)
}

/// Each line of a module that names what stands above it, or on no floor.
fn pointing_up(module: &[String], text: &str, floors: &[&str]) -> Vec<String> {
    let Some(own) = floor(module, floors) else { return vec![format!("{} is on no floor", module.join("::"))] };
    let up = named(text, module, floors).into_iter().filter(|(_, path)| !path.is_empty()).filter_map(|(line, path)| {
        let (above, path) = (floor(&path, floors), path.join("::"));
        match above {
            None => Some(format!("line {line}: {path} is on no floor")),
            Some(above) if above > own => Some(format!("line {line}: {} names {path}, above it", floors[own])),
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
    let of_tests = names.iter().any(|name| ["lib", "main", "tests", "fuzz", "floors"].contains(&name.as_str()));
    Some(names).filter(|_| !of_tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: &[&str] = &[
        "arn",
        "time",
        "table",
        "service",
        "service::iam",
        "service::s3",
        "service::kinesis",
        "world",
        "world::services",
        "world::turns",
        "wire",
        "drive",
    ];

    #[test]
    fn a_path_that_points_up_is_found_however_it_is_written() {
        let up = |module: &str, text: &str| {
            let module: Vec<String> = module.split("::").map(str::to_owned).collect();
            pointing_up(&module, text, FLOORS)
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
            let parts: Vec<&str> =
                expected.split(", ").filter(|part| !part.is_empty() && *part != "above it").collect();
            assert_eq!(found.len(), parts.len(), "{text}: {found:?}");
            assert!(found.iter().zip(parts).all(|(found, part)| found.contains(part)), "{text}: {found:?}");
        }
    }
}
