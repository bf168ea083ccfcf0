//! Systems without child subreapers and Landlock have no guards: a function's process is ended with its group.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;

/// What to start: a program, its arguments, its whole environment and its folder.
#[derive(Debug)]
pub struct Order {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub variables: BTreeMap<String, String>,
    pub folder: PathBuf,
}

/// There is none.
pub type Tether = Infallible;

/// Does nothing here.
pub fn enter() {}

pub fn offered() -> bool {
    false
}

pub async fn start(_: &Order) -> io::Result<(tokio::process::Child, Tether, u32)> {
    Err(io::ErrorKind::Unsupported.into())
}
