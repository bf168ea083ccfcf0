//! The files that `provision init` writes: a commented spec and the transform that it deploys.

pub mod ci;

use std::path::{Path, PathBuf};

use crate::section::words::StackName;
use crate::yaml::shape::Scalar;

/// The language of the transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Language {
    /// With the path of the package `firehose-transform`: absolute, or from the crate's folder.
    Rust { sdk: PathBuf },
    /// Needs nothing but the standard library.
    Python,
    /// For Node.js, without packages.
    Node,
}

/// The files, by path below the folder they are written to.
pub fn starter(name: &str, language: &Language) -> Vec<(PathBuf, String)> {
    let named = |template: &str| template.replace("NAME", name);
    let spec = |code: &str| {
        (PathBuf::from("provision.yaml"), named(include_str!("starter/provision.yaml")).replace("CODE", code))
    };
    match language {
        Language::Python => vec![
            spec("code: { dir: transform }\n    runtime: python3.13\n    handler: transform.lambda_handler"),
            (PathBuf::from("transform/transform.py"), include_str!("starter/transform.py").to_owned()),
        ],
        Language::Node => vec![
            spec("code: { dir: transform }\n    runtime: nodejs24.x\n    handler: transform.handler"),
            (PathBuf::from("transform/transform.mjs"), include_str!("starter/transform.mjs").to_owned()),
        ],
        Language::Rust { sdk } => {
            let package = named(include_str!("starter/package.toml")).replace("SDK", &sdk.to_string_lossy());
            vec![
                spec("code: { crate: transform }"),
                (PathBuf::from("transform/Cargo.toml"), package),
                (PathBuf::from("transform/src/main.rs"), include_str!("starter/main.rs").to_owned()),
            ]
        }
    }
}

/// The stack's name, for a folder without a better one.
///
/// # Errors
/// When the folder's own name would be none.
pub fn name_of(folder: &Path) -> Result<String, String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase().replace(['_', ' ', '.'], "-");
    check_name(&name)
}

/// `name`, if a stack can have it.
///
/// # Errors
/// The mistake, and what is expected instead.
pub fn check_name(name: &str) -> Result<String, String> {
    match StackName::parse(name) {
        Ok(name) => Ok(name.0),
        Err(what) => Err(format!("{what}: {}", StackName::expected())),
    }
}
