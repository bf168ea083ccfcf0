//! Processes kept warm: which one takes an invocation, and when one goes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use tempfile::TempDir;
use tokio::sync::{OnceCell, Semaphore};

use crate::request::{FunctionImage, Input, InvokeOutcome};

use super::process::Process;
use super::supervisor::Supervisor;
use super::{environment, report, unpack};

/// Processes of one runner, idle and working together. Those of invocations that a function waits for come on top: if they had to wait
/// for a place, which their callers hold, nobody would ever get one.
const MAX_PROCESSES: usize = 8;

/// Code on disk, unpacked by whoever needs it first.
type Folder = Rc<OnceCell<TempDir>>;

/// Was the function retired after a process of it was started?
type Retired = Rc<Cell<bool>>;

/// A process and what it runs.
struct Warm {
    process: Process,
    arn: String,
    revision: String,
    code_sha256: String,
    retired: Retired,
    /// Keeps the code on disk.
    _folder: Folder,
}

#[derive(Default)]
struct Shelf {
    /// The longest idle first.
    idle: Vec<Warm>,
    folders: HashMap<String, Weak<OnceCell<TempDir>>>,
    /// The function of each process that exists or is being started.
    started: Vec<(String, Weak<Cell<bool>>)>,
}

/// All processes of a runner. Clones share them.
#[derive(Clone)]
pub struct Pool {
    shelf: Rc<RefCell<Shelf>>,
    places: Rc<Semaphore>,
    /// Where the supervisor makes its folder.
    place: Rc<Path>,
    /// Started with the first process.
    supervisor: Rc<RefCell<Option<Supervisor>>>,
}

impl Pool {
    pub fn new(place: &Path) -> Pool {
        Pool {
            shelf: Rc::default(),
            places: Rc::new(Semaphore::new(MAX_PROCESSES)),
            place: place.into(),
            supervisor: Rc::default(),
        }
    }

    /// Runs the function once, in a warm process where there is one.
    pub async fn invoke(&self, function: &FunctionImage, input: Input) -> InvokeOutcome {
        let place = match input.nested {
            true => None,
            false => Some(self.places.acquire().await.expect("the semaphore is never closed")),
        };
        let id = uuid::Uuid::new_v4().to_string();
        let mut warm = match self.take(function) {
            Some(warm) => warm,
            None => match self.start(function).await {
                Ok(warm) => warm,
                Err((error_type, message)) => return not_started(&id, function, error_type, &message),
            },
        };
        let (outcome, reusable) = warm.process.invoke(&id, function, input).await;
        drop(place);
        if reusable && !warm.retired.get() && self.shelf.borrow().idle.len() + self.working() < MAX_PROCESSES {
            self.shelf.borrow_mut().idle.push(warm);
        } else {
            warm.process.end().await;
        }
        outcome
    }

    /// Idle processes of the function, or of a version of it, go now; working ones after their answer.
    pub fn retire(&self, function_arn: &str) {
        let mut shelf = self.shelf.borrow_mut();
        shelf.idle.retain(|warm| !belongs(&warm.arn, function_arn));
        let theirs = shelf.started.iter().filter(|(arn, _)| belongs(arn, function_arn));
        theirs.filter_map(|(_, retired)| retired.upgrade()).for_each(|retired| retired.set(true));
    }

    /// Idle processes go; working ones go with the runner's thread.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut self.shelf.borrow_mut().idle);
        for warm in idle {
            warm.process.end().await;
        }
    }

    fn take(&self, function: &FunctionImage) -> Option<Warm> {
        let mut shelf = self.shelf.borrow_mut();
        shelf.idle.retain_mut(|warm| warm.process.alive());
        let same = |warm: &Warm| {
            warm.arn == function.arn && warm.revision == function.revision && warm.code_sha256 == function.code_sha256
        };
        let at = shelf.idle.iter().rposition(same)?;
        Some(shelf.idle.remove(at))
    }

    async fn start(&self, function: &FunctionImage) -> Result<Warm, (&'static str, String)> {
        self.make_room();
        let retired = self.shelf.borrow_mut().starts(&function.arn);
        let folder = self.folder(&function.code_sha256);
        let place = self.supervised().map_err(|error| ("Runtime.Unavailable", format!("Error: {error}")))?;
        let code = function.code.clone();
        let unpacked = folder.get_or_try_init(|| async {
            tokio::task::spawn_blocking(move || unpack::unpack(code, &place)).await.map_err(io::Error::other)?
        });
        let unpacked = unpacked.await.map_err(|error| ("InvalidZipFileException", error.to_string()))?;
        let entrypoint = environment::entrypoint(function, unpacked.path())?;
        let process = Process::start(function, entrypoint, unpacked.path(), self.supervisor.clone())
            .await
            .map_err(|error| ("Runtime.InvalidEntrypoint", format!("Error: fork/exec /var/task/bootstrap: {error}")))?;
        Ok(Warm {
            process,
            arn: function.arn.clone(),
            revision: function.revision.clone(),
            code_sha256: function.code_sha256.clone(),
            retired,
            _folder: folder,
        })
    }

    /// The folder that is removed whatever happens.
    fn supervised(&self) -> io::Result<PathBuf> {
        let mut slot = self.supervisor.borrow_mut();
        let supervisor = match slot.take() {
            Some(supervisor) => supervisor,
            None => Supervisor::start(&self.place)?,
        };
        Ok(slot.insert(supervisor).folder().to_owned())
    }

    /// The longest idle go until the new one fits.
    fn make_room(&self) {
        let mut shelf = self.shelf.borrow_mut();
        let surplus = (shelf.idle.len() + self.working()).saturating_sub(MAX_PROCESSES);
        shelf.idle.drain(..surplus);
    }

    /// Processes at work, without those of nested invocations.
    fn working(&self) -> usize {
        MAX_PROCESSES - self.places.available_permits()
    }

    fn folder(&self, code_sha256: &str) -> Folder {
        let folders = &mut self.shelf.borrow_mut().folders;
        folders.retain(|_, folder| folder.strong_count() > 0);
        if let Some(folder) = folders.get(code_sha256).and_then(Weak::upgrade) {
            return folder;
        }
        let folder = Folder::default();
        folders.insert(code_sha256.to_owned(), Rc::downgrade(&folder));
        folder
    }
}

impl Shelf {
    fn starts(&mut self, arn: &str) -> Retired {
        self.started.retain(|(_, retired)| retired.strong_count() > 0);
        let retired = Retired::default();
        self.started.push((arn.to_owned(), Rc::downgrade(&retired)));
        retired
    }
}

/// Is `arn` the function itself or a version of it?
fn belongs(arn: &str, function_arn: &str) -> bool {
    arn.strip_prefix(function_arn).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn not_started(id: &str, function: &FunctionImage, error_type: &str, message: &str) -> InvokeOutcome {
    let measured = report::Measured { duration_ms: 0.0, init_ms: None, max_memory_mib: None };
    let message = format!("RequestId: {id} {message}");
    report::failed(error_type, &message, report::frame(id, function, measured, vec![message.clone()]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::python;
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_nested_invocation_leaves_no_process_when_as_many_work_as_may() {
        let tasks = tokio::task::LocalSet::new();
        let nested = || Input { payload: "{}".into(), client_context: None, nested: true };
        let folder = std::env::temp_dir();
        let idle_beside = async |working: usize| {
            let pool = Pool::new(&folder);
            let _at_work = pool.places.acquire_many(working as u32).await.expect("never closed");
            let outcome = pool.invoke(&python(), nested()).await;
            assert_eq!(outcome.function_error, None, "{outcome:?}");
            let idle = pool.shelf.borrow().idle.len();
            pool.close().await;
            idle
        };
        let found = tasks.run_until(async { [idle_beside(MAX_PROCESSES).await, idle_beside(MAX_PROCESSES - 1).await] });
        assert_eq!(found.await, [0, 1]);
    }
}
