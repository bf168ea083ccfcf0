//! Nothing is accepted and then overlooked: each member of each operation's input is read, refused, or in the table below.
//!
//! Every operation is called with all the members that its service model has, each of which is once of a kind that it cannot be: a
//! member is read if the operation's type does not take that (a type's member that is never looked at is a warning of the compiler's).
//! In a form it is read if it is asked for. S3 has a test of its own, in `local-cloud`.

use std::collections::BTreeSet;

use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::stage::{ROLE, STREAM, Stage};
use crate::model::reading::listen;
use crate::model::validate::{Kind, MODELS, Service, Shape, refused_members};
use crate::request::AwsError;
use crate::service::lambda;

/// Service, member (in every operation that has it), and why nothing happens without it.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("firehose", "AllowForceDelete", "it deletes although a grant of KMS cannot be retired, and there are none"),
    ("firehose", "ExclusiveStartDestinationId", "a delivery stream has one destination"),
    ("firehose", "Limit", "a delivery stream has one destination"),
    ("firehose", "ExtendedS3DestinationConfiguration.DynamicPartitioningConfiguration.RetryOptions", PARTITIONING),
    ("firehose", "ExtendedS3DestinationUpdate.DynamicPartitioningConfiguration.RetryOptions", PARTITIONING),
    ("iam", "ContextEntries.ContextKeyType", "a condition's operator says what its values are"),
    ("kinesis", "GetRecords.StreamARN", "the iterator says which stream"),
    ("kinesis", "ScalingType", "there is one, and the service model refuses others"),
    ("kinesis", "StreamId", "the service model says: not implemented, reserved for future use"),
    ("lambda", "EphemeralStorage", "kept and shown; a process here has the machine's folder for temporary files"),
    ("lambda", "TracingConfig", "kept and shown; nothing here is traced"),
    ("lambda", "VpcConfig", "kept and shown; a process here has the machine's network"),
    ("logs", "entity", "it says for people and dashboards what wrote the events"),
    ("logs", "interleaved", "the service model says: ignored, always true"),
    ("logs", "sequenceToken", "the service model says: ignored"),
    ("logs", "unmask", "nothing here is masked"),
];

const PARTITIONING: &str = "kept and shown; finding a record's partition asks nobody, so there is nothing to retry";

/// Members that are read, or refused, in another way than by a type or the table of what is not here; and where.
const LOOKED_AT_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("firehose", "ExtendedS3DestinationConfiguration.DataFormatConversionConfiguration", CONVERSION),
    ("firehose", "ExtendedS3DestinationUpdate.DataFormatConversionConfiguration", CONVERSION),
    ("firehose", "ExtendedS3DestinationConfiguration.EncryptionConfiguration", ENCRYPTION),
    ("firehose", "ExtendedS3DestinationConfiguration.S3BackupConfiguration.EncryptionConfiguration", ENCRYPTION),
    ("firehose", "ExtendedS3DestinationUpdate.EncryptionConfiguration", ENCRYPTION),
    ("firehose", "ExtendedS3DestinationUpdate.S3BackupUpdate.EncryptionConfiguration", ENCRYPTION),
    ("firehose", "S3DestinationConfiguration.EncryptionConfiguration", ENCRYPTION),
    ("firehose", "S3DestinationUpdate.EncryptionConfiguration", ENCRYPTION),
    ("lambda", "Code.ZipFile", CODE),
    ("lambda", "ZipFile", CODE),
    ("lambda", "MasterRegion", "refused by service/lambda/unsupported"),
];

const CONVERSION: &str = "refused by flow/config, unless it is off";
const ENCRYPTION: &str = "kept and shown; flow/destination takes the key from it";
const CODE: &str = "taken by service/lambda/code, before the rest is read";

/// Destinations and sources that a delivery stream cannot have here: `service/firehose/create` refuses them by their names.
fn is_other_end_of_firehose(service: &str, member: &str) -> bool {
    let (first, _) = member.split_once('.').unwrap_or((member, ""));
    let ends = ["DestinationConfiguration", "DestinationUpdate", "SourceConfiguration"];
    let of = ends.iter().find_map(|end| first.strip_suffix(end));
    service == "firehose" && of.is_some_and(|of| !["S3", "ExtendedS3", "KinesisStream", "DirectPut"].contains(&of))
}

/// Members that Lambda's requests have in their paths.
const IN_PATH: [&str; 4] = ["FunctionName", "Name", "Resource", "StatementId"];

/// Values of members that have to mean something for an operation to go on and read the others.
fn sample(service: &str, operation: &str, member: &str) -> Option<Value> {
    let value = match (service, member) {
        ("kinesis", "StreamName") if operation == "CreateStream" => json!("new"),
        ("kinesis", "StreamName") => json!("events"),
        ("kinesis", "StreamARN" | "ResourceARN") => json!(STREAM),
        ("firehose", "DeliveryStreamName") if operation == "CreateDeliveryStream" => json!("new"),
        ("firehose", "DeliveryStreamName") => json!("d"),
        ("lambda", "Qualifier") => json!("$LATEST"),
        ("lambda", "FunctionName") if operation == "CreateFunction" => json!("new"),
        ("lambda", "FunctionName") => json!("f"),
        ("lambda", "Role") => json!(ROLE),
        ("lambda", "Resource") => json!("arn:aws:lambda:us-east-1:000000000000:function:f"),
        ("iam", "RoleName") if operation == "CreateRole" => json!("new"),
        ("iam", "RoleName") => json!("R"),
        ("iam", "PolicyName") if operation == "CreatePolicy" => json!("new"),
        ("iam", "PolicyName") => json!("P"),
        ("iam", "PolicyArn") => json!(POLICY),
        ("iam", "VersionId") if operation == "DeletePolicyVersion" => json!("v2"),
        ("iam", "VersionId") => json!("v1"),
        ("iam", "EntityFilter") => json!("Role"),
        ("iam", "Path" | "PathPrefix") => json!("/"),
        ("iam", "Marker") => json!("YQ"),
        ("iam", "PolicySourceArn" | "CallerArn") | ("sts", "RoleArn") => json!(ROLE),
        ("iam", "AssumeRolePolicyDocument") => json!(TRUST),
        ("iam", "PolicyDocument") if operation == "UpdateAssumeRolePolicy" => json!(TRUST),
        ("iam", "PolicyDocument" | "PolicyInputList" | "PermissionsBoundaryPolicyInputList" | "ResourcePolicy")
        | ("sts", "Policy") => json!(DOCUMENT),
        ("sts", "arn") => json!("arn:aws:iam::aws:policy/AdministratorAccess"),
        ("sts", "TransitiveTagKeys") | ("sts", "Key") => json!("key"),
        ("sts", "DurationSeconds") => json!(900),
        _ => return None,
    };
    Some(value)
}

const POLICY: &str = "arn:aws:iam::000000000000:policy/own";
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A world in which what the samples name is there.
fn stage() -> Stage {
    let mut stage = Stage::with_bucket();
    stage.create_direct("d", json!({}));
    let events = json!({ "MaximumRetryAttempts": 1 }).to_string();
    let path = "/2019-09-25/functions/f/event-invoke-config";
    stage.call("lambda", Method::PUT, path, HeaderMap::new(), events).unwrap();
    stage.iam(&[("Action", "UpdateAssumeRolePolicy"), ("RoleName", "R"), ("PolicyDocument", TRUST)]);
    stage.iam(&[("Action", "CreatePolicy"), ("PolicyName", "own"), ("PolicyDocument", DOCUMENT)]);
    stage.iam(&[("Action", "CreatePolicyVersion"), ("PolicyArn", POLICY), ("PolicyDocument", DOCUMENT)]);
    stage
}

struct Inputs<'a> {
    service: &'static str,
    operation: &'a str,
    tables: &'static Service,
}

impl Inputs<'_> {
    /// A value that has all members, but where a shape leads back to itself.
    fn value(&self, name: &str, shape: &Shape, depth: usize) -> Value {
        let sample = sample(self.service, self.operation, name);
        match shape.kind {
            Kind::Structure => {
                let members = shape.members.iter().filter(|_| depth < 8);
                let value = |(member, of): &(String, String)| {
                    (member.clone(), self.value(member, self.tables.shape(of), depth + 1))
                };
                Value::Object(members.map(value).collect())
            }
            Kind::List => json!([self.value(name, self.tables.of(&shape.member), depth + 1)]),
            Kind::Map => {
                let value = self.value(name, self.tables.of(&shape.value), depth + 1);
                Value::Object(Map::from_iter([("key".to_owned(), value)]))
            }
            _ if sample.is_some() => sample.unwrap_or_default(),
            Kind::String => shape.values.first().map_or_else(|| json!("1"), |value| json!(value)),
            Kind::Number => json!(shape.min.as_ref().and_then(serde_json::Number::as_i64).unwrap_or(1)),
            Kind::Boolean => json!(true),
            Kind::Timestamp => json!(1.0),
            Kind::Blob => json!("eA=="),
        }
    }

    /// Paths of all members, without the places of items and the keys of maps.
    fn paths(&self, shape: &Shape, path: &str, depth: usize, out: &mut BTreeSet<String>) {
        for (member, of) in shape.members.iter().filter(|_| depth < 8) {
            let path = if path.is_empty() { member.clone() } else { format!("{path}.{member}") };
            let mut of = self.tables.shape(of);
            while let Some(part) = of.member.as_ref().or(of.value.as_ref()) {
                of = self.tables.shape(part);
            }
            if of.kind == Kind::Structure && !of.members.is_empty() {
                self.paths(of, &path, depth + 1, out);
            } else {
                out.insert(path);
            }
        }
    }
}

/// The value as the parameters of a form.
fn parameters(value: &Value, name: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| {
            let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
            parameters(value, &name, out);
        }),
        Value::Array(items) => items.iter().for_each(|item| parameters(item, &format!("{name}.member.1"), out)),
        Value::String(text) => out.push((name.to_owned(), text.clone())),
        other => out.push((name.to_owned(), other.to_string())),
    }
}

/// Makes what is at a path of another kind, which no type that has the member takes.
fn spoil(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        *value = if value.is_object() || value.is_array() { json!(1) } else { json!({ "wrong": [] }) };
        return;
    };
    match value {
        Value::Array(items) => spoil(&mut items[0], path),
        Value::Object(members) if members.contains_key(*first) => spoil(&mut members[*first], rest),
        Value::Object(map) => spoil(&mut map["key"], path),
        other => panic!("{other} has no {path:?}"),
    }
}

/// Members of an operation's input that nobody reads, as paths.
fn unread(service: &'static str, operation: &str, tables: &'static Service) -> BTreeSet<String> {
    if operation == "Invoke" {
        return unread_headers(tables.shape(&tables.operations[operation]));
    }
    let inputs = Inputs { service, operation, tables };
    let shape = tables.shape(&tables.operations[operation]);
    let value = inputs.value("", shape, 0);
    // The results of the calls do not matter.
    if ["iam", "sts"].contains(&service) {
        let mut form = vec![("Action".to_owned(), operation.to_owned())];
        parameters(&value, "", &mut form);
        let (mut stage, body) = (stage(), serde_urlencoded::to_string(&form).unwrap());
        let heard = listen(|| drop(stage.call(service, Method::POST, "/", HeaderMap::new(), body)));
        let unasked = form.into_iter().map(|(name, _)| name).filter(|name| !heard.asked.contains(name));
        return unasked.map(|name| name.replace(".member.1", "")).collect();
    }
    let heard = |value: &Value| {
        let mut stage = stage();
        listen(|| drop(called(&mut stage, service, operation, value)))
    };
    let whole = heard(&value);
    assert!(whole.reads > 0 && !whole.failed, "{service} {operation} does not read {value}: {whole:?}");
    let mut paths = BTreeSet::new();
    inputs.paths(shape, "", 0, &mut paths);
    let in_path = lambda::address(operation).filter(|_| service == "lambda").map_or("", |(_, path)| path);
    paths.retain(|path| !in_path.contains(&format!("{{{path}}}")));
    paths.retain(|path| {
        let mut value = value.clone();
        spoil(&mut value, &path.split('.').collect::<Vec<_>>());
        !heard(&value).failed
    });
    paths
}

/// Headers of Invoke that make no difference. Its body is the function's own, and the function's name and version are in its path and
/// query, so that only the headers can be overlooked: one that is read is refused if it makes no sense.
fn unread_headers(shape: &Shape) -> BTreeSet<String> {
    assert_eq!(shape.headers.len(), 5, "the model's headers are in the table");
    let is_refused = |header: &str| {
        let headers = HeaderMap::from_iter([(header.parse().unwrap(), "{no sense".parse().unwrap())]);
        let invoked =
            stage().call("lambda", Method::POST, "/2015-03-31/functions/f/invocations", headers, String::new());
        invoked.is_err()
    };
    let unread = shape.headers.iter().filter(|(_, header)| !is_refused(&header.to_lowercase()));
    unread.map(|(member, _)| member.clone()).collect()
}

fn called(stage: &mut Stage, service: &str, operation: &str, value: &Value) -> Result<Value, AwsError> {
    if service != "lambda" {
        return stage.ask(service, operation, value.clone());
    }
    let (method, path) = lambda::address(operation).expect("the model's operations are here");
    let path = IN_PATH.iter().fold(path.to_owned(), |path, name| {
        path.replace(&format!("{{{name}}}"), value[name].as_str().unwrap_or_default())
    });
    stage.call(service, method, &path, HeaderMap::new(), value.to_string())
}

#[test]
fn every_member_of_every_operation_is_read_refused_or_harmless() {
    let (mut overlooked, mut needed) = (vec![], BTreeSet::new());
    let mut services: Vec<&'static str> = MODELS.keys().map(String::as_str).collect();
    services.sort_unstable();
    for service in services {
        let tables = &MODELS[service];
        let mut operations: Vec<&String> = tables.operations.keys().collect();
        operations.sort_unstable();
        for operation in operations {
            for member in unread(service, operation, tables) {
                let within = |known: &str| {
                    let here = format!("{operation}.{member}");
                    let member = if known.starts_with(operation.as_str()) { &here } else { &member };
                    member == known || member.starts_with(&format!("{known}."))
                };
                let refused = refused_members(service).any(|refused| within(&refused));
                if refused || is_other_end_of_firehose(service, &member) {
                    continue;
                }
                let mut rows = HARMLESS.iter().chain(LOOKED_AT_ELSEWHERE);
                let excused = rows.find(|(of, known, _)| *of == service && within(known));
                match excused {
                    Some((_, known, _)) => drop(needed.insert((service, *known))),
                    None => overlooked.push(format!("{service} {operation}: {member}")),
                }
            }
        }
    }
    assert!(overlooked.is_empty(), "nobody reads these:\n{}", overlooked.join("\n"));
    let rows = HARMLESS.iter().chain(LOOKED_AT_ELSEWHERE).map(|(service, member, _)| (*service, *member));
    let stale: Vec<_> = rows.filter(|row| !needed.contains(row)).collect();
    assert!(stale.is_empty(), "these rows are needed no more: {stale:?}");
}
