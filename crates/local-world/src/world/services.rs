//! The services: one row each.

use crate::effect::Turn;
use crate::model::protocol::{self, Protocol};
use crate::request::{Answer, AwsError, Request};
use crate::service::{firehose, iam, kinesis, lambda, logs, sts};
use crate::time::Millis;
use crate::world::World;

/// A call that was read and checked. What is left takes a turn of the world.
pub type Call<'a> = Box<dyn FnOnce(&mut World, &mut Turn) -> Result<Answer, AwsError> + Send + 'a>;

/// One emulated service.
pub struct Service {
    /// As in the credential scope of a signature.
    pub name: &'static str,
    /// The protocol of its requests and answers.
    pub protocol: Protocol,
    /// Parses and checks a request, beside the world: its lock is not held meanwhile.
    pub read: fn(&Request) -> Result<Call<'_>, AwsError>,
    pub(crate) tick: fn(&mut World, &mut Turn),
    /// When `tick` next has something to do.
    pub due: fn(&World) -> Option<Millis>,
}

/// Ticked in this order: what becomes active first, then what reads it.
pub const SERVICES: &[Service] = &[
    Service { name: "iam", protocol: protocol::IAM, read: read_iam, tick: idle, due: never },
    Service { name: "sts", protocol: protocol::STS, read: read_sts, tick: idle, due: never },
    Service { name: "logs", protocol: protocol::LOGS, read: read_logs, tick: idle, due: never },
    Service {
        name: "kinesis",
        protocol: protocol::KINESIS,
        read: read_kinesis,
        tick: |world, turn| world.kinesis.tick(turn.now),
        due: |world| world.kinesis.due(),
    },
    Service {
        name: "lambda",
        protocol: protocol::LAMBDA,
        read: read_lambda,
        tick: tick_lambda,
        due: |world| lambda::due(&world.lambda),
    },
    Service {
        name: "firehose",
        protocol: protocol::FIREHOSE,
        read: read_firehose,
        tick: |world, turn| world.firehose.pass(turn.now),
        due: |world| world.firehose.due(),
    },
];

/// The service of that name.
#[cfg(test)]
pub fn named(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

fn read_iam(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = iam::read(request)?;
    Ok(Box::new(move |world, turn| {
        let World { iam, settings, slow, .. } = world;
        let (now, since, delay) = (turn.now, turn.now + *slow, settings.delays.role);
        call(iam, iam::Around { account: &settings.account, now, since, delay })
    }))
}

fn read_sts(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = sts::read(request)?;
    Ok(Box::new(move |world, turn| call(world.access(turn.now).iam)))
}

fn read_logs(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = logs::read(request)?;
    Ok(Box::new(move |world, turn| {
        let [found_until, streams_until] =
            [world.late.events, world.late.streams].map(|late| turn.now.saturating_sub(late));
        let account = &world.settings.account;
        call(&mut world.logs, logs::Around { account, now: turn.now, found_until, streams_until })
    }))
}

fn read_kinesis(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = kinesis::read(request)?;
    Ok(Box::new(move |world, turn| {
        let World { kinesis, firehose, settings, tokens, .. } = world;
        let readers = |stream: &str| firehose::readers(firehose, stream);
        call(kinesis, kinesis::Around { settings, now: turn.now, tokens, readers: &readers })
    }))
}

fn read_lambda(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = lambda::read(request)?;
    Ok(Box::new(move |world, turn| {
        let access = world.access(turn.now);
        let shown = call.shows_tags_of(access.iam.account);
        let refused = shown.and_then(|function| access.refusal(request, "lambda:ListTags", &function));
        let (state, around) = world.functions(turn);
        call.run(state, around, refused)
    }))
}

fn read_firehose(request: &Request) -> Result<Call<'_>, AwsError> {
    let call = firehose::read(request)?;
    Ok(Box::new(move |world, turn| {
        let (state, access, settings) = world.firehose_and_access(turn.now);
        let allows = |role: &str, action: &str, resource: &str| access.allows(role, action, resource);
        let (kinesis, iam) = (access.kinesis, access.iam);
        call(state, firehose::Around { settings, now: turn.now, kinesis, iam, allows: &allows })
    }))
}

fn tick_lambda(world: &mut World, turn: &mut Turn) {
    let (state, mut around) = world.functions(turn);
    lambda::tick(state, &mut around);
}

fn idle(_: &mut World, _: &mut Turn) {}

fn never(_: &World) -> Option<Millis> {
    None
}
