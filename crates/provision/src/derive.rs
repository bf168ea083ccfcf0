//! A stack's nodes: what the spec names, and what follows from it (roles, log groups, prefixes).

use std::collections::BTreeMap;

use crate::names::{Address, Name, Names};
use crate::node::{self, Node, NodeOptions};
use crate::prefix::Place;
use crate::resource::Resource;
use crate::resource::bucket_prefix::BucketPrefix;
use crate::resource::delivery_stream::{self, DeliveryStream};
use crate::resource::function::{self, Function};
use crate::resource::log_group::{LogGroup, LogRef};
use crate::resource::role::{KeyOf, Role, RoleRef, Statement};
use crate::section::Section;
use crate::spec::EachSection;
use crate::spec::stack::{Entry, Managed, Stack};

pub mod statements;

/// Every node of the stack, in no order that matters: the references between them say what comes first.
pub fn nodes(stack: &Stack, names: &Names) -> Vec<Box<dyn Node>> {
    let mut entries = Entries(vec![]);
    stack.each_section(&mut entries);
    let Entries(mut nodes) = entries;
    for (logical, entry) in &stack.functions {
        nodes.extend(entry.managed().into_iter().flat_map(|entry| of_function(logical, entry, stack, names)));
    }
    for (logical, entry) in &stack.deliveries {
        nodes.extend(entry.managed().into_iter().flat_map(|entry| of_delivery(logical, entry, stack, names)));
    }
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

/// A function's role and log group.
fn of_function(logical: &str, entry: &Managed<Function>, stack: &Stack, names: &Names) -> Vec<Box<dyn Node>> {
    let name = Name::new(Function::KIND, logical, &entry.physical);
    let statements = statements::of_function(&name, &entry.desired, names);
    let role = role(&entry.desired.role, "lambda.amazonaws.com", (statements, vec![]), entry, stack, names);
    let group = function::log_group(&entry.desired.log, &name);
    let group = log_group(&entry.desired.log, group, Function::KIND, logical, &[], entry);
    role.into_iter().chain([group]).collect()
}

/// A delivery stream's role and, where it logs, its log group.
fn of_delivery(logical: &str, entry: &Managed<DeliveryStream>, stack: &Stack, names: &Names) -> Vec<Box<dyn Node>> {
    let name = Name::new(DeliveryStream::KIND, logical, &entry.physical);
    let statements = statements::of_delivery(&name, &entry.desired, stack, names);
    let keys = statements::keys_of_delivery(&entry.desired, stack, names);
    let role = role(&entry.desired.role, "firehose.amazonaws.com", (statements, keys), entry, stack, names);
    let group = entry.desired.log.as_ref().map(|log| {
        let group = delivery_stream::shape::log_group(log, &name.physical);
        log_group(log, group, DeliveryStream::KIND, logical, &["DestinationDelivery", "BackupDelivery"], entry)
    });
    role.into_iter().chain(group).collect()
}

/// None for somebody else's role: it is used unseen, without one call to IAM.
fn role<T>(
    role: &RoleRef,
    service: &'static str,
    (statements, keys): (Vec<Statement>, Vec<KeyOf>),
    entry: &Managed<T>,
    stack: &Stack,
    names: &Names,
) -> Option<Box<dyn Node>> {
    let RoleRef::Derived { logical, user } = role else {
        return None;
    };
    let desired = Role { path: names.role_path(), service, statements, keys, boundary: stack.iam.boundary.clone() };
    let of = logical.split_once('-').map(|(of, _)| of).unwrap_or_default();
    let options = options::<T, Role>(entry, |old| format!("{of}-{old}"));
    Some(node::managed(Name::new(Role::KIND, logical, names.role_name(user)), desired, options))
}

fn log_group<T>(
    log: &LogRef,
    physical: String,
    of: &str,
    logical: &str,
    streams: &[&str],
    entry: &Managed<T>,
) -> Box<dyn Node> {
    let name = Name::new(LogGroup::KIND, format!("{of}-{logical}"), physical);
    match log {
        LogRef::Existing(_) => node::existing::<LogGroup>(name),
        LogRef::Derived { retention_days } => {
            let streams = streams.iter().map(|stream| stream.to_string()).collect();
            let desired = LogGroup { retention_days: *retention_days, streams };
            node::managed(name, desired, options::<T, LogGroup>(entry, |old| format!("{of}-{old}")))
        }
    }
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
