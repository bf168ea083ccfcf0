//! All state there is. Calls, results and time go in; answers and effects come out. No IO, no clock, no async.

use crate::changes::{Changes, LogChange};
use crate::effect::Tokens;
use crate::faults::Faults;
use crate::recent::Recent;
use crate::request::Token;
use crate::service::{firehose, iam, kinesis, lambda, logs, s3};
use crate::settings::Settings;
use crate::time::Millis;

pub mod access;
pub mod delivery;
pub mod dump;
mod functions;
pub mod services;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
pub mod watch;

/// The whole of one account, in every region.
pub struct World {
    /// The settings that it was started with, and what was changed since.
    pub settings: Settings,
    /// Kinesis.
    pub kinesis: kinesis::State,
    pub(crate) firehose: firehose::State,
    /// Lambda.
    pub lambda: lambda::State,
    pub(crate) iam: iam::State,
    pub(crate) logs: logs::State,
    /// S3.
    pub s3: s3::State,
    /// Faults of the calls that services make of each other.
    pub faults: Faults,
    /// Changes of the present call settle that much later than they would.
    pub slow: Millis,
    /// How late log events and log streams are found, and streams are read.
    pub late: Late,
    /// The latest events, for a person who watches.
    pub recent: Recent,
    /// Where the engine is reached, once it serves a port.
    pub endpoint: Option<String>,
    tokens: Tokens,
    seen: Millis,
}

/// Delays of things that AWS does late, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Late {
    /// Log events are found that much later than they were written.
    pub events: Millis,
    /// Log streams are found that much later than they were created.
    pub streams: Millis,
    /// A delivery stream reads its stream that much later than it is ACTIVE, and begins at the newest record.
    pub reading: Millis,
}

impl World {
    /// An empty account.
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
            late: Late::default(),
            recent: Recent::default(),
            endpoint: None,
            tokens: Tokens::default(),
            seen: 0,
        }
    }

    /// A name for an effect, never used before in this run.
    pub fn token(&mut self) -> Token {
        self.tokens.fresh()
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
            tokens: self.tokens.clone(),
            seen: self.seen,
            faults: self.faults.clone(),
            endpoint: self.endpoint.clone(),
            late: self.late,
            ..World::new(self.settings.clone())
        }
    }

    /// So many records may be lost of each log, and their ordinals are not given again.
    pub fn records_lost(&mut self, count: u64) {
        self.kinesis.records_lost(count);
        self.firehose.records_lost(count);
    }

    /// The changes since the last time. If they are not kept, there are none, and nothing is serialised.
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

    /// Applies a change of a log from the journal, after all rows. Gives whether the log belongs to a stream or delivery stream
    /// that exists.
    pub fn restore_log(&mut self, change: LogChange) -> bool {
        match change.log().split_once('/') {
            Some(("kinesis", _)) => self.kinesis.restore_log(change),
            Some(("firehose", _)) => self.firehose.restore_log(change),
            _ => false,
        }
    }
}
