//! Puts whole records into the stream again. A record that was put cannot be taken back, so that this notes what was accepted: every
//! few seconds, and at a signal, when what is on its way has a moment to be answered.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Replayed;
use super::store::Store;
use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::names::plural;
use crate::producer::queue::Entry;
use crate::producer::target::{Position, Target};
use crate::producer::{self, How, Watch};
use crate::source::{Record, Records};

/// The stream.
pub struct Source<'a> {
    pub target: &'a Target,
    /// True once nothing more is to be put.
    pub stop: watch::Receiver<bool>,
}

/// A record that is put, and the error records about it in one object, by their positions.
pub struct Whole {
    pub raw: Bytes,
    pub numbers: Vec<usize>,
}

/// The records of one error object.
#[derive(Default)]
pub struct Wholes {
    pub put: Vec<Whole>,
    /// Error records about records that this run has put for another object.
    pub done: BTreeSet<usize>,
}

/// The interval at which accepted records are noted.
const NOTED: Duration = Duration::from_secs(5);
/// The time that requests under way have after a signal.
const GRACE: Duration = Duration::from_secs(4);

pub async fn into_source(
    cx: &Cx,
    store: &mut Store<'_>,
    source: &Source<'_>,
    wholes: Wholes,
    replayed: &mut Replayed,
) -> Result<()> {
    let Wholes { put, done } = wholes;
    let all: BTreeSet<usize> = put.iter().flat_map(|one| one.numbers.clone()).collect();
    store.put(&done, all.clone(), &BTreeSet::new()).await?;
    let (given, accepted) = (Arc::new(AtomicUsize::new(0)), RefCell::new(done));
    let mut noting = Noting { put: &put, accepted: &accepted };
    let producing = producer::produce(cx, source.target, records(&put, source, &given), How::default(), &mut noting);
    let produced = tokio::select! {
        produced = noted(producing, store, &accepted, &all) => Some(produced?),
        () = too_late(source.stop.clone()) => None,
    };
    let accepted = accepted.into_inner();
    let given: BTreeSet<usize> =
        put[..given.load(Ordering::SeqCst)].iter().flat_map(|one| one.numbers.clone()).collect();
    let unsure = match &produced {
        Some(Ok(_)) => BTreeSet::new(),
        // Requests on their way may be accepted after their sender has gone.
        Some(Err(_)) | None => given.difference(&accepted).copied().collect(),
    };
    store.put(&accepted, BTreeSet::new(), &unsure).await?;
    replayed.delivered += accepted.len() as u64;
    replayed.unsure += unsure.len() as u64;
    replayed.interrupted |= *source.stop.borrow() && !all.is_subset(&accepted);
    let produced = produced.transpose()?.unwrap_or_default();
    match produced.failures.first() {
        Some((_, why)) => {
            let failed = plural(produced.failed as usize, "record");
            let error = Error::msg(format!("{failed} cannot be put into {}: {why}", source.target));
            Err(error.hint("the others were put, and are not put again"))
        }
        None => Ok(()),
    }
}

/// The records, until the signal. Counts those that were given.
fn records(put: &[Whole], source: &Source<'_>, given: &Arc<AtomicUsize>) -> Records {
    let (stop, given) = (source.stop.clone(), given.clone());
    let raw: Vec<Bytes> = put.iter().map(|one| one.raw.clone()).collect();
    let records = raw.into_iter().zip(1..).take_while(move |_| !*stop.borrow());
    Box::new(records.map(move |(raw, number)| {
        given.fetch_add(1, Ordering::SeqCst);
        Ok(Record::new(number, raw))
    }))
}

/// Waits for the producer. An error of its own is that accepted records cannot be noted: then another replay has taken over.
async fn noted<T>(
    producing: impl Future<Output = T>,
    store: &mut Store<'_>,
    accepted: &RefCell<BTreeSet<usize>>,
    all: &BTreeSet<usize>,
) -> Result<T> {
    let mut producing = pin!(producing);
    loop {
        if let Ok(produced) = timeout(NOTED, &mut producing).await {
            return Ok(produced);
        }
        let accepted = accepted.borrow().clone();
        store.put(&accepted, all.difference(&accepted).copied().collect(), &BTreeSet::new()).await?;
    }
}

async fn too_late(mut stop: watch::Receiver<bool>) {
    // A sender that is gone sends nothing more.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(GRACE).await;
}

struct Noting<'a> {
    put: &'a [Whole],
    accepted: &'a RefCell<BTreeSet<usize>>,
}

impl Watch for Noting<'_> {
    fn accepted(&mut self, entry: &Entry, _: Option<&Position>) {
        self.accepted.borrow_mut().extend(&self.put[entry.record.number as usize - 1].numbers);
    }
}
