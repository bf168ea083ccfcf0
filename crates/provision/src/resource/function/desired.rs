//! A desired function.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Architecture, Package};
use crate::resource::log_group::LogRef;
use crate::resource::role::{RoleRef, Statement};

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
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// With the lowest levels of the function's and of Lambda's own lines.
    Json {
        application: Level,
        system: Level,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
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
    /// One of the above, once it is built and zipped.
    Ready(Package),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}
