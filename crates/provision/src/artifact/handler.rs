//! Whether the handler that a spec names is in the code: its file, and in the file its name. A light look, and no parser:
//! what may be right passes.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::Target;
use super::archive::Entry;
use super::check::Wrong;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Node,
}

fn language(runtime: &str) -> Option<Language> {
    match runtime {
        runtime if runtime.starts_with("python3") => Some(Language::Python),
        runtime if runtime.starts_with("nodejs") => Some(Language::Node),
        _ => None,
    }
}

/// The files that may hold the handler.
pub(super) fn files(target: &Target) -> Vec<String> {
    let Some((module, _)) = target.handler.rsplit_once('.') else { return vec![] };
    match language(&target.runtime) {
        None => vec![],
        Some(Language::Python) => {
            let path = module.replace('.', "/");
            vec![format!("{path}.py"), format!("{path}/__init__.py")]
        }
        Some(Language::Node) => {
            let path = module.trim_start_matches("./");
            ["js", "mjs", "cjs"].map(|extension| format!("{path}.{extension}")).to_vec()
        }
    }
}

pub(super) fn check(entries: &[Entry], target: &Target) -> Result<(), Wrong> {
    let Some(language) = language(&target.runtime) else { return Ok(()) };
    let handler = &target.handler;
    let Some((module, function)) = handler.rsplit_once('.') else {
        let what = format!("handler `{handler}` does not name a function in a file");
        return Err(Wrong::new(
            what,
            "write the file name without its extension, a dot, and the function: app.handler",
        ));
    };
    let files = files(target);
    let found = entries.iter().find(|entry| files.contains(&entry.name));
    // Compiled Python, or a module of a layer, is not looked for.
    let elsewhere = target.layers || entries.iter().any(|entry| is_module(&entry.name, module));
    match found {
        Some(file) => function_in(language, file, function),
        None if elsewhere => Ok(()),
        None => Err(no_file(entries, language, handler, &files)),
    }
}

fn is_module(name: &str, module: &str) -> bool {
    let path = module.replace('.', "/");
    name.strip_prefix(&path).is_some_and(|rest| rest == ".pyc" || (rest.starts_with('.') && rest.ends_with(".so")))
}

fn no_file(entries: &[Entry], language: Language, handler: &str, files: &[String]) -> Wrong {
    let endings: &[&str] = match language {
        Language::Python => &[".py"],
        Language::Node => &[".js", ".mjs", ".cjs"],
    };
    let there = entries.iter().map(|entry| entry.name.as_str());
    let there: Vec<&str> = there.filter(|name| endings.iter().any(|ending| name.ends_with(ending))).take(5).collect();
    let remedy = match there.as_slice() {
        [] => "put the code at the root of the folder or zip".to_owned(),
        there => format!("it has {}", there.join(", ")),
    };
    Wrong::new(format!("the handler is `{handler}`, but there is no file `{}`", files[0]), remedy)
}

/// Whether the file contains the name, or could define it in a way that a search does not find.
fn function_in(language: Language, file: &Entry, function: &str) -> Result<(), Wrong> {
    let text = String::from_utf8_lossy(&file.bytes);
    let (comment, unseen): (&str, &[&str]) = match language {
        Language::Python => ("#", &["import *", "globals()", "__getattr__", "exec(", "setattr("]),
        Language::Node => ("//", &["export *", "require(", "Object.assign", "Object.define"]),
    };
    let code = || text.lines().map(|line| line.split(comment).next().unwrap_or_default());
    let named = code().any(|line| WORD.find_iter(line).any(|word| word.as_str() == function));
    if named || code().any(|line| unseen.iter().any(|way| line.contains(way))) {
        return Ok(());
    }
    let defined: Vec<&str> = code().filter_map(|line| Some(DEFINED.captures(line)?.get(1)?.as_str())).collect();
    let remedy = match defined.as_slice() {
        [] => format!("define `{function}` in it, or change the function's `handler`"),
        names => format!("it has {}", names.iter().take(8).copied().collect::<Vec<_>>().join(", ")),
    };
    Err(Wrong::new(format!("the handler names `{function}` in `{}`, which does not define it", file.name), remedy))
}

static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[A-Za-z_$][A-Za-z0-9_$]*").expect("tests use it"));
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:async def|def|export const|export function|export async function|exports\.|module\.exports\.)\s*(\w+)",
    )
    .expect("tests use it")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn said(runtime: &str, handler: &str, files: &[(&str, &str)]) -> String {
        let entry = |(name, text): &(&str, &str)| Entry {
            name: (*name).into(),
            executable: false,
            bytes: (*text).into(),
            link: None,
        };
        let entries: Vec<Entry> = files.iter().map(entry).collect();
        match check(&entries, &Target::of(runtime, handler)) {
            Ok(()) => "right".into(),
            Err(wrong) => format!("{}; {}", wrong.what, wrong.remedy),
        }
    }

    #[test]
    fn a_handler_that_is_there_passes_however_it_is_made() {
        let python = [
            ("app.handle", ("app.py", "def handle(event, context): pass")),
            ("app.handle", ("app.py", "async def handle(e, c): pass")),
            ("app.handle", ("app.py", "from other import (\n    handle,\n)")),
            ("app.handle", ("app.py", "handle = make()")),
            ("app.handle", ("app.py", "from other import *")),
            ("app.handle", ("app.pyc", "")),
            ("app.handle", ("app.cpython-313-x86_64-linux-gnu.so", "")),
            ("src/app.handle", ("src/app.py", "def handle(): pass")),
            ("src.app.handle", ("src/app/__init__.py", "def handle(): pass")),
        ];
        for (handler, file) in python {
            assert_eq!(said("python3.13", handler, &[file]), "right", "{handler} {file:?}");
        }
        let node = [
            ("index.handler", ("index.mjs", "export const handler = async (event) => event")),
            ("index.handler", ("index.js", "exports.handler = f")),
            ("src/index.handler", ("src/index.cjs", "module.exports = { handler }")),
            ("index.handler", ("index.js", "module.exports = require('./other')")),
        ];
        for (handler, file) in node {
            assert_eq!(said("nodejs22.x", handler, &[file]), "right", "{handler} {file:?}");
        }
        assert_eq!(said("java21", "com.example.App::handle", &[]), "right");
    }

    #[test]
    fn a_handler_that_is_not_there_is_told_with_what_is() {
        let app = ("app.py", "# handle\ndef handel(event, context): pass\nasync def other(): pass");
        let table = [
            ("python3.13", "handle", app, "handler `handle` does not name a function in a file; write the file"),
            (
                "python3.13",
                "main.handle",
                app,
                "the handler is `main.handle`, but there is no file `main.py`; it has app.py",
            ),
            (
                "python3.13",
                "app.handle",
                app,
                "the handler names `handle` in `app.py`, which does not define it; it has handel, other",
            ),
            (
                "python3.13",
                "app.handle",
                ("lib/app.py", "def handle(): 1"),
                "there is no file `app.py`; it has lib/app.py",
            ),
            (
                "nodejs22.x",
                "index.handler",
                ("index.mjs", "export const handle = 1"),
                "`handler` in `index.mjs`, which does not define it; it has handle",
            ),
            ("nodejs22.x", "index.handler", ("readme", ""), "there is no file `index.js`; put the code at the root"),
        ];
        for (runtime, handler, file, expected) in table {
            let told = said(runtime, handler, &[file]);
            assert!(told.contains(expected), "{told}");
        }
        let layered = Target { layers: true, ..Target::of("python3.13", "other.handle") };
        assert_eq!(check(&[], &layered), Ok(()));
    }
}
