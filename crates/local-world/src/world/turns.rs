//! The world's turns: a call, the result of an effect, or time that has passed.

use super::services::{Call, SERVICES};
use super::{World, delivery, functions};
use crate::effect::Turn;
use crate::flow::task::Done;
use crate::request::{Answer, AwsError, InvokeOutcome, Token};
use crate::service::lambda::{self, Invocation, Waiter};
use crate::service::s3::Sweep;
use crate::time::Millis;

impl World {
    /// One call, already read by a row of [`SERVICES`]. (S3 comes through an adapter of its own.)
    pub fn handle(&mut self, turn: &mut Turn, call: Call) -> Result<Answer, AwsError> {
        self.tick(turn);
        let delays = self.settings.delays;
        self.settings.delays = delays.longer(self.slow);
        let answer = call(self, turn);
        self.settings.delays = delays;
        answer
    }

    /// A turn of the world's own: time has passed, and data moves a step. No call waits for it.
    pub fn run(&mut self, turn: &mut Turn) {
        self.tick(turn);
        delivery::run(self, turn);
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

    /// The result of an invocation is logged. Gives the reply of the call that waited for it, if one did.
    pub fn resolve(
        &mut self,
        turn: &mut Turn,
        token: Token,
        outcome: InvokeOutcome,
    ) -> Option<Result<Answer, AwsError>> {
        let reply = self.lambda.ended(token).and_then(|invocation| self.ended(turn, token, &invocation, outcome));
        self.tick(turn);
        reply
    }

    fn ended(
        &mut self,
        turn: &mut Turn,
        token: Token,
        invocation: &Invocation,
        outcome: InvokeOutcome,
    ) -> Option<Result<Answer, AwsError>> {
        functions::write_log(self, invocation, &outcome.log, turn.now);
        self.recent.invoked(turn.now, invocation.function(), &outcome);
        match &invocation.waiter {
            Waiter::Caller { tail } => return Some(Ok(Answer::Reply(invocation.reply(outcome, *tail)))),
            Waiter::Event { id } => {
                let failed = outcome.function_error.is_some();
                lambda::tried(&mut self.lambda, &self.settings.account, turn.now, id, failed);
            }
            Waiter::Firehose => delivery::transformed(self, turn, token, Ok(outcome)),
        }
        None
    }

    /// Takes the result of a task.
    pub fn worked(&mut self, turn: &mut Turn, token: Token, done: Done) {
        delivery::worked(self, turn, token, done);
    }

    /// When [`World::run`] next has something to do.
    pub fn due(&self) -> Option<Millis> {
        self.tick_due(&Sweep::default()).into_iter().chain(delivery::due(self)).min()
    }

    /// A sweep that has done as much as a turn may is not due in it any more.
    fn tick_due(&self, sweep: &Sweep) -> Option<Millis> {
        let s3 = self.s3.due().filter(|_| !sweep.is_done());
        SERVICES.iter().filter_map(|service| (service.due)(self)).chain(s3).min()
    }
}
