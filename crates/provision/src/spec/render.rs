//! The resolved spec as YAML: physical names, the environment applied, defaults filled in. It is a spec again, and means the
//! same without an environment.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml::{Mapping, Value};

use super::interpolate::escape;
use super::shape::Scalar;
use super::stack::{Entry, Managed, Stack};
use crate::names::Tags;
use crate::resource::bucket::Bucket;
use crate::resource::function::{Code, Function, LogRef};
use crate::resource::role::{RoleRef, Statement};
use crate::resource::stream::{Mode, Stream};
use crate::secret::Secrets;

mod delivery;

/// `stack` as a spec, without these secrets.
pub fn render(stack: &Stack, secrets: &Secrets) -> String {
    let mut spec = Object::default();
    spec.put("version", 1);
    spec.put("stack", text(&stack.name));
    let mut target = Object::default();
    target.put_some("region", stack.target.region.as_deref().map(text));
    target.put_some("account", stack.target.account.as_deref().map(text));
    spec.put_filled("target", target);
    spec.put_filled("tags", tags(&stack.tags));
    spec.put("tag_prefix", text(&stack.tag_prefix));
    let mut iam = Object::default();
    iam.put("path", text(&stack.iam.path));
    iam.put_some("boundary", stack.iam.boundary.as_deref().map(text));
    spec.put("iam", iam);
    spec.put_filled("streams", section(&stack.streams, &stack.tags, stream));
    spec.put_filled("buckets", section(&stack.buckets, &stack.tags, bucket));
    spec.put_filled("functions", section(&stack.functions, &stack.tags, function));
    spec.put_filled("deliveries", section(&stack.deliveries, &stack.tags, delivery::delivery));
    let mut spec = Value::from(spec);
    mask(&mut spec, secrets);
    serde_yaml::to_string(&spec).expect("a mapping of strings and numbers serialises")
}

/// Before it is written, because a text may be written in other characters than its own.
fn mask(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => *text = secrets.mask(text).into_owned(),
        Value::Sequence(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Mapping(members) => members.values_mut().for_each(|member| mask(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}

/// A mapping in the making, in order.
#[derive(Default)]
struct Object(Mapping);

impl Object {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(Value::from(key), value.into());
    }

    fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn put_filled(&mut self, key: &str, value: Object) {
        if !value.0.is_empty() {
            self.put(key, value);
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Mapping(object.0)
    }
}

/// As it must be written to be read again.
fn text(text: &str) -> Value {
    Value::from(escape(text))
}

fn path(path: &Path) -> Value {
    text(&path.to_string_lossy())
}

fn list<'a>(items: impl IntoIterator<Item = &'a String>) -> Value {
    Value::Sequence(items.into_iter().map(|item| text(item)).collect())
}

fn tags(tags: &Tags) -> Object {
    Object(tags.iter().map(|(key, value)| (Value::from(key.as_str()), text(value))).collect())
}

/// The word of a closed set that stands for `value`.
fn word<T: Scalar + PartialEq>(value: &T) -> Value {
    let word = T::choices().into_iter().find(|word| T::parse(word).is_ok_and(|parsed| parsed == *value));
    Value::from(word.expect("each value of a closed set has a word"))
}

fn section<D>(entries: &BTreeMap<String, Entry<D>>, inherited: &Tags, body: fn(&D) -> Object) -> Object {
    let mut section = Object::default();
    for (key, entry) in entries {
        section.put(
            key,
            match entry {
                Entry::Managed(managed) => managed_entry(managed, inherited, body),
                Entry::Existing(id) => existing(id),
            },
        );
    }
    section
}

fn managed_entry<D>(managed: &Managed<D>, inherited: &Tags, body: fn(&D) -> Object) -> Object {
    let mut entry = Object::default();
    entry.put("name", text(&managed.physical));
    entry.0.extend(body(&managed.desired).0);
    let own = managed.tags.iter().filter(|(key, value)| inherited.get(*key) != Some(value));
    entry.put_filled("tags", tags(&own.map(|(key, value)| (key.clone(), value.clone())).collect()));
    entry.put("protect", managed.protect);
    entry.put_some("moved", managed.moved_from.as_deref().map(|from| one("from", text(from))));
    entry
}

fn one(key: &str, value: impl Into<Value>) -> Object {
    let mut object = Object::default();
    object.put(key, value);
    object
}

fn existing(id: &str) -> Object {
    one("existing", text(id))
}

fn stream(stream: &Stream) -> Object {
    let mut object = Object::default();
    match stream.mode {
        Mode::Provisioned { shards } => {
            object.put("mode", "provisioned");
            object.put("shards", shards);
        }
        Mode::OnDemand => object.put("mode", "on-demand"),
    }
    object.put("retention", format!("{}h", stream.retention_hours));
    object.put("max_record_size", format!("{}KiB", stream.max_record_kib));
    object.put("encryption", text(stream.encryption.as_deref().unwrap_or("none")));
    object.put("metrics", list(&stream.metrics));
    object
}

fn bucket(bucket: &Bucket) -> Object {
    let mut object = one("create", if bucket.create { "if-missing" } else { "never" });
    object.put_some("expire", bucket.expire_days.map(|days| format!("{days}d")));
    object
}

fn function(function: &Function) -> Object {
    let mut object = one("code", code(&function.code));
    object.put("runtime", text(&function.runtime));
    object.put("handler", text(&function.handler));
    object.put("memory", format!("{}MiB", function.memory_mib));
    object.put("timeout", format!("{}s", function.timeout_s));
    object.put("ephemeral_storage", format!("{}MiB", function.ephemeral_storage_mib));
    object.put("architecture", word(&function.architecture));
    object.put_filled("environment", tags(&function.environment));
    object.put("layers", list(&function.layers));
    object.put_some(
        "vpc",
        function.vpc.as_ref().map(|vpc| {
            let mut object = one("subnets", list(&vpc.subnets));
            object.put("security_groups", list(&vpc.security_groups));
            object
        }),
    );
    object.put("description", text(&function.description));
    object.put("publish", function.publish);
    object.put_some("alias", function.alias.as_deref().map(text));
    if !function.allow.is_empty() {
        object.put("allow", Value::Sequence(function.allow.iter().map(|allow| statement(allow).into()).collect()));
    }
    object.put_some("role", role(&function.role));
    object.put_filled("log", log(&function.log));
    object
}

fn code(code: &Code) -> Object {
    match code {
        Code::Crate { path: folder, bin } => {
            let mut object = one("crate", path(folder));
            object.put_some("bin", bin.as_deref().map(text));
            object
        }
        Code::Zip { path: file } => one("zip", path(file)),
        Code::Dir { path: folder } => one("dir", path(folder)),
        Code::S3 { bucket, key, version } => {
            let mut object = one("bucket", text(bucket));
            object.put("key", text(key));
            object.put_some("version", version.as_deref().map(text));
            one("s3", object)
        }
        // A spec has none: it comes of preparing one of the above.
        Code::Ready(package) => one("ready", text(&package.from)),
    }
}

fn statement(statement: &Statement) -> Object {
    let mut object = one("actions", list(&statement.action));
    object.put("resources", list(&statement.resource));
    object.put("effect", statement.effect.to_lowercase());
    object.put_some("conditions", statement.condition.as_ref().map(escaped));
    object
}

fn escaped(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(string) => text(string),
        serde_json::Value::Array(items) => Value::Sequence(items.iter().map(escaped).collect()),
        serde_json::Value::Object(members) => {
            Value::Mapping(members.iter().map(|(key, value)| (Value::from(key.as_str()), escaped(value))).collect())
        }
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Value::from(value.to_string()),
    }
}

fn role(role: &RoleRef) -> Option<Object> {
    match role {
        RoleRef::Derived { .. } => None,
        RoleRef::Existing(id) => Some(existing(id)),
    }
}

fn log(log: &LogRef) -> Object {
    match log {
        LogRef::Derived { retention_days: None } => Object::default(),
        LogRef::Derived { retention_days: Some(days) } => one("retention", format!("{days}d")),
        LogRef::Existing(name) => existing(name),
    }
}
