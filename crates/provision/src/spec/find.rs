//! Which spec is meant when none is named.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// `path` itself; without one `provision.yaml`, or the only spec in `stacks/`. Both are looked for in `cwd`.
///
/// # Errors
/// When there is none, or when there are several: they are listed.
pub fn find(path: Option<&Path>, cwd: &Path) -> Result<PathBuf> {
    if let Some(path) = path {
        return Ok(path.to_owned());
    }
    if cwd.join("provision.yaml").is_file() {
        return Ok(PathBuf::from("provision.yaml"));
    }
    let mut specs = specs_in(&cwd.join("stacks"));
    specs.sort();
    match specs.as_slice() {
        [only] => Ok(Path::new("stacks").join(only)),
        [] => Err(Error::msg("looking for a spec: there is neither provision.yaml nor one in stacks/")
            .hint("name one, or write one with `provision init`")),
        several => Err(Error::msg(format!("looking for a spec: there are several in stacks/: {}", several.join(", ")))
            .hint("name one of them")),
    }
}

/// File names. A folder that is not there has none.
fn specs_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".yaml") || name.ends_with(".yml")).collect()
}
