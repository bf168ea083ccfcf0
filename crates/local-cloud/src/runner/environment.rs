//! The program and the exact environment variables that a function's process is started with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::request::FunctionImage;

const PYTHON_CLIENT: &str = include_str!("runtime_client.py");
const NODE_CLIENT: &str = include_str!("runtime_client.cjs");

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrypoint {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// Finds the program to start. Fails with an error type and message, as Lambda would report them.
pub fn entrypoint(function: &FunctionImage, task_root: &Path) -> Result<Entrypoint, (&'static str, String)> {
    match function.runtime.as_str() {
        runtime if runtime.starts_with("provided") => {
            let program = task_root.join("bootstrap");
            if !program.is_file() {
                let message = "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
                return Err(("Runtime.InvalidEntrypoint", message.into()));
            }
            Ok(Entrypoint { program, arguments: vec![] })
        }
        runtime if runtime.starts_with("python3") => {
            let program = interpreter(runtime, "python3")?;
            Ok(Entrypoint { program, arguments: vec!["-u".into(), "-c".into(), PYTHON_CLIENT.into()] })
        }
        runtime if runtime.starts_with("nodejs") => {
            let program = interpreter(runtime, "node")?;
            let packages = std::env::var("NODE_PATH").unwrap_or_default();
            Ok(Entrypoint { program, arguments: vec!["-e".into(), NODE_CLIENT.into(), packages] })
        }
        runtime => {
            let message = format!("Error: the built-in emulator runs provided.*, python3.* and nodejs*, not {runtime}");
            Err(("Runtime.InvalidEntrypoint", message))
        }
    }
}

fn interpreter(runtime: &str, program: &str) -> Result<PathBuf, (&'static str, String)> {
    on_path(program).ok_or_else(|| {
        let message = format!("Error: {runtime} needs {program} on this machine's PATH, which has none");
        ("Runtime.InvalidEntrypoint", message)
    })
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&machine_path()).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// This machine's, so that `#!/usr/bin/env` finds what is installed here.
fn machine_path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin:/opt/bin".into())
}

/// The process's whole environment: Lambda's own variables win over the function's.
pub fn variables(function: &FunctionImage, task_root: &Path, api_port: u16) -> BTreeMap<String, String> {
    let own = [
        ("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{api_port}")),
        ("_HANDLER", function.handler.clone()),
        ("LAMBDA_TASK_ROOT", task_root.display().to_string()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime)),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mib.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", function.log_stream.clone()),
        ("AWS_REGION", function.region.clone()),
        ("AWS_DEFAULT_REGION", function.region.clone()),
    ];
    let common = [
        ("PATH", machine_path()),
        ("LANG", "en_US.UTF-8".into()),
        ("TZ", ":UTC".into()),
        // Never the caller's; the world gives those of the function's role.
        ("AWS_ACCESS_KEY_ID", "local".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
        ("AWS_SESSION_TOKEN", "local".into()),
    ];
    let named = |(name, value): (&str, String)| (name.to_owned(), value);
    let mut variables: BTreeMap<String, String> = common.into_iter().map(named).collect();
    variables.extend(function.environment.clone());
    variables.extend(own.into_iter().map(named));
    variables
}
