//! Owns the clock, the journal and the processes: performs the world's effects and feeds results back.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

use crate::course::Anomalies;
use crate::effect::{Effect, Turn};
use crate::faults::{Fault, Faults};
use crate::rates::Rates;
use crate::request::{AwsError, Reply, Request, Token};
use crate::runner::Runner;
use crate::service::kinesis;
use crate::service::kinesis::subscribe::Next;
use crate::settings::{Secret, Settings};
use crate::time::Millis;
use crate::wire::encode::Format;
use crate::world::{World, delivery};

mod clock;
mod effect;
mod held;
mod journal;
mod kept;
mod reads;
mod steer;
mod store;
mod subscription;
#[cfg(test)]
mod tests;
mod timer;
mod watching;

pub use clock::Pace;
pub use effect::Said;
pub use journal::{Damage, StartError};
pub use kept::Kept;

use clock::Clock;
use held::{Figures, Held};
use journal::{Disk, create_folder};
use store::Store;

/// A running engine. Clones share it; it ends with the last of them, or with [`Engine::close`].
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    store: Mutex<Store>,
    /// How long the store was locked.
    held: Figures,
    clock: Clock,
    faults: Mutex<Faults>,
    anomalies: Mutex<Anomalies>,
    /// The control plane's rates, if limits are on.
    rates: Option<Mutex<Rates>>,
    runner: Runner,
    /// Calls whose reply waits for an effect.
    waiting: Mutex<HashMap<Token, oneshot::Sender<Result<Reply, AwsError>>>>,
    /// How many effects are under way.
    under_way: watch::Sender<usize>,
    /// Wakes the timer: another time may be due now.
    stirred: Arc<Notify>,
    /// There may be more for those who subscribed.
    put: Arc<Notify>,
    /// Subscriptions are to end, because the port closes.
    hung_up: watch::Sender<bool>,
    /// The key that signatures are checked with, if they are checked.
    secret: Option<Secret>,
    /// The engine's own page proves with it that it is that page.
    page_token: String,
    /// Places for those who watch.
    watchers: Arc<Semaphore>,
}

/// How a turn of the world's own ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ran {
    /// It left something to read, because a turn reads so much at most.
    Behind,
    Done,
    /// The world takes no turns: its disk is full, or it was closed.
    Refused,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stirred.notify_one();
    }
}

impl Engine {
    /// Starts an engine, with what its folder holds.
    ///
    /// # Errors
    /// Where the folder cannot be used, is in use by another process, or holds what is not understood.
    pub async fn start(settings: Settings) -> Result<Engine, StartError> {
        Engine::start_on(settings, Disk::default()).await
    }

    async fn start_on(settings: Settings, disk: Disk) -> Result<Engine, StartError> {
        let secret = settings.signature.clone();
        let (time, pace) = (settings.time, Pace { speed: settings.speed, paused: settings.paused });
        let faults = Faults::new(settings.faults.iter().filter(|rule| !rule.is_own()).cloned().collect());
        let anomalies = Anomalies::new(&settings);
        let rates = settings.limits.then(|| Mutex::new(Rates::new(&settings.account)));
        let opened = tokio::task::spawn_blocking(move || open(settings, disk)).await;
        let (mut store, runner) = opened.expect("opening does not panic and is not cancelled")?;
        store.world.late = anomalies.late();
        let shared = Shared {
            clock: Clock::start(time, store.last(), pace),
            faults: Mutex::new(faults),
            anomalies: Mutex::new(anomalies),
            rates,
            store: Mutex::new(store),
            held: Figures::default(),
            runner,
            waiting: Mutex::default(),
            under_way: watch::Sender::new(0),
            stirred: Arc::default(),
            put: Arc::default(),
            hung_up: watch::Sender::new(false),
            secret,
            page_token: uuid::Uuid::new_v4().simple().to_string(),
            watchers: Arc::new(Semaphore::new(watching::MOST_WATCHERS)),
        };
        let engine = Engine { shared: Arc::new(shared) };
        tokio::spawn(timer::run(Arc::downgrade(&engine.shared), Arc::clone(&engine.shared.stirred)));
        Ok(engine)
    }

    /// Functions are told that the engine is there.
    pub(crate) fn reached_at(&self, address: SocketAddr) {
        self.shared.store("serve").world.endpoint = Some(format!("http://{address}"));
    }

    /// World time.
    pub fn now(&self) -> Millis {
        self.shared.clock.now()
    }

    async fn effects_end(&self) {
        let mut count = self.shared.under_way.subscribe();
        count.wait_for(|count| *count == 0).await.expect("the sender lives as long as this engine");
    }

    /// Ends the functions' processes and the journal, which frees the folder. Calls after it are refused.
    pub async fn close(&self) {
        self.shared.runner.close().await;
        self.effects_end().await;
        self.shared.store("close").close();
    }

    /// The damage that was found in the folder when it was opened, and what is lost by it.
    pub fn damage(&self) -> Vec<Damage> {
        self.shared.store("damage").damage().to_vec()
    }

    /// Why nothing can be changed at the moment, where the disk takes nothing.
    pub fn stalled(&self) -> Option<String> {
        self.shared.store("stalled").stalled().map(str::to_owned)
    }

    /// How long the world was held, by operation.
    pub fn held(&self) -> serde_json::Value {
        self.shared.held.told()
    }

    /// One turn of the world on behalf of an operation; what it asks for is under way when this returns.
    pub(crate) fn turn<R>(&self, by: &str, act: impl FnOnce(&mut World, &mut Turn) -> R) -> Result<R, AwsError> {
        self.shared.turn(by, act)
    }

    /// Reads the world; nothing happens in it.
    pub(crate) fn look<R>(&self, by: &str, read: impl FnOnce(&World) -> R) -> R {
        read(&self.shared.store(by).world)
    }

    /// The key that signatures are checked with, if they are checked.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.shared.secret.as_ref()
    }

    /// The token that a change from a web page needs.
    pub(crate) fn page_token(&self) -> &str {
        &self.shared.page_token
    }

    /// The faults that strike a call of this operation.
    pub(crate) fn fault(&self, operation: &str) -> Fault {
        let mut faults = self.shared.faults();
        if faults.is_empty() { Fault::default() } else { faults.decide(operation) }
    }

    /// The anomalies under way.
    pub(crate) fn course(&self) -> MutexGuard<'_, Anomalies> {
        self.shared.anomalies()
    }

    /// The calls that each rate still allows, if limits are enforced.
    pub(crate) fn rates(&self) -> Option<MutexGuard<'_, Rates>> {
        // Counting does not panic.
        self.shared.rates.as_ref().map(|rates| rates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has a service answer a call.
    pub(crate) async fn ask(
        &self,
        service: usize,
        operation: &str,
        request: &Request,
        slow: Duration,
    ) -> Result<Said, AwsError> {
        self.shared.ask(service, operation, request, slow).await
    }

    /// The messages of a subscription, from the first to the last.
    pub(crate) fn subscription(&self, token: Token, format: Format) -> mpsc::Receiver<Bytes> {
        subscription::start(&self.shared, token, format)
    }

    /// Ends all subscriptions, which nothing else would before their time.
    pub(crate) fn hang_up(&self) {
        self.shared.hung_up.send_replace(true);
    }
}

impl Shared {
    fn store<'a>(&'a self, by: &'a str) -> Held<'a> {
        // A panic inside a turn is caught before it reaches the lock: a poisoned one guards a world that is whole.
        Held::new(self.store.lock().unwrap_or_else(PoisonError::into_inner), &self.held, by)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        // Counting does not panic.
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn anomalies(&self) -> MutexGuard<'_, Anomalies> {
        // Each change of it is whole when a panic could come.
        self.anomalies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> Option<Millis> {
        self.store("due").world.due()
    }

    fn turn<R>(self: &Arc<Self>, by: &str, act: impl FnOnce(&mut World, &mut Turn) -> R) -> Result<R, AwsError> {
        let (outcome, effects) = self.decide(by, act);
        self.perform(effects);
        outcome
    }

    /// Lets the world do what is due.
    fn run(self: &Arc<Self>) -> Ran {
        let ran = self.turn("delivery", |world, turn| {
            world.run(turn);
            delivery::unread(world)
        });
        match ran {
            Ok(true) => Ran::Behind,
            Ok(false) => Ran::Done,
            Err(error) => {
                // In an engine that is closed nothing is due.
                if !self.store("delivery").is_closed() {
                    tracing::warn!("letting world time pass: {error}");
                }
                Ran::Refused
            }
        }
    }

    fn decide<R>(&self, by: &str, act: impl FnOnce(&mut World, &mut Turn) -> R) -> (Result<R, AwsError>, Vec<Effect>) {
        let mut store = self.store(by);
        let decided = store.turn(self.clock.now(), by, act);
        drop(store);
        self.stirred.notify_one();
        self.put.notify_waiters();
        decided
    }

    /// The next event of a subscription. If there is none yet, how long to wait for it while the clock runs. This wakes nobody.
    fn next_event(&self, token: Token) -> (Next, Option<Duration>) {
        let now = self.clock.now();
        let asked = self
            .store("subscription")
            .turn(now, "subscription", |world, turn| kinesis::subscribe::next(&mut world.kinesis, turn.now, token))
            .0;
        let next = asked.unwrap_or_else(|error| Next::End(Some(error)));
        let wait = if let Next::Wait(until) = next { self.clock.wall_until(until) } else { None };
        (next, wait)
    }

    fn unsubscribe(&self, token: Token) {
        self.store("subscription").world.kinesis.unsubscribe(token);
    }
}

/// Opens a folder. Functions run in it too, and files that a killed engine left of them are removed: once the journal is open,
/// it is certain that nobody else uses the folder.
fn open(settings: Settings, disk: Disk) -> Result<(Store, Runner), StartError> {
    let functions = settings.data_dir.as_ref().map(|folder| folder.join("functions"));
    let store = Store::open(settings, disk)?;
    let Some(functions) = functions else { return Ok((store, Runner::new())) };
    match empty(&functions) {
        Ok(functions) => Ok((store, Runner::in_folder(functions))),
        Err(source) => Err(StartError::Folder { path: functions, source }),
    }
}

/// The folder, new and with its full path: a function's process works elsewhere.
fn empty(folder: &Path) -> io::Result<PathBuf> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_folder(folder)?;
    folder.canonicalize()
}
