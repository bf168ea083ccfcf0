//! The services: one row each. Adding one is a file and a row.

use crate::request::{Answer, AwsError, Request};
use crate::settings::Millis;
use crate::world::{Turn, World};

pub mod allowance;
pub mod arn;
pub mod firehose;
pub mod iam;
pub mod json;
pub mod kinesis;
pub mod lambda;
pub mod logs;
pub mod query;
pub mod s3;
pub mod sts;

/// How a service speaks, which decides how its errors are dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `X-Amz-Target: <prefix>.<Operation>`, JSON 1.1 both ways.
    Json { target: &'static str },
    /// Form body with `Action`, XML answer in this namespace.
    Query { version: &'static str, namespace: &'static str },
    /// Method and path; JSON bodies.
    RestJson,
}

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
    Service {
        name: "iam",
        protocol: Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
        read: iam::read,
        tick: idle,
        due: never,
    },
    Service {
        name: "sts",
        protocol: Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
        read: sts::read,
        tick: idle,
        due: never,
    },
    Service {
        name: "logs",
        protocol: Protocol::Json { target: "Logs_20140328" },
        read: logs::read,
        tick: idle,
        due: never,
    },
    Service {
        name: "kinesis",
        protocol: Protocol::Json { target: "Kinesis_20131202" },
        read: kinesis::read,
        tick: kinesis::tick,
        due: kinesis::due,
    },
    Service { name: "lambda", protocol: Protocol::RestJson, read: lambda::read, tick: lambda::tick, due: lambda::due },
    Service {
        name: "firehose",
        protocol: Protocol::Json { target: "Firehose_20150804" },
        read: firehose::read,
        tick: firehose::tick,
        due: firehose::due,
    },
];

fn idle(_: &mut World, _: &mut Turn) {}

fn never(_: &World) -> Option<Millis> {
    None
}
