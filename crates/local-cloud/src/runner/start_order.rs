//! The order to start a function's program, for a guard or without one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A program, its arguments, its whole environment and its folder.
#[derive(Debug, Serialize, Deserialize)]
pub struct StartOrder {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: BTreeMap<String, String>,
    pub folder: PathBuf,
}
