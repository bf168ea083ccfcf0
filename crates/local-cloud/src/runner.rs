//! Runs functions as real processes, over the Lambda Runtime API.
//!
//! Everything happens on the runner's own thread with its own event loop, in wall time: a caller may live under a
//! paused clock, which leaps whenever only IO is pending. The caller waits in a blocking task, which a paused clock
//! does not leap over.
//!
//! ```text
//! invoke -> pool (warm processes, at most 8) -> process (spawn, deadline, memory) -> api (next, response, error)
//!            |                                   '-> guard (no descendant is left, nor reads what is not its own)
//!            '-> supervisor (no code is left, whatever ends the engine)
//! ```
//!
//! `provided.*` runs the zip's `bootstrap`, `python3.*` and `nodejs*` the machine's own interpreter. The freezing of idle
//! processes is not here.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::request::{FunctionImage, Input, InvokeOutcome};
use pool::Pool;

pub use unpack::stays_inside;

mod api;
#[cfg(target_os = "linux")]
mod descendants;
mod environment;
#[cfg(target_os = "linux")]
pub mod guard;
#[cfg(not(target_os = "linux"))]
#[path = "runner/no_guard.rs"]
pub mod guard;
mod launch;
mod pool;
mod process;
mod report;
mod start_order;
mod supervisor;
mod unpack;
mod written;

/// Runs functions and keeps their processes warm. Dropping it ends them all.
#[derive(Debug)]
pub struct Runner {
    orders: Mutex<Option<UnboundedSender<Order>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
enum Order {
    Invoke { function: Box<FunctionImage>, input: Input, outcome: mpsc::Sender<InvokeOutcome> },
    Retire { function_arn: String },
}

impl Default for Runner {
    fn default() -> Self {
        Runner::new()
    }
}

impl Runner {
    /// A runner that unpacks code into the machine's folder for temporary files.
    ///
    /// # Panics
    /// When the machine gives no thread or no event loop.
    pub fn new() -> Runner {
        Runner::in_folder(std::env::temp_dir())
    }

    /// A runner that unpacks code into a folder of its own in one that is there.
    ///
    /// # Panics
    /// When the machine gives no thread or no event loop.
    pub fn in_folder(folder: PathBuf) -> Runner {
        let (orders, received) = unbounded_channel();
        let thread = std::thread::Builder::new().name("lambda-runner".into());
        let thread = thread.spawn(move || serve(received, &folder)).expect("the machine has a thread left");
        Runner { orders: Mutex::new(Some(orders)), thread: Mutex::new(Some(thread)) }
    }

    /// Runs the function once. Every failure is an outcome: a function error with AWS's error document as payload.
    pub async fn invoke(&self, function: &FunctionImage, input: Input) -> InvokeOutcome {
        let (outcome, received) = mpsc::channel();
        self.send(Order::Invoke { function: Box::new(function.clone()), input, outcome });
        let received = tokio::task::spawn_blocking(move || received.recv()).await;
        received.ok().and_then(Result::ok).unwrap_or_else(|| {
            report::failed("Runtime.Unavailable", "the emulator is closing, and the invocation was given up", vec![])
        })
    }

    /// The function's warm processes end; running ones end after their answer. A version's ARN belongs to its function's.
    pub fn retire(&self, function_arn: &str) {
        self.send(Order::Retire { function_arn: function_arn.to_owned() });
    }

    /// Ends all processes, also those in the middle of an invocation, and waits until they are gone.
    pub async fn close(&self) {
        let thread = self.stop();
        // The thread's panic, if there was one, has been printed; there is nothing left to end.
        let _ = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
    }

    /// After [`Runner::close`] an order goes nowhere: an invocation is answered as given up.
    fn send(&self, order: Order) {
        if let Some(orders) = &*self.orders.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = orders.send(order);
        }
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            let _ = thread.join();
        }
    }
}

/// The runner's thread: ends when the last sender of orders is gone, and with it every process.
fn serve(mut orders: UnboundedReceiver<Order>, folder: &Path) {
    let events = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let events = events.expect("the machine has file descriptors left");
    let tasks = tokio::task::LocalSet::new();
    let pool = Pool::new(folder);
    tasks.block_on(&events, async {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Invoke { function, input, outcome } => {
                    let pool = pool.clone();
                    tokio::task::spawn_local(async move {
                        // A caller that has gone away wants no outcome.
                        let _ = outcome.send(pool.invoke(&function, input).await);
                    });
                }
                Order::Retire { function_arn } => pool.retire(&function_arn),
            }
        }
        pool.close().await;
    });
}

#[cfg(test)]
mod tests;
