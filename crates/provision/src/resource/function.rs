//! A Lambda function: configuration and code are updated separately, and code only when its hash differs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::role::{RoleRef, Statement};

/// Desired.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub code: Code,
    /// `provided.al2023`, `python3.13`, ...
    pub runtime: String,
    pub handler: String,
    pub architecture: Architecture,
    /// 128 to 10240.
    pub memory_mib: u32,
    /// 1 to 900.
    pub timeout_s: u32,
    /// 512 to 10240.
    pub ephemeral_storage_mib: u32,
    pub description: String,
    pub environment: BTreeMap<String, String>,
    /// Layer version ARNs, at most 5.
    pub layers: Vec<String>,
    pub vpc: Option<Vpc>,
    /// Publish a version after each change, and point this alias at it.
    pub alias: Option<String>,
    /// Publish a version after each change. Implied by `alias`.
    pub publish: bool,
    /// The function's own permissions, besides writing to its log group.
    pub allow: Vec<Statement>,
    pub role: RoleRef,
    pub log: LogRef,
}

/// Where the code comes from. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A cargo package, built here. `bin` names the binary where there are several.
    Crate {
        path: PathBuf,
        bin: Option<String>,
    },
    Zip {
        path: PathBuf,
    },
    /// A folder, zipped as it is.
    Dir {
        path: PathBuf,
    },
    S3 {
        bucket: String,
        key: String,
        version: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Arm64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}

/// The log group something writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRef {
    /// Derived: kept this long (`None`: for ever).
    Derived { retention_days: Option<u32> },
    /// Somebody else's, by name.
    Existing(String),
}
