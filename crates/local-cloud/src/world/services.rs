//! The services: one row each. Adding one is a file and a row.

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
    pub protocol: Protocol,
    /// Parses and checks a request, beside the world: its lock is not held meanwhile.
    pub read: fn(&Request) -> Result<Call<'_>, AwsError>,
    pub tick: fn(&mut World, &mut Turn),
    /// When `tick` next has something to do.
    pub due: fn(&World) -> Option<Millis>,
}

/// Ticked in this order: what becomes active first, then what reads it.
pub const SERVICES: &[Service] = &[
    Service { name: "iam", protocol: protocol::IAM, read: iam::read, tick: idle, due: never },
    Service { name: "sts", protocol: protocol::STS, read: sts::read, tick: idle, due: never },
    Service { name: "logs", protocol: protocol::LOGS, read: logs::read, tick: idle, due: never },
    Service {
        name: "kinesis",
        protocol: protocol::KINESIS,
        read: kinesis::read,
        tick: kinesis::tick,
        due: kinesis::due,
    },
    Service { name: "lambda", protocol: protocol::LAMBDA, read: lambda::read, tick: lambda::tick, due: lambda::due },
    Service {
        name: "firehose",
        protocol: protocol::FIREHOSE,
        read: firehose::read,
        tick: firehose::tick,
        due: firehose::due,
    },
];

fn idle(_: &mut World, _: &mut Turn) {}

fn never(_: &World) -> Option<Millis> {
    None
}
