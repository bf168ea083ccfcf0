//! From what was written to a checked [`Stack`]: names become physical, references are resolved, defaults are filled in,
//! and what AWS would refuse is refused. Pure: goes on after a mistake, to find the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::collection::Map;
use super::diagnostic::{Mistake, Span};
use super::entry::{Entry as Written, Identity, Kind};
use super::environment::{Environment, check_rules, environment};
use super::grammar::{Bucket, Defaults, Log, Role, Spec};
use super::index::Index;
use super::shape::{At, Record, Scalar};
use super::stack::{Entry, Iam, Managed, Stack, Target};
use super::tags;
use super::words::{BucketName, Key};
use crate::resource::function::LogRef;
use crate::resource::role::RoleRef;

mod bucket;
mod delivery;
mod function;
mod processors;
mod stream;

/// What lowering needs besides the spec, and the mistakes it finds.
pub(super) struct Lower<'m> {
    /// Absolute: what paths are relative to.
    pub folder: PathBuf,
    pub environment: Option<Environment>,
    pub tag_prefix: String,
    pub tags: BTreeMap<String, At<String>>,
    pub mistakes: &'m mut Vec<Mistake>,
}

/// `None` when something indispensable is missing; that was reported.
pub(super) fn lower(file: &Path, spec: &Spec, env: Option<&str>, mistakes: &mut Vec<Mistake>) -> Option<Stack> {
    let rules = spec.environments.clone().unwrap_or_default().value;
    check_rules(&rules, mistakes);
    let environment = env.map(|env| environment(env, &rules, mistakes));
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut lower = Lower {
        folder: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
        environment,
        tag_prefix: spec.tag_prefix().0,
        tags: tags::written(spec.tags.as_ref()),
        mistakes,
    };
    let top = Span::default();
    let tags_at = spec.tags.as_ref().map_or(top, |tags| tags.at);
    tags::check(&lower.tags, &lower.tag_prefix, tags_at, lower.mistakes);
    lower.need(spec, "version", spec.version.is_some(), top, "1");
    lower.need(spec, "stack", spec.stack.is_some(), top, "the stack's name");

    let defaults = spec.defaults.clone().map(|defaults| defaults.value).unwrap_or_default();
    lower.surprises(spec, defaults.deliveries.as_ref());
    let Defaults { streams, buckets, functions, deliveries, .. } = &defaults;
    let streams = lower.section(spec.streams.as_ref(), streams.as_ref(), |lower, key, _, body| lower.stream(key, body));
    let buckets = lower.section(spec.buckets.as_ref(), buckets.as_ref(), |lower, key, _, body| lower.bucket(key, body));
    let functions = lower.section(spec.functions.as_ref(), functions.as_ref(), Lower::function);
    let index = Index::new(spec, &streams, &buckets, &functions);
    let deliveries = lower.section(spec.deliveries.as_ref(), deliveries.as_ref(), |lower, key, name, body| {
        lower.delivery(key, name, body, &index)
    });

    let mut stack = Stack {
        file: file.to_owned(),
        name: spec.stack.as_ref().map(|stack| stack.value.0.clone())?,
        env: env.map(str::to_owned),
        target: target(spec),
        tags: tags::values(&lower.tags),
        tag_prefix: lower.tag_prefix,
        iam: iam(spec),
        streams,
        buckets,
        functions,
        deliveries,
    };
    bucket::gather_prefixes(&mut stack);
    Some(stack)
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

impl Lower<'_> {
    pub(super) fn error(&mut self, at: Span, what: impl Into<String>, expected: impl Into<String>) {
        self.mistakes.push(Mistake::error(at, what).expected(expected));
    }

    pub(super) fn warn(&mut self, at: Span, what: impl Into<String>, why: impl Into<String>) {
        self.mistakes.push(Mistake::warning(at, what).expected(why));
    }

    /// Reports a key that must be there and is not, unless it was reported already.
    pub(super) fn need(&mut self, record: &impl Record, key: &str, is_there: bool, at: Span, expected: &str) {
        if !is_there && !record.is_wrong(key) {
            self.error(at, format!("`{key}` is missing"), format!("needs `{key}`: {expected}"));
        }
    }

    /// All entries of a section. `lower` is given the key and the name on AWS.
    fn section<T: Kind, D>(
        &mut self,
        section: Option<&At<Map<Written<T>>>>,
        defaults: Option<&At<T>>,
        lower: impl Fn(&mut Self, &At<String>, &str, T) -> Option<D>,
    ) -> BTreeMap<String, Entry<D>> {
        let mut lowered = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for (key, entry) in section.iter().flat_map(|section| &section.value.pairs) {
            if let Err(what) = Key::parse(&key.value) {
                self.error(key.at, what, Key::expected());
            }
            let Some((entry, name_at)) = self.entry(key, &entry.value, defaults, &lower) else { continue };
            if let Some(other) = names.insert(entry.physical().to_owned(), key.value.clone()) {
                let what = format!("`{}` is also the name of `{other}`", entry.physical());
                self.error(name_at, what, "one entry for one resource");
            }
            lowered.insert(key.value.clone(), entry);
        }
        lowered
    }

    fn entry<T: Kind, D>(
        &mut self,
        key: &At<String>,
        written: &Written<T>,
        defaults: Option<&At<T>>,
        lower: &impl Fn(&mut Self, &At<String>, &str, T) -> Option<D>,
    ) -> Option<(Entry<D>, Span)> {
        let (name, existing) = (written.id.name(), written.id.existing());
        if let Some(existing) = existing {
            self.refuse_managed(written, name.as_ref());
            return Some((Entry::Existing(existing.value), existing.at));
        }
        if written.id.is_wrong("existing") {
            return None;
        }
        if name.is_none() && !written.id.is_wrong("name") {
            let what = format!("`{}` has neither `name` nor `existing`", key.value);
            self.error(key.at, what, format!("which one on AWS? {} has a name", T::NOUN));
        }
        let tags = self.entry_tags(key, written);
        let body = match defaults {
            Some(defaults) => written.body.clone().or(&defaults.value),
            None => written.body.clone(),
        };
        let physical = name.as_ref().map(|name| self.physical::<T>(name));
        let desired = lower(self, key, physical.as_deref().unwrap_or_default(), body);
        let managed = Managed {
            physical: physical?,
            tags,
            protect: written.common.protect(),
            moved_from: written.common.moved.as_ref().and_then(|moved| self.moved(key, moved.at, &moved.value)),
            desired: desired?,
        };
        Some((Entry::Managed(managed), name?.at))
    }

    fn moved(&mut self, key: &At<String>, at: Span, moved: &super::grammar::Moved) -> Option<String> {
        self.need(moved, "from", moved.from.is_some(), at, "the key it had");
        let from = moved.from.as_ref()?;
        if from.value.0 == key.value {
            self.error(from.at, "it has this key still", "the key it had before");
        }
        Some(from.value.0.clone())
    }

    /// What is only referred to has nothing that could be set.
    fn refuse_managed<T: Kind>(&mut self, written: &Written<T>, name: Option<&At<String>>) {
        if let Some(name) = name {
            self.error(name.at, "both `name` and `existing`", "`name` for ours, `existing` for somebody else's");
        }
        for key in &written.managed_only {
            let what = format!("`{}` cannot be set on what is only referred to", key.value);
            self.error(key.at, what, "not beside `existing`");
        }
    }

    fn entry_tags<T: Kind>(&mut self, key: &At<String>, written: &Written<T>) -> crate::names::Tags {
        let own = tags::written(written.common.tags.as_ref());
        tags::check(&own, &self.tag_prefix, key.at, self.mistakes);
        let mut all = self.tags.clone();
        all.extend(own);
        tags::check_count(&all, key.at, self.mistakes);
        tags::values(&all)
    }

    /// The name on AWS. Only a bucket is named alike in all environments.
    fn physical<T: Kind>(&mut self, name: &At<String>) -> String {
        let physical = match &self.environment {
            Some(environment) if T::NAMED_BY_ENVIRONMENT => environment.name(name, T::NAME_MAX, self.mistakes),
            _ => name.value.clone(),
        };
        if physical.chars().count() > T::NAME_MAX {
            let what = format!("a name of {} characters is too long", physical.chars().count());
            self.error(name.at, what, format!("at most {} characters", T::NAME_MAX));
        } else if T::NOUN == Bucket::NOUN
            && let Err(why) = bucket::check_name(&physical)
        {
            self.error(name.at, format!("S3 takes no bucket named `{physical}`"), why);
        }
        physical
    }

    /// The role that was written, or `derived`.
    pub(super) fn role(&mut self, role: Option<&At<Role>>, derived: RoleRef) -> RoleRef {
        let Some(role) = role else { return derived };
        self.need(&role.value, "existing", role.value.existing.is_some(), role.at, "the role's name or ARN");
        match &role.value.existing {
            Some(existing) => RoleRef::Existing(existing.value.0.clone()),
            None => derived,
        }
    }

    pub(super) fn log(&mut self, log: &At<Log>) -> LogRef {
        /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
        const RETENTIONS: [u32; 22] =
            [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
        if let Some(existing) = &log.value.existing {
            if let Some(retention) = &log.value.retention {
                self.error(
                    retention.at,
                    "`retention` cannot be set on what is only referred to",
                    "not beside `existing`",
                );
            }
            let name = existing.value.0.split(":log-group:").last().unwrap_or_default();
            return LogRef::Existing(name.trim_end_matches(":*").to_owned());
        }
        let retention = log.value.retention.as_ref();
        if let Some(retention) = retention.filter(|retention| !RETENTIONS.contains(&retention.value.0)) {
            let days = RETENTIONS.map(|days| format!("{days}d")).join(", ");
            self.error(retention.at, "CloudWatch Logs does not keep logs for this time", format!("one of {days}"));
        }
        LogRef::Derived { retention_days: retention.map(|retention| retention.value.0) }
    }

    /// A bucket named outside of `buckets`, or by ARN, must be one that S3 could have.
    pub(super) fn check_bucket_name(&mut self, name: &At<BucketName>) {
        if let Err(why) = bucket::check_name(&name.value.0) {
            self.error(name.at, format!("S3 takes no bucket named `{}`", name.value.0), why);
        }
    }
}
