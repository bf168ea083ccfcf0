//! Puts records into a stream or a delivery stream: in batches, several at once, and refused records again until each is accepted.

pub mod queue;
pub mod target;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::source::key::Keys;
use crate::source::{Record, Records, Unread};
use queue::{Entry, Queue};
use target::{Answer, Position, Target};

/// How records are put.
pub struct How {
    pub keys: Keys,
    /// Records of one partition key are put one after another.
    pub ordered: bool,
    /// Records a second, at most.
    pub rate: Option<u32>,
    /// Nothing more is put after the first record that cannot be put.
    pub fail_fast: bool,
}

impl Default for How {
    fn default() -> How {
        How { keys: Keys::Given, ordered: false, rate: None, fail_fast: false }
    }
}

/// The records that were put, so far or in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Produced {
    pub records: u64,
    /// Data, without partition keys.
    pub bytes: u64,
    pub took_ms: u64,
    /// Accepted records by shard.
    pub shards: BTreeMap<String, u64>,
    /// How often a record was refused and put again.
    pub retried: u64,
    /// Records that could not be put.
    pub failed: u64,
    /// The first of them: the place, and the reason.
    pub failures: Vec<(String, String)>,
}

/// Failures that are told one by one.
const MOST_FAILURES: usize = 20;
/// Requests in flight.
const IN_FLIGHT: usize = 4;
/// Records that are read ahead.
const READ_AHEAD: usize = 2_000;
/// The pause after a request in which something was refused: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long nothing is accepted before the rest is given up.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRESS: Duration = Duration::from_secs(1);

/// Whoever watches records being put.
pub trait Watch {
    /// A record was accepted.
    fn accepted(&mut self, _entry: &Entry, _position: Option<&Position>) {}
    /// Called about once a second.
    fn progress(&mut self, _produced: &Produced) {}
}

impl Watch for () {}

/// Puts all records.
///
/// # Errors
/// AWS refuses a request as a whole, or accepts nothing for a minute. Records that cannot be read or are too large are no errors:
/// they are in the result.
pub async fn produce(cx: &Cx, target: &Target, records: Records, how: How, watch: &mut impl Watch) -> Result<Produced> {
    let How { keys, ordered, rate, fail_fast } = how;
    let mut source = read_ahead(records);
    let mut run =
        Run { queue: Queue::new(ordered), keys, fail_fast, produced: Produced::default(), began: Instant::now() };
    let (mut in_flight, mut window) = (JoinSet::new(), IN_FLIGHT);
    let mut pause = PAUSES.0;
    let (mut may_send, mut last_accepted, mut last_told) = (run.began, run.began, run.began);
    let mut at_end = false;
    let mut sent = 0;
    loop {
        while in_flight.len() < window {
            at_end = at_end || run.refill(&mut source, target, in_flight.is_empty()).await.is_break();
            let mut limits = target.limits();
            if let Some(rate) = rate {
                // Ten requests a second are smooth enough.
                limits.records = limits.records.min(rate.div_ceil(10) as usize);
            }
            let batch = run.queue.next(limits);
            if batch.is_empty() {
                break;
            }
            let due = rate.map_or(run.began, |rate| run.began + Duration::from_secs_f64(sent as f64 / f64::from(rate)));
            sent += batch.len();
            let (at, cx, target) = (due.max(may_send), cx.clone(), target.clone());
            // Requests are encoded and answers are read on all cores.
            in_flight.spawn(async move {
                // A sleep takes a millisecond at least.
                if at > Instant::now() {
                    tokio::time::sleep_until(at).await;
                }
                let answers = target.put(&cx, &batch).await;
                (batch, answers)
            });
        }
        let Some(answered) = in_flight.join_next().await else {
            match at_end {
                true => return Ok(run.so_far().clone()),
                false => continue,
            }
        };
        let (batch, answers) = answered.map_err(|e| Error::new(format!("putting records into {target}"), e))?;
        let (accepted, refused) = run.answered(batch, answers?, watch);
        let now = Instant::now();
        match refused {
            None => {
                (window, pause) = ((window + 1).min(IN_FLIGHT), PAUSES.0);
            }
            Some(why) => {
                window = (window / 2).max(1);
                may_send = now + pause.mul_f64(0.5 + fastrand::f64() / 2.0);
                pause = (pause * 2).min(PAUSES.1);
                if now - last_accepted > PATIENCE && accepted == 0 {
                    return Err(run.given_up(target, &why));
                }
            }
        }
        if accepted > 0 {
            last_accepted = now;
        }
        if now - last_told >= PROGRESS {
            last_told = now;
            watch.progress(run.so_far());
        }
    }
}

/// A record, or why it cannot be read.
type Read = std::result::Result<Record, Unread>;

struct Run {
    queue: Queue,
    keys: Keys,
    fail_fast: bool,
    produced: Produced,
    began: Instant,
}

impl Run {
    /// Reads records until a batch is full, and breaks at the last. Waits for one only where nothing is to be sent and nothing in flight.
    async fn refill(
        &mut self,
        source: &mut mpsc::Receiver<Read>,
        target: &Target,
        none_in_flight: bool,
    ) -> ControlFlow<()> {
        let mut read = vec![];
        while self.queue.wants_more(target.limits()) {
            if source.is_empty() && !(none_in_flight && self.queue.is_empty()) {
                break;
            }
            if source.recv_many(&mut read, target.limits().records).await == 0 {
                return ControlFlow::Break(());
            }
            self.take(&mut read, target)?;
        }
        ControlFlow::Continue(())
    }

    /// Puts records into the queue. Breaks at the first that cannot be put, where it shall.
    fn take(&mut self, read: &mut Vec<Read>, target: &Target) -> ControlFlow<()> {
        let mut keys = self.keys.of(read.iter().flatten()).into_iter();
        for one in read.drain(..) {
            let keyed = one.and_then(|record| {
                let key = keys.next().expect("each record that was read has a key, or a reason")?;
                Ok(Entry { record, key })
            });
            let fits = keyed.and_then(|entry| match target.too_large(&entry) {
                None => Ok(entry),
                Some(why) => Err(Unread { place: entry.record.place(), why }),
            });
            match fits {
                Ok(entry) => self.queue.add(entry),
                Err(Unread { place, why }) => {
                    self.produced.failed += 1;
                    if self.produced.failures.len() < MOST_FAILURES {
                        self.produced.failures.push((place, why));
                    }
                    if self.fail_fast {
                        return ControlFlow::Break(());
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// How many were accepted, and why one was refused.
    fn answered(&mut self, batch: Vec<Entry>, answers: Vec<Answer>, watch: &mut impl Watch) -> (usize, Option<String>) {
        let mut refused = vec![];
        let mut why = None;
        let count = batch.len();
        for (entry, answer) in batch.into_iter().zip(answers) {
            match answer {
                Answer::Accepted(position) => {
                    self.produced.records += 1;
                    self.produced.bytes += entry.record.data.len() as u64;
                    if let Some(Position { shard, .. }) = &position {
                        match self.produced.shards.get_mut(shard) {
                            Some(count) => *count += 1,
                            None => drop(self.produced.shards.insert(shard.clone(), 1)),
                        }
                    }
                    watch.accepted(&entry, position.as_ref());
                    self.queue.done(&entry.key);
                }
                Answer::Refused(said) => {
                    self.produced.retried += 1;
                    why = Some(said);
                    refused.push(entry);
                }
            }
        }
        let accepted = count - refused.len();
        self.queue.refused(refused);
        (accepted, why)
    }

    fn so_far(&mut self) -> &Produced {
        self.produced.took_ms = self.began.elapsed().as_millis() as u64;
        &self.produced
    }

    fn given_up(&self, target: &Target, why: &str) -> Error {
        let Produced { records, .. } = self.produced;
        let doing =
            format!("putting records into {target}: {records} were accepted, then none for {} s", PATIENCE.as_secs());
        Error::new(doing, why.to_owned()).hint(match target {
            Target::Stream { .. } => "the stream may need more shards, or another producer uses up its rate",
            Target::DeliveryStream { .. } => "another producer may use up the rate of the delivery stream",
        })
    }
}

/// Reads records on a blocking thread, because a file or standard input may let a reader wait. A paused clock stands still while such
/// a thread works, so that reading takes no time in tests.
fn read_ahead(mut records: Records) -> mpsc::Receiver<Read> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    tokio::spawn(async move {
        while sender.reserve_many(READ_AHEAD / 2).await.is_ok() {
            let filled = sender.clone();
            match tokio::task::spawn_blocking(move || fill(&filled, records)).await {
                Ok(Some(rest)) => records = rest,
                _ => return,
            }
        }
    });
    receiver
}

/// Reads until the channel is full or closed, and gives back the records that are left.
fn fill(channel: &mpsc::Sender<Read>, mut records: Records) -> Option<Records> {
    while let Ok(place) = channel.try_reserve() {
        place.send(records.next()?);
    }
    Some(records)
}
