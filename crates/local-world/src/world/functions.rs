//! Lambda among the others: what it needs of them, and the logs of its functions.

use super::World;
use crate::arn;
use crate::effect::Turn;
use crate::service::iam;
use crate::service::lambda::{self, Invocation};
use crate::service::logs::Written;
use crate::time::Millis;

impl World {
    /// Lambda's state, and what it needs besides.
    pub fn functions<'a>(&'a mut self, turn: &'a mut Turn) -> (&'a mut lambda::State, lambda::Around<'a>) {
        let World { lambda, iam, s3, settings, tokens, endpoint, .. } = self;
        let (iam, delay) = (iam::View::of(iam, settings, turn.now), settings.delays.function);
        (lambda, lambda::Around { turn, tokens, iam, s3, delay, endpoint: endpoint.as_deref() })
    }
}

/// Writes the lines as the function's role allows: without the right to make a group, none is made.
pub fn write_log(world: &mut World, invocation: &Invocation, lines: &[String], now: Millis) {
    let Invocation { region, role, log_group, log_stream, .. } = invocation;
    let group = arn::regional("logs", region, &world.settings.account, &format!("log-group:{log_group}"));
    let stream = format!("{group}:log-stream:{log_stream}");
    let allowed = |world: &World, action: &str, resource: &str| world.access(now).allows(role, action, resource);
    if allowed(world, "logs:CreateLogGroup", &group) || allowed(world, "logs:CreateLogGroup", &format!("{group}:*")) {
        world.logs.create_group(&world.settings.account, region, log_group, now);
    }
    if allowed(world, "logs:PutLogEvents", &stream) {
        let create_stream = allowed(world, "logs:CreateLogStream", &stream);
        let written = Written { region, group: log_group, stream: log_stream, lines };
        world.logs.append(&world.settings.account, now, written, create_stream);
    }
}
