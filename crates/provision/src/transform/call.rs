//! The artifact of a function, run as a process on this machine.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use bytes::Bytes;
use local_cloud::functions::{FunctionImage, Runner};
use serde::Serialize;

use crate::artifact::cpu;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::{Address, Name, Names};
use crate::resource::Resource;
use crate::resource::function::{Architecture, Code, Function, Package, Upload};
use crate::spec::stack::Managed;

/// A function that can be invoked. Its processes stay warm until it is closed.
pub struct Callee {
    pub image: FunctionImage,
    runner: Runner,
    /// The last invocation was answered, so that its process is expected to be there.
    answered: AtomicBool,
}

/// The result of one invocation.
#[derive(Debug, Clone)]
pub struct Called {
    /// The response, or the error document.
    pub payload: Bytes,
    pub failed: bool,
    /// Lines that the function itself logged.
    pub log: Vec<String>,
    pub measured: Measured,
    /// The process of the invocation before had answered, and was gone all the same. Known where invocations follow each other.
    pub replaced: bool,
}

/// The numbers in Lambda's REPORT line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    pub duration_ms: f64,
    /// Only for the first invocation of a process. Lambda bills it too.
    pub init_ms: Option<f64>,
    pub billed_ms: u64,
    /// `None` if the process ended before it was measured.
    pub peak_memory_mib: Option<u64>,
}

impl Callee {
    pub fn new(image: FunctionImage) -> Callee {
        Callee { image, runner: Runner::new(), answered: AtomicBool::new(false) }
    }

    pub async fn call(&self, event: Bytes) -> Called {
        let outcome = self.runner.invoke(&self.image, event.into()).await;
        let duration_ms = outcome.duration_ms;
        let (measured, log) = read_log(outcome.log, duration_ms);
        let failed = outcome.function_error.is_some();
        let replaced = self.answered.swap(!failed, Ordering::Relaxed) && measured.init_ms.is_some();
        Called { payload: outcome.payload, failed, log, measured, replaced }
    }

    pub async fn close(self) {
        self.runner.close().await;
    }
}

/// Takes Lambda's own lines out of a log, and the numbers out of them.
fn read_log(log: Vec<String>, duration_ms: f64) -> (Measured, Vec<String>) {
    let mut measured = Measured { duration_ms, billed_ms: duration_ms.ceil() as u64, ..Measured::default() };
    let mut written = vec![];
    for line in log {
        if let Some(report) = line.strip_prefix("REPORT RequestId: ") {
            let number = |name: &str| {
                let field = report.split('\t').find_map(|field| field.strip_prefix(name))?;
                field.split(' ').next()?.parse::<f64>().ok()
            };
            measured.init_ms = number("Init Duration: ");
            measured.billed_ms = number("Billed Duration: ").map_or(measured.billed_ms, |ms| ms as u64);
            measured.peak_memory_mib = number("Max Memory Used: ").map(|mib| mib as u64);
        } else if !line.starts_with("START RequestId: ") && !line.starts_with("END RequestId: ") {
            written.push(line);
        }
    }
    (measured, written)
}

/// Prepares a function for the runner: builds or packs its code as `up` does. Makes no AWS call.
///
/// # Errors
/// The code cannot be built, is not on this machine, or is not for this machine.
pub async fn prepare(function: &Managed<Function>, logical: &str, cx: &Cx) -> Result<FunctionImage> {
    let mut desired = function.desired.clone();
    let name = Name { address: Address::new(Function::KIND, logical), physical: function.physical.clone() };
    if matches!(desired.code, Code::S3 { .. }) {
        return image(&desired, &name.physical, &cx.names);
    }
    for_this_machine(desired.architecture, &name)?;
    desired.prepare(cx, &name).await?;
    image(&desired, &name.physical, &cx.names)
}

/// A context for work that needs no cloud.
pub fn offline(names: Names, work_dir: std::path::PathBuf) -> Cx {
    let region = Region::new(names.region.clone());
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).region(region).build();
    let mut cx = Cx::new(sdk, names);
    cx.options.work_dir = work_dir;
    cx
}

/// The function for the runner, once its code is known.
///
/// # Errors
/// The code is not on this machine, or is not for this machine's processor.
pub fn image(function: &Function, name: &str, names: &Names) -> Result<FunctionImage> {
    let Code::Ready(Package { sha256, upload: Upload::Zip(code), .. }) = &function.code else {
        let why = format!("function {name} cannot be run here: its code is not on this machine");
        return Err(Error::msg(why).hint("choose a function with code from crate:, zip: or dir:"));
    };
    cpu::check_here(&format!("function {name}"), code)?;
    Ok(FunctionImage {
        arn: names.function_arn(name),
        invoked_arn: format!("{}:$LATEST", names.function_arn(name)),
        name: name.to_owned(),
        version: "$LATEST".into(),
        runtime: function.runtime.clone(),
        handler: function.handler.clone(),
        code: code.clone(),
        code_sha256: sha256.clone(),
        revision: sha256.clone(),
        environment: function.environment.clone(),
        layers: function.layers.clone(),
        timeout_s: function.timeout_s,
        memory_mib: function.memory_mib,
        region: names.region.clone(),
        log_group: format!("/aws/lambda/{name}"),
        log_stream: "verify".into(),
    })
}

fn for_this_machine(architecture: Architecture, name: &Name) -> Result<()> {
    let here = Architecture::here();
    if architecture == here {
        return Ok(());
    }
    let (wanted, is) = (architecture.name(), here.name());
    Err(Error::msg(format!("running {name}: it is built for {wanted}, but this machine is {is}"))
        .hint(format!("run this on a {wanted} machine, or set `architecture: {is}` to try it here")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_own_lines_become_numbers_and_the_functions_stay() {
        let log = [
            "START RequestId: 1 Version: $LATEST",
            "record 7 failed",
            "END RequestId: 1",
            "REPORT RequestId: 1\tDuration: 1.25 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\tInit Duration: 2.50 ms",
        ];
        let (measured, written) = read_log(log.map(str::to_owned).to_vec(), 1.25);
        assert_eq!(written, ["record 7 failed"]);
        let expected = Measured { duration_ms: 1.25, init_ms: Some(2.5), billed_ms: 4, peak_memory_mib: Some(20) };
        assert_eq!(measured, expected);
    }

    #[test]
    fn without_a_report_the_duration_is_all_there_is() {
        let (measured, written) = read_log(vec!["x".into()], 1.25);
        let expected = Measured { duration_ms: 1.25, billed_ms: 2, ..Measured::default() };
        assert_eq!((measured, written), (expected, vec!["x".to_owned()]));
    }
}
