//! Links in a deployment package: kept where they stay in it, as `node_modules/.bin` does, and otherwise refused.

use std::fs;
use std::io;
use std::path::Path;

use local_cloud::functions::stays_inside;

/// The zip entry for a link in a folder.
pub(super) fn kept(folder: &Path, name: &str, path: &Path) -> io::Result<String> {
    let to = fs::read_link(path)?;
    let to = to.to_str().ok_or_else(|| io::Error::other("it is a link to a name that is not UTF-8"))?;
    if !stays_inside(Path::new(name), Path::new(to)) {
        return Err(refusal(to));
    }
    // Through other links it may still lead out, or nowhere.
    let real =
        fs::canonicalize(path).map_err(|cause| io::Error::new(cause.kind(), format!("a link to {to}: {cause}")))?;
    if real.starts_with(folder.canonicalize()?) { Ok(to.to_owned()) } else { Err(refusal(to)) }
}

fn refusal(to: &str) -> io::Error {
    io::Error::other(format!(
        "it is a link to {to}; a package keeps a link only if it is relative and points to a file in the folder"
    ))
}

/// The name in the zip of what a link leads to.
pub(super) fn target(name: &str, to: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_inside_where_its_way_up_ends_in_the_package() {
        for (name, to, inside) in [
            ("node_modules/.bin/tool", "../tool/cli.js", Some("node_modules/tool/cli.js")),
            ("link", "file", Some("file")),
            ("a/link", "./b", Some("a/b")),
            ("a/b/link", "../..", Some("")),
            ("link", "..", None),
            ("a/link", "../../file", None),
            ("link", "/etc/passwd", None),
            // `dir` may be a link.
            ("link", "dir/../file", None),
        ] {
            assert_eq!(
                stays_inside(Path::new(name), Path::new(to)).then(|| target(name, to)).as_deref(),
                inside,
                "{name} -> {to}"
            );
        }
    }
}
