//! Batches go to the function and come back.

use bytes::Bytes;

use super::answer::{Answer, Verdict, judge};
use super::config::Config;
use super::event;
use super::failure::{Failure, line};
use super::ident;
use super::item::{Item, Origin, Output};
use super::object::Slot;
use super::processors::Lambda;
use super::pump::{Batch, Pump};
use crate::request::{InvokeOutcome, Token};
use crate::service::iam;
use crate::service::lambda::{self, CannotInvoke};
use crate::settings::Millis;
use crate::world::{Turn, World};

/// Between an invocation that failed and the next, in milliseconds. AWS does not say how long it waits.
const RETRY_MS: Millis = 1_000;

/// Sends what may be sent now.
pub fn start(world: &mut World, turn: &mut Turn, key: &str, pump: &mut Pump) {
    while let Some(mut batch) = pump.next_batch(turn.now) {
        let Some(lambda) = pump.job.config.lambda.clone() else {
            batch.items.into_iter().for_each(|item| pump.take_in(item, turn.now));
            continue;
        };
        batch.attempts += 1;
        match invoke(world, turn, pump, &lambda, &batch) {
            Ok(token) => {
                pump.running.insert(token, batch);
            }
            Err(reason) => unanswered(world, turn.now, key, pump, batch, failure_of(&reason)),
        }
    }
}

fn invoke(
    world: &mut World,
    turn: &mut Turn,
    pump: &Pump,
    lambda: &Lambda,
    batch: &Batch,
) -> Result<Token, CannotInvoke> {
    let denied = |code| CannotInvoke {
        code,
        message: "Access was denied. Ensure that the access policy allows access to the Lambda function.".into(),
    };
    if iam::assumable(world, &lambda.role_arn, super::PRINCIPAL, turn.now).is_err() {
        return Err(denied("AssumeRoleAccessDenied"));
    }
    if !iam::allows(world, &lambda.role_arn, "lambda:InvokeFunction", &lambda.arn, turn.now) {
        return Err(denied("InvokeAccessDenied"));
    }
    let token = world.token().to_string();
    let first = batch.items.first().map(Item::id).unwrap_or_default();
    let invocation = ident::uuid(&[&pump.job.arn, &first, &turn.now.to_string(), &token]);
    let payload = event::payload(&pump.job, &invocation, &batch.items);
    if payload.len() > event::REQUEST_LIMIT {
        let limit = event::REQUEST_LIMIT;
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        return Err(CannotInvoke { code: "InvocationFailure", message });
    }
    lambda::invoke(world, turn, &lambda.arn, payload)
}

fn failure_of(reason: &CannotInvoke) -> Failure {
    Failure::new(&format!("Lambda.{}", reason.code), reason.message.as_str())
}

/// An invocation has ended.
pub fn finish(
    world: &mut World,
    now: Millis,
    key: &str,
    pump: &mut Pump,
    batch: Batch,
    outcome: Result<InvokeOutcome, CannotInvoke>,
) {
    let ids: Vec<String> = batch.items.iter().map(Item::id).collect();
    match outcome.map(|outcome| judge(&ids, &outcome)) {
        Ok(Answer::Verdicts(verdicts)) => settle(world, now, key, pump, batch, verdicts),
        Ok(Answer::Wrong(failure)) => fail(world, now, key, pump, batch, failure),
        Ok(Answer::Unanswered(failure)) => unanswered(world, now, key, pump, batch, failure),
        Err(reason) => unanswered(world, now, key, pump, batch, failure_of(&reason)),
    }
}

/// Asks again, or gives up.
fn unanswered(world: &mut World, now: Millis, key: &str, pump: &mut Pump, mut batch: Batch, failure: Failure) {
    let retries = pump.job.config.lambda.as_ref().map_or(0, |lambda| lambda.retries);
    if batch.attempts > retries {
        return fail(world, now, key, pump, batch, failure);
    }
    batch.not_before = now + RETRY_MS;
    pump.waiting.push_back(batch);
}

fn fail(world: &mut World, now: Millis, key: &str, pump: &mut Pump, batch: Batch, failure: Failure) {
    super::report::failure(world, now, pump, &failure);
    let verdicts = vec![Verdict::Failed(failure); batch.items.len()];
    settle(world, now, key, pump, batch, verdicts);
}

/// Each record goes where its verdict says.
fn settle(world: &mut World, now: Millis, key: &str, pump: &mut Pump, batch: Batch, verdicts: Vec<Verdict>) {
    let mut dropped: Vec<Origin> = vec![];
    let lambda_arn = pump.job.config.lambda.as_ref().map_or_else(String::new, |lambda| lambda.arn.clone());
    for (item, verdict) in batch.items.iter().zip(verdicts) {
        let (slot, data) = match placed(&pump.job.config, verdict) {
            Placed::Nowhere => {
                dropped.push(item.origin);
                continue;
            }
            Placed::Good(slot, data) => (slot, data),
            Placed::Failed(failure) => (Slot::Failed, line(item, &failure, batch.attempts, &lambda_arn, now)),
        };
        pump.put_out(slot, Output { origin: item.origin, arrival: item.record.arrival, data }, now);
    }
    world.firehose.finish(key, dropped);
}

enum Placed {
    Nowhere,
    Good(Slot, Bytes),
    Failed(Failure),
}

fn placed(config: &Config, verdict: Verdict) -> Placed {
    match verdict {
        Verdict::Dropped => Placed::Nowhere,
        Verdict::Failed(failure) => Placed::Failed(failure),
        Verdict::Ok { data, .. } if !config.partitioned => Placed::Good(Slot::Good(Default::default()), data),
        Verdict::Ok { data, partition_keys } => {
            let present = |key: &str| partition_keys.get(key).is_some_and(|value| !value.is_empty());
            let missing = config.store.prefix.partition_keys().find(|key| !present(key));
            match missing {
                None => Placed::Good(Slot::Good(partition_keys), data),
                Some(key) => Placed::Failed(Failure::new(
                    "DynamicPartitioning.MetadataExtractionFailed",
                    format!("partitionKeys values not found or empty for key {key}"),
                )),
            }
        }
    }
}
