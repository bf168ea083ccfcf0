//! Processes kept warm: which one takes an invocation, and when one goes.

use std::cell::RefCell;
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

/// Processes of one runner, idle and working together.
const MAX_PROCESSES: usize = 8;

/// Code on disk, unpacked by whoever needs it first.
type Folder = Rc<OnceCell<TempDir>>;

/// A process and what it runs.
struct Warm {
    process: Process,
    arn: String,
    revision: String,
    code_sha256: String,
    /// How often the function had been retired when the process was started.
    retired: u64,
    /// Keeps the code on disk.
    _folder: Folder,
}

#[derive(Default)]
struct Shelf {
    /// The longest idle first.
    idle: Vec<Warm>,
    folders: HashMap<String, Weak<OnceCell<TempDir>>>,
    /// How often each ARN was retired.
    retirements: HashMap<String, u64>,
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
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        let id = uuid::Uuid::new_v4().to_string();
        let mut warm = match self.take(function) {
            Some(warm) => warm,
            None => match self.start(function).await {
                Ok(warm) => warm,
                Err((error_type, message)) => return not_started(&id, function, error_type, &message),
            },
        };
        let (outcome, reusable) = warm.process.invoke(&id, function, input).await;
        let current = warm.retired == self.shelf.borrow().retirements_of(&warm.arn);
        if reusable && current {
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
        *shelf.retirements.entry(function_arn.to_owned()).or_default() += 1;
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
        let retired = self.shelf.borrow().retirements_of(&function.arn);
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
        let working = MAX_PROCESSES - self.places.available_permits();
        let mut shelf = self.shelf.borrow_mut();
        let surplus = (shelf.idle.len() + working).saturating_sub(MAX_PROCESSES);
        shelf.idle.drain(..surplus);
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
    fn retirements_of(&self, arn: &str) -> u64 {
        self.retirements.iter().filter(|(retired, _)| belongs(arn, retired)).map(|(_, times)| times).sum()
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
