//! Which folders of `code: { dir }` are not packed. Pure.

/// Version control and caches: nobody expects them in a package.
const SILENT: [&str; 7] = [".git", ".hg", ".svn", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"];
/// Files that tools and editors create beside the code.
const TOLD: [&str; 6] = [".venv", ".tox", ".nox", ".provision", ".idea", ".vscode"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Silent,
    /// It is said that it is left out.
    Told,
}

/// Why a folder of this name in a package for this runtime is left out. `is_venv`: does a `pyvenv.cfg` stand in it? What a function
/// imports stands beside its handler, never in a virtual environment. Node.js imports from `node_modules`, and a custom runtime may.
pub(super) fn why(name: &str, is_venv: bool, runtime: &str) -> Option<Why> {
    let imports_node_modules = runtime.starts_with("nodejs") || runtime.starts_with("provided");
    match name {
        _ if SILENT.contains(&name) => Some(Why::Silent),
        "node_modules" if !imports_node_modules => Some(Why::Told),
        _ => (is_venv || TOLD.contains(&name)).then_some(Why::Told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_imports_is_packed_and_what_tools_make_is_not() {
        use Why::*;
        for (name, is_venv, runtime, expected) in [
            (".git", false, "python3.13", Some(Silent)),
            ("__pycache__", false, "python3.13", Some(Silent)),
            (".venv", false, "python3.13", Some(Told)),
            ("venv", true, "python3.13", Some(Told)),
            ("venv", false, "python3.13", None),
            ("env", true, "nodejs22.x", Some(Told)),
            ("node_modules", false, "python3.13", Some(Told)),
            ("node_modules", false, "nodejs22.x", None),
            ("node_modules", false, "provided.al2023", None),
            (".pytest_cache", false, "nodejs22.x", Some(Silent)),
            ("vendor", false, "python3.13", None),
            ("python", false, "python3.13", None),
        ] {
            assert_eq!(why(name, is_venv, runtime), expected, "{name} {runtime}");
        }
    }
}
