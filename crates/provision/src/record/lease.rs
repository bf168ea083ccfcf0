//! The lease of an environment: while one run changes it, others wait. [`decide`] has the rules; here are the calls and the clock.
//!
//! It is a chain of log streams in the record. CreateLogStream is atomic, so that of a holder that renews and a waiter that takes
//! over exactly one gets the next number.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{ABSENT, EXISTS, of};
use crate::cloud::{Cx, calls};
use crate::error::{Error, Result};
use crate::send::{self, found};

pub mod decide;
mod who;

pub use decide::Lease;
use decide::{Holding, RENEWS, Turn, Waiter};
pub use who::Who;

/// Pages of fifty names that are read to find who holds a lease. A holder leaves one name for each renewal, so that these are an hour.
const PAGES: usize = 8;
/// Pauses between a waiter's looks: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// So long the end of a run waits for a renewal that is under way.
const ENDING: Duration = Duration::from_secs(5);

/// A clock that goes forward while this process is stopped, and while the machine sleeps: then the monotonic one stands still.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant, SystemTime);

impl Clock {
    fn start() -> Clock {
        Clock(Instant::now(), SystemTime::now())
    }

    fn now(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

/// Reads the lease from the record's log streams. `None`: there is no record.
pub async fn look(cx: &Cx) -> Result<Option<Lease>> {
    let mut names: Vec<String> = vec![];
    let mut token = None;
    for _ in 0..PAGES {
        let call = cx.logs().describe_log_streams().log_group_name(cx.names.record()).descending(true);
        let call = call.log_stream_name_prefix(decide::PREFIX).set_next_token(token);
        let answer = send::ask(cx, of(cx, 0), "reading who changes this environment", || call.clone().send()).await;
        let Some(page) = found(answer, ABSENT)? else { return Ok(None) };
        names.extend(page.log_streams.unwrap_or_default().into_iter().filter_map(|stream| stream.log_stream_name));
        let lease = Lease::read(names.iter().map(String::as_str));
        token = page.next_token;
        if token.is_none() || lease.free || lease.holder.is_some() {
            break;
        }
    }
    Ok(Some(Lease::read(names.iter().map(String::as_str))))
}

/// Creates a stream. The second value tells whether the answer to an attempt was lost.
async fn create(cx: &Cx, name: &str) -> (Result<()>, bool) {
    let call = cx.logs().create_log_stream().log_group_name(cx.names.record()).log_stream_name(name);
    calls::noticing(send::change(cx, of(cx, 0), "taking the lease of the environment", || call.clone().send())).await
}

/// Creates a stream that means the same however often it is created. The lease works without it.
async fn mark(cx: &Cx, name: &str) {
    let _ = create(cx, name).await;
}

/// The state of a lease, as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Held,
    /// This run asked it to stop.
    Asked(Box<Who>),
    /// Another run has it, or may have.
    Lost,
}

/// A lease that this run holds. Clones share it.
#[derive(Clone)]
pub struct Held(Arc<Inner>);

struct Inner {
    cx: Cx,
    who: Who,
    clock: Clock,
    holding: Mutex<Holding>,
    /// Sent anew with each renewal.
    standing: watch::Sender<Standing>,
    /// The record was deleted, and the lease with it.
    deleted: watch::Sender<bool>,
}

impl Who {
    /// A run of this process that begins now.
    pub fn here(cx: &Cx, command: &str, deletes: bool) -> Who {
        let run = uuid::Uuid::new_v4().simple().to_string();
        Who { run, command: command.into(), deletes, since: cx.calls.now(), job: cx.options.job.clone() }
    }
}

impl Held {
    /// Takes a number. `None`: another run has it, or the record is gone.
    pub async fn take(cx: &Cx, who: &Who, number: u64) -> Result<Option<Held>> {
        let clock = Clock::start();
        match create(cx, &decide::number(number)).await.0 {
            Ok(()) => Ok(Some(Held::since(cx, who, number, clock))),
            Err(error) if [Some(EXISTS), Some(ABSENT)].contains(&error.code()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The lease of the run that is about to create the record.
    pub fn first(cx: &Cx, who: &Who) -> Held {
        Held::since(cx, who, 0, Clock::start())
    }

    fn since(cx: &Cx, who: &Who, number: u64, clock: Clock) -> Held {
        let holding = Mutex::new(Holding::new(number, Duration::ZERO));
        let (standing, deleted) = (watch::channel(Standing::Held).0, watch::channel(false).0);
        Held(Arc::new(Inner { cx: cx.clone(), who: who.clone(), clock, holding, standing, deleted }))
    }

    /// Works while the lease is renewed, and gives it back at the end.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let (finish, finished) = watch::channel(false);
        let work = async {
            let done = work.await;
            // Somebody is there to hear it: the renewals go on until then.
            let _ = finish.send(true);
            done
        };
        let (done, ()) = futures::join!(work, Box::pin(self.keep(finished)));
        if !*self.0.deleted.borrow() && *self.0.standing.borrow() != Standing::Lost {
            mark(&self.0.cx, &decide::free(self.holding(|holding| holding.last))).await;
        }
        done
    }

    /// Nobody else can have it yet, as far as this run knows.
    pub fn is_sure(&self) -> bool {
        self.holding(|holding| holding.is_sure(self.0.clock.now()))
    }

    /// Whether nobody else has it, for what only its holder may do.
    pub fn is_held(&self) -> bool {
        self.is_sure() && self.standing() != Standing::Lost
    }

    pub fn standing(&self) -> Standing {
        self.0.standing.borrow().clone()
    }

    /// Hears of renewals, and of the end of the lease.
    pub fn hears(&self) -> watch::Receiver<Standing> {
        self.0.standing.subscribe()
    }

    /// The same after a renewal.
    pub async fn confirm(&self) -> bool {
        self.renew().await;
        self.is_held()
    }

    /// The record was deleted.
    pub fn deleted(&self) {
        self.0.deleted.send_replace(true);
    }

    async fn keep(&self, mut finished: watch::Receiver<bool>) {
        let mut next = Instant::now() + RENEWS;
        mark(&self.0.cx, &decide::by(self.holding(|holding| holding.first), &self.0.who)).await;
        loop {
            tokio::select! {
                biased;
                _ = finished.wait_for(|finished| *finished) => return,
                () = sleep_until(next) => {}
            }
            next = Instant::now() + RENEWS;
            if self.standing() == Standing::Lost || *self.0.deleted.borrow() {
                continue;
            }
            let mut renewal = std::pin::pin!(self.renew());
            tokio::select! {
                () = &mut renewal => {}
                _ = finished.wait_for(|finished| *finished) => {
                    // A number that is taken and not marked as free would let others wait.
                    let _ = timeout(ENDING, renewal).await;
                    return;
                }
            }
        }
    }

    /// Takes the next number, and looks whether somebody asks this run to stop.
    async fn renew(&self) {
        let Inner { cx, clock, .. } = &*self.0;
        if !self.is_sure() && !self.is_of_this_record().await {
            return self.lose();
        }
        let (began, next) = (clock.now(), self.holding(|holding| holding.last + 1));
        match create(cx, &decide::number(next)).await {
            (Ok(()), _) => self.holding(|holding| holding.took(next, began)),
            (Err(error), was_lost) if error.code() == Some(EXISTS) => {
                let now = clock.now();
                match self.holding(|holding| holding.has_taken(was_lost, now)) {
                    true => self.holding(|holding| holding.took(next, began)),
                    false => return self.lose(),
                }
            }
            (Err(error), _) if error.code() == Some(ABSENT) => return self.lose(),
            // The next attempt may succeed. Until then its age tells what it is worth.
            (Err(_), _) => {}
        }
        let listed = look(cx).await.ok().flatten().unwrap_or_default();
        if self.holding(|holding| holding.is_lost(&listed)) {
            return self.lose();
        }
        let asked = self.holding(|holding| holding.asked(&listed).cloned());
        self.0.standing.send_modify(|standing| {
            if let (Standing::Held, Some(who)) = (&*standing, asked) {
                *standing = Standing::Asked(Box::new(who));
            }
        });
    }

    /// After a pause the record may be another one, of the same name. This run's own mark stands in the one that it knows.
    async fn is_of_this_record(&self) -> bool {
        let mark = decide::by(self.holding(|holding| holding.first), &self.0.who);
        create(&self.0.cx, &mark).await.0.is_err_and(|error| error.code() == Some(EXISTS))
    }

    fn lose(&self) {
        self.0.standing.send_replace(Standing::Lost);
    }

    fn holding<T>(&self, act: impl FnOnce(&mut Holding) -> T) -> T {
        act(&mut self.0.holding.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How a wait for the lease ended.
pub enum Waited {
    Held(Held),
    /// The record was deleted, so that there is nothing to hold.
    Gone,
    /// This newer run of the same pull request is at work.
    Superseded(Box<Who>),
    Interrupted,
}

/// Waits until the lease is free, or its holder is gone, and takes it. `told` is told whom it waits for, each time that changes.
///
/// # Errors
/// It took longer than `limit`.
pub async fn wait(
    cx: &Cx,
    who: &Who,
    limit: Duration,
    mut interrupt: watch::Receiver<bool>,
    told: impl Fn(&Lease),
) -> Result<Waited> {
    let (clock, mut waiter) = (Clock::start(), Waiter::new(who.clone()));
    let (mut pause, mut known) = (PAUSES.0, None);
    loop {
        if *interrupt.borrow() {
            return Ok(Waited::Interrupted);
        }
        let Some(lease) = look(cx).await? else { return Ok(Waited::Gone) };
        match waiter.turn(&lease, clock.now()) {
            Turn::Take(number) => match Held::take(cx, who, number).await? {
                Some(held) => return Ok(Waited::Held(held)),
                None => waiter.refused(number, clock.now()),
            },
            Turn::GiveWay(newer) => return Ok(Waited::Superseded(newer)),
            Turn::Ask(number) => mark(cx, &decide::stop(number, who)).await,
            Turn::Wait => {}
        }
        let holder = lease.holder.as_ref().map(|(_, who)| who.run.clone());
        if known.as_ref() != Some(&holder) {
            told(&lease);
            known = Some(holder);
        }
        if clock.0.elapsed() >= limit {
            let gave_up = format!("waiting for {}: gave up after {} s", lease.told(), limit.as_secs());
            return Err(Error::msg(gave_up)
                .hint("nothing was changed; run the command again, or wait longer with --lock-timeout"));
        }
        tokio::select! {
            () = sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())) => pause = (pause * 3 / 2).min(PAUSES.1),
            () = interrupted(&mut interrupt) => {}
        }
    }
}

async fn interrupted(interrupt: &mut watch::Receiver<bool>) {
    // A sender that is gone sends nothing more.
    if interrupt.wait_for(|interrupted| *interrupted).await.is_err() {
        std::future::pending::<()>().await;
    }
}
