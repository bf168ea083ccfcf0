//! All state there is. Calls, results and time go in; answers and effects come out. No IO, no clock, no async.

use crate::changes::Changes;
use crate::changes::LogChange;
use crate::effect::Turn;
use crate::faults::Faults;
use crate::flow::{self, task::Done};
use crate::request::{Answer, AwsError, InvokeOutcome, Token};
use crate::service::s3::Sweep;
use crate::service::{firehose, iam, kinesis, lambda, logs, s3};
use crate::settings::Settings;
use crate::time::Millis;
use crate::world::services::{Call, SERVICES};

pub mod services;

/// The whole of one account, in every region.
pub struct World {
    pub settings: Settings,
    pub kinesis: kinesis::State,
    pub firehose: firehose::State,
    pub lambda: lambda::State,
    pub iam: iam::State,
    pub logs: logs::State,
    pub s3: s3::State,
    /// Of the calls that services make of each other.
    pub faults: Faults,
    /// What the present call makes or changes settles that much later than it would.
    pub slow: Millis,
    /// Log events are found that much later than they were written.
    pub late_events: Millis,
    /// Where the engine is reached, once it serves a port.
    pub endpoint: Option<String>,
    next_token: Token,
    seen: Millis,
}

impl World {
    pub fn new(settings: Settings) -> World {
        let own = settings.faults.iter().filter(|rule| rule.is_own());
        World {
            faults: Faults::new(own.cloned().collect()),
            settings,
            kinesis: kinesis::State::default(),
            firehose: firehose::State::default(),
            lambda: lambda::State::default(),
            iam: iam::State::default(),
            logs: logs::State::default(),
            s3: s3::State::default(),
            slow: 0,
            late_events: 0,
            endpoint: None,
            next_token: 1,
            seen: 0,
        }
    }

    /// A name for an effect, never used before in this run.
    pub fn token(&mut self) -> Token {
        self.next_token += 1;
        self.next_token
    }

    /// One call, already read by a row of [`SERVICES`]. (S3 comes through its own adapter, [`crate::wire::s3`].)
    pub fn handle(&mut self, turn: &mut Turn, call: Call) -> Result<Answer, AwsError> {
        self.tick(turn);
        let delays = self.settings.delays;
        self.settings.delays = delays.longer(self.slow);
        let answer = call(self, turn);
        self.settings.delays = delays;
        answer
    }

    /// Everything is forgotten but how the world is set up and what goes wrong in it. Gives the ARNs of the functions there were. An effect under way
    /// comes back to a world that does not know it.
    pub fn reset(&mut self) -> Vec<String> {
        let functions = self.lambda.functions.iter().map(|(_, function)| function.arn.clone()).collect();
        *self = self.renewed();
        functions
    }

    /// A world without anything, at the same time, set up in the same way.
    pub fn renewed(&self) -> World {
        World {
            next_token: self.next_token,
            seen: self.seen,
            faults: self.faults.clone(),
            endpoint: self.endpoint.clone(),
            late_events: self.late_events,
            ..World::new(self.settings.clone())
        }
    }

    /// So many records may be lost of each log, and their ordinals are not given again.
    pub fn records_lost(&mut self, count: u64) {
        self.kinesis.records_lost(count);
        self.firehose.records_lost(count);
    }

    /// A turn of the world's own: time has passed, and data moves a step. No call waits for it.
    pub fn run(&mut self, turn: &mut Turn) {
        self.tick(turn);
        flow::run(self, turn);
    }

    /// Time has passed: what is due by now in the services happens, each thing at the time it was due.
    pub fn tick(&mut self, turn: &mut Turn) {
        let now = turn.now;
        // A service that stays due must not hold time still: every step is later than the one before.
        let mut at = if self.seen == 0 { now } else { self.seen };
        let mut sweep = Sweep::default();
        while let Some(due) = self.tick_due(&sweep).filter(|due| *due < now) {
            at = due.max(at + 1);
            if at >= now {
                break;
            }
            turn.now = at;
            self.tick_once(turn, &mut sweep);
        }
        turn.now = now;
        self.tick_once(turn, &mut sweep);
        self.seen = now;
    }

    fn tick_once(&mut self, turn: &mut Turn, sweep: &mut Sweep) {
        for service in SERVICES {
            (service.tick)(self, turn);
        }
        self.s3.tick(turn.now, sweep);
    }

    /// The result of an effect. Gives the reply of the call that waited for it, if one did.
    pub fn resolve(
        &mut self,
        turn: &mut Turn,
        token: Token,
        outcome: InvokeOutcome,
    ) -> Option<Result<Answer, AwsError>> {
        let reply = lambda::resolve(self, turn, token, outcome);
        self.tick(turn);
        reply
    }

    /// What came of a task.
    pub fn worked(&mut self, turn: &mut Turn, token: Token, done: Done) {
        flow::worked(self, turn, token, done);
    }

    /// When [`World::run`] next has something to do.
    pub fn due(&self) -> Option<Millis> {
        self.tick_due(&Sweep::default()).into_iter().chain(flow::due(self)).min()
    }

    /// A sweep that has done as much as a turn may is not due in it any more.
    fn tick_due(&self, sweep: &Sweep) -> Option<Millis> {
        let s3 = self.s3.due().filter(|_| !sweep.is_done());
        SERVICES.iter().filter_map(|service| (service.due)(self)).chain(s3).min()
    }

    /// What changed since the last time. Nothing where it is not kept: then nothing is serialised either.
    pub fn take_changes(&mut self, kept: bool) -> Changes {
        let mut out = Changes::new(kept);
        self.kinesis.take_changes(&mut out);
        self.firehose.take_changes(&mut out);
        self.lambda.take_changes(&mut out);
        self.iam.take_changes(&mut out);
        self.logs.take_changes(&mut out);
        self.s3.take_changes(&mut out);
        out
    }

    /// One row of the journal. Gives whether some service knew the table.
    pub fn restore(&mut self, table: &str, key: &str, value: &[u8]) -> Result<bool, serde_json::Error> {
        Ok(self.kinesis.restore(table, key, value)?
            || self.firehose.restore(table, key, value)?
            || self.lambda.restore(table, key, value)?
            || self.iam.restore(table, key, value)?
            || self.logs.restore(table, key, value)?
            || self.s3.restore(table, key, value)?)
    }

    /// What happened to a log, after all rows. Gives whether there is somebody whose log it is.
    pub fn restore_log(&mut self, change: LogChange) -> bool {
        match change.log().split_once('/') {
            Some(("kinesis", _)) => self.kinesis.restore_log(change),
            Some(("firehose", _)) => self.firehose.restore_log(change),
            _ => false,
        }
    }
}
