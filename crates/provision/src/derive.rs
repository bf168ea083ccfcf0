//! A stack's nodes: what the spec names, and what follows from it (roles, log groups, prefixes).

use std::collections::BTreeMap;

use crate::names::{Address, Name, Names, slug};
use crate::node::{self, Node, NodeOptions};
use crate::prefix::Place;
use crate::resource::Resource;
use crate::resource::bucket_prefix::BucketPrefix;
use crate::resource::delivery_stream::{self, DeliveryStream};
use crate::resource::function::{self, Function};
use crate::resource::log_group::{LogGroup, LogRef};
use crate::resource::role::{KeyOf, Role, RoleName, RoleRef, Statement, Trust};
use crate::section::Section;
use crate::spec::EachSection;
use crate::spec::stack::{Entry, Managed, Stack};

pub mod statements;

/// Every node of the stack, in no order that matters: the references between them say what comes first.
pub fn nodes(stack: &Stack, names: &Names) -> Vec<Box<dyn Node>> {
    let mut entries = Entries(vec![]);
    stack.each_section(&mut entries);
    let Entries(mut nodes) = entries;
    let mut derived = Derived { stack, names, roles: BTreeMap::new(), groups: BTreeMap::new(), existing: vec![] };
    let functions = stack.functions.iter().filter_map(|(logical, entry)| Some((logical, entry.managed()?)));
    functions.for_each(|(logical, entry)| derived.function(logical, entry));
    let deliveries = stack.deliveries.iter().filter_map(|(logical, entry)| Some((logical, entry.managed()?)));
    deliveries.for_each(|(logical, entry)| derived.delivery(logical, entry));
    nodes.extend(derived.nodes());
    nodes.extend(prefixes(stack));
    nodes
}

/// A node for each entry of the spec.
struct Entries(Vec<Box<dyn Node>>);

impl EachSection for Entries {
    fn section<K: Section + Resource>(&mut self, _: &'static str, entries: &BTreeMap<String, Entry<K>>) {
        self.0.extend(entries.iter().map(|(key, entry)| node_of(key, entry)));
    }
}

pub(crate) fn node_of<K: Section + Resource>(key: &str, entry: &Entry<K>) -> Box<dyn Node> {
    let name = Name::new(K::KIND, key, entry.physical());
    match entry {
        Entry::Managed(managed) => {
            let after = managed.desired.after(key);
            let options = NodeOptions { after, ..options::<K, K>(managed, identity) };
            node::managed(name, managed.desired.clone(), options)
        }
        Entry::Existing(_) => node::existing::<K>(name),
    }
}

/// The roles and log groups that entries need. There is one of each name, for all entries that give it.
struct Derived<'s> {
    stack: &'s Stack,
    names: &'s Names,
    roles: BTreeMap<String, (Name, Role, NodeOptions)>,
    groups: BTreeMap<String, (Name, LogGroup, NodeOptions)>,
    /// Log groups of others.
    existing: Vec<Box<dyn Node>>,
}

impl Derived<'_> {
    fn function(&mut self, logical: &str, entry: &Managed<Function>) {
        let name = Name::new(Function::KIND, logical, &entry.physical);
        let statements = statements::of_function(&name, &entry.desired, self.names);
        self.role(&entry.desired.role, "lambda.amazonaws.com", (statements, vec![]), entry);
        let group = function::log_group(&entry.desired.log, &name);
        self.log_group(&entry.desired.log, group, (Function::KIND, logical), &[], entry);
    }

    fn delivery(&mut self, logical: &str, entry: &Managed<DeliveryStream>) {
        const FIREHOSE: &str = "firehose.amazonaws.com";
        let delivery = &entry.desired;
        let name = Name::new(DeliveryStream::KIND, logical, &entry.physical);
        let needs = statements::of_delivery(&name, delivery, self.stack, self.names);
        let reads = statements::of_reader(&name, delivery, self.stack, self.names);
        if delivery.source.is_some() {
            self.role(delivery.source_role.as_ref().unwrap_or(&delivery.role), FIREHOSE, reads, entry);
        }
        self.role(&delivery.role, FIREHOSE, needs, entry);
        if let Some(log) = &delivery.log {
            let group = delivery_stream::shape::log_group(&log.group, &name.physical);
            let streams = [&log.stream, &log.backup_stream];
            self.log_group(&log.group, group, (DeliveryStream::KIND, logical), &streams, entry);
        }
    }

    /// Nothing for somebody else's role: it is used unseen, without one call to IAM.
    fn role<T>(
        &mut self,
        role: &RoleRef,
        service: &'static str,
        (statements, keys): (Vec<Statement>, Vec<KeyOf>),
        entry: &Managed<T>,
    ) {
        let RoleRef::Derived(role) = role else { return };
        let physical = role.physical(self.names);
        let of = role.logical.split_once('-').map(|(of, _)| of.to_owned()).unwrap_or_default();
        let mut options = options::<T, Role>(entry, |old| format!("{of}-{old}"));
        options.moved_from = options.moved_from.filter(|_| matches!(role.name, RoleName::Of(_)));
        let (_, desired, all) = self.roles.entry(physical.clone()).or_insert_with(|| {
            let trust = Trust { services: vec![], conditions: role.conditions.clone() };
            let boundary = self.stack.iam.boundary.clone();
            let path = self.names.role_path();
            let desired = Role { path, trust, statements: vec![], keys: vec![], boundary };
            (Name::new(Role::KIND, &role.logical, physical), desired, options.clone())
        });
        desired.trust.services.push(service);
        desired.trust.services.sort();
        desired.trust.services.dedup();
        add(&mut desired.statements, statements);
        desired.keys.extend(keys);
        share(all, &options);
    }

    fn log_group<T>(
        &mut self,
        log: &LogRef,
        physical: String,
        (of, logical): (&str, &str),
        streams: &[&String],
        entry: &Managed<T>,
    ) {
        let address = |own: &str| Name::new(LogGroup::KIND, own, &physical);
        match log {
            LogRef::Existing(_) => {
                self.existing.push(node::existing::<LogGroup>(address(&format!("{of}-{logical}"))));
            }
            LogRef::Derived { name, retention_days } => {
                let own = name.as_ref().map_or_else(|| format!("{of}-{logical}"), |name| slug(name));
                let mut options = options::<T, LogGroup>(entry, |old| format!("{of}-{old}"));
                options.moved_from = options.moved_from.filter(|_| name.is_none());
                let (_, desired, all) = self.groups.entry(physical.clone()).or_insert_with(|| {
                    let desired = LogGroup { retention_days: *retention_days, streams: vec![] };
                    (address(&own), desired, options.clone())
                });
                desired.streams.extend(streams.iter().map(|stream| stream.to_string()));
                share(all, &options);
            }
        }
    }

    fn nodes(self) -> impl Iterator<Item = Box<dyn Node>> {
        let roles = self.roles.into_values().map(|(name, desired, options)| node::managed(name, desired, options));
        let groups = self.groups.into_values().map(|(name, desired, options)| node::managed(name, desired, options));
        roles.chain(groups).chain(self.existing)
    }
}

/// Adds what another user of a role needs: to a statement that allows the same, where there is one.
fn add(all: &mut Vec<Statement>, more: Vec<Statement>) {
    let known = all.len();
    for statement in more {
        let same = |one: &&mut Statement| {
            (&one.effect, &one.action, &one.condition) == (&statement.effect, &statement.action, &statement.condition)
        };
        match all[..known].iter_mut().find(same) {
            Some(one) => {
                one.resource.extend(statement.resource);
                one.resource.sort();
                one.resource.dedup();
            }
            None => all.push(statement),
        }
    }
}

/// A resource of several entries has the tags that they have in common, and is protected if one of them is.
fn share(all: &mut NodeOptions, one: &NodeOptions) {
    all.tags.retain(|key, value| one.tags.get(key) == Some(value));
    all.protect |= one.protect;
}

/// The places that deliveries write to, each once, in buckets that are not somebody else's. Without markers too: what is
/// remembered is where to look.
fn prefixes(stack: &Stack) -> Vec<Box<dyn Node>> {
    let mut nodes: BTreeMap<String, Box<dyn Node>> = BTreeMap::new();
    let deliveries = stack.deliveries.iter().filter_map(|(logical, entry)| Some((logical, entry.managed()?)));
    for (logical, entry) in deliveries {
        for (what, bucket, prefix) in entry.desired.places().into_iter().filter(|(_, bucket, _)| bucket.managed) {
            let place =
                Place { bucket: bucket.id.clone(), prefix: prefix.to_owned(), delivery: entry.physical.clone() };
            let physical = place.to_string();
            let name = Name::new(BucketPrefix::KIND, format!("{logical}-{what}"), &physical);
            let desired = BucketPrefix {
                place,
                marker: entry.desired.markers,
                delete_data: stack.bucket(&bucket.logical).is_some_and(|bucket| bucket.delete_data),
                bucket_logical: Some(bucket.logical.clone()),
            };
            let options = options::<_, BucketPrefix>(entry, |old| format!("{old}-{what}"));
            nodes.entry(physical).or_insert_with(|| node::managed(name, desired, options));
        }
    }
    nodes.into_values().collect()
}

/// The options of a node of kind `R` that stems from an entry; `logical` makes its logical name from the entry's.
fn options<T, R: Resource>(entry: &Managed<T>, logical: impl Fn(&str) -> String) -> NodeOptions {
    let moved_from = entry.moved_from.as_deref().map(|old| Address::new(R::KIND, logical(old)));
    NodeOptions { protect: entry.protect, moved_from, tags: entry.tags.clone(), after: vec![] }
}

fn identity(logical: &str) -> String {
    logical.to_owned()
}

#[cfg(test)]
mod tests;
