//! From what was written to a checked [`Stack`].

use std::path::Path;

use super::grammar::{Iam, Spec, Target};
use super::rules;
use super::stack::Stack;
use crate::section::{Lower, References, check_rules, environment, written_tags};
use crate::yaml::diagnostic::{Mistake, Span};

/// `None` when something indispensable is missing; that was reported.
pub(super) fn lower(file: &Path, spec: &Spec, env: Option<&str>, mistakes: &mut Vec<Mistake>) -> Option<Stack> {
    let environments = spec.environments.clone().unwrap_or_default().value;
    check_rules(&environments, mistakes);
    let environment = env.map(|env| environment(env, &environments, mistakes));
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut lower = Lower {
        folder: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
        environment,
        tag_prefix: spec.tag_prefix().0,
        tags: written_tags(spec.tags.as_ref()),
        references: References::default(),
        mistakes,
    };
    lower.check_tags(spec.tags.as_ref().map_or(Span::default(), |tags| tags.at));
    lower.need(spec, "version", spec.version.is_some(), Span::default(), "1");
    lower.need(spec, "stack", spec.stack.is_some(), Span::default(), "the stack's name");
    rules::check(spec, &mut lower);
    let mut stack = Stack {
        file: file.to_owned(),
        name: spec.stack.clone().map(|stack| stack.value.0).unwrap_or_default(),
        env: env.map(str::to_owned),
        target: target(spec),
        tags: lower.tags.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect(),
        tag_prefix: lower.tag_prefix.clone(),
        iam: iam(spec),
        ..Stack::default()
    };
    stack.read_sections(spec, &mut lower);
    rules::gather_prefixes(&mut stack);
    spec.stack.is_some().then_some(stack)
}

fn target(spec: &Spec) -> Target {
    let written = spec.target.clone().map(|target| target.value).unwrap_or_default();
    Target {
        region: written.region.map(|region| region.value.0),
        account: written.account.map(|account| account.value.0),
    }
}

fn iam(spec: &Spec) -> Iam {
    let written = spec.iam.clone().map(|iam| iam.value).unwrap_or_default();
    Iam { path: written.path().0, boundary: written.boundary.map(|arn| arn.value.0) }
}
