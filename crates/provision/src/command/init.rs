//! `provision init`: a commented spec and a transform to start from. Overwrites nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::args::refuse_useless;
use crate::error::{Error, Result};
use crate::exit::{Exit, Stop};
use crate::spec::starter::{self, Language};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write to
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// What the transform is written in [default: rust where the SDK is found, otherwise python]
    #[arg(long, value_enum)]
    pub transform: Option<Transform>,
    /// Name of the stack [default: the folder's]
    #[arg(long)]
    pub name: Option<String>,
    /// Folder of the package firehose-transform, for rust [default: crates/firehose-transform, here or above]
    #[arg(long, value_name = "PATH")]
    pub sdk_path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Transform {
    Rust,
    Python,
}

pub fn run(args: Args) -> Result<(String, Exit), Stop> {
    let python = args.transform == Some(Transform::Python);
    refuse_useless(&[("--sdk-path", python && args.sdk_path.is_some())], "a Python transform needs no package")?;
    Ok((write(&args)?, Exit::Done))
}

fn write(args: &Args) -> Result<String> {
    let dir = std::path::absolute(&args.dir).map_err(|e| Error::new("finding the folder", e))?;
    let name = match &args.name {
        Some(name) => starter::check_name(name),
        None => starter::name_of(&dir),
    };
    let name = name.map_err(|what| Error::new("naming the stack", what).hint("give --name NAME"))?;
    let files = starter::starter(&name, &language(args, &dir)?);
    let taken = files.iter().map(|(path, _)| dir.join(path)).find(|path| path.exists());
    if let Some(path) = taken {
        let what = format!("writing {}: the file exists", path.display());
        return Err(Error::msg(what).hint("nothing was written; choose another folder"));
    }
    for (path, text) in &files {
        write_new(&dir.join(path), text)?;
    }
    let list: String = files.iter().map(|(path, _)| format!("wrote {}\n", args.dir.join(path).display())).collect();
    let spec = args.dir.join("provision.yaml");
    Ok(format!("{list}\nnext: provision up {} --local\n", spec.display()))
}

fn language(args: &Args, dir: &Path) -> Result<Language> {
    let given = args.sdk_path.clone().filter(|sdk| sdk.join("Cargo.toml").is_file());
    if let (None, Some(sdk)) = (&given, &args.sdk_path) {
        let what = format!("looking for firehose-transform: {} has no Cargo.toml", sdk.display());
        return Err(Error::msg(what).hint("--sdk-path takes the folder of the package"));
    }
    let here = dir.ancestors().map(|folder| folder.join("crates/firehose-transform"));
    let sdk = given.or_else(|| here.into_iter().find(|sdk| sdk.join("Cargo.toml").is_file()));
    match (args.transform, sdk) {
        (Some(Transform::Python), _) | (None, None) => Ok(Language::Python),
        (Some(Transform::Rust) | None, Some(sdk)) => {
            let sdk = fs::canonicalize(&sdk).map_err(|e| Error::new(format!("finding {}", sdk.display()), e))?;
            let here = crate_folder(dir);
            let same = here.ancestors().find(|folder| folder.join(".git").exists() && sdk.starts_with(folder));
            Ok(Language::Rust { sdk: if same.is_some() { relative(&here, &sdk) } else { sdk } })
        }
        (Some(Transform::Rust), None) => {
            Err(Error::msg("looking for firehose-transform: not found in this folder or above it")
                .hint("a Rust transform needs it; pass --sdk-path, or use --transform python"))
        }
    }
}

/// The path of the transform's crate, without links. It need not exist yet.
fn crate_folder(dir: &Path) -> PathBuf {
    let there =
        dir.ancestors().find_map(|folder| Some((fs::canonicalize(folder).ok()?, dir.strip_prefix(folder).ok()?)));
    there.map_or(dir.to_owned(), |(real, rest)| real.join(rest)).join("transform")
}

/// The way from one folder to another. Both are absolute.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".as_ref());
    up.chain(to.components().skip(shared).map(|part| part.as_os_str())).collect()
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(format!("writing {}", path.display()), e);
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LoadOptions, load};

    fn args(dir: &Path, transform: Transform, sdk_path: Option<PathBuf>) -> Args {
        Args { dir: dir.to_owned(), transform: Some(transform), name: Some("demo".into()), sdk_path }
    }

    #[test]
    fn what_is_written_loads_without_a_mistake_or_a_warning() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firehose-transform");
        for (transform, sdk) in [(Transform::Python, None), (Transform::Rust, Some(sdk))] {
            let dir = tempfile::tempdir().unwrap();
            run(args(dir.path(), transform, sdk)).unwrap();
            let loaded = load(&dir.path().join("provision.yaml"), &LoadOptions::default());
            let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
            assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        }
    }

    /// Within one repository, which may be cloned elsewhere.
    #[test]
    fn the_sdk_is_named_by_a_relative_path_within_its_repository() {
        let dir = tempfile::tempdir().unwrap();
        let sdk = dir.path().join("crates/firehose-transform");
        fs::create_dir_all(&sdk).unwrap();
        fs::write(sdk.join("Cargo.toml"), "").unwrap();
        let manifest = |app: &str| {
            write(&args(&dir.path().join(app), Transform::Rust, Some(sdk.clone()))).unwrap();
            fs::read_to_string(dir.path().join(app).join("transform/Cargo.toml")).unwrap()
        };
        let absolute = manifest("one");
        assert!(absolute.contains(&format!("'{}'", fs::canonicalize(&sdk).unwrap().display())), "{absolute}");
        fs::create_dir(dir.path().join(".git")).unwrap();
        let relative = manifest("apps/two");
        assert!(relative.contains("path = '../../../crates/firehose-transform'"), "{relative}");
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("transform")).unwrap();
        fs::write(dir.path().join("transform/transform.py"), "mine").unwrap();
        assert!(run(args(dir.path(), Transform::Python, None)).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("transform/transform.py")).unwrap(), "mine");
        assert!(!dir.path().join("provision.yaml").exists());
    }

    #[test]
    fn a_rust_transform_needs_the_sdk() {
        let dir = tempfile::tempdir().unwrap();
        let error = write(&args(dir.path(), Transform::Rust, None)).unwrap_err();
        assert!(error.what_next().is_some_and(|hint| hint.contains("--sdk-path")), "{error}");
    }
}
