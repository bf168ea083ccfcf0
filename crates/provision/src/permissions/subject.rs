//! The subjects of a stack's calls: its nodes, and what their fields refer to (roles that are passed, code in S3, layers).

use std::collections::BTreeMap;

use super::{Use, data};
use crate::derive::{self, statements};
use crate::names::{Name, Names};
use crate::plan::Wants;
use crate::prefix::{self, Place, literal};
use crate::resource::Resource;
use crate::resource::bucket::Bucket;
use crate::resource::delivery_stream::{DeliveryStream, ErrorLog, SourceEncryption};
use crate::resource::function::{Code, Function};
use crate::resource::log_group::LogRef;
use crate::resource::role::{KeyOf, RoleRef};
use crate::spec::stack::{Entry, Stack};

/// A subject of calls. Its kind is one of [`super::table::Row::subject`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub kind: &'static str,
    /// Values for the fields in the table's resources.
    pub fields: BTreeMap<&'static str, String>,
    /// Uses that never occur with this subject.
    pub without: &'static [Use],
    /// Whether the spec only refers to it with `existing:`.
    pub referenced: bool,
}

/// Replaces `*` while a spec is read, because the name of an environment must not contain `*`. It is an unlikely name.
const ANY: &str = "zq0qz";
/// For a resource that the spec only refers to: everything except reading.
const NOT_OURS: &[Use] = &[Use::ReadTags, Use::Create, Use::Update, Use::Delete, Use::ReadUsers, Use::Purge, Use::List];
/// For a bucket that must exist already.
const NEVER_MADE: &[Use] = &[Use::Create, Use::Update, Use::Delete, Use::Purge];

/// An environment's name in which `*` stands for any text, as one that a spec can be read with.
pub fn as_name(env: &str) -> String {
    env.replace('*', ANY)
}

/// Puts the `*` back.
pub fn as_pattern(text: &str) -> String {
    text.replace(ANY, "*")
}

impl Subject {
    pub(super) fn new(kind: &'static str, fields: &[(&'static str, &str)]) -> Subject {
        let fields = fields.iter().map(|(field, value)| (*field, as_pattern(value))).collect();
        Subject { kind, fields, without: &[], referenced: false }
    }
}

/// The subjects of a stack or of one of its environments.
pub fn of_stack(stack: &Stack, names: &Names) -> Vec<Subject> {
    let mut all =
        vec![Subject::new("record", &[("name", &names.record())]), Subject::new("records", &[]), account(names)];
    for node in derive::nodes(stack, names) {
        let facts = node.facts(names, false);
        let mut subjects = of_node(&facts.name, stack, names);
        for subject in &mut subjects {
            if facts.wants == Wants::Reference {
                (subject.referenced, subject.without) = (true, NOT_OURS);
            }
            if facts.but_a_name {
                subject.without = &[Use::Create];
            }
        }
        all.extend(subjects);
    }
    let functions = stack.functions.values().filter_map(Entry::managed);
    all.extend(functions.flat_map(|entry| of_function(&entry.physical, &entry.desired, names)));
    for entry in stack.deliveries.values().filter_map(Entry::managed) {
        all.extend(of_delivery(&entry.physical, &entry.desired, stack, names));
    }
    all.extend(data::of_stack(stack, names));
    all
}

fn of_node(name: &Name, stack: &Stack, names: &Names) -> Vec<Subject> {
    let (kind, physical) = (name.address.kind, name.physical.as_str());
    match kind {
        "bucket" => {
            let entry = stack.buckets.get(&name.address.logical).and_then(Entry::managed);
            let never = entry.is_some_and(|entry| !entry.desired.create);
            let without = if never { NEVER_MADE } else { &[] };
            let of_options = entry.into_iter().flat_map(|entry| options_of_bucket(physical, &entry.desired, names));
            [Subject { without, ..Subject::new(kind, &[("bucket", physical)]) }].into_iter().chain(of_options).collect()
        }
        prefix::KIND => Place::parse(physical).iter().map(|place| of_place("prefix", place)).collect(),
        "role" => {
            let absent = Subject::new("absent_role", &[("name", &role_name(physical))]);
            vec![Subject::new(kind, &[("path", &names.role_path())]), absent]
        }
        // Lambda makes the log streams of its functions itself.
        "log_group" if !physical.starts_with("/aws/lambda/") => {
            [kind, "log_streams"].map(|kind| Subject::new(kind, &[("name", physical)])).into()
        }
        kind => vec![Subject::new(kind, &[("name", physical)])],
    }
}

/// Further subjects of its options.
fn options_of_bucket(physical: &str, bucket: &Bucket, names: &Names) -> Vec<Subject> {
    let asked = [
        ("encrypted_bucket", bucket.encryption.is_some()),
        ("versioned_bucket", bucket.versioning),
        ("bucket_with_policy", bucket.tls_only || !bucket.logs_of.is_empty()),
        ("logged_bucket", bucket.access_logs.is_some()),
    ];
    let asked = asked.into_iter().filter(|(_, is_set)| *is_set);
    let key = bucket.encryption.as_ref().map(|key| Subject::new("bucket_key", &[("arn", &key_arn(key, names))]));
    asked.map(|(kind, _)| Subject::new(kind, &[("bucket", physical)])).chain(key).collect()
}

/// A long name ends in a hash, which a pattern cannot match.
fn role_name(physical: &str) -> String {
    match physical.split_once(ANY) {
        Some((before, _)) => format!("{before}*"),
        None => physical.to_owned(),
    }
}

fn of_place(kind: &'static str, place: &Place) -> Subject {
    let mut subject = Subject::new(kind, &[("bucket", &place.bucket), ("prefix", literal(&place.prefix))]);
    subject.fields.extend(place.folder().map(|folder| ("folder", as_pattern(folder))));
    subject
}

fn of_function(physical: &str, function: &Function, names: &Names) -> Vec<Subject> {
    let mut all = vec![passed("role_of_function", &function.role, names)];
    if function.publish && function.alias.is_none() {
        all.push(Subject::new("published", &[("name", physical)]));
    }
    all.extend(function.layers.iter().map(|layer| Subject::new("layer", &[("arn", layer)])));
    all.extend(function.vpc.iter().map(|_| Subject::new("vpc", &[])));
    if let Code::S3 { bucket, key, version } = &function.code {
        let kind = if version.is_some() { "code_version" } else { "code" };
        all.push(Subject::new(kind, &[("bucket", bucket), ("key", key)]));
    }
    all
}

fn passed(kind: &'static str, role: &RoleRef, names: &Names) -> Subject {
    let arn = match role {
        RoleRef::Derived(_) => names.role_arn(&names.role_path(), "*"),
        RoleRef::Existing(_) => role.arn(names),
    };
    Subject::new(kind, &[("arn", &arn)])
}

/// Adds what `verify` does with it.
fn of_delivery(physical: &str, delivery: &DeliveryStream, stack: &Stack, names: &Names) -> Vec<Subject> {
    let roles = [Some(&delivery.role), delivery.source_role.as_ref()].into_iter().flatten();
    let mut all: Vec<Subject> = roles.map(|role| passed("role_of_delivery", role, names)).collect();
    all.push(match &delivery.source {
        Some(source) => Subject::new("fed", &[("arn", &source.arn(names))]),
        None => Subject::new("direct_put", &[("name", physical)]),
    });
    let bucket = delivery.bucket.id.rsplit(':').next().unwrap_or_default();
    for prefix in [Some(&delivery.good), delivery.bad.as_ref()].into_iter().flatten() {
        all.push(Subject::new("delivered", &[("bucket", bucket), ("prefix", literal(prefix))]));
    }
    let name = Name::new(DeliveryStream::KIND, "", physical);
    let reader = delivery.source_role.as_ref().unwrap_or(&delivery.role);
    let keys = [
        (&delivery.role, statements::of_delivery(&name, delivery, stack, names).1),
        (reader, statements::of_reader(&name, delivery, stack, names).1),
    ];
    let keys = keys.iter().filter(|(role, _)| matches!(role, RoleRef::Derived(_))).flat_map(|(_, keys)| keys);
    all.extend(keys.map(|of| match of {
        KeyOf::Stream(arn) => Subject::new("key_of_stream", &[("arn", arn)]),
        KeyOf::Bucket(bucket) => Subject::new("key_of_bucket", &[("bucket", bucket)]),
    }));
    // Others may log to a group that has a name of its own.
    let group = delivery.log.as_ref().map(|log: &ErrorLog| &log.group);
    if let Some(LogRef::Existing(group) | LogRef::Derived { name: Some(group), .. }) = group {
        all.push(Subject::new("error_log", &[("name", group)]));
    }
    if let Some(encryption) = &delivery.source_encryption {
        all.push(Subject::new("encrypted_put", &[("name", physical)]));
        if let SourceEncryption::Key(arn) = encryption {
            all.push(Subject::new("source_key", &[("arn", &key_arn(arn, names))]));
        }
    }
    let keys = [
        ("delivered_key", delivery.encryption.as_ref()),
        ("stream_key", delivery.source.as_ref().and_then(|source| stream_key(&source.logical, stack))),
    ];
    let by_default = statements::keys_of_buckets(delivery, stack);
    all.extend(by_default.iter().map(|key| Subject::new("delivered_key", &[("arn", &key_arn(key, names))])));
    all.extend(keys.into_iter().filter_map(|(kind, key)| Some(Subject::new(kind, &[("arn", &key_arn(key?, names))]))));
    all
}

/// AWS's own key for Kinesis is open to whoever may put.
pub(super) fn stream_key<'a>(stream: &str, stack: &'a Stack) -> Option<&'a String> {
    let stream = stack.streams.get(stream)?.managed()?;
    stream.desired.encryption.as_ref().filter(|key| !key.ends_with("alias/aws/kinesis"))
}

/// An alias is no resource of a policy: any key of the account then.
pub(super) fn key_arn(key: &str, names: &Names) -> String {
    match key.rsplit(':').next() {
        Some(resource) if resource.starts_with("alias/") => names.arn("kms", "key/*"),
        _ if key.starts_with("arn:") => key.to_owned(),
        _ => names.arn("kms", &format!("key/{key}")),
    }
}

/// The subjects of any stack.
pub fn any_stack(names: &Names) -> Vec<Subject> {
    let path = format!("{}provision/", names.iam_path);
    let role = names.role_arn(&path, "*");
    let named = |kind, name| Subject::new(kind, &[("name", name)]);
    let mut all: Vec<Subject> =
        ["stream", "function", "published", "delivery", "direct_put"].map(|kind| named(kind, "*")).into();
    all.push(Subject::new("fed", &[("arn", &names.stream_arn("*"))]));
    all.push(Subject::new("bucket", &[("bucket", "*")]));
    let of_buckets = ["key_of_bucket", "encrypted_bucket", "versioned_bucket", "bucket_with_policy", "logged_bucket"];
    all.extend(of_buckets.map(|kind| Subject::new(kind, &[("bucket", "*")])));
    all.push(Subject::new("prefix", &[("bucket", "*"), ("prefix", ""), ("folder", "*/")]));
    all.push(Subject::new("delivered", &[("bucket", "*"), ("prefix", "")]));
    all.push(named("log_group", "/aws/lambda/*"));
    all.extend(["log_group", "log_streams"].map(|kind| named(kind, "/aws/kinesisfirehose/*")));
    all.push(Subject::new("role", &[("path", &path)]));
    all.extend(["firehose-*", "lambda-*"].map(|name| named("absent_role", name)));
    all.extend(["role_of_function", "role_of_delivery"].map(|kind| Subject::new(kind, &[("arn", &role)])));
    all.push(Subject::new("vpc", &[]));
    all.push(Subject::new("layer", &[("arn", &format!("arn:{}:lambda:*:*:layer:*", names.partition()))]));
    all.extend(["code", "code_version"].map(|kind| Subject::new(kind, &[("bucket", "*"), ("key", "*")])));
    all.push(named("record", "/provision/*"));
    all.push(Subject::new("records", &[]));
    all.push(account(names));
    all.extend(data::any_stack(names));
    all
}

/// The subjects of `--scan`.
fn account(names: &Names) -> Subject {
    Subject::new("account", &[("roles", &names.iam_path)])
}
