//! From what was written to a checked [`Stack`].

use std::collections::BTreeMap;
use std::path::Path;

use super::grammar::{Iam, Spec, Target};
use super::stack::Stack;
use super::{Place, rules};
use crate::section::{Lower, References, check_rules, environment, written_tags};
use crate::yaml::diagnostic::{Mistake, Span};

/// `None` when something indispensable is missing; that was reported.
/// Says too whether names are made of the place.
pub(super) fn lower(
    file: &Path,
    spec: &Spec,
    env: Option<&str>,
    place: &Place,
    mistakes: &mut Vec<Mistake>,
) -> Option<(Stack, bool)> {
    let environments = spec.environments.clone().unwrap_or_default().value;
    check_rules(&environments, mistakes);
    let environment = env.map(|env| environment(env, &environments, mistakes));
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut lower = Lower {
        folder: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
        environment,
        tag_prefix: spec.tag_prefix().0,
        tags: written_tags(spec.tags.as_ref()),
        stack: spec.stack.clone().map(|stack| stack.value.0).unwrap_or_default(),
        place: (place.account.clone(), place.region.clone()),
        names_by_place: false,
        references: References::default(),
        shared: BTreeMap::new(),
        mistakes,
    };
    lower.check_tags(spec.tags.as_ref().map_or(Span::default(), |tags| tags.at));
    lower.need(spec, "version", spec.version.is_some(), Span::default(), "1");
    lower.need(spec, "stack", spec.stack.is_some(), Span::default(), "the stack's name");
    rules::check(spec, &mut lower);
    let mut stack = Stack {
        file: file.to_owned(),
        name: lower.stack.clone(),
        env: env.map(str::to_owned),
        target: target(spec),
        tags: lower.tags.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect(),
        tag_prefix: lower.tag_prefix.clone(),
        iam: iam(spec),
        ..Stack::default()
    };
    stack.read_sections(spec, &mut lower);
    rules::gather_prefixes(&mut stack);
    rules::gather_access_logs(&mut stack);
    let names_by_place = lower.names_by_place;
    spec.stack.is_some().then_some((stack, names_by_place))
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
