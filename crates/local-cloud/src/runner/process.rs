//! One process of one function: started, asked, ended.

use std::cell::RefCell;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_facts::lambda::MAX_RESPONSE_BYTES;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::request::{FunctionImage, Input, InvokeOutcome};

use super::api::{self, Api, Said, Work};
use super::environment::Entrypoint;
use super::launch::{Launched, launch};
use super::report::{self, Measured};
use super::supervisor::Supervisor;
use super::written::{Written, collect};

/// Lambda's limit for the time between start and the first request for work. It then initialises again, in the time that the
/// function has for its work. <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const INIT_LIMIT: Duration = if cfg!(test) { Duration::from_millis(500) } else { Duration::from_secs(10) };

/// How long a process that cut off its answer has to end.
const EXIT_LIMIT: Duration = Duration::from_millis(500);

/// How often a working process is asked for its memory.
const MEMORY_PAUSE: Duration = Duration::from_millis(50);

/// A running process. Dropping it kills it, and what it started itself.
#[derive(Debug)]
pub struct Process {
    launched: Launched,
    api: Rc<Api>,
    server: AbortHandle,
    written: Rc<RefCell<Written>>,
    started: Instant,
    init: Option<Duration>,
    group: u32,
    supervisor: Rc<RefCell<Option<Supervisor>>>,
}

/// How one exchange ended.
enum Ended {
    Said(Said),
    Exited(io::Result<ExitStatus>),
    TimedOut,
    OutOfMemory,
}

impl Process {
    /// Starts the function's program in its unpacked code.
    pub async fn start(
        function: &FunctionImage,
        entrypoint: Entrypoint,
        task_root: &Path,
        supervisor: Rc<RefCell<Option<Supervisor>>>,
    ) -> io::Result<Process> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let mut launched = launch(function, entrypoint, task_root, port).await?;
        let group = launched.child.id().unwrap_or_default();
        supervisor.borrow_mut().iter_mut().for_each(|supervisor| supervisor.began(group, launched.guarded()));
        let written = Rc::new(RefCell::default());
        collect(launched.child.stdout.take(), written.clone());
        collect(launched.child.stderr.take(), written.clone());
        let api = Rc::new(Api::default());
        let server = tokio::task::spawn_local(api::serve(listener, api.clone())).abort_handle();
        Ok(Process { launched, api, server, written, started: Instant::now(), init: None, group, supervisor })
    }

    /// Is it still there to be asked again?
    pub fn alive(&mut self) -> bool {
        matches!(self.launched.child.try_wait(), Ok(None))
    }

    /// Runs one invocation. Gives whether the process may be asked again.
    pub async fn invoke(&mut self, id: &str, function: &FunctionImage, input: Input) -> (InvokeOutcome, bool) {
        let fresh = self.init.is_none();
        let begun = self.until_ready(fresh, function).await;
        let work_began = Instant::now();
        let ended = match begun {
            Ok(()) => self.exchange(id, function, input).await,
            Err(ended) => ended,
        };
        let duration = work_began.elapsed();
        let max_memory_mib = report::peak_memory_mib(self.launched.pid);
        self.drain().await;
        let init = self.init.filter(|_| fresh);
        let measured = Measured { duration_ms: millis(duration), init_ms: init.map(millis), max_memory_mib };
        let reusable = matches!(ended, Ended::Said(Said::Response(_) | Said::Error(_) | Said::TooLarge));
        let (payload, failed) = self.verdict(ended, id, function);
        let log = report::frame(id, function, measured, self.written.borrow_mut().take());
        let function_error = failed.then(|| "Unhandled".to_owned());
        (InvokeOutcome { payload, function_error, log, duration_ms: measured.duration_ms }, reusable)
    }

    /// Ends it and waits until it is gone.
    pub async fn end(mut self) {
        self.launched.end().await;
    }

    /// A process that is late is given the rest of its time, where Lambda starts another.
    async fn until_ready(&mut self, fresh: bool, function: &FunctionImage) -> Result<(), Ended> {
        if !fresh {
            return Ok(());
        }
        let api = self.api.clone();
        tokio::select! {
            biased;
            () = api.ready() => {
                self.init = Some(self.started.elapsed());
                Ok(())
            }
            status = self.launched.child.wait() => Err(Ended::Exited(status)),
            () = tokio::time::sleep(INIT_LIMIT + timeout(function)) => Err(Ended::TimedOut),
        }
    }

    async fn exchange(&mut self, id: &str, function: &FunctionImage, input: Input) -> Ended {
        let timeout = timeout(function);
        let deadline = SystemTime::now() + timeout;
        let said = self.api.give(Work {
            id: id.to_owned(),
            input,
            deadline_ms: deadline.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            function_arn: function.invoked_arn.clone(),
        });
        tokio::select! {
            biased;
            Ok(said) = said => self.unless_exited(said).await,
            status = self.launched.child.wait() => Ended::Exited(status),
            () = tokio::time::sleep(timeout) => Ended::TimedOut,
            () = outgrown(self.launched.pid, function.memory_mib.into()) => Ended::OutOfMemory,
        }
    }

    /// An answer that is cut off because its process ended is told as that.
    async fn unless_exited(&mut self, said: Said) -> Ended {
        match said {
            Said::CutOff { .. } => match tokio::time::timeout(EXIT_LIMIT, self.launched.child.wait()).await {
                Ok(status) => Ended::Exited(status),
                Err(_) => Ended::Said(said),
            },
            Said::Response(_) | Said::Error(_) | Said::TooLarge | Said::Endless => Ended::Said(said),
        }
    }

    /// Output that the function wrote before it answered is in the pipes: the readers take it in while this task steps aside.
    async fn drain(&self) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }

    /// The answer's payload, and whether the function failed.
    fn verdict(&self, ended: Ended, id: &str, function: &FunctionImage) -> (Bytes, bool) {
        match ended {
            Ended::Said(Said::Response(payload)) => (payload, false),
            Ended::Said(Said::Error(document)) => (document, true),
            Ended::Said(Said::CutOff { bytes }) => {
                let message = format!("RequestId: {id} Error: the response ended after {bytes} bytes, before its end");
                (report::document("Runtime.TruncatedResponse", &message), true)
            }
            Ended::Said(Said::TooLarge | Said::Endless) => {
                let message = format!(
                    "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
                );
                (report::document("Function.ResponseSizeTooLarge", &message), true)
            }
            Ended::Exited(status) => (self.api.init_error().unwrap_or_else(|| exit_document(id, &status)), true),
            Ended::TimedOut => (self.time_out(id, function), true),
            Ended::OutOfMemory => {
                let message = format!("RequestId: {id} Error: Runtime exited with error: signal: killed");
                (report::document("Runtime.OutOfMemory", &message), true)
            }
        }
    }

    fn time_out(&self, id: &str, function: &FunctionImage) -> Bytes {
        let text = format!("Task timed out after {:.2} seconds", timeout(function).as_secs_f64());
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        let mut written = self.written.borrow_mut();
        if let Some(bytes) = self.api.begun() {
            written.say(format!("[the response began and did not end: {bytes} bytes of it came]"));
        }
        written.say(format!("{now} {id} {text}"));
        report::document("Sandbox.Timedout", &format!("RequestId: {id} Error: {text}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.server.abort();
        self.supervisor
            .borrow_mut()
            .iter_mut()
            .for_each(|supervisor| supervisor.ended(self.group, self.launched.guarded()));
    }
}

fn timeout(function: &FunctionImage) -> Duration {
    Duration::from_secs(function.timeout_s.into())
}

/// Waits until the process takes more memory than its function has. Where the system does not say, that is never.
async fn outgrown(pid: u32, memory_mib: u64) {
    while report::memory_mib(pid).is_none_or(|used| used <= memory_mib) {
        tokio::time::sleep(MEMORY_PAUSE).await;
    }
}

fn exit_document(id: &str, status: &io::Result<ExitStatus>) -> Bytes {
    let how = match status {
        Ok(status) if status.success() => "Runtime exited without providing a reason".to_owned(),
        Ok(status) => format!("Runtime exited with error: {}", as_go_says(*status)),
        Err(error) => format!("Runtime exited with error: {error}"),
    };
    report::document("Runtime.ExitError", &format!("RequestId: {id} Error: {how}"))
}

/// Lambda is written in Go, which names signals in its own way.
fn as_go_says(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(4)) => "signal: illegal instruction".into(),
        (None, Some(6)) => "signal: aborted".into(),
        (None, Some(9)) => "signal: killed".into(),
        (None, Some(11)) => "signal: segmentation fault".into(),
        (None, Some(15)) => "signal: terminated".into(),
        (None, other) => format!("signal: signal {}", other.unwrap_or_default()),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
