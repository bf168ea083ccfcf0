//! How an invocation is told: log lines and error documents in Lambda's words.

use bytes::Bytes;
use serde_json::json;

use crate::request::{FunctionImage, InvokeOutcome};

/// A failed invocation with AWS's error document.
pub fn failed(error_type: &str, message: &str, log: Vec<String>) -> InvokeOutcome {
    InvokeOutcome {
        payload: document(error_type, message),
        function_error: Some("Unhandled".into()),
        log,
        duration_ms: 0.0,
    }
}

/// `{"errorType":..,"errorMessage":..}`.
pub fn document(error_type: &str, message: &str) -> Bytes {
    json!({ "errorType": error_type, "errorMessage": message }).to_string().into()
}

/// Measurements of one invocation.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub duration_ms: f64,
    /// Only the first invocation of a process has it.
    pub init_ms: Option<f64>,
    pub max_memory_mib: Option<u64>,
}

/// The lines before and after what the function wrote itself.
pub fn frame(id: &str, function: &FunctionImage, measured: Measured, written: Vec<String>) -> Vec<String> {
    let mut lines = vec![];
    if !function.layers.is_empty() {
        lines.push(format!("LAYERS The built-in emulator unpacks none of: {}", function.layers.join(" ")));
    }
    lines.push(format!("START RequestId: {id} Version: {}", function.version));
    lines.extend(written);
    lines.push(format!("END RequestId: {id}"));
    lines.push(report_line(id, function.memory_mib, measured));
    lines
}

fn report_line(id: &str, memory_mib: u32, measured: Measured) -> String {
    let Measured { duration_ms, init_ms, max_memory_mib } = measured;
    let billed_ms = (duration_ms + init_ms.unwrap_or(0.0)).ceil();
    let mut line = format!(
        "REPORT RequestId: {id}\tDuration: {duration_ms:.2} ms\tBilled Duration: {billed_ms:.0} ms\tMemory Size: {memory_mib} MB"
    );
    if let Some(used) = max_memory_mib {
        line += &format!("\tMax Memory Used: {used} MB");
    }
    if let Some(init_ms) = init_ms {
        line += &format!("\tInit Duration: {init_ms:.2} ms");
    }
    line + "\t"
}

/// The most memory the process has had, in MiB; `None` where the system does not say.
pub fn peak_memory_mib(pid: u32) -> Option<u64> {
    status_mib(pid, "VmHWM:")
}

/// The memory the process has now.
pub fn memory_mib(pid: u32) -> Option<u64> {
    status_mib(pid, "VmRSS:")
}

fn status_mib(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.div_ceil(1024))
}
