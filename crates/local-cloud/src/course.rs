//! Anomalies that are under way: which resources show which anomalies until when.

use bytes::Bytes;
use http::Response;

use crate::anomalies::{About, Consistency, Row, Shown, Words, rows};
use crate::faults::share;
use crate::request::{AwsError, Request};
use crate::settings::Settings;
use crate::time::{Delays, Millis};
use crate::wire::subject::{self, Subject};
use crate::world::Late;

pub mod page;
mod question;

/// The anomalies of an engine.
#[derive(Debug)]
pub struct Anomalies {
    chosen: Consistency,
    account: String,
    delays: Delays,
    open: Vec<Open>,
    /// Dice thrown.
    thrown: u64,
    counts: Vec<Count>,
}

/// A row, how often it was brought about, and how many calls it was shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub row: &'static Row,
    pub begun: u64,
    pub shown: u64,
}

/// An anomaly of one resource.
#[derive(Debug)]
struct Open {
    row: &'static Row,
    subject: Subject,
    until: Millis,
    replies: Vec<Reply>,
    /// Calls that were refused.
    refused: usize,
}

/// A read's operation, and what was answered to it before the change.
type Reply = (&'static str, Response<Bytes>);

/// An anomaly that a call brings about if it succeeds.
#[derive(Debug)]
pub struct Pending {
    row: &'static Row,
    subject: Subject,
    /// Reads that are to be asked first.
    pub questions: Vec<(&'static str, Request)>,
    /// The answers to them.
    pub replies: Vec<Reply>,
}

/// The effect of an anomaly on a call.
#[derive(Debug)]
pub enum Met {
    Nothing,
    Refused(AwsError),
    Stale(Response<Bytes>),
}

impl Anomalies {
    pub fn new(settings: &Settings) -> Anomalies {
        let mut anomalies = Anomalies {
            chosen: Consistency::default(),
            account: settings.account.clone(),
            delays: settings.delays,
            open: vec![],
            thrown: 0,
            counts: vec![],
        };
        anomalies.choose(settings.consistency.clone());
        anomalies
    }

    /// These rows are on from now, and others are not. What is under way of others ends.
    pub fn choose(&mut self, chosen: Consistency) {
        let on = |row: &&Row| chosen.lasts(row).is_some();
        let before = std::mem::take(&mut self.counts);
        let count =
            |row| before.iter().find(|count| count.row == row).copied().unwrap_or(Count { row, begun: 0, shown: 0 });
        self.counts = rows().filter(on).map(count).collect();
        self.open.retain(|open| on(&open.row));
        self.chosen = chosen;
    }

    pub fn chosen(&self) -> &Consistency {
        &self.chosen
    }

    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// Nothing is under way any more.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    /// Is a call of this operation of interest at all?
    pub fn concern(&self, operation: &str) -> bool {
        self.counts.iter().any(|count| count.row.after.contains(&operation) || count.row.at.contains(&operation))
    }

    /// The answer that a call gets instead of the true one. If several anomalies apply, the one that began first counts.
    pub fn meet(&mut self, operation: &str, request: &Request, now: Millis) -> Met {
        self.open.retain(|open| open.until > now);
        let account = self.account.as_str();
        let met = self.open.iter_mut().filter(|open| open.row.at.contains(&operation)).find_map(|open| {
            let named = subject::all(open.row.about, operation, request, account);
            let subject = named.iter().find(|subject| subject.is(&open.subject))?;
            Some((open.row, open.shown(operation, subject, account)?))
        });
        let Some((row, met)) = met else { return Met::Nothing };
        self.count(row);
        met
    }

    /// The row that shows this to a call of the operation at any time, where it is on.
    pub fn at_any_time(&self, shown: Shown, operation: &str) -> Option<&'static Row> {
        let rows = self.counts.iter().map(|count| count.row);
        rows.into_iter().find(|row| row.shown == shown && row.at.contains(&operation))
    }

    /// The row was shown to a call.
    pub fn count(&mut self, row: &Row) {
        if let Some(count) = self.counts.iter_mut().find(|count| count.row == row) {
            count.shown += 1;
        }
    }

    /// How much later log events and streams are found than they were written, and streams are read: the same for all, so that their
    /// order stays.
    pub fn late(&self) -> Late {
        let late = |shown, operation| {
            let lasts = self.at_any_time(shown, operation).and_then(|row| self.chosen.lasts(row));
            lasts.map_or(0, |lasts| between(lasts, share(self.chosen.seed(), 0)))
        };
        Late {
            events: late(Shown::Late, "logs:GetLogEvents"),
            streams: late(Shown::Late, "logs:DescribeLogStreams"),
            reading: late(Shown::Unread, "firehose:CreateDeliveryStream"),
        }
    }

    /// Prepares the anomalies that a call brings about if it succeeds.
    pub fn pending(&mut self, operation: &str, request: &Request) -> Vec<Pending> {
        let mut pending = vec![];
        let on = self.counts.iter().map(|count| count.row).filter(|row| row.after.contains(&operation));
        for row in on {
            for subject in subject::all(row.about, operation, request, &self.account) {
                self.thrown += 1;
                if share(self.chosen.seed(), self.thrown) >= self.chosen.rate() {
                    continue;
                }
                let stale = row.at.iter().filter(|_| row.shown == Shown::Stale);
                let reads = stale.chain(&row.absent).copied();
                let asked =
                    reads.filter_map(|read| Some((read, question::about(read, &subject, request, &self.account)?)));
                pending.push(Pending { row, questions: asked.collect(), subject, replies: vec![] });
            }
        }
        pending
    }

    /// The call has succeeded.
    pub fn begin(&mut self, pending: Vec<Pending>, now: Millis) {
        for Pending { row, subject, replies, .. } in pending {
            let was_there = |read| replies.iter().any(|(asked, reply)| *asked == read && reply.status().is_success());
            let Some(lasts) = self.chosen.lasts(row).filter(|_| !row.absent.is_some_and(was_there)) else {
                continue;
            };
            self.thrown += 1;
            let lasts = between(lasts, share(self.chosen.seed(), self.thrown));
            let state = if row.settled { settles(row.about, self.delays) } else { 0 };
            let until = now + state + lasts;
            self.open.retain(|open| open.row != row || !open.subject.is(&subject));
            self.open.push(Open { row, subject, until, replies, refused: 0 });
            if let Some(count) = self.counts.iter_mut().find(|count| count.row == row) {
                count.begun += 1;
            }
        }
    }
}

impl Open {
    /// The answer that a call of the operation gets which names the resource so.
    fn shown(&mut self, operation: &str, subject: &Subject, account: &str) -> Option<Met> {
        match self.row.shown {
            Shown::Refused(wordings) => {
                let words = wordings[self.refused % wordings.len()];
                self.refused += 1;
                Some(Met::Refused(told(words, subject, account)))
            }
            Shown::Stale => {
                let reply = self.replies.iter().find(|(read, _)| *read == operation);
                reply.map(|(_, reply)| Met::Stale(reply.clone()))
            }
            Shown::EmptyPages | Shown::ShortPages | Shown::Late | Shown::Unread => None,
        }
    }
}

/// A time between the least and the most.
fn between((least, most): (Millis, Millis), share: f64) -> Millis {
    least + (share * (most - least) as f64) as Millis
}

/// How long a state lasts that a change of such a resource begins.
fn settles(about: About, delays: Delays) -> Millis {
    match about {
        About::Stream => delays.stream,
        About::DeliveryStream => delays.delivery_stream,
        About::Function => delays.function,
        About::Role | About::RolePolicy | About::Bucket | About::LogGroup => 0,
    }
}

fn told(words: Words, subject: &Subject, account: &str) -> AwsError {
    let message = words.message.replace("{name}", &subject.name).replace("{arn}", &subject.arn);
    let message = message.replace("{account}", account);
    AwsError::new(words.code, message).with_status(words.status)
}
