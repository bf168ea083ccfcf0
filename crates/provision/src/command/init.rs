//! `provision init`: a commented spec and a transform to start from, and a workflow for CI. Overwrites nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::args::{Variables, refuse_useless};
use crate::error::{Error, Result};
use crate::event::Events;
use crate::exit::{Exit, Stop};
use crate::session;
use crate::spec::starter::ci::{Ci, Tested};
use crate::spec::starter::{self, Language};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write to; with --ci also a spec that is there
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Also write a workflow that tests each pull request in an environment of its own. With a spec that is there, nothing else is
    /// written
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub ci: Option<Ci>,
    /// Language of the transform [default: rust where the SDK is found, otherwise python]
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
    Node,
}

pub fn run(args: Args, events: &Events) -> Result<(String, Exit), Stop> {
    let other = matches!(args.transform, Some(Transform::Python | Transform::Node));
    refuse_useless(&[("--sdk-path", other && args.sdk_path.is_some())], "only a Rust transform needs that package")?;
    let Some(ci) = args.ci else { return Ok((write(&args)?.concat(), Exit::Done)) };
    let spec = if args.dir.is_file() { args.dir.clone() } else { args.dir.join("provision.yaml") };
    let folder = session::current_dir()?.join(spec.parent().unwrap_or(&spec));
    let work_dir = session::work_dir(&std::path::absolute(&folder).unwrap_or(folder));
    let root = work_dir.parent().unwrap_or(&work_dir);
    refuse_existing(&root.join(starter::ci::path(ci)))?;
    let [mut wrote, mut next] = [String::new(), String::new()];
    if spec.exists() {
        let useless = [
            ("--transform", args.transform.is_some()),
            ("--name", args.name.is_some()),
            ("--sdk-path", args.sdk_path.is_some()),
        ];
        refuse_useless(&useless, &format!("{} exists, and only a workflow is written", spec.display()))?;
    } else {
        [wrote, next] = write(&args)?;
    }
    let workflow = write_workflow(ci, &spec, root, events)?;
    Ok((wrote + &workflow + &next, Exit::Done))
}

/// Writes the workflow for a spec to the root of the spec's repository. Returns what was done.
fn write_workflow(ci: Ci, spec: &Path, root: &Path, events: &Events) -> Result<String, Stop> {
    let (stack, _) = session::load(Some(spec), &Variables::default(), events)?;
    let real = |path: &Path| fs::canonicalize(path).map_err(|e| Error::new(format!("finding {}", path.display()), e));
    let (root, here) = (real(root)?, real(&session::current_dir()?)?);
    let path = relative(&root, &real(spec)?).to_string_lossy().into_owned();
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c)) {
        let what = format!("writing a workflow: the path {path} would need quotes in it");
        return Err(Error::msg(what).hint("rename it: letters, digits and _ - . / need none").into());
    }
    let region = stack.target.region.as_deref().unwrap_or("us-east-1");
    let workflow = root.join(starter::ci::path(ci));
    write_new(&workflow, &starter::ci::workflow(ci, &Tested { spec: &path, stack: &stack.name, region }))?;
    let shown = |path: &Path| relative(&here, path).display().to_string();
    let mut told = format!("wrote {}, which says at its top what to set up\n", shown(&workflow));
    if let Some((name, text)) = starter::ci::includer(ci) {
        let includer = root.join(name);
        match includer.exists() {
            true => told += &format!("add this to {}:\n{text}", shown(&includer)),
            false => {
                write_new(&includer, text)?;
                told += &format!("wrote {}\n", shown(&includer));
            }
        }
    }
    Ok(told)
}

fn refuse_existing(path: &Path) -> Result<()> {
    match path.exists() {
        true => {
            let what = format!("writing {}: the file exists", path.display());
            Err(Error::msg(what).hint("nothing was written; move it away, or choose another folder"))
        }
        false => Ok(()),
    }
}

/// Returns what was written, and what to do next.
fn write(args: &Args) -> Result<[String; 2]> {
    let dir = std::path::absolute(&args.dir).map_err(|e| Error::new("finding the folder", e))?;
    let name = match &args.name {
        Some(name) => starter::check_name(name),
        None => starter::name_of(&dir),
    };
    let name = name.map_err(|what| Error::new("naming the stack", what).hint("give --name NAME"))?;
    let files = starter::starter(&name, &language(args, &dir)?);
    files.iter().try_for_each(|(path, _)| refuse_existing(&dir.join(path)))?;
    for (path, text) in &files {
        write_new(&dir.join(path), text)?;
    }
    let list: String = files.iter().map(|(path, _)| format!("wrote {}\n", args.dir.join(path).display())).collect();
    let spec = args.dir.join("provision.yaml");
    Ok([list, format!("\nnext: provision up {} --local\n", spec.display())])
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
        (Some(Transform::Node), _) => Ok(Language::Node),
        (Some(Transform::Rust) | None, Some(sdk)) => {
            let sdk = fs::canonicalize(&sdk).map_err(|e| Error::new(format!("finding {}", sdk.display()), e))?;
            let here = crate_folder(dir);
            let same = here.ancestors().find(|folder| folder.join(".git").exists() && sdk.starts_with(folder));
            Ok(Language::Rust { sdk: if same.is_some() { relative(&here, &sdk) } else { sdk } })
        }
        (Some(Transform::Rust), None) => {
            Err(Error::msg("looking for firehose-transform: not found in this folder or above it")
                .hint("a Rust transform needs it; pass --sdk-path, or use --transform python or node"))
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
        Args { dir: dir.to_owned(), ci: None, transform: Some(transform), name: Some("demo".into()), sdk_path }
    }

    #[test]
    fn what_is_written_loads_without_a_mistake_or_a_warning() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firehose-transform");
        for (transform, sdk) in [(Transform::Python, None), (Transform::Node, None), (Transform::Rust, Some(sdk))] {
            let dir = tempfile::tempdir().unwrap();
            write(&args(dir.path(), transform, sdk)).unwrap();
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
        assert!(write(&args(dir.path(), Transform::Python, None)).is_err());
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
