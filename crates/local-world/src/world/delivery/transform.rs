//! Batches go to the function and come back.

use std::sync::Arc;

use aws_facts::lambda::MAX_EVENT_BYTES;
use bytes::Bytes;

use super::report;
use crate::effect::Turn;
use crate::faults::{FIREHOSE_INVOKES, Refusal};
use crate::flow::failure::{ErrorType, Failure, line};
use crate::flow::item::{Item, Output};
use crate::flow::pieces::Pieces;
use crate::flow::pipeline::{Batch, Pipeline, UnderWay};
use crate::flow::processors::Lambda;
use crate::flow::settle::{self, Settled};
use crate::flow::slot::Slot;
use crate::flow::task::Work;
use crate::flow::{PRINCIPAL, ident};
use crate::request::{InvokeOutcome, Token};
use crate::service::lambda::{self, CannotInvoke};
use crate::time::Millis;
use crate::world::World;

/// Between an invocation that failed and the next, in milliseconds. AWS does not say how long it waits.
const RETRY_MS: Millis = 1_000;
/// Partitions that are written to at the same time.
const MOST_PARTITIONS: usize = 500;

/// Sends what may be sent now: first its event is written.
pub fn start(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline) {
    while let Some(mut batch) = pipeline.next_batch(turn.now) {
        if pipeline.job.config.lambda.is_none() {
            place(world, turn, pipeline, Arc::clone(&batch.items));
            continue;
        }
        batch.attempts += 1;
        let first = batch.items.iter().next().map(Item::id).unwrap_or_default();
        let token = world.token();
        let invocation = ident::uuid(&[&pipeline.job.arn, &first, &turn.now.to_string(), &token.to_string()]);
        let work = Work::Write { invocation, items: Arc::clone(&batch.items) };
        super::ask(turn, pipeline, token, work, UnderWay::Writing(batch));
    }
}

/// Records that no function transforms find their objects.
pub fn place(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline, items: Arc<Pieces<Item>>) {
    let token = world.token();
    super::ask(turn, pipeline, token, Work::Place(items), UnderWay::Placing);
}

/// A batch's event is written: now the function is invoked.
pub fn invoke(world: &mut World, turn: &mut Turn, pipeline: &mut Pipeline, batch: Batch, event: Bytes) {
    let Some(lambda) = &pipeline.job.config.lambda else {
        return pipeline.waiting.push_front(batch);
    };
    let may = match world.faults.decide(FIREHOSE_INVOKES).refusal {
        Some(refusal) => Err(refused(refusal)),
        None => may_invoke(world, lambda, &event, turn.now),
    };
    match may.and_then(|()| invoked(world, turn, &lambda.arn, event)) {
        Ok(token) => {
            pipeline.under_way.insert(token, UnderWay::Invoked(batch));
        }
        Err(reason) => {
            world.recent.refused(&lambda.function(), reason.code);
            unanswered(world, turn.now, pipeline, batch, failure_of(&reason));
        }
    }
}

fn invoked(world: &mut World, turn: &mut Turn, arn: &str, event: Bytes) -> Result<Token, CannotInvoke> {
    let (state, mut around) = world.functions(turn);
    lambda::invoke(state, &mut around, arn, event)
}

fn may_invoke(world: &World, lambda: &Lambda, event: &Bytes, now: Millis) -> Result<(), CannotInvoke> {
    let denied = |code| CannotInvoke {
        code,
        message: "Access was denied. Ensure that the access policy allows access to the Lambda function.".into(),
    };
    let access = world.access(now);
    if !access.assumable(&lambda.role_arn, PRINCIPAL) {
        return Err(denied("AssumeRoleAccessDenied"));
    }
    if !access.allows(&lambda.role_arn, "lambda:InvokeFunction", &lambda.arn) {
        return Err(denied("InvokeAccessDenied"));
    }
    if event.len() > MAX_EVENT_BYTES {
        let limit = MAX_EVENT_BYTES;
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        return Err(CannotInvoke { code: "InvocationFailure", message });
    }
    Ok(())
}

/// Changes the outcome of an invocation as a fault rule says.
fn refused(refusal: Refusal) -> CannotInvoke {
    let code = match refusal {
        Refusal::Denied => "AccessDenied",
        Refusal::Throttled => "InvokeLimitExceeded",
        Refusal::Failed { status: 503 } => "ServiceUnavailable",
        Refusal::Failed { .. } => "InternalServerError",
    };
    CannotInvoke { code, message: refusal.error("lambda:Invoke").message }
}

fn failure_of(reason: &CannotInvoke) -> Failure {
    Failure::new(&format!("Lambda.{}", reason.code), reason.message.as_str())
}

/// An invocation has ended: its answer is to be judged.
pub fn finish(
    world: &mut World,
    turn: &mut Turn,
    pipeline: &mut Pipeline,
    batch: Batch,
    token: Token,
    outcome: Result<InvokeOutcome, CannotInvoke>,
) {
    match outcome {
        Ok(outcome) => {
            let work = Work::Judge { items: Arc::clone(&batch.items), attempts: batch.attempts, outcome };
            super::ask(turn, pipeline, token, work, UnderWay::Judging(batch));
        }
        Err(reason) => unanswered(world, turn.now, pipeline, batch, failure_of(&reason)),
    }
}

/// Asks again, or gives up.
pub fn unanswered(world: &mut World, now: Millis, pipeline: &mut Pipeline, mut batch: Batch, failure: Failure) {
    let retries = pipeline.job.config.lambda.as_ref().map_or(0, |lambda| lambda.retries);
    if batch.attempts > retries {
        let settled = settle::failed(&pipeline.job, &batch.items, &failure, batch.attempts, now);
        return settle(world, now, pipeline, settled);
    }
    batch.not_before = now + RETRY_MS;
    pipeline.waiting.push_back(batch);
}

/// Each record goes where it belongs.
pub fn settle(world: &mut World, now: Millis, pipeline: &mut Pipeline, settled: Settled) {
    for failure in &settled.failures {
        report::failure(world, now, pipeline, failure);
    }
    for (slot, outputs) in settled.outputs {
        if let Some(error) = slot.error() {
            let parts = outputs.0.iter().map(|part| part.items.iter());
            parts.for_each(|outputs| world.recent.failed(now, &pipeline.job.lane, error, outputs));
        }
        match &slot {
            Slot::Good(keys) if pipeline.exceeds(keys, MOST_PARTITIONS) => {
                let outputs = outputs.0.into_iter().flat_map(|part| part.items);
                outputs.for_each(|output| one_partition_too_many(world, pipeline, output, now));
            }
            _ => pipeline.put_out_all(&slot, outputs, now),
        }
    }
    world.recent.dropped(&pipeline.job.lane, &settled.dropped);
    world.firehose.finish(&pipeline.job, &settled.dropped);
}

fn one_partition_too_many(world: &mut World, pipeline: &mut Pipeline, output: Output, now: Millis) {
    // AWS documents only the folder of this failure. Code and message are ours.
    let message = format!("The delivery stream has more than {MOST_PARTITIONS} active partitions.");
    let failure = Failure::new("DynamicPartitioning.ActivePartitionsLimitExceeded", message);
    let data = line(&output, &failure, 1, None, now);
    let (kind, output) = (ErrorType::ActivePartitions, Output { data, ..output });
    world.recent.failed(now, &pipeline.job.lane, kind.name(), std::iter::once(&output));
    pipeline.put_out(&Slot::Failed(kind), output, now);
}
