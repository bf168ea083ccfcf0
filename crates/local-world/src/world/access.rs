//! Decides who may do what, by the roles and policies of IAM together with the policies that resources have.

use crate::service::iam::decision::{Opinions, Question};
use crate::service::iam::{self, Policies, facts};
use crate::service::{firehose, kinesis, lambda, s3};
use crate::settings::Settings;
use crate::time::Millis;
use crate::world::World;

mod about;
mod authorize;
mod dependent;
mod resource;
mod said;

pub use said::{Call, Said};

/// The states that permissions follow from, at a time.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    pub(crate) iam: iam::View<'a>,
    pub(crate) s3: &'a s3::State,
    pub(crate) kinesis: &'a kinesis::State,
    pub(crate) lambda: &'a lambda::State,
    /// Are callers asked for permission at all?
    pub enforced: bool,
}

impl World {
    /// Reads permissions at a time of the world.
    pub fn access(&self, now: Millis) -> Access<'_> {
        let World { settings, iam, s3, kinesis, lambda, .. } = self;
        let iam = iam::View::of(iam, settings, now);
        Access { iam, s3, kinesis, lambda, enforced: settings.enforce_iam }
    }

    /// Firehose's state, and beside it what it may ask.
    pub(super) fn firehose_and_access(&mut self, now: Millis) -> (&mut firehose::State, Access<'_>, &Settings) {
        let World { settings, iam, s3, kinesis, lambda, firehose, .. } = self;
        let iam = iam::View::of(iam, settings, now);
        (firehose, Access { iam, s3, kinesis, lambda, enforced: settings.enforce_iam }, settings)
    }
}

impl Access<'_> {
    /// May `service` (for example `firehose.amazonaws.com`) assume the role?
    pub fn assumable(&self, role_arn: &str, service: &str) -> bool {
        self.iam.assumable(role_arn, service).is_ok()
    }

    /// Do the role's policies, or the resource's, allow a service that acts as the role `action` (for example
    /// `kinesis:GetRecords`) on `resource` (an ARN)?
    pub fn allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        let Some(role) = self.iam.find(role_arn) else { return false };
        let context = facts::of_service(self.iam.account, role, self.iam.now);
        self.opinions(role, None, &Question { action, resource, context: &context }).decide().is_ok()
    }

    fn opinions(&self, role: &iam::Role, session: Option<(&str, &Policies)>, question: &Question) -> Opinions {
        let of_resource = resource::policy(*self, question.resource);
        self.iam.opinions(role, session, question, of_resource.as_ref())
    }
}
