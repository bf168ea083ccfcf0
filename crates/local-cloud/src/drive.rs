//! Owns the clock, the journal and the processes: performs the world's effects and feeds results back.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::anomalies::Consistency;
use crate::course::{Anomalies, Count};
use crate::effect::{Effect, Turn};
use crate::faults::{Fault, Faults, Rule};
use crate::rates::Rates;
use crate::request::{AwsError, Reply, Request, Token};
use crate::runner::Runner;
use crate::service::kinesis;
use crate::service::kinesis::subscribe::Next;
use crate::settings::{Secret, Settings};
use crate::time::{LATEST, Millis};
use crate::wire::encode::Format;
use crate::world::dump::dump;
use crate::world::{World, delivery};

mod clock;
mod effect;
mod held;
mod journal;
mod kept;
mod reads;
mod store;
mod subscription;
#[cfg(test)]
mod tests;
mod timer;

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
    /// What is due may have changed.
    stirred: Arc<Notify>,
    /// There may be more for those who subscribed.
    put: Arc<Notify>,
    /// Subscriptions are to end, because the port closes.
    hung_up: watch::Sender<bool>,
    /// The key that signatures are checked with, if they are checked.
    secret: Option<Secret>,
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
        store.world.late_events = anomalies.late_events();
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
        };
        let engine = Engine { shared: Arc::new(shared) };
        tokio::spawn(timer::run(Arc::downgrade(&engine.shared), Arc::clone(&engine.shared.stirred)));
        Ok(engine)
    }

    /// Another rule: what it says goes wrong from now on.
    pub fn inject(&self, rule: Rule) {
        match rule.is_own() {
            true => self.shared.store("faults").world.faults.add(rule),
            false => self.shared.faults().add(rule),
        }
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        *self.shared.faults() = Faults::default();
        self.shared.store("faults").world.faults = Faults::default();
    }

    /// The rules in force, how many calls each matched, and how many faults it injected.
    pub fn faults(&self) -> Vec<(String, u64, u64)> {
        let all = [self.shared.faults().clone(), self.look("faults", |world| world.faults.clone())];
        let counts = all.iter().flat_map(Faults::counts);
        counts.map(|(text, matched, injected)| (text.to_owned(), matched, injected)).collect()
    }

    /// From now on these of AWS's anomalies are met, and no others.
    pub fn set_consistency(&self, chosen: Consistency) {
        let late_events = {
            let mut anomalies = self.shared.anomalies();
            anomalies.choose(chosen);
            anomalies.late_events()
        };
        self.shared.store("consistency").world.late_events = late_events;
    }

    /// Which of AWS's anomalies are met.
    pub fn consistency(&self) -> Consistency {
        self.shared.anomalies().chosen().clone()
    }

    /// The anomalies that are on, how often each was brought about, and how many calls it was shown to.
    pub fn anomalies(&self) -> Vec<Count> {
        self.shared.anomalies().counts().to_vec()
    }

    /// Functions are told that the engine is there.
    pub(crate) fn reached_at(&self, address: SocketAddr) {
        self.shared.store("serve").world.endpoint = Some(format!("http://{address}"));
    }

    /// World time.
    pub fn now(&self) -> Millis {
        self.shared.clock.now()
    }

    /// How the world's clock goes.
    pub fn pace(&self) -> Pace {
        self.shared.clock.pace()
    }

    /// The world's clock goes on at another pace, or stands.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.clock.set_pace(pace);
        self.shared.stirred.notify_one();
    }

    /// Forgets everything there is, on the disk too: the next call finds a new world, at the same time.
    ///
    /// # Errors
    /// Where the folder cannot be emptied: then the engine is closed.
    pub async fn reset(&self) -> Result<(), StartError> {
        self.effects_end().await;
        let functions = self.shared.store("reset").reset()?;
        self.shared.anomalies().forget();
        functions.iter().for_each(|arn| self.shared.runner.retire(arn));
        self.shared.stirred.notify_one();
        Ok(())
    }

    /// Moves the world's clock, and everything that becomes due on the way happens at its own time. What an effect brings
    /// back is waited for before the clock goes on, so that a transform takes no world time. It stands at
    /// [`LATEST`].
    pub async fn advance(&self, by: Duration) {
        let by = Millis::try_from(by.as_millis()).unwrap_or(Millis::MAX);
        let target = self.now().saturating_add(by).min(LATEST);
        self.idle().await;
        while let Some(due) = self.shared.due().filter(|due| *due < target) {
            // A millisecond at least, so that what stays due does not hold the clock.
            let step = due.max(self.now() + 1);
            if step >= target {
                break;
            }
            self.shared.clock.move_to(step);
            if !self.shared.run() {
                break;
            }
            self.idle().await;
        }
        self.shared.clock.move_to(target);
        self.shared.run();
        self.idle().await;
    }

    /// Waits until no effect is under way and the delivery streams have read what there is to read.
    pub async fn idle(&self) {
        self.effects_end().await;
        while self.look("idle", delivery::unread) && self.shared.run() {
            self.effects_end().await;
        }
    }

    async fn effects_end(&self) {
        let mut count = self.shared.under_way.subscribe();
        count.wait_for(|count| *count == 0).await.expect("the sender lives as long as this engine");
    }

    /// Everything these delivery streams hold (all of the region's, when none is named) becomes due now. The deliveries are
    /// done once the engine is idle.
    pub fn flush(&self, region: &str, names: &[String]) {
        let flushed = self.shared.turn("flush", |world, turn| {
            delivery::flush(world, turn, region, names);
            world.run(turn);
        });
        if let Err(error) = flushed {
            tracing::warn!("flushing delivery streams: {error}");
        }
    }

    /// How many records a delivery stream has yet to deliver.
    pub fn backlog(&self, region: &str, name: &str) -> usize {
        self.look("backlog", |world| delivery::backlog(world, region, name))
    }

    /// How many of a delivery stream's records are lost: no object of them could be stored for as long as they are kept.
    pub fn given_up(&self, region: &str, name: &str) -> u64 {
        self.look("backlog", |world| delivery::given_up(world, region, name))
    }

    /// What exists, by service and region. It looks some objects up at a time, so that a change made meanwhile may be missing.
    pub fn dump(&self) -> serde_json::Value {
        let mut dump = self.look("dump", dump);
        let mut last = String::new();
        loop {
            let objects = self.look("dump", |world| world.s3.some_objects(&last));
            let Some((row, _)) = objects.last() else { return dump };
            last.clone_from(row);
            for (row, size) in objects {
                let (bucket, key) = row.split_once('/').unwrap_or((&row, ""));
                if let Some(bucket) = dump["s3"].get_mut(bucket) {
                    bucket["objects"][key] = size.into();
                }
            }
        }
    }

    /// Ends the functions' processes and the journal, which frees the folder. Calls after it are refused.
    pub async fn close(&self) {
        self.shared.runner.close().await;
        self.effects_end().await;
        self.shared.store("close").close();
    }

    /// What was damaged in the folder when it was opened, and what is lost by it.
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

    /// Lets the world do what is due. Gives whether it could.
    fn run(self: &Arc<Self>) -> bool {
        let ran = self.turn("delivery", |world, turn| world.run(turn));
        // In an engine that is closed nothing is due.
        if let Err(error) = &ran
            && !self.store("delivery").is_closed()
        {
            tracing::warn!("letting world time pass: {error}");
        }
        ran.is_ok()
    }

    fn decide<R>(&self, by: &str, act: impl FnOnce(&mut World, &mut Turn) -> R) -> (Result<R, AwsError>, Vec<Effect>) {
        let mut store = self.store(by);
        let decided = store.turn(self.clock.now(), by, act);
        drop(store);
        self.stirred.notify_one();
        self.put.notify_waiters();
        decided
    }

    /// What a subscription says next, and how long there is to wait where that is nothing and the clock goes. Nobody is woken by
    /// it.
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

/// What a folder holds. Functions run in it too, and what a killed engine left of them goes: that nobody else uses the folder
/// is certain once its journal is open.
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
